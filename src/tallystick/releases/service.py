"""The verbs of the register: list, show, create, edit, delete; and the milestones that scopes know."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.releases import events, rows
from tallystick.releases.check import check_draft, check_edit, check_milestone, check_scope
from tallystick.releases.errors import (
    MilestoneExistsError,
    MilestoneUnknownError,
    ReleaseChangedError,
    ReleaseDeletedError,
    ReleaseExistsError,
    ReleaseNotFoundError,
)
from tallystick.releases.evidence import snapshot_of
from tallystick.releases.model import Detail, Draft, Edit, Release, Who
from tallystick.releases.objects import Objects
from tallystick.releases.ports import ReleasePorts
from tallystick.store.tables.releases import RELEASE

PAGE_MAX: Final = 100
LOOKED: Final = "releases"
"""The place that looks at releases are recorded under."""
_SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Releases, the newest first, with who made each; `before` leads to the next page, None at the end."""

    releases: tuple[Release, ...]
    creators: Mapping[str, Who]
    before: int | None


class ReleaseService:
    """The releases of one installation; may be used from any thread.

    A release that the caller may not see is answered like one that there is not.
    """

    def __init__(self, projection: Projection, commands: Commands, objects: Objects, ports: ReleasePorts) -> None:
        self._projection = projection
        self._commands = commands
        self._objects = objects
        self._ports = ports

    def list(
        self,
        caller: Caller,
        *,
        scope: str = "",
        tag: str | None = None,
        deleted: bool = False,
        before: int | None = None,
        limit: int = PAGE_MAX,
    ) -> Page:
        """Return the releases in a scope and below it that the caller may see; the look is recorded.

        `before` is from the page before. Raises PermissionMissingError for who may see releases nowhere.
        """
        require(caller, Permission.RELEASES_READ)
        seen = caller.rights.scopes(Permission.RELEASES_READ)
        query = select(RELEASE).where(within(RELEASE.c.scope, scope), within(RELEASE.c.scope, *seen))
        if tag is not None:
            query = query.where(RELEASE.c.tag == tag)
        if not deleted:
            query = query.where(RELEASE.c.deleted_at.is_(None))
        if before is not None:
            query = query.where(RELEASE.c.created_index < before)
        limit = min(limit, PAGE_MAX)
        with self._projection.engine.connect() as connection:
            found = connection.execute(query.order_by(RELEASE.c.created_index.desc()).limit(limit + 1)).all()
            releases = tuple(rows.release_of(row) for row in found[:limit])
            creators = rows.creators_of(connection, caller, releases)
        here = scope if caller.rights.allows(Permission.RELEASES_READ, scope) else ""
        self._ports.search.recorder.looked(caller, LOOKED, here)
        return Page(releases, creators, releases[-1].created_index if len(found) > limit else None)

    def get(self, caller: Caller, release_id: str) -> Detail:
        """Return a release with its history; the look is recorded. Raises ReleaseNotFoundError."""
        with self._projection.engine.connect() as connection:
            release = visible_release(connection, caller, release_id)
            detail = Detail(
                release=release,
                created_by=rows.created_by(connection, caller, release),
                assets=rows.assets_of(connection, release.id),
                evidence=rows.evidence_of(connection, caller, release.id),
                steps=tuple(rows.steps_of(connection, caller, release.id)),
                downloads=rows.downloads_of(connection, release.id),
            )
        self._ports.search.recorder.looked(caller, LOOKED, release.scope)
        steps = tuple(
            replace(step, message=self._ports.message(step.index, rows.event_of(step))) for step in detail.steps
        )
        return replace(detail, steps=steps)

    def create(self, caller: Caller, draft: Draft, *, create_milestones: bool = False) -> str:
        """Make a release, with its first evidence, and return its id. `create_milestones` makes those that are missing.

        Raises PermissionMissingError, what `check_draft` raises, MilestoneUnknownError, ReleaseExistsError.
        """
        check_draft(draft)
        require(caller, Permission.RELEASES_MANAGE, draft.scope)
        release_id = f"r-{secrets.token_hex(10)}"

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            if rows.has_tag(connection, draft.scope, draft.tag):
                raise ReleaseExistsError(f"{draft.scope} has a release {draft.tag[:80]!r}")
            now = self._ports.now_us()
            first = _missing(connection, caller, draft.scope, draft.milestones, now, create=create_milestones)
            made = events.created(caller, release_id, draft, now)
            release = Release(
                id=release_id,
                scope=draft.scope,
                tag=draft.tag,
                name=draft.name,
                description=draft.description,
                commit=draft.commit,
                milestones=draft.milestones,
                released_at=made["metadata"]["released_at"],
                created_index=0,
                version=0,
                changed_at=now,
                deleted_at=None,
            )
            snapshot = snapshot_of(release, (), now)
            # A crash after this leaves a file that no event names; making the release again makes another.
            digest = self._objects.put(snapshot)
            evidence = events.evidence_collected(caller, release, digest, len(snapshot), "creation", now)
            return [*first, made, evidence]

        self._commands.run(decide)
        return release_id

    def edit(
        self, caller: Caller, release_id: str, edit: Edit, *, version: int, create_milestones: bool = False
    ) -> Sequence[str]:
        """Change a release that is still as it was at `version`, and return the actions recorded, in order.

        Name and description are one event, milestones another after it; what is not different is none. Raises
        ReleaseNotFoundError, PermissionMissingError, ReleaseDeletedError, ReleaseChangedError, what `check_edit`
        raises, and MilestoneUnknownError.
        """
        check_edit(edit)
        done: Sequence[str] = ()

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            nonlocal done
            release = managed_release(connection, caller, release_id, version)
            now = self._ports.now_us()
            wanted = edit.milestones or ()
            new = tuple(title for title in wanted if title not in release.milestones)
            first = _missing(connection, caller, release.scope, new, now, create=create_milestones)
            made = [*first, *events.edited(caller, release, edit, now)]
            done = [event["action"] for event in made]
            return made

        self._commands.run(decide)
        return done

    def delete(self, caller: Caller, release_id: str, *, version: int) -> None:
        """Delete a release that is still as it was at `version`; its events and evidence stay. Raises what `edit` does."""

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            release = managed_release(connection, caller, release_id, version)
            return [events.deleted(caller, release, self._ports.now_us())]

        self._commands.run(decide)

    def milestones(self, caller: Caller, scope: str) -> Sequence[str]:
        """Return the milestones that releases in a scope can be tied to. Raises PermissionMissingError."""
        require(caller, Permission.RELEASES_READ, scope)
        with self._projection.engine.connect() as connection:
            return rows.known_milestones(connection, scope)

    def create_milestone(self, caller: Caller, scope: str, title: str) -> None:
        """Let a scope and those below it know a milestone. Raises PermissionMissingError, MilestoneExistsError,
        ReleaseInvalidError.
        """
        check_scope(scope)
        require(caller, Permission.RELEASES_MANAGE, scope)
        check_milestone(title)

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            if title in rows.known_milestones(connection, scope):
                raise MilestoneExistsError(f"{scope} knows a milestone {title[:80]!r}")
            return events.milestones_created(caller, scope, [title], self._ports.now_us())

        self._commands.run(decide)


def visible_release(connection: Connection, caller: Caller, release_id: str) -> Release:
    """Return a release that the caller may see; raises ReleaseNotFoundError."""
    found = rows.find_release(connection, release_id)
    if found is None or not caller.rights.allows(Permission.RELEASES_READ, found.scope):
        raise ReleaseNotFoundError(f"there is no release {release_id[:64]} that you may see")
    return found


def managed_release(connection: Connection, caller: Caller, release_id: str, version: int | None = None) -> Release:
    """Return a release that the caller may change, as it was at `version` where one is given.

    Raises ReleaseNotFoundError, PermissionMissingError, ReleaseDeletedError, ReleaseChangedError.
    """
    release = visible_release(connection, caller, release_id)
    require(caller, Permission.RELEASES_MANAGE, release.scope)
    if release.deleted_at is not None:
        raise ReleaseDeletedError(f"release {release.tag} is deleted")
    if version is not None and version != release.version:
        raise ReleaseChangedError(
            f"release {release.tag} was changed by event {release.version}; you saw it as of event {version}"
        )
    return release


def _missing(
    connection: Connection, caller: Caller, scope: str, titles: Sequence[str], now_us: int, *, create: bool
) -> list[events.Event]:
    """Return the events that make the milestones which the scope does not know; raises MilestoneUnknownError."""
    known = rows.known_milestones(connection, scope)
    missing = [title for title in titles if title not in known]
    if missing and not create:
        listed = ", ".join(known[-_SHOWN_MAX:]) or "none yet"
        raise MilestoneUnknownError(
            f"{scope} does not know the milestone {missing[0][:80]!r}; it knows: {listed}", pointer="/milestones"
        )
    return events.milestones_created(caller, scope, missing, now_us)


def within(column: ColumnElement[str], *scopes: str) -> ColumnElement[bool]:
    """Return the condition that a scope is one of those given or lies below it; the empty one holds everything."""
    if "" in scopes:
        return true()
    # Not by comparing texts, which depends on the database's language, nor by LIKE, which may not heed letter case.
    return or_(*(or_(column == scope, func.substr(column, 1, len(scope) + 1) == f"{scope}/") for scope in scopes))
