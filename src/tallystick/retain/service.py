"""The verbs of retention. Each checks what the caller may do itself, so that pages, API and commands cannot differ."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.access.grants.deciding import require_another
from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.retain import events
from tallystick.retain.check import check_hold, check_name, check_rules, check_terms
from tallystick.retain.content import Content
from tallystick.retain.errors import (
    BelowFloorError,
    RetentionConflictError,
    RetentionInvalidError,
    SimulationOutdatedError,
)
from tallystick.retain.model import FIRST_OWN_CLASS, Change, Hold, Kind, RetentionClass, Rule, State, Terms, digest_of
from tallystick.retain.ports import RetentionPorts
from tallystick.retain.rows import get_change, get_class, load_classes, load_holds, load_rules, request_indexes
from tallystick.retain.simulate import Simulation, simulate
from tallystick.retain.terms import lessens, require_floor, shortens
from tallystick.store.tables.sources import SOURCE

Events = Sequence[Mapping[str, Any]]
MANAGE: Final = Permission.RETENTION_MANAGE
APPROVE: Final = Permission.RETENTION_APPROVE


class RetentionService:
    """May be used from any thread. `wake` is called when the next run has something to do."""

    def __init__(self, projection: Projection, commands: Commands, content: Content, ports: RetentionPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._content = content
        self._ports = ports
        self.wake: Callable[[], object] = lambda: None

    def define(self, caller: Caller, name: str, terms: Terms, reason: str = "") -> int:
        """Make a class and return its number. Raises RetentionInvalidError, BelowFloorError."""
        require(caller, MANAGE, "")
        check_name(name)
        check_terms(terms)
        require_floor(terms)
        made: list[int] = []

        def decide(connection: Connection) -> Events:
            classes = load_classes(connection)
            if any(each.name == name for each in classes.values()):
                raise RetentionConflictError(f"there is a class {name} already")
            made.append(max(FIRST_OWN_CLASS - 1, *classes) + 1)
            return [events.defined(caller, made[0], name, terms, reason, self._ports.now_us())]

        self._commands.run(decide)
        return made[0]

    def simulate(self, caller: Caller, name: str, terms: Terms) -> Simulation:
        """Return what other terms of a class would do; the look is on record."""
        require(caller, Permission.RETENTION_READ, "")
        check_terms(terms)
        self._ports.looked(caller, "retention simulation", "")
        with self._projection.engine.connect() as connection:
            kept = get_class(connection, name)
            metadata = self._terms_of(connection, kept, terms)
        return simulate(self._content, kept.number, metadata, self._ports.now_us())

    def change(self, caller: Caller, name: str, terms: Terms, reason: str, simulation: str = "") -> str | None:
        """Give a class other terms: at once where nothing becomes shorter, and return None; otherwise ask for it, and
        return the id of the request.

        What becomes shorter needs the digest of its simulation. Raises BelowFloorError, SimulationOutdatedError,
        RetentionInvalidError, RetentionUnknownError.
        """
        require(caller, MANAGE, "")
        check_terms(terms)
        with self._projection.engine.connect() as connection:
            kept = get_class(connection, name)
            metadata = self._terms_of(connection, kept, terms)
        if not shortens(kept, metadata):

            def decide(connection: Connection) -> Events:
                now = get_class(connection, name)
                if shortens(now, metadata):
                    raise RetentionConflictError(f"class {name} was given longer terms meanwhile")
                return [events.changed(caller, now.name, metadata, reason, self._ports.now_us())]

            self._commands.run(decide)
            return None
        simulated = simulate(self._content, kept.number, metadata, self._ports.now_us())
        if simulated.digest != simulation:
            raise SimulationOutdatedError("this is not the digest of what the change would do now")
        body = {**metadata, "since": kept.changed_index, "simulation": simulation, "events": simulated.events}
        return self._propose(caller, Kind.CLASS, kept.name, body, reason)

    def assign(self, caller: Caller, rules: Sequence[Rule], reason: str) -> str | None:
        """Send events to classes by these rules, the first that takes an event: at once where none goes to a class that
        keeps less than before, and return None; otherwise ask for it, and return the id of the request.
        """
        require(caller, MANAGE, "")
        with self._projection.engine.connect() as connection:
            classes, before = load_classes(connection), load_rules(connection)
            check_rules(rules, classes, _sources(connection))
        if not lessens(before, rules, classes):

            def decide(connection: Connection) -> Events:
                if lessens(load_rules(connection), rules, load_classes(connection)):
                    raise RetentionConflictError("the rules were changed meanwhile")
                return [events.assigned(caller, rules, {}, reason, self._ports.now_us())]

            self._commands.run(decide)
            self.apply_rules()
            return None
        body = {
            "rules": [each.metadata() for each in rules],
            "before": digest_of({"rules": [each.metadata() for each in before]}),
        }
        return self._propose(caller, Kind.RULES, "assignments", body, reason)

    def place(self, caller: Caller, hold: Hold) -> None:
        """Place a hold; from now on nothing that it covers is destroyed. Raises RetentionInvalidError."""
        require(caller, MANAGE, "")

        def decide(connection: Connection) -> Events:
            check_hold(hold, load_classes(connection), _sources(connection))
            if any(each.hold == hold.hold for each in load_holds(connection, active=False)):
                raise RetentionConflictError(f"there was a hold {hold.hold} already")
            return [events.placed(caller, hold, self._ports.now_us())]

        self._commands.run(decide)

    def release(self, caller: Caller, hold: str, reason: str) -> str:
        """Propose that a hold ends, and return the id of the request; somebody else decides."""
        require(caller, MANAGE, "")
        with self._projection.engine.connect() as connection:
            found = next((each for each in load_holds(connection, active=True) if each.hold == hold), None)
        if found is None:
            raise RetentionConflictError(f"there is no hold {hold[:128]!r} that lasts")
        return self._propose(caller, Kind.RELEASE, hold, {"hold": hold, "placed": found.placed_index}, reason)

    def approve(self, caller: Caller, change: str, digest: str, reason: str = "") -> None:
        """Put in force what somebody else proposed, exactly what has this digest.

        Raises OwnDecisionError, RetentionConflictError when it was decided or what it was based on has changed.
        """
        require(caller, APPROVE, "")

        def decide(connection: Connection) -> Events:
            found = self._decidable(connection, caller, change)
            if found.digest != digest:
                raise RetentionConflictError("this is not the digest of what was proposed")
            now = self._ports.now_us()
            return [
                events.decided(caller, found, State.APPROVED, reason, now),
                *self._effect(connection, caller, found, now),
            ]

        self._commands.run(decide)
        self.apply_rules()
        self.wake()

    def decline(self, caller: Caller, change: str, reason: str) -> None:
        """Refuse what somebody else proposed."""
        require(caller, APPROVE, "")

        def decide(connection: Connection) -> Events:
            found = self._decidable(connection, caller, change)
            return [events.decided(caller, found, State.DECLINED, reason, self._ports.now_us())]

        self._commands.run(decide)

    def withdraw(self, caller: Caller, change: str) -> None:
        """Take one's own proposal back."""
        require(caller, MANAGE, "")

        def decide(connection: Connection) -> Events:
            found = _open(connection, change)
            if found.proposed_by != caller.id:
                raise OwnDecisionError("only who proposed it takes it back")
            return [events.decided(caller, found, State.WITHDRAWN, "", self._ports.now_us())]

        self._commands.run(decide)

    def propose_erasure(
        self, caller: Caller, body: Mapping[str, Any], reason: str, ask: Callable[[str, str], Events]
    ) -> str:
        """Ask for an erasure; `ask` makes its requests of the id and digest of the proposal."""
        return self._propose(caller, Kind.ERASURE, "person", body, reason, more=ask)

    def apply_rules(self) -> None:
        """Hand the assignment rules, as the tables have them, to whoever admits events."""
        with self._projection.engine.connect() as connection:
            rules, classes = load_rules(connection), load_classes(connection)
        guarded = frozenset(number for number, each in classes.items() if each.terms.guarded)
        self._ports.assign([each.assignment() for each in rules], guarded)

    def _propose(
        self,
        caller: Caller,
        kind: Kind,
        subject: str,
        body: Mapping[str, Any],
        reason: str,
        *,
        more: Callable[[str, str], Events] = lambda _change, _digest: (),
    ) -> str:
        if not reason.strip():
            raise RetentionInvalidError("say why; whoever decides reads it", pointer="/reason")
        change = f"rc-{secrets.token_hex(10)}"
        digest = digest_of({"change": change, "kind": kind.value, "subject": subject, "body": dict(body)})

        def decide(_: Connection) -> Events:
            now = self._ports.now_us()
            first = events.proposed(caller, change, kind, subject, body, digest, reason, now)
            return [first, *more(change, digest)]

        self._commands.run(decide)
        return change

    def _decidable(self, connection: Connection, caller: Caller, change: str) -> Change:
        found = _open(connection, change)
        require_another(connection, caller, APPROVE, "", self._ports.now_us(), [found.proposed_by])
        return found

    def _effect(self, connection: Connection, caller: Caller, change: Change, now: int) -> Events:
        bound = {"change": change.change, "digest": change.digest}
        match change.kind:
            case Kind.CLASS:
                kept = get_class(connection, change.subject)
                if kept.changed_index != change.body["since"]:
                    raise RetentionConflictError(f"class {kept.name} was changed since this was proposed")
                terms = {name: value for name, value in change.body.items() if name not in _NOT_TERMS}
                if (below := terms.get("below_floor")) is not None:
                    found = self._ports.excepted(kept.name, now, connection)
                    if found is None or found != (below["exception"], below["until"]):
                        raise BelowFloorError("the exception that this rests on is not in force any more")
                return [events.changed(caller, kept.name, {**terms, **bound}, "", now)]
            case Kind.RULES:
                before = digest_of({"rules": [each.metadata() for each in load_rules(connection)]})
                if before != change.body["before"]:
                    raise RetentionConflictError("the rules were changed since this was proposed")
                return [events.assigned(caller, [Rule.parse(each) for each in change.body["rules"]], bound, "", now)]
            case Kind.RELEASE:
                holds = load_holds(connection, active=True)
                if all(each.placed_index != change.body["placed"] for each in holds):
                    raise RetentionConflictError(f"hold {change.subject} was released already")
                return [events.released(caller, change, "", now)]
            case Kind.ERASURE:
                indexes = [index for index, _ in request_indexes(connection, change.change)]
                return events.approvals(caller, change, indexes, now)

    def _terms_of(self, connection: Connection, kept: RetentionClass, terms: Terms) -> dict[str, Any]:
        """Return a class event's metadata for other terms; raises BelowFloorError."""
        terms = replace(terms, guarded=kept.terms.guarded)
        metadata = {"number": kept.number, **terms.metadata()}
        floor = terms.floor_days or 0
        if kept.keeps_facts and terms.retention_days is not None:
            raise RetentionInvalidError(f"class {kept.name} keeps its facts for ever", pointer="/retention_days")
        if min(terms.days(personal=False), terms.days(personal=True)) < floor:
            found = self._ports.excepted(kept.name, self._ports.now_us(), connection)
            if found is None:
                raise BelowFloorError(f"class {kept.name} is kept for {floor} days at least", pointer="/retention_days")
            metadata["below_floor"] = {"exception": found[0], "until": found[1]}
        return metadata


_NOT_TERMS: Final = frozenset({"since", "simulation", "events"})


def _open(connection: Connection, change: str) -> Change:
    found = get_change(connection, change)
    if found.state is not State.OPEN:
        raise RetentionConflictError(f"this was {found.state.value} already")
    return found


def _sources(connection: Connection) -> list[int]:
    return [0, *connection.scalars(select(SOURCE.c.number))]
