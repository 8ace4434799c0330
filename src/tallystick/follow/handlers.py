"""How product events change the tables of classes, holds, quarantines and the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables import CATALOGUE, DEFINITION, HOLD, QUARANTINE, RETENTION_CLASS


def _define_class(connection: Connection, event: ProductEvent) -> None:
    names = ("number", "name", "keeps_facts")
    row = {name: event.metadata.get(name) for name in names}
    connection.execute(RETENTION_CLASS.insert().values(**row, **_terms(event), defined_index=event.index))


def _change_class(connection: Connection, event: ProductEvent) -> None:
    here = RETENTION_CLASS.c.number == event.metadata["number"]
    connection.execute(update(RETENTION_CLASS).where(here).values(**_terms(event)))


def _terms(event: ProductEvent) -> dict[str, Any]:
    """Return how long a class keeps what, as a declaration says it whole."""
    metadata = event.metadata
    return {
        "retention_days": metadata.get("retention_days"),
        "personal_days": metadata.get("personal_days"),
        "floor_days": metadata.get("floor_days"),
        "regulations": _json(metadata.get("regulations")),
        "below_floor": _json(metadata.get("below_floor")),
        "changed_index": event.index,
    }


def _publish_catalogue(connection: Connection, event: ProductEvent) -> None:
    connection.execute(CATALOGUE.insert().values(from_index=event.index, digest=event.metadata["digest"]))
    for definition in event.metadata["definitions"]:
        text = None if definition.get("removed") else json.dumps(definition, sort_keys=True)
        connection.execute(
            DEFINITION.insert().values(action=definition["name"], from_index=event.index, definition=text)
        )


def _place_hold(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        HOLD.insert().values(
            hold=metadata["hold"],
            **{name: _json(metadata.get(name)) for name in ("ranges", "classes", "sources", "received")},
            owner=metadata.get("owner"),
            reason=event.event.get("reason"),
            placed_by=_actor(event),
            placed_at=event.received_at,
            placed_index=event.index,
        )
    )


def _release_hold(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(HOLD)
        .where(HOLD.c.hold == event.metadata["hold"], HOLD.c.released_index.is_(None))
        .values(released_index=event.index, released_at=event.received_at, released_by=_actor(event))
    )


def _actor(event: ProductEvent) -> str | None:
    actor: Mapping[str, Any] = event.event["actor"]
    found: str | None = actor.get("id") or actor.get("key")
    return found


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _quarantine_segment(connection: Connection, event: ProductEvent) -> None:
    path = event.metadata["path"]
    if connection.execute(select(QUARANTINE.c.path).where(QUARANTINE.c.path == path)).first() is None:
        reason = event.metadata.get("reason", "")
        connection.execute(QUARANTINE.insert().values(path=path, reason=reason, found_index=event.index))


def _readmit_segment(connection: Connection, event: ProductEvent) -> None:
    connection.execute(delete(QUARANTINE).where(QUARANTINE.c.path == event.metadata["path"]))


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "class.defined": _define_class,
        "class.changed": _change_class,
        "catalogue.published": _publish_catalogue,
        "hold.placed": _place_hold,
        "hold.released": _release_hold,
        "segment.quarantined": _quarantine_segment,
        "segment.readmitted": _readmit_segment,
    }
)
