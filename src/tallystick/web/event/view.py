"""The page of one event as plain values; its JSON twin is these values."""

from __future__ import annotations

import json
from typing import Any, Final, Literal

import msgspec

from tallystick.event.disclosure import Disclosure
from tallystick.event.pointer import parse_pointer
from tallystick.evidence.log import ErasureView
from tallystick.evidence.panel import EntryView, Panel
from tallystick.follow.register import PRODUCT_NAME
from tallystick.search.model import Row
from tallystick.search.readings import readings_of
from tallystick.web.event.changes import Diff, make_diff
from tallystick.web.event.drawing import Drawing, draw
from tallystick.web.events.question import Asked
from tallystick.web.events.table import make_more
from tallystick.web.events.view import Field

Tab = Literal["changes", "fields", "json", "bytes", "raw"]
_TABS: Final[tuple[tuple[Tab, str], ...]] = (
    ("changes", "Changes"),
    ("fields", "Fields"),
    ("json", "JSON"),
    ("bytes", "Canonical bytes"),
    ("raw", "Vendor's event"),
)


class TabView(msgspec.Struct, frozen=True, kw_only=True):
    """A way to look at the event."""

    name: Tab
    label: str
    here: bool


class PartField(msgspec.Struct, frozen=True, kw_only=True):
    """A value of the event, and which part of it holds it: facts, personal, or the log."""

    field: Field
    part: Literal["facts", "personal", "log"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that has to do with the event."""

    text: str
    href: str


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the caller may see it, with its proof. `facts` and `personal` are the canonical bytes as text, `readers`
    leads to who read it, empty for who may not know.
    """

    index: int
    id: str
    message: str
    received_at: int
    source: str
    class_name: str
    event: dict[str, Any]
    withheld: bool
    undeclared: bool
    erasure: ErasureView | None
    erased: bool
    tab: Tab
    tabs: tuple[TabView, ...]
    diff: Diff
    fields: tuple[PartField, ...]
    facts: str
    personal: str | None
    raw: Any
    related: tuple[Link, ...]
    panel: Panel
    drawing: Drawing
    can_prove: bool
    readers: str
    now: int


class GonePage(msgspec.Struct, frozen=True, kw_only=True):
    """An index whose content was destroyed: the entry that stays, and the erasure that took it."""

    index: int
    entry: EntryView
    erasure: ErasureView


def make_event_page(
    row: Row,
    disclosure: Disclosure,
    panel: Panel,
    *,
    tab: str,
    erasure: ErasureView | None,
    can_prove: bool,
    can_see_readers: bool,
    now: int,
) -> EventPage:
    """Return the page of an event; a tab that it has nothing for gives way to the first."""
    diff = make_diff(row.event.get("changes", []))
    raw = row.event.get("raw")
    offered = [name for name, _ in _TABS if (name != "changes" or diff.rows or diff.same) and (name != "raw" or raw)]
    chosen = next((name for name in offered if name == tab), offered[0])
    return EventPage(
        index=row.index,
        id=row.id,
        message=row.message,
        received_at=row.received_at,
        source=row.source,
        class_name=row.class_name,
        event=row.event,
        withheld=row.withheld,
        undeclared=row.undeclared,
        erasure=erasure,
        erased=row.erased,
        tab=chosen,
        tabs=tuple(TabView(name=name, label=label, here=name == chosen) for name, label in _TABS if name in offered),
        diff=diff,
        fields=_fields(row, disclosure),
        facts=(disclosure.facts or b"").decode(),
        personal=None if disclosure.personal is None else disclosure.personal.decode(),
        raw=raw,
        related=_related(row),
        panel=panel,
        drawing=draw(panel),
        can_prove=can_prove,
        readers=_readers(row) if can_see_readers else "",
        now=now,
    )


def _readers(row: Row) -> str:
    return Asked(q=readings_of(row).text, reading=True).link()


def _fields(row: Row, disclosure: Disclosure) -> tuple[PartField, ...]:
    personal = [_path(pointer) for pointer in json.loads(disclosure.personal or b"{}")]

    def part_of(path: str) -> Literal["facts", "personal", "log"]:
        if path in {"index", "id", "source", "class"}:
            return "log"
        return (
            "personal"
            if any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in personal)
            else "facts"
        )

    return tuple(PartField(field=field, part=part_of(field.path)) for field in make_more(Asked(), row, 0).fields)


def _path(pointer: str) -> str:
    """Return the path, as fields are named, of a pointer in the personal part."""
    steps = parse_pointer(pointer)
    return "".join(f"[{step}]" if at and step.isdigit() else f".{step}" for at, step in enumerate(steps))[1:]


def _related(row: Row) -> tuple[Link, ...]:
    """Return the timelines that the event stands in, the release it is about, and who decided it where it was decided."""
    found: dict[str, Link] = {}
    words = {"actor": "the same actor", "context.request_id": "the same request"}
    for field in make_more(Asked(), row, 0).fields:
        if field.timeline and field.timeline not in found:
            about = field.path.removesuffix(".id").removesuffix(".key")
            text = words.get(
                about, f"the target {field.text}" if about.startswith("targets[") else f"{about} {field.text}"
            )
            found[field.timeline] = Link(text=f"Timeline of {text}", href=field.timeline)
    target = row.event["targets"][0]
    if row.source == PRODUCT_NAME and target["type"] == "release":
        found["release"] = Link(text="The release as it is now", href=f"/releases/{target['id']}")
    metadata = row.event.get("metadata", {})
    for name in ("request", "grant_index", "decision_index"):
        if type(metadata.get(name)) is int:
            found[name] = Link(text=f"The {name.partition('_')[0]} it stands on", href=f"/events/{metadata[name]}")
    return tuple(found.values())
