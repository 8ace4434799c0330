"""Saved views: the verbs."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, func, or_, select

from tallystick.errors import PermissionMissingError
from tallystick.event.identifier import hidden_character
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection
from tallystick.query.parser import between_moments, parse_query
from tallystick.store.tables.work import VIEW
from tallystick.work.errors import ViewInvalidError, ViewNotFoundError
from tallystick.work.model import Question, View
from tallystick.work.ports import Act, Caller

SHARE: Final = "views.share"
READ: Final = "events.read"
OWN_SCOPE: Final = "tallystick"
NAME_CHARS_MAX: Final = 100
COLUMNS_MAX: Final = 32
VIEWS_MAX: Final = 200
_COLUMN = re.compile(r"[a-z][a-z0-9_.]{0,63}", re.ASCII)


class ViewService:
    """The saved views of one installation; may be used from any thread.

    `now_us` is the time that decisions count from: never before the log's newest event.
    """

    def __init__(self, projection: Projection, commands: Commands, now_us: Callable[[], int], act: Act) -> None:
        self._projection = projection
        self._offered = Kept(projection, _load_offered)
        self._commands = commands
        self._now_us = now_us
        self._act = act

    def listed(self, caller: Caller) -> list[View]:
        """Return the caller's own views and those shared where the caller may read, by name."""
        seen = [view for view in self._offered.get(caller.id) if _sees(view, caller)]
        return sorted(seen, key=lambda view: ((view.name or "").casefold(), view.view))

    def get(self, caller: Caller, view_id: str) -> View:
        """Return a view; raises ViewNotFoundError, also for one that is not shared with the caller."""
        with self._projection.engine.connect() as connection:
            return _visible(connection, caller, view_id)

    def save(
        self,
        caller: Caller,
        name: str,
        question: Question,
        *,
        columns: Sequence[str] = (),
        shared_in: str | None = None,
        view_id: str | None = None,
    ) -> str:
        """Save a question under a name, in place of the caller's view `view_id` if one is given, and return its id.

        Raises ViewInvalidError, QueryError, ViewNotFoundError, PermissionMissingError (to share where one may not).
        """
        name = name.strip()
        self._check(name, question, columns)
        if shared_in is not None and not (
            caller.rights.allows(SHARE, shared_in) and caller.rights.allows(READ, shared_in)
        ):
            raise PermissionMissingError(f"this needs the permission {SHARE} for {shared_in or '/'}")
        given = view_id or f"v-{secrets.token_hex(8)}"

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            if view_id is not None:
                if _visible(connection, caller, view_id).owner != caller.id:
                    raise ViewNotFoundError(f"there is no view {view_id[:64]} of yours")
            elif _count(connection, caller.id) >= VIEWS_MAX:
                raise ViewInvalidError(f"you have {VIEWS_MAX} views already")
            metadata = {"view": given, "owner": caller.id, "shared_in": None if shared_in is None else shared_in or "/"}
            changes = {"question": msgspec.to_builtins(question), "columns": list(columns)}
            target = ("view", given, name)
            scope = shared_in or OWN_SCOPE
            return [self._act(caller, "view.saved", target, metadata, self._now_us(), scope=scope, changes=changes)]

        self._commands.run(decide)
        return given

    def delete(self, caller: Caller, view_id: str) -> None:
        """Delete one's own view, or a shared one where one may share; raises ViewNotFoundError, PermissionMissingError."""

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            view = _visible(connection, caller, view_id)
            shared = view.shared_in
            if view.owner != caller.id and (shared is None or not caller.rights.allows(SHARE, shared)):
                raise PermissionMissingError(f"this needs the permission {SHARE} for {shared or '/'}")
            target = ("view", view_id, view.name)
            scope = shared or OWN_SCOPE
            metadata = {"view": view_id}
            return [self._act(caller, "view.deleted", target, metadata, self._now_us(), scope=scope, changes={})]

        self._commands.run(decide)

    def _check(self, name: str, question: Question, columns: Sequence[str]) -> None:
        if not 1 <= len(name) <= NAME_CHARS_MAX or hidden_character(name) is not None:
            raise ViewInvalidError("a view needs a name that can be read", pointer="/name")
        if len(columns) > COLUMNS_MAX or not all(_COLUMN.fullmatch(column) for column in columns):
            raise ViewInvalidError("columns are the names of fields", pointer="/columns")
        now_us = self._now_us()
        parse_query(question.text, now_us=now_us)
        between_moments(question.start, question.end, now_us=now_us)


def _visible(connection: Connection, caller: Caller, view_id: str) -> View:
    row = connection.execute(select(VIEW).where(VIEW.c.view == view_id[:32])).first()
    view = None if row is None else _view(row)
    if view is None or not _sees(view, caller):
        raise ViewNotFoundError(f"there is no view {view_id[:64]} that you may see")
    return view


def _load_offered(connection: Connection, person: str) -> list[View]:
    """Return the views of a person, and all that are shared anywhere."""
    query = select(VIEW).where(or_(VIEW.c.owner == person, VIEW.c.shared_in.is_not(None)))
    return [_view(row) for row in connection.execute(query)]


def _sees(view: View, caller: Caller) -> bool:
    return view.owner == caller.id or (view.shared_in is not None and caller.rights.allows(READ, view.shared_in))


def _count(connection: Connection, owner: str) -> int:
    return connection.scalar(select(func.count()).select_from(VIEW).where(VIEW.c.owner == owner)) or 0


def _view(row: Any) -> View:
    return View(
        view=row.view,
        owner=row.owner,
        shared_in=row.shared_in,
        name=row.name,
        question=None if row.question is None else msgspec.json.decode(row.question, type=Question),
        columns=() if row.columns is None else tuple(json.loads(row.columns)),
        saved_at=row.saved_at,
    )
