"""Bringing what a Git repository says on record, exactly once however often this stops in between.

What to append is decided against the tables while nothing else is decided: what an earlier attempt appended stands in
them, so it is not different any more. A crash between two appends leaves some policies of a version on record; the next
attempt appends the others, and last the event that moves the position.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from tallystick.errors import InvalidInputError
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.policies import events
from tallystick.policies.compare import Change, compare
from tallystick.policies.errors import RepositoryError
from tallystick.policies.figures import Figures
from tallystick.policies.model import Project, Pusher, State, Version
from tallystick.policies.reading import Repositories
from tallystick.policies.rows import find_project, load_policies

BATCH_BYTES_MAX: Final = 8 << 20
BATCH_EVENTS_MAX: Final = 5000


class _OvertakenError(Exception):
    """The project is not as it was when its repository was read."""


class Sync:
    """Syncs policy projects; may be used from any thread, and each project is read by one of them at a time.

    `enabled` says whether events of policies are switched on in a scope: nothing is read where they are not.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        now_us: Callable[[], int],
        repositories: Repositories,
        enabled: Callable[[str], bool],
        figures: Figures,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._now_us = now_us
        self._repositories = repositories
        self._enabled = enabled
        self.figures = figures
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}  # guarded by _guard
        self._seen: dict[str, tuple[int, str]] = {}  # of each project, by whoever holds its lock: settings, commit

    def project(self, project_id: str, pusher: Pusher | None = None) -> None:
        """Bring a project in step with its repository, or put on record why not."""
        with self._guard:
            lock = self._locks.setdefault(project_id, threading.Lock())
        with lock:
            project = self._load(project_id)
            if project is None or project.settings.kept != "git" or project.state is State.RETIRED:
                return
            if not self._enabled(project.settings.scope):
                return
            started = self.figures.started()
            try:
                self._follow(project, pusher)
            except RepositoryError as error:
                self.figures.failed(error.reason)
                self._record_failure(project, error)
            except _OvertakenError:
                self._seen.pop(project_id, None)  # the next look begins with the project as it is now
            else:
                self.figures.synced(started)

    def stop(self) -> None:
        """End whatever is being read: the server stops."""
        self._repositories.stopping.set()

    def _follow(self, project: Project, pusher: Pusher | None) -> None:
        known = self._seen.get(project.project)
        is_calm = project.state in {State.IN_STEP, State.REJECTED}
        seen = known[1] if is_calm and known is not None and known[0] == project.changed_index else None
        reading = self._repositories.read(project, seen)
        if reading is None:
            return
        base = project.synced_commit
        for version in reading.versions:
            self._record(project, base, version, pusher)
            base = version.commit
        if not reading.versions and project.state is State.UNREACHABLE:
            self._commands.run(lambda connection: self._recovered(connection, project, reading.head))
        self._seen[project.project] = (project.changed_index, reading.head)

    def _record(self, project: Project, base: str | None, version: Version, pusher: Pusher | None) -> None:
        left = True

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            nonlocal left
            now = self._current(connection, project, base)
            made, left = self._next_events(connection, now, version, pusher)
            return made

        try:
            while left:
                self._commands.run(decide)
        except InvalidInputError as error:
            if version.policies is None:
                raise
            # Nothing of the batch was taken. That the version cannot be recorded is recorded, rather than tried for ever.
            problem = {"line": None, "column": None, "message": f"it cannot be recorded: {error.message}"}
            refused = replace(version, policies=None, by=None, merged=(), basis="ends", problem=problem)
            self._record(project, base, refused, None)

    def _next_events(
        self, connection: Connection, project: Project, version: Version, pusher: Pusher | None
    ) -> tuple[Sequence[Mapping[str, Any]], bool]:
        """Return the events to append next, and whether more will be left."""
        now_us = self._now_us()
        if version.policies is None:
            self.figures.rejected()
            return events.rejected(project, version, now_us, pusher), False
        changes = compare(load_policies(connection, project.project), version.policies)
        batch, fits = _first(events.from_git(project, version, changes, now_us, pusher), changes)
        self.figures.recorded(changes[:fits])
        if fits < len(changes):
            return batch, True
        return [*batch, *events.synced(project, version, now_us)], False

    def _recovered(self, connection: Connection, project: Project, head: str) -> Sequence[Mapping[str, Any]]:
        now = self._current(connection, project, project.synced_commit)
        return [events.reached(now, head, self._now_us())] if now.state is State.UNREACHABLE else []

    def _record_failure(self, project: Project, error: RepositoryError) -> None:
        """Put on record that a repository cannot be read, once for each reason in a row."""

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            now = find_project(connection, project.project)
            if now is None or now.state is State.RETIRED or now.changed_index != project.changed_index:
                return []
            if (now.state, now.reason) == (State.UNREACHABLE, error.reason):
                return []
            return [events.failed(now, error.reason, error.message, self._now_us())]

        if (project.state, project.reason) != (State.UNREACHABLE, error.reason):
            self._commands.run(decide)

    def _current(self, connection: Connection, project: Project, base: str | None) -> Project:
        """Return the project as it is, unless somebody gave it other settings meanwhile, switched its events off, or
        brought it further than `base`, from which the version was read.
        """
        now = find_project(connection, project.project)
        if now is None or (now.changed_index, now.synced_commit) != (project.changed_index, base):
            raise _OvertakenError
        if not self._enabled(now.settings.scope):
            raise _OvertakenError
        return now

    def _load(self, project_id: str) -> Project | None:
        with self._projection.engine.connect() as connection:
            return find_project(connection, project_id)


def _first(made: Sequence[Mapping[str, Any]], changes: Sequence[Change]) -> tuple[Sequence[Mapping[str, Any]], int]:
    """Return the events that fit into one batch, and how many; the two of a rename go together."""
    size = fits = 0
    for position, event in enumerate(made):
        size += len(msgspec.json.encode(event))
        if position and (size > BATCH_BYTES_MAX or position >= BATCH_EVENTS_MAX):
            break
        fits = position + 1
    if fits < len(made) and changes[fits - 1].new is None and changes[fits - 1].supersedes is not None:
        fits -= 1
    return made[:fits], fits
