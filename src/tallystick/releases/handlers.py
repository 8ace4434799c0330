"""How the events of releases come into their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.releases import events
from tallystick.store.tables.releases import MILESTONE, RELEASE, RELEASE_ASSET, RELEASE_STEP


def _create(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        RELEASE.insert().values(
            release=_id(event),
            scope=event.event["scope"],
            tag=metadata["tag"],
            name=_name(event) or "",
            description=_description(event),
            commit=metadata.get("commit"),
            milestones=json.dumps(metadata.get("milestones") or []),
            released_at=metadata["released_at"],
            created_index=event.index,
            changed_index=event.index,
            changed_at=event.received_at,
        )
    )
    _note(connection, event)


def _update(connection: Connection, event: ProductEvent) -> None:
    values: dict[str, Any] = {"name": _name(event) or ""}
    if _sets_description(event):
        values["description"] = _description(event)
    _change(connection, event, **values)


def _change_milestones(connection: Connection, event: ProductEvent) -> None:
    _change(connection, event, milestones=json.dumps(event.metadata["milestones"]))


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
    title = event.metadata["milestone"]
    connection.execute(MILESTONE.insert().values(scope=event.event["scope"], title=title, named_index=event.index))


def _change(connection: Connection, event: ProductEvent, **values: Any) -> None:
    connection.execute(
        update(RELEASE)
        .where(RELEASE.c.release == _id(event))
        .values(changed_index=event.index, changed_at=event.received_at, **values)
    )
    _note(connection, event)


def _note(connection: Connection, event: ProductEvent) -> None:
    """Keep what was done, by whom and from where. The download of an archive names its release among its facts."""
    said = event.event
    actor, context, target = said["actor"], said.get("context") or {}, said["targets"][0]
    connection.execute(
        RELEASE_STEP.insert().values(
            log_index=event.index,
            release=event.metadata["release"] if event.action == events.ARCHIVE else target["id"],
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


def _description(event: ProductEvent) -> str | None:
    """Return the description that an event sets: empty where it sets none, None where it was erased."""
    found = _changes(event).get("description", {"new": ""})
    text: str | None = found.get("new")
    return text


def _sets_description(event: ProductEvent) -> bool:
    return "description" in _changes(event)


def _changes(event: ProductEvent) -> dict[str, Mapping[str, Any]]:
    """Return what was changed by the name of the field, which is a fact; old and new text may be gone."""
    return {change["field"]: change for change in event.event.get("changes") or []}


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        events.CREATED: _create,
        events.UPDATED: _update,
        events.MILESTONES_CHANGED: _change_milestones,
        events.DELETED: _delete,
        events.ASSET_ADDED: _add_asset,
        events.ASSET_REMOVED: _remove_asset,
        events.EVIDENCE: _note,
        events.DOWNLOADED: _note,
        events.ARCHIVE: _note,
        events.MILESTONE_CREATED: _create_milestone,
    }
)
