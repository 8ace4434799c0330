"""Exports that are made in the background: the verbs of who asks for them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select

from tallystick.errors import PermissionMissingError
from tallystick.event.scopes import intersect
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.tables.work import EXPORT
from tallystick.work.errors import ExportNotFoundError, ExportNotReadyError, ExportsWaitingError
from tallystick.work.model import DAY_US, Export, Progress, Question, Requester, State
from tallystick.work.ports import Caller, WorkPorts

MANAGE: Final = "exports.manage"
WAITING_MAX: Final = 10
OWN_SCOPE: Final = "tallystick"
SHOWN_MAX: Final = 200
_RIGHTS: Final = (
    *("events.read", "events.read_personal", "events.read_own", "reading.read"),
    *("events.export", "proofs.read"),
)
_READ_OWN: Final = "events.read_own"


class Download(NamedTuple):
    """The file of an export, open, and what it is called."""

    file: BinaryIO
    name: str
    media_type: str
    size: int
    sha256: str


class ExportJobs:
    """The exports of one installation; may be used from any thread. Files lie in `folder`, which is its own.

    `now_us` is the time that decisions count from: never before the log's newest event. `wake` is called when there is
    something to make; `progress_of` says how far an export is.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        now_us: Callable[[], int],
        folder: Path,
        ports: WorkPorts,
    ) -> None:
        self.projection = projection
        self.commands = commands
        self.now_us = now_us
        self.exporter = ports.exporter
        self.folder = folder
        self._ports = ports
        self.wake: Callable[[], object] = lambda: None
        self.progress_of: Callable[[str], Progress | None] = lambda _export: None

    def request(self, caller: Caller, question: Question, format_name: str) -> str:
        """Ask for an export and return its id, which nobody can guess; a worker makes it.

        Raises what making it would raise for the caller: UnknownFormatError, QueryError, PersonalWithheldError,
        PermissionMissingError; ExportsWaitingError while the caller has ten waiting.
        """
        self.exporter.check(question, caller, format_name)
        export, asked = f"x-{secrets.token_hex(14)}", (question.scope or "").strip("/")
        rights = [
            [permission, scope or "/"]
            for permission in _RIGHTS
            for scope in intersect(caller.rights.scopes(permission), (asked,))
        ]
        metadata = {
            "export": export,
            "owner": caller.id,
            "owner_type": caller.type,
            "format": format_name,
            "scope": asked or "/",
            "rights": rights,
        }
        changes = {"question": msgspec.to_builtins(question), "aliases": sorted(caller.aliases)}

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            if _waiting(connection, caller) >= WAITING_MAX:
                raise ExportsWaitingError(f"{WAITING_MAX} of your exports are waiting", retry_after_s=60)
            return [self._event(caller, "export.requested", export, metadata, asked, changes)]

        self.commands.run(decide)
        self.wake()
        return export

    def listed(self, caller: Caller, *, everyone: bool = False) -> list[Export]:
        """Return the newest exports first: the caller's own, or of everyone where the caller manages exports."""
        query = select(EXPORT).order_by(EXPORT.c.requested_index.desc()).limit(SHOWN_MAX)
        if not everyone:
            query = query.where(EXPORT.c.owner == caller.id, EXPORT.c.owner_type == caller.type)
        else:
            if not caller.rights.scopes(MANAGE):
                raise PermissionMissingError(f"this needs the permission {MANAGE}")
            self._ports.looked(caller, "exports", "")
        return [export for export in self._load(query) if _may_see(export, caller)]

    def get(self, caller: Caller, export_id: str) -> Export:
        """Return an export of the caller, or one that she manages; raises ExportNotFoundError."""
        found = self._load(select(EXPORT).where(EXPORT.c.export == export_id[:32]))
        if not found or not _may_see(found[0], caller):
            raise ExportNotFoundError(f"there is no export {export_id[:64]} of yours")
        return found[0]

    def waiting(self) -> int:
        """Return how many exports of all callers are not finished, the one under way included."""
        query = select(func.count()).select_from(EXPORT).where(EXPORT.c.state == State.REQUESTED.value)
        with self.projection.engine.connect() as connection:
            return connection.scalar(query) or 0

    def cancel(self, caller: Caller, export_id: str) -> None:
        """End an export that is not finished; raises ExportNotFoundError, ExportNotReadyError once it has ended."""
        self._end(caller, export_id, "export.cancelled", State.REQUESTED, {"export": export_id})

    def delete(self, caller: Caller, export_id: str) -> None:
        """Delete the file of a finished export; raises ExportNotFoundError, ExportNotReadyError if there is none."""
        export = self._end(caller, export_id, "export.deleted", State.FINISHED, {"export": export_id, "expired": False})
        # A crash before this leaves the file; the worker removes at its start what no finished export owns.
        self.path_of(export).unlink(missing_ok=True)

    def open(self, caller: Caller, export_id: str) -> Download:
        """Return the file, open; that it is fetched is on record when this returns.

        Its owner needs every permission that it was made with still; who manages exports needs them too, and nobody
        else gets a file that holds what its owner alone may see. Raises ExportNotFoundError, ExportNotReadyError,
        PermissionMissingError.
        """
        export = self.get(caller, export_id)
        expires_at = export.expires_at
        if expires_at is None or expires_at <= self.now_us():
            raise ExportNotReadyError(f"export {export_id} has no file: it is {export.state.value}")
        for permission, scope in export.rights:
            others_own = permission == _READ_OWN and not _owns(export, caller)
            if others_own or not caller.rights.allows(permission, scope):
                raise PermissionMissingError(
                    f"this needs the permission {permission} for {scope or '/'}, as it was made"
                )
        path = self.path_of(export)
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise ExportNotReadyError(f"the file of export {export_id} is gone") from error
        metadata = {"export": export_id, "sha256": export.sha256, "events": export.events, "bytes": export.bytes}
        try:
            self._ports.append(self._event(caller, "export.downloaded", export_id, metadata, export.scope, {}))
        except BaseException:
            file.close()
            raise
        _suffix, media_type = self.exporter.formats[export.format]
        return Download(file, path.name, media_type, export.bytes or 0, export.sha256 or "")

    def path_of(self, export: Export) -> Path:
        """Return where the file of an export lies."""
        suffix, _ = self.exporter.formats[export.format]
        return self.folder / f"{export.export}.{suffix}"

    def next_requested(self) -> tuple[Export, Requester] | None:
        """Return the oldest export that is to be made, and who asked for it as they stood then."""
        query = select(EXPORT).where(EXPORT.c.state == State.REQUESTED.value).order_by(EXPORT.c.requested_index)
        with self.projection.engine.connect() as connection:
            row = connection.execute(query.limit(1)).first()
        return None if row is None else (self._export(row), _requester(row))

    def requested(self) -> list[Export]:
        """Return every export that is to be made."""
        return self._load(select(EXPORT).where(EXPORT.c.state == State.REQUESTED.value))

    def finished(self) -> list[Export]:
        """Return every export that should have a file."""
        return self._load(select(EXPORT).where(EXPORT.c.state == State.FINISHED.value))

    def _end(self, caller: Caller, export_id: str, action: str, needed: State, metadata: Mapping[str, Any]) -> Export:
        export = self.get(caller, export_id)

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            state = connection.scalar(select(EXPORT.c.state).where(EXPORT.c.export == export_id))
            if state != needed.value:
                raise ExportNotReadyError(f"export {export_id} is {state}")
            return [self._event(caller, action, export_id, metadata, export.scope, {})]

        self.commands.run(decide)
        return export

    def _event(
        self,
        caller: Caller,
        action: str,
        export: str,
        metadata: Mapping[str, Any],
        scope: str,
        changes: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        return self._ports.act(
            caller, action, ("export", export, None), metadata, self.now_us(), scope=scope or OWN_SCOPE, changes=changes
        )

    def _load(self, query: Any) -> list[Export]:
        with self.projection.engine.connect() as connection:
            exports = [self._export(row) for row in connection.execute(query)]
        return [
            replace(export, progress=self.progress_of(export.export)) if export.state is State.REQUESTED else export
            for export in exports
        ]

    def _export(self, row: Any) -> Export:
        asked = json.loads(row.asked) if row.asked else None
        state = State(row.state)
        is_kept = state is State.FINISHED and row.ended_at is not None
        return Export(
            export=row.export,
            owner=row.owner,
            owner_type=row.owner_type,
            state=state,
            format=row.format,
            scope=row.scope,
            rights=tuple((permission, scope) for permission, scope in json.loads(row.rights)),
            question=None if asked is None else msgspec.convert(asked["question"], Question),
            requested_at=row.requested_at,
            ended_at=row.ended_at,
            code=row.code,
            sha256=row.sha256,
            events=row.events,
            bytes=row.bytes,
            expires_at=row.ended_at + self._ports.kept_days() * DAY_US if is_kept else None,
        )


def _owns(export: Export, caller: Caller) -> bool:
    return (export.owner, export.owner_type) == (caller.id, caller.type)


def _may_see(export: Export, caller: Caller) -> bool:
    return _owns(export, caller) or caller.rights.allows(MANAGE, export.scope)


def _waiting(connection: Connection, caller: Caller) -> int:
    query = select(func.count()).select_from(EXPORT)
    mine = (EXPORT.c.owner == caller.id, EXPORT.c.owner_type == caller.type, EXPORT.c.state == State.REQUESTED.value)
    return connection.scalar(query.where(*mine)) or 0


def _requester(row: Any) -> Requester:
    rights: dict[str, tuple[str, ...]] = {}
    for permission, scope in json.loads(row.rights):
        rights[permission] = (*rights.get(permission, ()), scope)
    asked = json.loads(row.asked) if row.asked else {}
    return Requester(
        id=row.owner,
        type=row.owner_type,
        rights=rights,
        aliases=frozenset(asked.get("aliases", ())),
        address=asked.get("address"),
        via=asked.get("via") or "api",
        session=asked.get("session"),
    )
