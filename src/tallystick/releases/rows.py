"""Releases as the tables have them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.releases import events
from tallystick.releases.errors import ArtifactNotFoundError
from tallystick.releases.model import Asset, Evidence, Release, Step, Who
from tallystick.store.tables.releases import MILESTONE, RELEASE, RELEASE_ASSET, RELEASE_STEP

STEPS_MAX: Final = 500
"""Of a release's newest steps that are shown; the events page has all of them."""
FETCHES: Final = (events.DOWNLOADED, events.ARCHIVE)


def find_release(connection: Connection, release_id: str) -> Release | None:
    """Return a release by its id, deleted ones too."""
    row = connection.execute(select(RELEASE).where(RELEASE.c.release == release_id[:64])).first()
    return None if row is None else release_of(row)


def release_of(row: Any) -> Release:
    """Return the release of a row."""
    return Release(
        id=row.release,
        scope=row.scope,
        tag=row.tag,
        name=row.name,
        description=row.description,
        commit=row.commit,
        milestones=tuple(json.loads(row.milestones)),
        released_at=row.released_at,
        created_index=row.created_index,
        version=row.changed_index,
        changed_at=row.changed_at,
        deleted_at=row.deleted_at,
    )


def has_tag(connection: Connection, scope: str, tag: str) -> bool:
    """Return whether a release that was not deleted has the tag."""
    query = select(RELEASE.c.release).where(
        RELEASE.c.scope == scope, RELEASE.c.tag == tag, RELEASE.c.deleted_at.is_(None)
    )
    return connection.execute(query).first() is not None


def assets_of(connection: Connection, release: str) -> tuple[Asset, ...]:
    """Return the assets in the order in which they were added."""
    query = select(RELEASE_ASSET).where(RELEASE_ASSET.c.release == release).order_by(RELEASE_ASSET.c.added_index)
    return tuple(
        Asset(row.name, row.kind, row.url, row.digest, row.bytes, row.added_index) for row in connection.execute(query)
    )


def asset_of(connection: Connection, release: str, name: str) -> Asset:
    """Return one asset; raises ArtifactNotFoundError."""
    found = next((asset for asset in assets_of(connection, release) if asset.name == name), None)
    if found is None:
        raise ArtifactNotFoundError(f"the release has no asset {name[:80]!r}")
    return found


def evidence_of(connection: Connection, caller: Caller, release: str) -> tuple[Evidence, ...]:
    """Return the snapshots that were taken of a release, the newest first."""
    query = (
        select(RELEASE_STEP)
        .where(RELEASE_STEP.c.release == release, RELEASE_STEP.c.action == events.EVIDENCE)
        .order_by(RELEASE_STEP.c.log_index.desc())
    )
    found = []
    for row in connection.execute(query):
        facts = json.loads(row.facts)
        who = who_of(row, caller)
        found.append(Evidence(facts["digest"], facts["bytes"], facts["trigger"], row.at, row.log_index, who))
    return tuple(found)


def steps_of(connection: Connection, caller: Caller, release: str) -> list[Step]:
    """Return what was done with a release, the newest first; messages are still to be rendered."""
    query = (
        select(RELEASE_STEP)
        .where(RELEASE_STEP.c.release == release)
        .order_by(RELEASE_STEP.c.log_index.desc())
        .limit(STEPS_MAX)
    )
    return [_step(row, caller) for row in connection.execute(query)]


def created_by(connection: Connection, caller: Caller, release: Release) -> Who:
    """Return who made a release."""
    query = select(RELEASE_STEP).where(RELEASE_STEP.c.log_index == release.created_index)
    return who_of(connection.execute(query).one(), caller)


def creators_of(connection: Connection, caller: Caller, releases: Sequence[Release]) -> dict[str, Who]:
    """Return who made each of some releases, by their ids."""
    query = select(RELEASE_STEP).where(RELEASE_STEP.c.log_index.in_([each.created_index for each in releases]))
    return {row.release: who_of(row, caller) for row in connection.execute(query)}


def downloads_of(connection: Connection, release: str) -> dict[str, int]:
    """Return how often each artifact of a release was fetched."""
    query = select(RELEASE_STEP.c.facts).where(RELEASE_STEP.c.release == release, RELEASE_STEP.c.action.in_(FETCHES))
    counts: dict[str, int] = {}
    for facts in connection.scalars(query):
        name = json.loads(facts)["artifact"]
        counts[name] = counts.get(name, 0) + 1
    return counts


def known_milestones(connection: Connection, scope: str) -> list[str]:
    """Return the titles of the milestones that a scope knows: its own, and those of the scopes around it."""
    query = select(MILESTONE.c.title).where(MILESTONE.c.scope.in_(_around(scope))).order_by(MILESTONE.c.named_index)
    return list(dict.fromkeys(connection.scalars(query)))


def who_of(row: Any, caller: Caller) -> Who:
    """Return who did a step; name and address only for who may see the personal part of events there."""
    sees = caller.rights.allows(Permission.EVENTS_READ_PERSONAL, row.scope) or caller.id == row.actor
    name, address = (row.actor_name, row.address) if sees else (None, None)
    return Who(row.actor, row.actor_type, name, row.via, address)


def event_of(step: Step) -> Mapping[str, Any]:
    """Return as much of a step's event as its message is made of."""
    target = {"type": "release", "id": step.release or step.scope, "name": step.name}
    return {"action": step.action, "scope": step.scope, "targets": [target], "metadata": step.facts}


def _step(row: Any, caller: Caller) -> Step:
    return Step(
        index=row.log_index,
        release=row.release,
        scope=row.scope,
        action=row.action,
        at=row.at,
        who=who_of(row, caller),
        name=row.name,
        facts=json.loads(row.facts),
        changes=json.loads(row.changes) if row.changes else [],
    )


def _around(scope: str) -> list[str]:
    steps = scope.split("/")
    return ["/".join(steps[:count]) for count in range(1, len(steps) + 1)]
