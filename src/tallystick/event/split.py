"""Parts an event into facts and personal data (DESIGN section 5): personal is whatever is not declared a fact."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, Literal

from msgspec import UNSET

from tallystick.event.identifier import names_someone
from tallystick.event.pointer import escape
from tallystick.event.pseudonym import Pseudonyms
from tallystick.event.rules import ActionRule, FactTree
from tallystick.event.wire import AnyEvent, KeyedParty, WireActor, WireChange, WireTarget

_ACTOR: Final = ("/actor/id", "/actor/name", "/actor/email")
_ON_BEHALF_OF: Final = ("/on_behalf_of/id", "/on_behalf_of/name", "/on_behalf_of/email")
_POINTERS_REMEMBERED: Final = 4096


def split_event(event: AnyEvent, rule: ActionRule, pseudonyms: Pseudonyms, *, ids_are_personal: bool) -> dict[str, Any]:
    """Reduce `event` to its facts and return the personal part: values by RFC 6901 pointer.

    `targets` must be filled in and `id` taken out before.
    """
    personal: dict[str, Any] = {}
    facts = rule.facts
    event.actor = _split_actor(event.actor, _ACTOR, facts, personal, pseudonyms, ids_are_personal)
    if event.on_behalf_of is not UNSET:
        party = event.on_behalf_of
        event.on_behalf_of = _split_actor(party, _ON_BEHALF_OF, facts, personal, pseudonyms, ids_are_personal)
    targets = event.targets
    assert targets is not UNSET
    name_is_fact = "/target/name" in facts
    for position, target in enumerate(targets):
        name = target.name
        if name is not UNSET and not name_is_fact:
            personal[f"/targets/{position}/name"] = name
            target.name = UNSET
        if (ids_are_personal and target.type == "user") or _is_shaped_personal(target.id):
            personal[f"/targets/{position}/id"] = target.id
            targets[position] = _keyed(target, target.id, pseudonyms)
    if event.changes is not UNSET:
        _split_changes(event.changes, facts, personal)
    if event.context is not UNSET:
        event.context = split_object(event.context, rule.context, "/context", personal)
    if event.metadata is not UNSET:
        event.metadata = split_object(event.metadata, rule.metadata, "/metadata", personal)
    if event.message is not UNSET and "/message" not in facts:
        personal["/message"] = event.message
        event.message = UNSET
    if event.reason is not UNSET and "/reason" not in facts:
        personal["/reason"] = event.reason
        event.reason = UNSET
    if event.raw is not UNSET:
        personal["/raw"] = event.raw
        event.raw = UNSET
    return personal


def split_object(
    value: dict[str, Any], tree: FactTree | Literal[True], pointer: str, personal: dict[str, Any]
) -> dict[str, Any]:
    """Return the declared members of a free object and put the others into `personal` by their pointers.

    What stays behind empty stays in the facts, and no pointer goes into an array.
    """
    if tree is True:
        return value
    kept: dict[str, Any] = {}
    for name, inner in value.items():
        below = tree.get(name)
        if below is True:
            kept[name] = inner
        elif below is not None and isinstance(inner, dict):
            kept[name] = split_object(inner, below, _pointer_below(pointer, name), personal)
        else:
            personal[_pointer_below(pointer, name)] = inner
    return kept


@lru_cache(maxsize=_POINTERS_REMEMBERED)
def _pointer_below(pointer: str, name: str) -> str:
    return f"{pointer}/{escape(name)}"


def _split_actor(
    actor: WireActor,
    pointers: tuple[str, str, str],
    facts: frozenset[str],
    personal: dict[str, Any],
    pseudonyms: Pseudonyms,
    ids_are_personal: bool,
) -> Any:
    at_id, at_name, at_email = pointers
    if actor.name is not UNSET and at_name not in facts:
        personal[at_name] = actor.name
        actor.name = UNSET
    if actor.email is not UNSET and at_email not in facts:
        personal[at_email] = actor.email
        actor.email = UNSET
    identifier = actor.id
    if identifier is not UNSET and (ids_are_personal or _is_shaped_personal(identifier)):
        personal[at_id] = identifier
        keyed = _keyed(actor, identifier, pseudonyms)
        keyed.email = actor.email
        return keyed
    return actor


def _split_changes(changes: list[WireChange[Any]], facts: frozenset[str], personal: dict[str, Any]) -> None:
    old_is_fact, new_is_fact = "/changes/old" in facts, "/changes/new" in facts
    for position, change in enumerate(changes):
        if change.old is not UNSET and not old_is_fact:
            personal[f"/changes/{position}/old"] = change.old
            change.old = UNSET
        if change.new is not UNSET and not new_is_fact:
            personal[f"/changes/{position}/new"] = change.new
            change.new = UNSET


def _is_shaped_personal(identifier: str) -> bool:
    # The three look-ups spare nearly every identifier the regular expressions.
    return ("@" in identifier or ":" in identifier or "." in identifier) and names_someone(identifier)


def _keyed(party: WireActor | WireTarget, identifier: str, pseudonyms: Pseudonyms) -> Any:
    """Return what stands in the facts instead; typed Any because no wire type admits it."""
    return KeyedParty(key=pseudonyms.key_for(party.type, identifier), name=party.name, type=party.type)
