"""The verbs of systems and declarations. Each checks what the caller may do itself, so that no face can differ."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.grants.asking import acting_person, is_operator
from tallystick.access.grants.deciding import require_another
from tallystick.access.grants.members import find_member
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.govern.ports import GovernPorts
from tallystick.govern.systems import events
from tallystick.govern.systems.answering import require_free, with_people
from tallystick.govern.systems.check import check_facts, parse_declaration
from tallystick.govern.systems.errors import (
    DeclarationDecidedError,
    DeclarationInvalidError,
    DeclarationUnknownError,
    NotYourSystemError,
    SystemConflictError,
    SystemUnknownError,
)
from tallystick.govern.systems.model import Declaration, Facts, Proposal, System, Version, digest_of
from tallystick.govern.systems.rows import find_system, load_proposals, load_systems, load_versions

REASON_CHARS_MAX: Final = 1000
LOOKED: Final = "systems"
"""The place that looks at systems are recorded under."""
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Detail:
    """A system with every version of its facts and every declaration proposed for it, the newest first."""

    system: System
    versions: tuple[Version, ...]
    proposals: tuple[Proposal, ...]


class SystemService:
    """The systems of one installation; may be used from any thread. One that the caller may not see is unknown to her."""

    def __init__(self, projection: Projection, commands: Commands, ports: GovernPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports

    def list(self, caller: Caller, *, retired: bool = False) -> Sequence[System]:
        """Return the systems that the caller may see, by name; the look is recorded."""
        require(caller, Permission.SYSTEMS_READ)
        with self._projection.engine.connect() as connection:
            found = load_systems(connection)
        self._ports.looked(caller, LOOKED, "")
        return [each for each in found if sees(caller, each) and (retired or each.retired_index is None)]

    def get(self, caller: Caller, system: str) -> Detail:
        """Return a system with its history; the look is recorded. Raises SystemUnknownError."""
        with self._projection.engine.connect() as connection:
            found = _seen(connection, caller, system)
            detail = Detail(
                found, tuple(load_versions(connection, found.id)), tuple(load_proposals(connection, found.id))
            )
        self._ports.looked(caller, LOOKED, found.facts.scopes[0])
        return detail

    def to_change(self, caller: Caller, system: str) -> System:
        """Return a system that the caller answers for; the look is recorded. Raises NotYourSystemError."""
        with self._projection.engine.connect() as connection:
            found = self._answered(connection, caller, system)
        self._ports.looked(caller, LOOKED, found.facts.scopes[0])
        return found

    def register(self, caller: Caller, facts: Facts) -> str:
        """Register a system and return its id. People are named by id or handle.

        Raises SystemInvalidError, SystemConflictError, PermissionMissingError.
        """
        caller = acting_person(caller)
        check_facts(facts)
        require(caller, Permission.SYSTEMS_MANAGE, *facts.scopes)
        system = _new_id("y")

        def decide(connection: Connection) -> Events:
            known = with_people(connection, facts, ())
            require_free(connection, known.name, None)
            return [events.registered(caller, system, known, self._ports.now_us())]

        self._commands.run(decide)
        return system

    def change(self, caller: Caller, system: str, wanted: Mapping[str, Any]) -> tuple[str, ...]:
        """Change facts by their names, and return which are different now: by its owner, a deputy, or who manages
        systems there. Who the owner is and which scopes it has is for who manages systems.
        """
        caller = acting_person(caller)
        done: tuple[str, ...] = ()

        def decide(connection: Connection) -> Events:
            nonlocal done
            found = self._answered(connection, caller, system)
            known = (found.facts.owner, *found.facts.deputies)
            facts = with_people(connection, check_facts(replace(found.facts, **wanted)), known)
            done = tuple(
                each.name for each in fields(Facts) if getattr(facts, each.name) != getattr(found.facts, each.name)
            )
            if not done:
                return []
            if {"owner", "deputies", "scopes"} & set(done):
                require(caller, Permission.SYSTEMS_MANAGE, *found.facts.scopes, *facts.scopes)
            require_free(connection, facts.name, found.id)
            return [events.changed(caller, found, facts, done, self._ports.now_us())]

        self._commands.run(decide)
        return done

    def retire(self, caller: Caller, system: str, *, reason: str) -> None:
        """Take a system out of the register; what was declared and evaluated stays readable."""
        caller = acting_person(caller)
        reason = _checked_reason(reason)

        def decide(connection: Connection) -> Events:
            found = self._answered(connection, caller, system)
            require(caller, Permission.SYSTEMS_MANAGE, *found.facts.scopes)
            return [events.retired(caller, found, reason, self._ports.now_us())]

        self._commands.run(decide)

    def check(self, document: object) -> Declaration:
        """Return the declaration that a JSON document says; raises DeclarationInvalidError. Nothing is recorded."""
        return parse_declaration(document, self._ports.now_us())

    def propose(self, caller: Caller, system: str, document: object, *, based_on: str | None, reason: str) -> str:
        """Propose what is critical, from the declaration in force `based_on`, and return the proposal's id.

        Proposing the text in force again is how it is reviewed. Raises DeclarationInvalidError, NotYourSystemError,
        DeclarationDecidedError where another declaration is in force by now.
        """
        caller = acting_person(caller)
        text, reason = self.check(document).text(), _checked_reason(reason)
        declaration = _new_id("d")

        def decide(connection: Connection) -> Events:
            found = self._answered(connection, caller, system)
            _require_base(found, based_on)
            digest = digest_of(found.id, text)
            return [events.proposed(caller, found, declaration, digest, text, reason, self._ports.now_us())]

        self._commands.run(decide)
        return declaration

    def approve(self, caller: Caller, system: str, declaration: str, digest: str, *, reason: str = "") -> None:
        """Put exactly the text of a digest in force, which somebody else proposed.

        Raises OwnDecisionError, DeclarationDecidedError.
        """
        caller = acting_person(caller)

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            found, proposal = self._decidable(connection, caller, system, declaration, now_us)
            if proposal.text is None or digest != proposal.digest or digest_of(found.id, proposal.text) != digest:
                raise DeclarationDecidedError("this is not the text that was proposed, or it was erased since")
            _require_base(found, proposal.based_on)
            return [events.decided(caller, events.APPROVED, found, proposal, reason.strip() or None, now_us)]

        self._commands.run(decide)

    def reject(self, caller: Caller, system: str, declaration: str, *, reason: str) -> None:
        """Refuse what somebody else proposed."""
        caller = acting_person(caller)
        reason = _checked_reason(reason)

        def decide(connection: Connection) -> Events:
            now_us = self._ports.now_us()
            found, proposal = self._decidable(connection, caller, system, declaration, now_us)
            return [events.decided(caller, events.REJECTED, found, proposal, reason, now_us)]

        self._commands.run(decide)

    def withdraw(self, caller: Caller, system: str, declaration: str) -> None:
        """Take one's own proposal back."""
        caller = acting_person(caller)

        def decide(connection: Connection) -> Events:
            found = _seen(connection, caller, system)
            proposal = _open_proposal(connection, found, declaration)
            if proposal.proposed_by != caller.id and not is_operator(caller):
                raise NotYourSystemError("only who proposed it takes a declaration back")
            return [events.decided(caller, events.WITHDRAWN, found, proposal, None, self._ports.now_us())]

        self._commands.run(decide)

    def names(self, people: Sequence[str]) -> Mapping[str, str]:
        """Return what people are called; unknown ids are left out."""
        with self._projection.engine.connect() as connection:
            found = [find_member(connection, each) for each in sorted(set(people))]
        return {each.id: each.name for each in found if each is not None}

    def answers_for(self, caller: Caller, system: System) -> bool:
        """Return whether the caller may change a system and declare what is critical in it."""
        if caller.id in {system.facts.owner, *system.facts.deputies}:
            return True
        return all(caller.rights.allows(Permission.SYSTEMS_MANAGE, scope) for scope in system.facts.scopes)

    def may_decide(self, caller: Caller, system: System, proposal: Proposal) -> bool:
        """Return whether a page offers the caller to decide; the decision itself asks again, and more."""
        allowed = all(caller.rights.allows(Permission.SYSTEMS_APPROVE, scope) for scope in system.facts.scopes)
        return allowed and caller.id != proposal.proposed_by

    def _answered(self, connection: Connection, caller: Caller, system: str) -> System:
        """Return a system that the caller answers for and that is not retired."""
        found = _seen(connection, caller, system)
        if not self.answers_for(caller, found):
            raise NotYourSystemError(f"you neither answer for {found.facts.name} nor manage systems there")
        if found.retired_index is not None:
            raise SystemConflictError(f"{found.facts.name} is retired")
        return found

    def _decidable(
        self, connection: Connection, caller: Caller, system: str, declaration: str, now_us: int
    ) -> tuple[System, Proposal]:
        found = _seen(connection, caller, system)
        require(caller, Permission.SYSTEMS_APPROVE, *found.facts.scopes)
        if found.retired_index is not None:
            raise SystemConflictError(f"{found.facts.name} is retired")
        proposal = _open_proposal(connection, found, declaration)
        for scope in found.facts.scopes:
            proposers = {proposal.proposed_by}
            require_another(connection, caller, Permission.SYSTEMS_APPROVE, scope, now_us, proposers)
        return found, proposal


def sees(caller: Caller, system: System) -> bool:
    """Return whether somebody sees a system: its own people, and who may read the register in all of its scopes, of each
    of which it tells.
    """
    if caller.id in {system.facts.owner, *system.facts.deputies}:
        return True
    return all(caller.rights.allows(Permission.SYSTEMS_READ, scope) for scope in system.facts.scopes)


def _seen(connection: Connection, caller: Caller, system: str) -> System:
    found = find_system(connection, system)
    if found is None or not sees(caller, found):
        raise SystemUnknownError(f"there is no system {system[:40]!r}")
    return found


def _require_base(system: System, based_on: str | None) -> None:
    if based_on != (system.in_force.declaration if system.in_force else None):
        raise DeclarationDecidedError("another declaration is in force since this one was written")


def _open_proposal(connection: Connection, system: System, declaration: str) -> Proposal:
    for each in load_proposals(connection, system.id):
        if each.declaration == declaration:
            if each.decision is not None:
                raise DeclarationDecidedError(f"the declaration is {each.decision} already")
            return each
    raise DeclarationUnknownError(f"{system.facts.name} has no declaration {declaration[:40]!r}")


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > REASON_CHARS_MAX:
        raise DeclarationInvalidError(f"a reason has 1 to {REASON_CHARS_MAX:,} characters", pointer="/reason")
    return reason


def _new_id(kind: str) -> str:
    return f"{kind}-" + "".join(secrets.choice(_ALPHABET) for _ in range(12))
