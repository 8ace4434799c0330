"""Completes an event and parts it into facts and personal data; both paths of admission end here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from tallystick.event.assignment import Assignments
from tallystick.event.gate import Gate, SourceRules
from tallystick.event.identifier import parse_event_id
from tallystick.event.pseudonym import Pseudonyms
from tallystick.event.refusals import BadEventIdError, BadTargetsError
from tallystick.event.split import split_event
from tallystick.event.wire import AnyEvent


@dataclass(slots=True)
class Accepted:
    """Events that passed, as columns in the making. An id is None where the sender gave none."""

    ids: list[bytes | None] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    facts: list[bytes] = field(default_factory=list)
    personal: list[bytes] = field(default_factory=list)

    def extend(self, other: Accepted) -> None:
        self.ids += other.ids
        self.classes += other.classes
        self.facts += other.facts
        self.personal += other.personal


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Who sends, and how late `occurred_at` may be (in its one form)."""

    source: SourceRules
    latest: str
    future_s_max: int


class Normaliser:
    """Fills in defaults, judges what the gate judges, and splits."""

    def __init__(self, gate: Gate, pseudonyms: Pseudonyms) -> None:
        self._gate = gate
        self._pseudonyms = pseudonyms
        self.assignments = Assignments()  # replaced whole when the operator's rules change

    def normalise(self, event: AnyEvent, circumstances: Circumstances) -> tuple[bytes | None, int, dict[str, Any]]:
        """Reduce `event` to its facts; return its id if it has one, its class and its personal part.

        Errors name the member by pointer and carry no place.
        """
        gate, source = self._gate, circumstances.source
        rule = gate.rule(event.action, source)
        gate.check_scope(event.scope, source)
        event.occurred_at = gate.time(event.occurred_at, circumstances.latest, circumstances.future_s_max)
        if source.strict and rule.declared:
            gate.check_metadata(event.action, rule, {} if event.metadata is UNSET else event.metadata)
        if event.target is not UNSET:
            if event.targets is not UNSET:
                raise BadTargetsError("the event has both `target` and `targets`", pointer="/targets")
            event.targets = [event.target]
            event.target = UNSET
        elif event.targets is UNSET or not event.targets:
            raise BadTargetsError("the event has no target", pointer="/targets")
        if event.outcome is UNSET:
            event.outcome = "success"
        if event.severity is UNSET:
            event.severity = rule.severity
        event_id = None
        if event.id is not UNSET:
            event_id = parse_event_id(event.id)
            if event_id is None:
                raise BadEventIdError(f"{event.id[:64]!r} is not a UUID", pointer="/id")
            event.id = UNSET
        personal = split_event(event, rule, self._pseudonyms, ids_are_personal=source.actor_ids == "personal")
        if source.product:
            return event_id, rule.own_class_number, personal
        assignments, number = self.assignments, rule.class_number
        if assignments.rules:
            number = assignments.class_of(
                event.action, event.scope, source.number, guarded=rule.guarded, otherwise=number
            )
        return event_id, number, personal
