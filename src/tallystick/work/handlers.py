"""How the events of views and exports come into their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.work import EXPORT, VIEW
from tallystick.work.model import State


def _save_view(connection: Connection, event: ProductEvent) -> None:
    metadata, personal = event.metadata, _set(event)
    shared_in = metadata["shared_in"]
    connection.execute(delete(VIEW).where(VIEW.c.view == metadata["view"]))
    connection.execute(
        VIEW.insert().values(
            view=metadata["view"],
            owner=metadata["owner"],
            shared_in="" if shared_in == "/" else shared_in,
            name=event.event["targets"][0].get("name"),
            question=_text(personal.get("question")),
            columns=_text(personal.get("columns")),
            saved_at=event.received_at,
            saved_index=event.index,
        )
    )


def _delete_view(connection: Connection, event: ProductEvent) -> None:
    connection.execute(delete(VIEW).where(VIEW.c.view == event.metadata["view"]))


def _request_export(connection: Connection, event: ProductEvent) -> None:
    metadata, personal, context = event.metadata, _set(event), event.event.get("context") or {}
    asked = {
        "question": personal.get("question"),
        "aliases": personal.get("aliases") or [],
        "address": context.get("ip"),
        "via": context.get("auth_method"),
        "session": context.get("session_id"),
    }
    connection.execute(
        EXPORT.insert().values(
            export=metadata["export"],
            owner=metadata["owner"],
            owner_type=metadata["owner_type"],
            state=State.REQUESTED.value,
            format=metadata["format"],
            scope=_path(metadata["scope"]),
            rights=json.dumps([[permission, _path(scope)] for permission, scope in metadata["rights"]]),
            asked=json.dumps(asked) if "question" in personal else None,
            requested_at=event.received_at,
            requested_index=event.index,
        )
    )


def _finish_export(connection: Connection, event: ProductEvent) -> None:
    kept = {name: event.metadata[name] for name in ("sha256", "events", "bytes")}
    _end(connection, event, State.FINISHED, **kept)


def _fail_export(connection: Connection, event: ProductEvent) -> None:
    _end(connection, event, State.FAILED, code=event.metadata["code"])


def _cancel_export(connection: Connection, event: ProductEvent) -> None:
    _end(connection, event, State.CANCELLED)


def _delete_export(connection: Connection, event: ProductEvent) -> None:
    _end(connection, event, State.EXPIRED if event.metadata["expired"] else State.DELETED)


def _end(connection: Connection, event: ProductEvent, state: State, **values: Any) -> None:
    connection.execute(
        update(EXPORT)
        .where(EXPORT.c.export == event.metadata["export"])
        .values(state=state.value, ended_at=event.received_at, **values)
    )


def _set(event: ProductEvent) -> dict[str, Any]:
    """Return the personal values that an event set; none once they were erased."""
    changes = event.event.get("changes") or []
    return {each["field"]: each["new"] for each in changes if "new" in each}


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def _path(shown: str) -> str:
    """Return a scope as it is compared: in events everything is written as a slash."""
    return "" if shown == "/" else shown


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "view.saved": _save_view,
        "view.deleted": _delete_view,
        "export.requested": _request_export,
        "export.finished": _finish_export,
        "export.failed": _fail_export,
        "export.cancelled": _cancel_export,
        "export.deleted": _delete_export,
    }
)
