"""The question "who read this?", asked of the events that record reading."""

from __future__ import annotations

from tallystick.search.model import Row, Search

_COVERING = "action:(events.searched OR events.exported OR events.tailed OR events.pulled OR events.streamed)"


def readings_of(row: Row) -> Search:
    """Return the search that finds who opened or proved an event, or found, exported, followed or fetched events in a
    scope that holds it since it was recorded. Of those it is not said that this event was among what they got.
    """
    segments = row.event["scope"].split("/")
    scopes = ["/", *("/".join(segments[: count + 1]) for count in range(len(segments)))]
    covering = " OR ".join(f'"{scope}"' for scope in scopes)
    opened = f"(target:{row.id} target.type:event)"
    covered = f"({_COVERING} index>{row.index} metadata.rows>0 metadata.scopes:({covering}))"
    return Search(text=f"class:reading ({opened} OR {covered})")
