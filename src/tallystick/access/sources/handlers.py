"""How product events change the tables of sources and tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, update

from tallystick.event.occurred import us_of_time
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables import SOURCE, TOKEN

_RULES: Final = ("kind", "owner", "actor_ids", "silence_s", "strict")


def _register_source(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    row = {name: metadata[name] for name in ("number", "name", *_RULES)}
    connection.execute(
        SOURCE.insert().values(
            **row,
            scopes=json.dumps(_paths(metadata["scopes"])),
            registered_index=event.index,
            registered_at=event.received_at,
        )
    )


def _change_source(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    changed: dict[str, Any] = {name: metadata[name] for name in _RULES if name in metadata}
    if "scopes" in metadata:
        changed["scopes"] = json.dumps(_paths(metadata["scopes"]))
    if changed:
        connection.execute(update(SOURCE).where(SOURCE.c.number == metadata["number"]).values(**changed))


def _retire_source(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(SOURCE)
        .where(SOURCE.c.number == event.metadata["number"], SOURCE.c.retired_index.is_(None))
        .values(retired_index=event.index)
    )


def _create_token(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    expires_at = metadata["expires_at"]
    target = (event.event.get("targets") or [{}])[0]
    connection.execute(
        TOKEN.insert().values(
            token=metadata["token"],
            owner_kind=metadata["owner_kind"],
            owner=metadata["owner"],
            label=target.get("name"),
            permissions=json.dumps(metadata["permissions"]),
            scopes=json.dumps(_paths(metadata["scopes"])),
            addresses=json.dumps(metadata["addresses"]),
            digest=metadata["digest"],
            expires_at=None if expires_at is None else us_of_time(expires_at),
            predecessor=metadata["predecessor"],
            created_index=event.index,
            created_at=event.received_at,
        )
    )


def _rotate_token(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        update(TOKEN)
        .where(TOKEN.c.token == metadata["token"])
        .values(successor=metadata["successor"], ends_at=us_of_time(metadata["ends_at"]))
    )


def _revoke_token(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(TOKEN)
        .where(TOKEN.c.token == event.metadata["token"], TOKEN.c.revoked_index.is_(None))
        .values(revoked_index=event.index)
    )


def _paths(shown: list[str]) -> list[str]:
    """Return scopes as they are compared: in events everything is written as a slash."""
    return ["" if scope == "/" else scope for scope in shown]


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "source.registered": _register_source,
        "source.changed": _change_source,
        "source.retired": _retire_source,
        "token.created": _create_token,
        "token.rotated": _rotate_token,
        "token.revoked": _revoke_token,
    }
)
