"""What one caller sees: which events, and of which of them the personal part.

The same rule stands here three times, as it is needed: as a tree to search by, as a judgement of one event, and as the
words of a refusal. An event is *own* when its actor is the caller, by id or by pseudonym key; what somebody else did on
the caller's behalf is not, since its personal part speaks of that other person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from tallystick.errors import PermissionMissingError
from tallystick.event.identifier import is_within
from tallystick.event.scopes import intersect, roots
from tallystick.query.model import (
    EVERYTHING,
    NOTHING,
    Below,
    Equals,
    FieldRef,
    Node,
    Term,
    all_of,
    any_of,
    negate,
)
from tallystick.search.ports import Caller, Register

READING_CLASS = "reading"
FOLLOWING = frozenset({"events.pulled", "events.tailed"})
"""Actions that record that somebody follows the log, or fetches it by index."""


class _Deciding(msgspec.Struct):
    """What decides about one event, out of its facts."""

    scope: str
    actor: dict[str, Any]


_deciding = msgspec.json.Decoder(_Deciding).decode


@dataclass(frozen=True)
class Sight:
    """A caller who looks at some scopes and what lies below them; the empty scope is everything."""

    caller: Caller
    register: Register
    looks_at: tuple[str, ...] = ("",)

    @cached_property
    def read(self) -> tuple[str, ...]:
        """The outermost scopes looked at in which everything may be read."""
        return intersect(self.caller.read_scopes, self.looks_at)

    @cached_property
    def own(self) -> tuple[str, ...]:
        """The scopes looked at in which only own events may be read."""
        scopes = intersect(self.caller.own_scopes, self.looks_at)
        return tuple(scope for scope in scopes if not _inside(scope, self.read))

    @cached_property
    def personal(self) -> bool:
        """Whether the personal part of every event that is seen may be searched and shown."""
        return all(_inside(scope, self.caller.personal_scopes) for scope in self.read)

    @cached_property
    def some_personal(self) -> bool:
        """Whether there may be events whose personal part is shown."""
        return bool(self.own or intersect(self.caller.own_scopes, self.read)) or bool(
            intersect(self.caller.personal_scopes, self.read)
        )

    @cached_property
    def all_readings(self) -> bool:
        """Whether every event seen that records reading may be seen, whoever read."""
        return all(_inside(scope, self.caller.reading_scopes) for scope in (*self.read, *self.own))

    def restriction(self) -> Node:
        """Return the tree that every event seen answers, and no other."""
        if not self.read and not self.own:
            return NOTHING
        own = all_of((_below(self.own), self._is_own())) if self.own else NOTHING
        seen = any_of(node for node in (_below(self.read), own) if node != NOTHING)
        if self.all_readings:
            return seen
        readings = intersect(self.caller.reading_scopes, (*self.read, *self.own))
        others = [node for node in (_below(readings), self._is_own()) if node != NOTHING]
        return all_of((seen, any_of((negate(is_reading()), *others))))

    def sees(self, facts: bytes, class_name: str) -> bool:
        """Whether an event is seen at all."""
        event = _deciding(facts)
        if not _inside(event.scope, self.read) and not (_inside(event.scope, self.own) and self.is_own(event.actor)):
            return False
        return (
            class_name != READING_CLASS or _inside(event.scope, self.caller.reading_scopes) or self.is_own(event.actor)
        )

    def sees_personal(self, facts: bytes) -> bool:
        """Whether the personal part of an event that is seen is shown."""
        if self.personal or not self.some_personal:
            return self.personal
        event = _deciding(facts)
        if _inside(event.scope, self.caller.personal_scopes):
            return True
        return _inside(event.scope, self.caller.own_scopes) and self.is_own(event.actor)

    def is_own(self, actor: Mapping[str, Any]) -> bool:
        """Whether the caller is the actor, as it stands in an event or its facts; letter case counts."""
        if actor["type"] != self.caller.type:
            return False
        return actor["key"] in self._keys if "key" in actor else actor.get("id") in self._ids

    def records_following(self, event: Mapping[str, Any], class_name: str) -> bool:
        """Whether an event records what the caller read, or that anybody follows the log: to get it is no news.

        Otherwise two who follow, and ask for readings too, would each be kept reading by the record of the other.
        """
        return class_name == READING_CLASS and (event["action"] in FOLLOWING or self.is_own(event["actor"]))

    def require(self, permission: str, allowed: tuple[str, ...]) -> None:
        """Raise PermissionMissingError unless everything looked at lies where the permission holds."""
        missing = [scope for scope in (*self.read, *self.own) if not _inside(scope, allowed)]
        if not missing and allowed:
            return
        # Only scopes that the caller named or holds stand here: whether another exists is not said.
        held = intersect(allowed, (*self.read, *self.own))
        raise PermissionMissingError(
            f"this needs the permission {permission} for {', '.join(scope or '/' for scope in missing) or 'what is asked'}",
            advice=f"Narrow the scope: you hold it for {', '.join(held)}." if held else None,
        )

    def advice(self) -> str | None:
        """Return how a question about personal data could be asked, where there is a way."""
        held = intersect(self.caller.personal_scopes, self.read)
        return f"Narrow the scope: you may search personal data in {', '.join(held)}." if held else None

    @cached_property
    def _ids(self) -> frozenset[str]:
        return self.caller.aliases | {self.caller.id}

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(key for each in self._ids for key in self.register.actor_keys(each))

    def _is_own(self) -> Node:
        ids = [Term(FieldRef("actor"), Equals(each, exact=True)) for each in sorted(self._ids)]
        keys = [Term(FieldRef("actor.key"), Equals(each)) for each in sorted(self._keys)]
        return all_of((Term(FieldRef("actor.type"), Equals(self.caller.type)), any_of((*ids, *keys))))


def sight_of(caller: Caller) -> tuple[tuple[str, ...], ...]:
    """Return everything about a caller that decides what is seen: two callers of one id see the same where it is equal."""
    scopes = (caller.read_scopes, caller.personal_scopes, caller.own_scopes, caller.reading_scopes)
    return (*map(roots, scopes), tuple(sorted(caller.aliases)))


def is_reading() -> Node:
    """Return the tree that finds the events that record reading."""
    return Term(FieldRef("class"), Equals(READING_CLASS))


def _inside(scope: str, scopes: Iterable[str]) -> bool:
    return any(is_within(scope, root.strip("/")) for root in scopes)


def _below(scopes: tuple[str, ...]) -> Node:
    if "" in scopes:
        return EVERYTHING
    return any_of(Term(FieldRef("scope"), Below(scope, exact=True)) for scope in scopes)
