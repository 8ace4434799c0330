"""Sources and tokens as the tables have them."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, Source, SourceSettings, Token, TokenSettings
from tallystick.store.tables import SOURCE, TOKEN


def all_sources(connection: Connection) -> list[Source]:
    """Return every source ever registered, by number."""
    return [_source(row) for row in connection.execute(select(SOURCE).order_by(SOURCE.c.number)).mappings()]


def find_source(connection: Connection, name: str) -> Source | None:
    """Return the source of that name, or None."""
    row = connection.execute(select(SOURCE).where(SOURCE.c.name == name)).mappings().first()
    return None if row is None else _source(row)


def all_tokens(connection: Connection, owner: Owner | None = None) -> list[Token]:
    """Return every token ever made, oldest first; only those of `owner` where one is given."""
    query: Select[Any] = select(TOKEN).order_by(TOKEN.c.created_index)
    if owner is not None:
        query = query.where(TOKEN.c.owner_kind == owner.kind.value, TOKEN.c.owner == owner.id)
    return [token_of(row) for row in connection.execute(query).mappings()]


def find_token(connection: Connection, name: str) -> Token | None:
    """Return the token of that name, or None."""
    row = connection.execute(select(TOKEN).where(TOKEN.c.token == name)).mappings().first()
    return None if row is None else token_of(row)


def token_of(row: RowMapping) -> Token:
    """Return the token in a row of `TOKEN`."""
    settings = TokenSettings(
        permissions=frozenset(map(Permission, json.loads(row[TOKEN.c.permissions]))),
        scopes=tuple(json.loads(row[TOKEN.c.scopes])),
        expires_at=row[TOKEN.c.expires_at],
        addresses=tuple(map(ip_network, json.loads(row[TOKEN.c.addresses]))),
        label=row[TOKEN.c.label] or "",
    )
    return Token(
        token=row[TOKEN.c.token],
        owner=Owner(OwnerKind(row[TOKEN.c.owner_kind]), row[TOKEN.c.owner]),
        settings=settings,
        created_at=row[TOKEN.c.created_at],
        revoked=row[TOKEN.c.revoked_index] is not None,
        predecessor=row[TOKEN.c.predecessor],
        successor=row[TOKEN.c.successor],
        ends_at=row[TOKEN.c.ends_at],
    )


def _source(row: RowMapping) -> Source:
    settings = SourceSettings(
        kind=row["kind"],
        owner=row["owner"],
        scopes=tuple(json.loads(row["scopes"])),
        actor_ids=row["actor_ids"],
        silence_s=row["silence_s"],
        strict=row["strict"],
    )
    return Source(row["number"], row["name"], settings, row["registered_at"], row["retired_index"] is not None)
