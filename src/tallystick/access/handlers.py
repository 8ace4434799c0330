"""How product events change the tables of sources, tokens, classes, holds, quarantines and the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import SCHEMA_VERSION, Handler
from tallystick.store.database import CATALOGUE, DEFINITION, HOLD, QUARANTINE, RETENTION_CLASS, SOURCE, TOKEN


def _register_source(connection: Connection, event: ProductEvent) -> None:
    names = ("number", "name", "kind", "scope", "actor_ids", "strict")
    row = {name: event.metadata[name] for name in names}
    connection.execute(SOURCE.insert().values(**row, registered_index=event.index))


def _change_source(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    changed = {name: metadata[name] for name in ("name", "kind", "scope", "actor_ids", "strict") if name in metadata}
    if changed:
        connection.execute(update(SOURCE).where(SOURCE.c.number == metadata["number"]).values(**changed))


def _create_token(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        TOKEN.insert().values(
            token=metadata["token"],
            source=metadata["source"],
            can=metadata["can"],
            scope=metadata["scope"],
            digest=metadata["digest"],
            expires_at=metadata.get("expires_at"),
            created_index=event.index,
        )
    )


def _revoke_token(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(TOKEN)
        .where(TOKEN.c.token == event.metadata["token"], TOKEN.c.revoked_index.is_(None))
        .values(revoked_index=event.index)
    )


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


_ACTIONS: Mapping[str, Handler] = {
    "source.registered": _register_source,
    "source.changed": _change_source,
    "token.created": _create_token,
    "token.revoked": _revoke_token,
    "class.defined": _define_class,
    "class.changed": _change_class,
    "catalogue.published": _publish_catalogue,
    "hold.placed": _place_hold,
    "hold.released": _release_hold,
    "segment.quarantined": _quarantine_segment,
    "segment.readmitted": _readmit_segment,
}
HANDLERS: Mapping[tuple[str, int], Handler] = {
    (action, SCHEMA_VERSION): handler for action, handler in _ACTIONS.items()
}
