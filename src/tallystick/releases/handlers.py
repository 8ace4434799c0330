"""How the events of releases come into their tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.releases import MILESTONE, RELEASE, RELEASE_ASSET, RELEASE_STEP

CREATED: Final = "release.created"
UPDATED: Final = "release.updated"
MILESTONES_CHANGED: Final = "release.milestones_changed"
DELETED: Final = "release.deleted"
ASSET_ADDED: Final = "release.asset_added"
ASSET_REMOVED: Final = "release.asset_removed"
EVIDENCE: Final = "release.evidence_collected"
DOWNLOADED: Final = "release.artifact_downloaded"
ARCHIVE: Final = "repository.download_started"
MILESTONE_CREATED: Final = "milestone.created"


def _create(connection: Connection, event: ProductEvent) -> None:
    metadata, milestones = event.metadata, event.metadata.get("milestones") or []
    connection.execute(
        RELEASE.insert().values(
            release=_id(event),
            scope=event.event["scope"],
            tag=metadata["tag"],
            name=_name(event) or "",
            description=_new(event, "description"),
            commit=metadata.get("commit"),
            milestones=json.dumps(milestones),
            released_at=metadata["released_at"],
            created_index=event.index,
            changed_index=event.index,
            changed_at=event.received_at,
        )
    )
    _know(connection, event, milestones)
    _note(connection, event)


def _update(connection: Connection, event: ProductEvent) -> None:
    values: dict[str, Any] = {"name": _name(event) or ""}
    if any(change.get("field") == "description" for change in event.event.get("changes") or []):
        values["description"] = _new(event, "description")
    _change(connection, event, **values)


def _change_milestones(connection: Connection, event: ProductEvent) -> None:
    milestones = event.metadata["milestones"]
    _know(connection, event, milestones)
    _change(connection, event, milestones=json.dumps(milestones))


def _delete(connection: Connection, event: ProductEvent) -> None:
    _change(connection, event, deleted_at=event.received_at)


def _add_asset(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    kept = {name: metadata.get(name) for name in ("kind", "url", "digest", "bytes")}
    connection.execute(
        RELEASE_ASSET.insert().values(release=_id(event), name=metadata["asset"], added_index=event.index, **kept)
    )
    _change(connection, event)


def _remove_asset(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        delete(RELEASE_ASSET).where(
            RELEASE_ASSET.c.release == _id(event), RELEASE_ASSET.c.name == event.metadata["asset"]
        )
    )
    _change(connection, event)


def _create_milestone(connection: Connection, event: ProductEvent) -> None:
    _know(connection, event, [event.metadata["milestone"]])


def _change(connection: Connection, event: ProductEvent, **values: Any) -> None:
    connection.execute(
        update(RELEASE)
        .where(RELEASE.c.release == _id(event))
        .values(changed_index=event.index, changed_at=event.received_at, **values)
    )
    _note(connection, event)


def _know(connection: Connection, event: ProductEvent, titles: Iterable[str]) -> None:
    """Register the milestones that the event's scope does not know yet."""
    scope = event.event["scope"]
    known = set(connection.scalars(select(MILESTONE.c.title).where(MILESTONE.c.scope == scope)))
    for title in titles:
        if title not in known:
            connection.execute(MILESTONE.insert().values(scope=scope, title=title, named_index=event.index))


def _note(connection: Connection, event: ProductEvent) -> None:
    """Keep what was done, by whom and from where."""
    said = event.event
    actor, context, target = said["actor"], said.get("context") or {}, said["targets"][0]
    connection.execute(
        RELEASE_STEP.insert().values(
            log_index=event.index,
            release=target.get("id") if target["type"] == "release" else None,
            scope=said["scope"],
            action=event.action,
            at=event.received_at,
            actor=actor.get("id") or actor.get("key") or "",
            actor_type=actor["type"],
            actor_name=actor.get("name"),
            via=context.get("auth_method"),
            address=context.get("ip"),
            name=target.get("name"),
            facts=json.dumps(event.metadata),
            changes=json.dumps(said["changes"]) if said.get("changes") else None,
        )
    )


def _id(event: ProductEvent) -> str:
    found: str = event.event["targets"][0]["id"]
    return found


def _name(event: ProductEvent) -> str | None:
    found: str | None = event.event["targets"][0].get("name")
    return found


def _new(event: ProductEvent, field: str) -> Any:
    """Return the new value of a field; None where it was erased."""
    changes: list[Mapping[str, Any]] = event.event.get("changes") or []
    return next((change.get("new") for change in changes if change.get("field") == field), None)


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        CREATED: _create,
        UPDATED: _update,
        MILESTONES_CHANGED: _change_milestones,
        DELETED: _delete,
        ASSET_ADDED: _add_asset,
        ASSET_REMOVED: _remove_asset,
        EVIDENCE: _note,
        DOWNLOADED: _note,
        ARCHIVE: _note,
        MILESTONE_CREATED: _create_milestone,
    }
)
