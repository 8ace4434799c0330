"""How product events change the tables of sources and tokens."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables import SOURCE, TOKEN


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


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "source.registered": _register_source,
        "source.changed": _change_source,
        "token.created": _create_token,
        "token.revoked": _revoke_token,
    }
)
