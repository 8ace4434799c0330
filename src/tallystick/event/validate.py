"""Says precisely what is wrong with an event, member by member; the slow path's judgement is the one that counts."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection
from typing import Any, Final, get_args

from tallystick.errors import InvalidInputError
from tallystick.event.canonical import SAFE_INTEGER_MAX
from tallystick.event.identifier import IDENTIFIER_CHARS_MAX, hidden_character, parse_event_id
from tallystick.event.pointer import escape
from tallystick.event.refusals import (
    BadEventIdError,
    BadIdentifierError,
    BadTargetsError,
    MissingMemberError,
    UnknownMemberError,
    UnknownValueError,
    WrongTypeError,
)
from tallystick.event.rules import CONTEXT_FACTS
from tallystick.event.strict import Scanned
from tallystick.event.wire import ActorTypeName, OutcomeName, SeverityName

ACTOR_TYPES: Final[tuple[str, ...]] = get_args(ActorTypeName)
OUTCOMES: Final[tuple[str, ...]] = get_args(OutcomeName)
SEVERITIES: Final[tuple[str, ...]] = get_args(SeverityName)
TYPES_WITHOUT_ID: Final = frozenset({"anonymous", "deleted", "unknown"})
"""Actors that may have no id; every other actor needs one."""

# What senders call a member elsewhere.
_ALIASES: Final = {
    "timestamp": "occurred_at",
    "time": "occurred_at",
    "created_at": "occurred_at",
    "@timestamp": "occurred_at",
    "event": "action",
    "event_type": "action",
    "event_name": "action",
    "type": "action",
    "user": "actor",
    "principal": "actor",
    "resource": "target",
    "object": "target",
    "result": "outcome",
    "status": "outcome",
    "details": "metadata",
    "data": "metadata",
    "extra": "metadata",
    "description": "message",
    "tenant": "scope",
    "project": "scope",
    "ip": "context.ip",
    "user_agent": "context.user_agent",
    "request_id": "context.request_id",
    "session_id": "context.session_id",
}
_KINDS: Final = {dict: "an object", list: "an array", str: "text", int: "a number", float: "a number"}


class Validator:
    """Checks one scanned event against the shape of events.

    Every error leaves complete, with pointer, item, line and column. What depends on the source, the catalogue
    or the clock is not judged here.
    """

    def __init__(self, scanned: Scanned) -> None:
        self._scanned = scanned

    def fields(self) -> dict[str, Any]:
        """Return the event's members, those that are null and optional left out."""
        event = self._object("", self._scanned.value, _MEMBERS, required=("action", "actor", "scope", "occurred_at"))
        for name, value in event.items():
            check = _CHECKS[name]
            event[name] = check(self, f"/{name}", value)
        if ("target" in event) == ("targets" in event):
            which = "both `target` and `targets`" if "target" in event else "no target"
            raise self.refusal(BadTargetsError(f"the event has {which}", pointer="/targets"), name=True)
        return event

    def refusal(self, error: InvalidInputError, *, name: bool = False) -> InvalidInputError:
        """Return `error` with its place filled in."""
        return self._scanned.locate(error, name=name)

    def text(self, pointer: str, value: Any) -> str:
        return str(self._typed(pointer, value, str))

    def identifier(self, pointer: str, value: Any, *, chars_min: int = 1) -> str:
        text = self.text(pointer, value)
        if not chars_min <= len(text) <= IDENTIFIER_CHARS_MAX:
            message = (
                f"an identifier has {chars_min} to {IDENTIFIER_CHARS_MAX:,} characters; this one has {len(text):,}"
            )
            raise self.refusal(BadIdentifierError(message, pointer=pointer))
        return self.visible(pointer, text)

    def visible(self, pointer: str, text: str) -> str:
        character = hidden_character(text)
        if character is not None:
            message = f"the character U+{ord(character):04X} is not allowed in an identifier"
            raise self.refusal(BadIdentifierError(message, pointer=pointer))
        return text

    def visible_text(self, pointer: str, value: Any) -> str:
        return self.visible(pointer, self.text(pointer, value))

    def event_id(self, pointer: str, value: Any) -> str:
        text = self.text(pointer, value)
        if parse_event_id(text) is None:
            raise self.refusal(BadEventIdError(f"{text[:64]!r} is not a UUID", pointer=pointer))
        return text

    def actor(self, pointer: str, value: Any) -> dict[str, Any]:
        actor = self._object(pointer, value, ("id", "type", "name", "email"), required=("type",))
        type_ = self._choice(f"{pointer}/type", actor["type"], ACTOR_TYPES)
        if "id" in actor:
            self.identifier(f"{pointer}/id", actor["id"])
        elif type_ not in TYPES_WITHOUT_ID:
            message = f"an actor of type {type_} needs an id"
            raise self.refusal(MissingMemberError(message, pointer=f"{pointer}/id"))
        for name in ("name", "email"):
            if name in actor:
                self.text(f"{pointer}/{name}", actor[name])
        return actor

    def target(self, pointer: str, value: Any) -> dict[str, Any]:
        target = self._object(pointer, value, ("id", "type", "name"), required=("id", "type"))
        self.identifier(f"{pointer}/id", target["id"])
        self.identifier(f"{pointer}/type", target["type"])
        if "name" in target:
            self.text(f"{pointer}/name", target["name"])
        return target

    def targets(self, pointer: str, value: Any) -> list[dict[str, Any]]:
        targets = self._typed(pointer, value, list)
        if not targets:
            raise self.refusal(BadTargetsError("`targets` is empty", pointer=pointer))
        return [self.target(f"{pointer}/{position}", target) for position, target in enumerate(targets)]

    def changes(self, pointer: str, value: Any) -> list[dict[str, Any]]:
        changes = []
        for position, item in enumerate(self._typed(pointer, value, list)):
            here = f"{pointer}/{position}"
            change = self._object(here, item, ("field", "old", "new"), required=("field",), nullable=("old", "new"))
            self.identifier(f"{here}/field", change["field"])
            changes.append(change)
        return changes

    def context(self, pointer: str, value: Any) -> dict[str, Any]:
        context: dict[str, Any] = dict(self._typed(pointer, value, dict))
        for name in sorted(CONTEXT_FACTS & context.keys()):
            if context[name] is None:
                del context[name]
            else:
                self.identifier(f"{pointer}/{name}", context[name], chars_min=0)
        return context

    def free_object(self, pointer: str, value: Any) -> dict[str, Any]:
        return dict(self._typed(pointer, value, dict))

    def raw(self, pointer: str, value: Any) -> str | dict[str, Any]:
        if not isinstance(value, str | dict):
            message = f"`raw` takes an object or text, not {_kind(value)}"
            raise self.refusal(WrongTypeError(message, pointer=pointer))
        return value

    def sequence(self, pointer: str, value: Any) -> dict[str, Any]:
        sequence = self._object(pointer, value, ("stream", "number"), required=("stream", "number"))
        self.identifier(f"{pointer}/stream", sequence["stream"])
        number = sequence["number"]
        if type(number) is float and number.is_integer():
            number = sequence["number"] = int(number)
        if type(number) is not int or not 0 <= number <= SAFE_INTEGER_MAX:
            message = f"{pointer}/number takes a whole number from 0 to 2^53-1"
            raise self.refusal(WrongTypeError(message, pointer=f"{pointer}/number"))
        return sequence

    def outcome(self, pointer: str, value: Any) -> str:
        return self._choice(pointer, value, OUTCOMES)

    def severity(self, pointer: str, value: Any) -> str:
        return self._choice(pointer, value, SEVERITIES)

    def _choice(self, pointer: str, value: Any, choices: Collection[str]) -> str:
        text = self.text(pointer, value)
        if text not in choices:
            message = f"{text[:64]!r} is not one of {', '.join(choices)}"
            raise self.refusal(UnknownValueError(message, pointer=pointer))
        return text

    def _typed(self, pointer: str, value: Any, kind: type) -> Any:
        if not isinstance(value, kind):
            what = f"`{pointer[1:]}`" if pointer else "an event"
            message = f"{what} takes {_KINDS[kind]}, not {_kind(value)}"
            raise self.refusal(WrongTypeError(message, pointer=pointer))
        return value

    def _object(
        self,
        pointer: str,
        value: Any,
        known: Collection[str],
        *,
        required: Collection[str],
        nullable: Collection[str] = (),
    ) -> dict[str, Any]:
        """Return the members of an object, checking names only; null stands for an absent optional member."""
        members = {}
        for name, member in self._typed(pointer, value, dict).items():
            if name not in known:
                raise self._unknown(pointer, name, known)
            if member is not None or name in required or name in nullable:
                members[name] = member
        for name in required:
            if name not in members:
                where = f" of `{pointer[1:]}`" if pointer else ""
                message = f"the member `{name}`{where} is missing"
                raise self.refusal(MissingMemberError(message, pointer=f"{pointer}/{name}"))
        return members

    def _unknown(self, pointer: str, name: str, known: Collection[str]) -> InvalidInputError:
        where = f"`{pointer[1:]}` has" if pointer else "events have"
        nearest = difflib.get_close_matches(name, known, n=1)
        suggestion = nearest[0] if nearest else "" if pointer else _ALIASES.get(name.lower(), "metadata")
        hint = f"; did you mean `{suggestion}`?" if suggestion else ""
        advice = None if not pointer else f"Use only {', '.join(known)}; anything else belongs in `metadata`."
        error = UnknownMemberError(
            f"{where} no member {name[:64]!r}{hint}",
            pointer=f"{pointer}/{escape(name)}",
            advice=advice,
            suggestion=suggestion or None,
        )
        return self.refusal(error, name=True)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return _KINDS[type(value)]


_CHECKS: Final[dict[str, Callable[[Validator, str, Any], Any]]] = {
    "action": Validator.visible_text,
    "actor": Validator.actor,
    "on_behalf_of": Validator.actor,
    "target": Validator.target,
    "targets": Validator.targets,
    "scope": Validator.visible_text,
    "occurred_at": Validator.text,
    "outcome": Validator.outcome,
    "severity": Validator.severity,
    "reason": Validator.text,
    "message": Validator.text,
    "changes": Validator.changes,
    "context": Validator.context,
    "metadata": Validator.free_object,
    "raw": Validator.raw,
    "sequence": Validator.sequence,
    "id": Validator.event_id,
}
_MEMBERS: Final = tuple(_CHECKS)
