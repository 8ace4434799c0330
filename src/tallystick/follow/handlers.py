"""How product events change the tables of classes, holds, quarantines and the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables import CATALOGUE, DEFINITION, HOLD, QUARANTINE, RETENTION_CLASS


def _define_class(connection: Connection, event: ProductEvent) -> None:
    names = ("number", "name", "retention_days", "keeps_facts")
    row = {name: event.metadata.get(name) for name in names}
    connection.execute(RETENTION_CLASS.insert().values(**row, defined_index=event.index))


def _change_class(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(RETENTION_CLASS)
        .where(RETENTION_CLASS.c.number == event.metadata["number"])
        .values(retention_days=event.metadata.get("retention_days"))
    )


def _publish_catalogue(connection: Connection, event: ProductEvent) -> None:
    connection.execute(CATALOGUE.insert().values(from_index=event.index, digest=event.metadata["digest"]))
    for definition in event.metadata["definitions"]:
        text = None if definition.get("removed") else json.dumps(definition, sort_keys=True)
        connection.execute(
            DEFINITION.insert().values(action=definition["name"], from_index=event.index, definition=text)
        )


def _place_hold(connection: Connection, event: ProductEvent) -> None:
    ranges = json.dumps(event.metadata["ranges"])
    connection.execute(HOLD.insert().values(hold=event.metadata["hold"], ranges=ranges, placed_index=event.index))


def _release_hold(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(HOLD)
        .where(HOLD.c.hold == event.metadata["hold"], HOLD.c.released_index.is_(None))
        .values(released_index=event.index)
    )


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
