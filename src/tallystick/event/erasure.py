"""When content may be gone: the one rule that the eraser obeys beforehand and every verifier applies afterwards.

The rule is judged from the product's own events (source 0) alone, as they stood at the erasure's index. Pure: the
caller feeds those events in order, and says which of them the checkpoint covers by feeding no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tallystick.errors import VerificationError
from tallystick.event.holds import Holds, parse_reach
from tallystick.event.periods import DAY_US, FOR_EVER, KEPT_CLASS, SHORTENING_DELAY_US, Periods
from tallystick.event.spans import Range, Spans
from tallystick.event.succession import log_named

__all__ = ["DAY_US", "FOR_EVER", "KEPT_CLASS", "SHORTENING_DELAY_US", "Range"]


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
    """An event whose content is missing, or is to go; class, time and source are those of its entry."""

    index: int
    class_number: int
    received_at: int
    part: Part
    source: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The ground of an erasure that two people decided: the index of the request and those of its approvals."""

    request: int
    approvals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """A `content.erased` event, or one about to be written; `decision` is None where retention is the ground.

    Of the indexes in its ranges it names those of `classes` (None: of all) that are not of a source in `spared`.
    """

    index: int
    received_at: int
    ranges: tuple[Range, ...]
    part: Part
    decision: Decision | None
    classes: frozenset[int] | None = None
    spared: frozenset[int] = frozenset()
    spans: Spans = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spans", Spans(self.ranges))

    def names(self, absence: Absence) -> bool:
        """Return whether it is about this content."""
        return (
            absence.index in self.spans
            and (self.classes is None or absence.class_number in self.classes)
            and absence.source not in self.spared
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """A request that others approved: what it names, and the approvals of other people than who asked."""

    spans: Spans
    part: Part
    decision: Decision


@dataclass(frozen=True, slots=True)
class _Request:
    person: str
    spans: Spans
    part: Part


@dataclass(frozen=True, slots=True)
class _Approval:
    person: str
    request: int


@dataclass(slots=True)
class ErasureHistory:
    """All that the rule looks at, gathered from source-0 events in order of index.

    `edges` are the indexes at which any range begins or ends that an event names.
    """

    erasures: list[Erasure] = field(default_factory=list)
    periods: Periods = field(default_factory=Periods)
    holds: Holds = field(default_factory=Holds)
    edges: set[int] = field(default_factory=set)
    _requests: dict[int, _Request] = field(default_factory=dict)
    _approvals: dict[int, _Approval] = field(default_factory=dict)

    def apply(self, index: int, received_at: int, facts: Mapping[str, Any]) -> None:
        """Take in one event of source 0; actions that are not about this are passed over.

        Raises ErasureMalformedError. The caller has verified that the event is in the log and of source 0. What it says
        about another log is passed over.
        """
        if log_named(facts) is None:
            self.apply_elsewhere(index, received_at, facts)

    def apply_elsewhere(self, index: int, received_at: int, facts: Mapping[str, Any]) -> None:
        """Take in an event that stands in a later log and is about this one, at the index that it has counted on."""
        try:
            self._apply(index, received_at, facts)
        except (KeyError, TypeError, ValueError) as error:
            raise ErasureMalformedError(f"the event at index {index} is malformed: {error!r}", index=index) from error

    def _apply(self, index: int, received_at: int, facts: Mapping[str, Any]) -> None:
        action = facts["action"]
        metadata = facts.get("metadata", {})
        if action in ("class.defined", "class.changed"):
            self.periods.declare(index, received_at, metadata)
        elif action == "exception.revoked":
            self.periods.revoke(received_at, str(metadata["exception"]))
        elif action == "hold.placed":
            named = metadata.get("ranges")
            self.holds.place(
                index, str(metadata["hold"]), parse_reach(metadata, None if named is None else self._spans(named))
            )
        elif action == "hold.released":
            self.holds.release(index, metadata["hold"])
        elif action == "erasure.requested":
            self._requests[index] = _Request(_person(facts), self._spans(metadata["ranges"]), Part(metadata["part"]))
        elif action == "erasure.approved":
            self._approvals[index] = _Approval(_person(facts), int(metadata["request"]))
        elif action == "content.erased":
            self._erased(index, received_at, metadata)

    def _erased(self, index: int, received_at: int, metadata: Mapping[str, Any]) -> None:
        ground = parse_ground(metadata["ground"])
        ranges, classes = parse_ranges(metadata["ranges"]), metadata.get("classes")
        self._spans(metadata["ranges"])
        erasure = Erasure(
            index,
            received_at,
            ranges,
            Part(metadata["part"]),
            ground,
            None if classes is None else frozenset(int(number) for number in classes),
            frozenset(int(number) for number in metadata.get("except_sources", ())),
        )
        self.erasures.append(erasure)

    def _spans(self, value: Sequence[Sequence[Any]]) -> Spans:
        ranges = parse_ranges(value)
        self.edges.update(edge for first, size in ranges for edge in (first, first + size))
        return Spans(ranges)

    def retention_days(self, class_number: int, index: int, now: int, part: Part = Part.ALL) -> float:
        """Return the days in force for a part at a time, as declared before `index`; infinite where there is no end."""
        return self.periods.in_force(class_number, index, now, personal=part is Part.PERSONAL)

    def keeps_facts(self, class_number: int) -> bool:
        """Return whether the facts of a class are never erased."""
        return self.periods.keeps_facts(class_number)

    def decided(self) -> Iterator[Decided]:
        """Yield every request that somebody else approved, in order of index."""
        for index, request in self._requests.items():
            approvals = tuple(
                at
                for at, each in self._approvals.items()
                if each.request == index and at > index and each.person != request.person
            )
            if approvals:
                yield Decided(request.spans, request.part, Decision(index, approvals))

    def request_spans(self, index: int) -> Spans:
        """Return the indexes that the request at an index asked for; none where there is no request."""
        request = self._requests.get(index)
        return Spans() if request is None else request.spans

    def hold_on(self, absence: Absence, at_index: int) -> str | None:
        """Return the name of a hold that covered the content when the log stood at `at_index`, or None."""
        what = (absence.index, absence.class_number, absence.source, absence.received_at)
        return next((name for name, reach in self.holds.active(at_index) if reach.covers(*what)), None)

    def objection(self, absence: Absence, erasure: Erasure) -> str | None:
        """Return why this erasure does not justify this absence, in words for a person, or None when it does."""
        if not erasure.names(absence) or not erasure.part.covers(absence.part):
            return "it does not name this content"
        if absence.index >= erasure.index:
            return "it names an event that came after it"
        if absence.part is Part.ALL and self.keeps_facts(absence.class_number):
            return f"facts of class {absence.class_number} are kept for ever"
        hold = self.hold_on(absence, erasure.index)
        if hold is not None:
            return f"hold {hold} was active"
        if erasure.decision is None:
            days = self.retention_days(absence.class_number, erasure.index, erasure.received_at, absence.part)
            if erasure.received_at - absence.received_at < days * DAY_US:
                return "the retention in force had not passed"
            return None
        return self._objection_to_decision(absence, erasure, erasure.decision)

    def _objection_to_decision(self, absence: Absence, erasure: Erasure, decision: Decision) -> str | None:
        request = self._requests.get(decision.request)
        if request is None or decision.request >= erasure.index:
            return f"index {decision.request} holds no earlier request"
        if absence.index not in request.spans or not request.part.covers(absence.part):
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
        if erasure.names(absence):
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
