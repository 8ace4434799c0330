"""When content may be gone: the one rule that the eraser obeys beforehand and every verifier applies afterwards.

The rule is judged from the product's own events (source 0) alone, as they stood at the erasure's index. Pure: the
caller feeds those events in order, and says which of them the checkpoint covers by feeding no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tallystick.errors import VerificationError

KEPT_CLASS: Final = 1
"""Ledger, class, source, hold, erasure, key, catalogue and access events: their facts are never erased."""
SHORTENING_DELAY_US: Final = 30 * 86_400 * 1_000_000
DAY_US: Final = 86_400 * 1_000_000
FOR_EVER: Final = float("inf")

Range = tuple[int, int]
"""(first index, size)"""


class UncoveredAbsenceError(VerificationError):
    """Content is missing, and no erasure in the log accounts for it."""

    code = "absence-uncovered"
    advice = "Someone removed content outside the rules. Keep a copy and compare with a backup."


class ErasureMalformedError(VerificationError):
    """An event of the product about retention, holds or erasure does not say what such an event must say."""

    code = "erasure-malformed"
    advice = (
        "The log holds an event that this product never writes: ask the operator how it came there, and keep a copy."
    )


class Part(StrEnum):
    """What of an event's content is absent or erased."""

    PERSONAL = "personal"
    ALL = "all"

    def covers(self, other: Part) -> bool:
        return self is Part.ALL or other is Part.PERSONAL


@dataclass(frozen=True, slots=True)
class Absence:
    """An event whose content is missing, or is to go; class and time are those of its entry."""

    index: int
    class_number: int
    received_at: int
    part: Part


@dataclass(frozen=True, slots=True)
class Decision:
    """The ground of an erasure that two people decided: the index of the request and those of its approvals."""

    request: int
    approvals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """A `content.erased` event, or one about to be written; `decision` is None where retention is the ground."""

    index: int
    received_at: int
    ranges: tuple[Range, ...]
    part: Part
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class _Retention:
    index: int
    received_at: int
    days: float
    keeps_facts: bool


@dataclass(slots=True)
class _Hold:
    placed: int
    ranges: tuple[Range, ...]
    released: int | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    person: str
    ranges: tuple[Range, ...]
    part: Part


@dataclass(frozen=True, slots=True)
class _Approval:
    person: str
    request: int


@dataclass(slots=True)
class ErasureHistory:
    """All that the rule looks at, gathered from source-0 events in order of index."""

    erasures: list[Erasure] = field(default_factory=list)
    _retentions: dict[int, list[_Retention]] = field(default_factory=dict)
    _holds: list[tuple[str, _Hold]] = field(default_factory=list)
    _requests: dict[int, _Request] = field(default_factory=dict)
    _approvals: dict[int, _Approval] = field(default_factory=dict)

    def apply(self, index: int, received_at: int, facts: Mapping[str, Any]) -> None:
        """Take in one event of source 0; actions that are not about this are passed over.

        Raises ErasureMalformedError. The caller has verified that the event is in the log and of source 0.
        """
        try:
            self._apply(index, received_at, facts)
        except (KeyError, TypeError, ValueError) as error:
            raise ErasureMalformedError(f"the event at index {index} is malformed: {error!r}", index=index) from error

    def _apply(self, index: int, received_at: int, facts: Mapping[str, Any]) -> None:
        action = facts["action"]
        metadata = facts.get("metadata", {})
        if action in ("class.defined", "class.changed"):
            known = self._retentions.setdefault(int(metadata["number"]), [])
            days = metadata.get("retention_days")
            keeps = bool(metadata.get("keeps_facts", False)) or any(each.keeps_facts for each in known)
            known.append(_Retention(index, received_at, FOR_EVER if days is None else int(days), keeps))
        elif action == "hold.placed":
            self._holds.append((str(metadata["hold"]), _Hold(index, parse_ranges(metadata["ranges"]))))
        elif action == "hold.released":
            for name, hold in self._holds:
                if name == metadata["hold"] and hold.released is None:
                    hold.released = index
        elif action == "erasure.requested":
            ranges = parse_ranges(metadata["ranges"])
            self._requests[index] = _Request(_person(facts), ranges, Part(metadata["part"]))
        elif action == "erasure.approved":
            self._approvals[index] = _Approval(_person(facts), int(metadata["request"]))
        elif action == "content.erased":
            ground = parse_ground(metadata["ground"])
            ranges = parse_ranges(metadata["ranges"])
            self.erasures.append(Erasure(index, received_at, ranges, Part(metadata["part"]), ground))

    def retention_days(self, class_number: int, index: int, now: int) -> float:
        """Return the days of retention in force at a time, as declared before `index`; infinite where there is no end.

        A longer retention counts at once, a shorter one 30 days after it was declared: in force is the longest that
        was declared at any moment of the last 30 days.
        """
        declared = [each for each in self._retentions.get(class_number, []) if each.index < index]
        in_force = FOR_EVER if not declared else 0.0
        for at, each in enumerate(declared):
            replaced_at = declared[at + 1].received_at if at + 1 < len(declared) else None
            if replaced_at is None or replaced_at > now - SHORTENING_DELAY_US:
                in_force = max(in_force, each.days)
        return in_force

    def keeps_facts(self, class_number: int) -> bool:
        """Return whether the facts of a class are never erased."""
        return class_number == KEPT_CLASS or any(each.keeps_facts for each in self._retentions.get(class_number, []))

    def hold_on(self, index: int, at_index: int) -> str | None:
        """Return the name of a hold that covered `index` when the log stood at `at_index`, or None."""
        for name, hold in self._holds:
            active = hold.placed < at_index and (hold.released is None or hold.released > at_index)
            if active and in_ranges(index, hold.ranges):
                return name
        return None

    def objection(self, absence: Absence, erasure: Erasure) -> str | None:
        """Return why this erasure does not justify this absence, in words for a person, or None when it does."""
        if not in_ranges(absence.index, erasure.ranges) or not erasure.part.covers(absence.part):
            return "it does not name this content"
        if absence.index >= erasure.index:
            return "it names an event that came after it"
        if absence.part is Part.ALL and self.keeps_facts(absence.class_number):
            return f"facts of class {absence.class_number} are kept for ever"
        hold = self.hold_on(absence.index, erasure.index)
        if hold is not None:
            return f"hold {hold} was active"
        if erasure.decision is None:
            days = self.retention_days(absence.class_number, erasure.index, erasure.received_at)
            if erasure.received_at - absence.received_at < days * DAY_US:
                return "the retention in force had not passed"
            return None
        return self._objection_to_decision(absence, erasure, erasure.decision)

    def _objection_to_decision(self, absence: Absence, erasure: Erasure, decision: Decision) -> str | None:
        request = self._requests.get(decision.request)
        if request is None or decision.request >= erasure.index:
            return f"index {decision.request} holds no earlier request"
        if not in_ranges(absence.index, request.ranges) or not request.part.covers(absence.part):
            return "the request did not ask for this"
        persons = {request.person}
        for index in decision.approvals:
            approval = self._approvals.get(index)
            if approval is None or not decision.request < index < erasure.index or approval.request != decision.request:
                return f"index {index} holds no approval of the request between it and the erasure"
            persons.add(approval.person)
        if not decision.approvals or len(persons) < 2:
            return "fewer than two people decided"
        return None


def absence_is_covered(absence: Absence, history: ErasureHistory) -> Erasure:
    """Return the erasure that justifies the absence; raise UncoveredAbsenceError, with every objection, otherwise."""
    objections = []
    for erasure in history.erasures:
        objection = history.objection(absence, erasure)
        if objection is None:
            return erasure
        if in_ranges(absence.index, erasure.ranges):
            objections.append(f"the erasure at index {erasure.index} does not count: {objection}")
    raise UncoveredAbsenceError(
        f"the {'content' if absence.part is Part.ALL else 'personal part'} of index {absence.index} is missing: "
        + ("; ".join(objections) or "no erasure names it"),
        index=absence.index,
    )


def in_ranges(index: int, ranges: Iterable[Range]) -> bool:
    """Return whether one of the ranges holds the index."""
    return any(first <= index < first + size for first, size in ranges)


def parse_ranges(value: Sequence[Sequence[Any]]) -> tuple[Range, ...]:
    """Return (first, size) pairs as they stand in an event; ValueError for anything else."""
    ranges = tuple((first, size) for first, size in value)
    for first, size in ranges:
        if type(first) is not int or type(size) is not int or first < 0 or size < 1:
            raise ValueError(f"[{first!r}, {size!r}] is not a range of indexes")
    return ranges


def parse_ground(value: Mapping[str, Any]) -> Decision | None:
    """Return the decision that an erasure cites, None where it cites retention; ValueError for anything else."""
    if value["kind"] == "retention":
        return None
    if value["kind"] != "decision":
        raise ValueError(f"{value['kind']!r} is not a ground for erasure")
    return Decision(int(value["request"]), tuple(int(index) for index in value["approvals"]))


def format_ground(decision: Decision | None) -> dict[str, Any]:
    """Return the ground as it stands in an event."""
    if decision is None:
        return {"kind": "retention"}
    return {"kind": "decision", "request": decision.request, "approvals": list(decision.approvals)}


def _person(facts: Mapping[str, Any]) -> str:
    """Return who acted: the id, or the pseudonym that stands for it, together with the type."""
    actor = facts["actor"]
    return f"{actor['type']}:{actor.get('id') or actor['key']}"
