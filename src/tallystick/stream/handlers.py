"""How the events of streaming come into their tables.

An event about a destination is the last one that its settings before count for: new ones count from the next index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.streams import GITLAB_SENDER, STREAM, STREAM_VERSION
from tallystick.stream.model import State

CREATED: Final = "stream.created"
CHANGED: Final = "stream.changed"
ROTATED: Final = "stream.secret_rotated"
PAUSED: Final = "stream.paused"
RESUMED: Final = "stream.resumed"
BACKFILL: Final = "stream.backfill_requested"
REPLAYED: Final = "stream.letters_replayed"
TESTED: Final = "stream.tested"
DELETED: Final = "stream.deleted"
ENDED: Final = "stream.ended"
GITLAB_SET: Final = "gitlab_sender.set"
GITLAB_REMOVED: Final = "gitlab_sender.removed"


def _create(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        STREAM.insert().values(
            destination=metadata["destination"],
            name=_name(event),
            state=State.ACTIVE.value,
            created_at=event.received_at,
            start_index=event.index + 1 if metadata.get("from_index") is None else metadata["from_index"],
            rewind_index=-1,
            rewind_to=0,
        )
    )
    _add_version(connection, event, _new(event, "query") if metadata["has_query"] else "")


def _change(connection: Connection, event: ProductEvent) -> None:
    if name := _name(event):
        _update(connection, event, name=name)
    metadata = event.metadata
    if "query" in metadata["changed"]:
        query = _new(event, "query") if metadata["has_query"] else ""
    else:
        query = _newest(connection, metadata["destination"])["query"]
    _add_version(connection, event, query)


def _rotate(connection: Connection, event: ProductEvent) -> None:
    row = _newest(connection, event.metadata["destination"])
    secret = {name: event.metadata[name] for name in ("secret", "digest")}
    connection.execute(STREAM_VERSION.insert().values({**row, **secret, "from_index": event.index + 1}))


def _pause(connection: Connection, event: ProductEvent) -> None:
    _update(
        connection,
        event,
        state=State.PAUSED.value,
        stopped_index=event.index,
        stopped_at=event.received_at,
    )


def _resume(connection: Connection, event: ProductEvent) -> None:
    _update(connection, event, state=State.ACTIVE.value, stopped_index=None, stopped_at=None)


def _go_back(connection: Connection, event: ProductEvent) -> None:
    _update(connection, event, rewind_index=event.index, rewind_to=event.metadata["from_index"])


def _delete(connection: Connection, event: ProductEvent) -> None:
    """A paused destination keeps its end: nothing was due to it since."""
    of_it = STREAM.c.destination == event.metadata["destination"]
    was_paused = connection.scalar(select(STREAM.c.state).where(of_it)) == State.PAUSED.value
    stop = {} if was_paused else {"stopped_index": event.index}
    _update(connection, event, state=State.ENDING.value, stopped_at=event.received_at, **stop)


def _end(connection: Connection, event: ProductEvent) -> None:
    _update(connection, event, state=State.ENDED.value)


def _set_gitlab(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    _remove_gitlab(connection, event)
    connection.execute(
        GITLAB_SENDER.insert().values(
            source=metadata["source"],
            secret=metadata["secret"],
            digest=metadata["digest"],
            set_at=event.received_at,
            set_by=event.event["actor"].get("id") or "",
        )
    )


def _remove_gitlab(connection: Connection, event: ProductEvent) -> None:
    connection.execute(delete(GITLAB_SENDER).where(GITLAB_SENDER.c.source == event.metadata["source"]))


def _newest(connection: Connection, destination: str) -> dict[str, Any]:
    of_it = STREAM_VERSION.c.destination == destination
    newest = select(STREAM_VERSION).where(of_it).order_by(STREAM_VERSION.c.from_index.desc()).limit(1)
    return dict(connection.execute(newest).mappings().one())


def _add_version(connection: Connection, event: ProductEvent, query: str | None) -> None:
    metadata = event.metadata
    rights = {name: [_path(scope) for scope in scopes] for name, scopes in metadata["rights"].items()}
    connection.execute(
        STREAM_VERSION.insert().values(
            destination=metadata["destination"],
            from_index=event.index + 1,
            set_at=event.received_at,
            maker=event.event["actor"].get("id") or "",
            maker_type=event.event["actor"]["type"],
            url=metadata["url"],
            format=metadata["format"],
            scope=_path(metadata["scope"]),
            personal=metadata["personal"],
            reading=metadata["reading"],
            batch=metadata["batch"],
            header_names=json.dumps(metadata["header_names"]),
            query=query,
            rights=json.dumps(rights),
            secret=metadata["secret"],
            digest=metadata["digest"],
        )
    )


def _update(connection: Connection, event: ProductEvent, **values: Any) -> None:
    connection.execute(update(STREAM).where(STREAM.c.destination == event.metadata["destination"]).values(**values))


def _path(shown: str) -> str:
    """Return a scope as it is compared: in events everything is written as a slash."""
    return "" if shown == "/" else shown


def _name(event: ProductEvent) -> str | None:
    name: str | None = event.event["targets"][0].get("name")
    return name


def _new(event: ProductEvent, field: str) -> str | None:
    """Return a personal value that an event set; None once it was erased."""
    for change in event.event.get("changes") or []:
        if change.get("field") == field:
            value: str | None = change.get("new")
            return value
    return None


HANDLERS: Final[Mapping[tuple[str, int], Handler]] = handlers_of(
    {
        CREATED: _create,
        CHANGED: _change,
        ROTATED: _rotate,
        PAUSED: _pause,
        RESUMED: _resume,
        BACKFILL: _go_back,
        DELETED: _delete,
        ENDED: _end,
        GITLAB_SET: _set_gitlab,
        GITLAB_REMOVED: _remove_gitlab,
    }
)
