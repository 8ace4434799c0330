"""Lists of indicators, which rules name by `%name%`: each value with where it comes from and until when it counts."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.detect import events
from tallystick.detect.errors import IndicatorListConflictError, RuleInvalidError
from tallystick.detect.events import LIST_WORD, RULE_WORD, SOURCE_WORD
from tallystick.detect.model import Indicator, IndicatorList, Rule, State
from tallystick.detect.ports import Looked
from tallystick.detect.rows import get_list, load_lists, load_rules
from tallystick.event.identifier import hidden_character
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
VALUE_CHARS_MAX: Final = 512
PROSE_CHARS_MAX: Final = 1000
CHANGE_MAX: Final = 1000
"""Values that one change adds or takes off: they stand in one event."""
VALUES_MAX: Final = 50_000
LISTS_MAX: Final = 200
Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Additions:
    """Values that are put on a list together. `expires_at` is None for values that stay until they are taken off."""

    values: tuple[str, ...]
    expires_at: int | None = None
    source: str = ""
    note: str = ""


class ListService:
    """What is done with lists of indicators; may be used from any thread. They hold everywhere, and so must the right."""

    def __init__(self, projection: Projection, commands: Commands, looked: Looked, now_us: Callable[[], int]) -> None:
        self._projection = projection
        self._commands = commands
        self._looked = looked
        self._now_us = now_us
        self._kept: Kept[None, dict[str, IndicatorList]] = Kept(projection, _by_name, (LIST_WORD,))
        self._lock = threading.Lock()
        self._seen = (-1, 0)  # guarded by _lock
        self._version = 0  # guarded by _lock

    def list(self, caller: Caller) -> list[IndicatorList]:
        """Return every list; the look is recorded."""
        require(caller, Permission.RULES_READ)
        self._looked(caller, "indicator lists")
        return list(self._kept.get(None).values())

    def get(self, caller: Caller, name: str) -> IndicatorList:
        """Return one list; the look is recorded. Raises IndicatorListUnknownError."""
        require(caller, Permission.RULES_READ)
        with self._projection.engine.connect() as connection:
            found = get_list(connection, name)
        self._looked(caller, f"indicator list {found.name}")
        return found

    def create(self, caller: Caller, name: str, description: str = "") -> None:
        """Make an empty list. Raises RuleInvalidError, IndicatorListConflictError."""
        require(caller, Permission.RULES_MANAGE, "")
        if NAME.fullmatch(name) is None:
            raise RuleInvalidError("a list is named by a letter and then letters, digits and _", pointer="/name")
        description = _prose(description, "description")

        def decide(connection: Connection) -> Events:
            known = {each.name for each in load_lists(connection)}
            if name in known:
                raise IndicatorListConflictError(f"there is a list {name!r} already")
            if len(known) >= LISTS_MAX:
                raise IndicatorListConflictError(f"there are {LISTS_MAX} lists, which is as many as there can be")
            return [events.list_created(caller, name, description, self._now_us())]

        self._commands.run(decide)

    def change(
        self, caller: Caller, name: str, additions: Additions, removed: Sequence[str] = (), reason: str = ""
    ) -> tuple[int, int]:
        """Put values on a list, or with another end and note, and take some off; return how many of each changed.

        Rules that use the list go by it when this returns. Nothing to change is no event.
        """
        require(caller, Permission.RULES_MANAGE, "")
        reason = _prose(reason, "reason")
        added = [
            Indicator(value, additions.expires_at, source or None, note or None, 0, 0)
            for source, note in [(_prose(additions.source, "source"), _prose(additions.note, "note"))]
            for value in dict.fromkeys(_value(each) for each in additions.values)
        ]
        if additions.expires_at is not None and additions.expires_at <= self._now_us():
            raise RuleInvalidError("this time is over already", pointer="/expires_at")
        if len(added) > CHANGE_MAX or len(removed) > CHANGE_MAX:
            raise RuleInvalidError(f"one change has at most {CHANGE_MAX:,} values", pointer="/values")
        counts = (0, 0)

        def decide(connection: Connection) -> Events:
            nonlocal counts
            now = {each.value: each for each in get_list(connection, name).values}
            new = [each for each in added if each.value not in now or not _same(each, now[each.value])]
            gone = [value for value in dict.fromkeys(removed) if value in now and all(value != e.value for e in added)]
            if len(now) + len(new) - len(gone) > VALUES_MAX:
                raise IndicatorListConflictError(f"a list has at most {VALUES_MAX:,} values")
            counts = (len(new), len(gone))
            if not new and not gone:
                return []
            return [events.list_changed(caller, name, new, gone, reason, self._now_us())]

        self._commands.run(decide)
        return counts

    def delete(self, caller: Caller, name: str) -> None:
        """Delete a list that no rule in force uses."""
        require(caller, Permission.RULES_MANAGE, "")

        def decide(connection: Connection) -> Events:
            get_list(connection, name)
            users = [each.id for each in load_rules(connection) if each.state is State.ENABLED and uses(each, name)]
            if users:
                raise IndicatorListConflictError(f"the rule {users[0]} uses the list")
            return [events.list_deleted(caller, name, self._now_us())]

        self._commands.run(decide)

    def values(self, name: str) -> Sequence[str] | None:
        """Return the values of a list that count now, None where there is no such list; for the engine."""
        found = self._kept.get(None).get(name)
        return None if found is None else found.counting(self._now_us())

    def version(self) -> int:
        """Return a number that grows when rules, lists or sources changed, and when a value expires."""
        changed, now_us = self._projection.version_of((RULE_WORD, LIST_WORD, SOURCE_WORD)), self._now_us()
        moments = (each.expires_at for found in self._kept.get(None).values() for each in found.values)
        seen = (changed, sum(at is not None and at <= now_us for at in moments))
        with self._lock:
            if seen != self._seen:
                self._seen = seen
                self._version += 1
            return self._version


def uses(rule: Rule, name: str) -> bool:
    """Return whether what watches, or would, names the list."""
    return rule.shown.text is not None and f"%{name}%" in rule.shown.text


def _by_name(connection: Connection, _: None) -> dict[str, IndicatorList]:
    return {each.name: each for each in load_lists(connection)}


def _same(one: Indicator, other: Indicator) -> bool:
    return (one.expires_at, one.source, one.note) == (other.expires_at, other.source, other.note)


def _value(text: str) -> str:
    value = text.strip()
    if not 1 <= len(value) <= VALUE_CHARS_MAX or hidden_character(value) is not None:
        raise RuleInvalidError(f"a value has 1 to {VALUE_CHARS_MAX} visible characters", pointer="/values")
    return value


def _prose(text: str, name: str) -> str:
    text = text.strip()
    if len(text) > PROSE_CHARS_MAX:
        raise RuleInvalidError(f"at most {PROSE_CHARS_MAX:,} characters", pointer=f"/{name}")
    return text
