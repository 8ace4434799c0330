"""The typed fields by which events are searched, derived from their exact bytes and from nothing else.

Sealing, the unsealed tail and `verify` all derive through here, so that an edited column cannot hide an event.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.event.merge import BadContentError
from tallystick.event.occurred import us_of_time


class Fields(NamedTuple):
    """One event's searchable fields; absent ones are None or empty.

    The first part holds facts. The second holds what is personal unless the catalogue declared it a fact; only
    those with the right to personal data may search by it, wherever the value stands. Lists follow the order of
    `targets` and `changes`; `target_id` and `target_key` leave out the targets that have no such member.
    """

    occurred_at: int
    """Microseconds since 1970, as the sender claims."""
    action: str
    actor_type: str
    actor_id: str | None
    actor_key: str | None
    on_behalf_of_type: str | None
    on_behalf_of_id: str | None
    on_behalf_of_key: str | None
    target_id: tuple[str, ...]
    target_key: tuple[str, ...]
    target_type: tuple[str, ...]
    scope: str
    outcome: str
    severity: str
    auth_method: str | None
    request_id: str | None
    session_id: str | None
    trace_id: str | None
    changed: tuple[str, ...]

    actor_id_personal: str | None
    actor_name: str | None
    actor_email: str | None
    on_behalf_of_id_personal: str | None
    on_behalf_of_name: str | None
    on_behalf_of_email: str | None
    target_ids_personal: tuple[str, ...]
    target_names: tuple[str, ...]
    ip: str | None
    user_agent: str | None
    message: str | None
    reason: str | None


FieldsRow = tuple[Any, ...]
"""The values of `Fields` in their order, for those who derive millions and want no names."""


def derive(facts: bytes, personal: bytes | None) -> Fields:
    """Return the fields of one event; without `personal` only what the facts hold.

    Raises BadContentError when the bytes are not those of an event.
    """
    return Fields._make(derive_row(facts, personal))


def derive_row(facts: bytes, personal: bytes | None) -> FieldsRow:
    """Return what `derive` does, without names."""
    try:
        known = _decode_facts(facts)
        hidden = _NOTHING if personal is None or personal == b"{}" else _read_personal(personal)
        targets = _of_one(known.targets[0], hidden) if len(known.targets) == 1 else _of_any(known.targets, personal)
        return _row(known, hidden, targets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, TypeError) as error:
        raise BadContentError(f"the content is not that of an event: {error}") from error


class _Actor(msgspec.Struct, frozen=True, gc=False):
    type: str
    id: str | None = None
    key: str | None = None
    name: str | None = None
    email: str | None = None


class _Target(msgspec.Struct, frozen=True, gc=False):
    type: str
    id: str | None = None
    key: str | None = None
    name: str | None = None


class _Change(msgspec.Struct, frozen=True, gc=False):
    field: str


class _Facts(msgspec.Struct, frozen=True, gc=False):
    action: str
    actor: _Actor
    targets: list[_Target]
    scope: str
    occurred_at: str
    outcome: str
    severity: str
    on_behalf_of: _Actor | None = None
    changes: list[_Change] = []
    context: dict[str, Any] = {}
    message: str | None = None
    reason: str | None = None


_POINTERS: Final = {
    "actor_id": "/actor/id",
    "actor_name": "/actor/name",
    "actor_email": "/actor/email",
    "on_behalf_of_id": "/on_behalf_of/id",
    "on_behalf_of_name": "/on_behalf_of/name",
    "on_behalf_of_email": "/on_behalf_of/email",
    "target_id": "/targets/0/id",
    "target_name": "/targets/0/name",
    "ip": "/context/ip",
    "user_agent": "/context/user_agent",
    "message": "/message",
    "reason": "/reason",
}


class _Personal(msgspec.Struct, frozen=True, gc=False, rename=_POINTERS):
    """The personal values that are searched by; those of further targets are looked up when there are any."""

    actor_id: str | None = None
    actor_name: str | None = None
    actor_email: str | None = None
    on_behalf_of_id: str | None = None
    on_behalf_of_name: str | None = None
    on_behalf_of_email: str | None = None
    target_id: str | None = None
    target_name: str | UnsetType | None = UNSET
    ip: str | None = None
    user_agent: str | None = None
    message: str | None = None
    reason: str | None = None


_NOTHING: Final = _Personal()
_decode_facts: Final = msgspec.json.Decoder(_Facts).decode
_decode_personal: Final = msgspec.json.Decoder(_Personal).decode
_decode_pointers: Final = msgspec.json.Decoder(dict[str, Any]).decode


def _read_personal(personal: bytes) -> _Personal:
    # The decoder does not look closely into values that it skips; what numbers they may hold, canonical form says.
    if not personal.isascii():
        personal.decode("utf-8")
    try:
        return _decode_personal(personal)
    except msgspec.ValidationError:
        pointers = _decode_pointers(personal).items()
        return msgspec.convert({name: text if isinstance(text, str) else None for name, text in pointers}, _Personal)


def _row(facts: _Facts, hidden: _Personal, targets: tuple[tuple[str, ...], ...]) -> FieldsRow:
    actor, other, context = facts.actor, facts.on_behalf_of, facts.context
    target_id, target_key, target_type, target_ids_personal, target_names = targets
    for value in context.values():
        if type(value) is not str:
            context = {name: text for name, text in context.items() if isinstance(text, str)}
            break
    named = context.get
    return (
        us_of_time(facts.occurred_at),
        facts.action,
        actor.type,
        actor.id,
        actor.key,
        None if other is None else other.type,
        None if other is None else other.id,
        None if other is None else other.key,
        target_id,
        target_key,
        target_type,
        facts.scope,
        facts.outcome,
        facts.severity,
        named("auth_method"),
        named("request_id"),
        named("session_id"),
        named("trace_id"),
        tuple([change.field for change in facts.changes]) if facts.changes else (),
        hidden.actor_id,
        actor.name if hidden.actor_name is None else hidden.actor_name,
        actor.email if hidden.actor_email is None else hidden.actor_email,
        hidden.on_behalf_of_id,
        other.name if other is not None and hidden.on_behalf_of_name is None else hidden.on_behalf_of_name,
        other.email if other is not None and hidden.on_behalf_of_email is None else hidden.on_behalf_of_email,
        target_ids_personal,
        target_names,
        named("ip") if hidden.ip is None else hidden.ip,
        named("user_agent") if hidden.user_agent is None else hidden.user_agent,
        facts.message if hidden.message is None else hidden.message,
        facts.reason if hidden.reason is None else hidden.reason,
    )


def _of_one(target: _Target, hidden: _Personal) -> tuple[tuple[str, ...], ...]:
    """Return what `_of_any` does, for the only target of an event."""
    name = target.name if hidden.target_name is UNSET else hidden.target_name
    return (
        () if target.id is None else (target.id,),
        () if target.key is None else (target.key,),
        (target.type,),
        () if hidden.target_id is None else (hidden.target_id,),
        () if name is None else (name,),
    )


def _of_any(targets: list[_Target], personal: bytes | None) -> tuple[tuple[str, ...], ...]:
    """Return the ids, keys, types, personal ids and names of targets; a name may be declared a fact."""
    pointers = {} if personal is None else _decode_pointers(personal)
    ids = [pointers.get(f"/targets/{position}/id") for position in range(len(targets))]
    names = [pointers.get(f"/targets/{position}/name", target.name) for position, target in enumerate(targets)]
    return (
        tuple([target.id for target in targets if target.id is not None]),
        tuple([target.key for target in targets if target.key is not None]),
        tuple([target.type for target in targets]),
        tuple([text for text in ids if isinstance(text, str)]),
        tuple([text for text in names if isinstance(text, str)]),
    )
