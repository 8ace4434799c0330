"""Destinations as the tables have them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from tallystick.store.tables.streams import STREAM, STREAM_VERSION
from tallystick.stream.model import Destination, Format, State, Version


def all_destinations(connection: Connection) -> list[Destination]:
    """Return every destination that there is, oldest first; those that have ended are not."""
    return _load(connection, STREAM.c.state != State.ENDED.value)


def find_destination(connection: Connection, destination: str) -> Destination | None:
    """Return a destination that has not ended, or None."""
    found = _load(connection, STREAM.c.destination == destination[:32])
    return found[0] if found and found[0].state is not State.ENDED else None


def _load(connection: Connection, condition: Any) -> list[Destination]:
    rows = connection.execute(select(STREAM).where(condition).order_by(STREAM.c.created_at, STREAM.c.destination))
    return [_destination(connection, row) for row in rows]


def _destination(connection: Connection, row: Any) -> Destination:
    query = select(STREAM_VERSION).where(STREAM_VERSION.c.destination == row.destination)
    versions = connection.execute(query.order_by(STREAM_VERSION.c.from_index))
    return Destination(
        id=row.destination,
        name=row.name,
        state=State(row.state),
        created_at=row.created_at,
        start_index=row.start_index,
        versions=tuple(map(_version, versions)),
        stopped_index=row.stopped_index,
        stopped_at=row.stopped_at,
        rewind_index=row.rewind_index,
        rewind_to=row.rewind_to,
    )


def _version(row: Any) -> Version:
    return Version(
        from_index=row.from_index,
        set_at=row.set_at,
        maker=row.maker,
        maker_type=row.maker_type,
        url=row.url,
        format=Format(row.format),
        scope=row.scope,
        personal=bool(row.personal),
        reading=bool(row.reading),
        batch=row.batch,
        header_names=tuple(json.loads(row.header_names)),
        query=row.query,
        rights={permission: tuple(scopes) for permission, scopes in json.loads(row.rights).items()},
        secret=row.secret,
        digest=row.digest,
    )
