"""Retention as answers and pages show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.event.periods import FOR_EVER
from tallystick.retain.looking import ClassStanding, Standing, Staying
from tallystick.retain.model import Change, Hold, Rule, Run, Tally
from tallystick.retain.person import Found
from tallystick.retain.simulate import Simulation


class ClassView(msgspec.Struct, frozen=True, kw_only=True):
    """A class as it was declared last, with what is in force now (days, null for ever) and what it takes on disk."""

    number: int
    name: str
    retention_days: int | None
    personal_days: int | None
    floor_days: int | None
    regulations: list[tuple[str, int]]
    keeps_facts: bool
    in_force_days: int | None
    personal_in_force_days: int | None
    exception: str | None
    exception_until: str | None
    events: int
    bytes: int
    next_expiry: str | None


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """Which events go to a class; null is any."""

    class_name: str
    action: str | None
    scope: str | None
    source: str | None


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """A hold; `reason` is null once it was erased. Classes and sources by name; `received` is from and to."""

    hold: str
    owner: str | None
    reason: str | None
    ranges: list[tuple[int, int]] | None
    classes: list[str] | None
    sources: list[str] | None
    received_from: str | None
    received_to: str | None
    placed_by: str | None
    placed_at: str
    released_by: str | None
    released_at: str | None


class StayingView(msgspec.Struct, frozen=True, kw_only=True):
    """How many events still have what an erasure asked for: until a hold is released, or (null) until the next run."""

    events: int
    hold: str | None


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal; an approval says its digest. `reason` is null once it was erased."""

    change: str
    kind: str
    subject: str
    body: dict[str, Any]
    digest: str
    state: str
    reason: str | None
    proposed_by: str
    proposed_at: str
    proposed_index: int
    decided_by: str | None
    decided_at: str | None
    decision_reason: str | None
    staying: list[StayingView] = []


class TallyView(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of a class lose a part, by month of receipt, and about how many bytes that frees."""

    class_name: str
    part: str
    events: int
    bytes: int
    months: dict[str, int]


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One run that took something, or failed with a code."""

    index: int
    at: str
    state: str
    events: int
    erasures: int
    took_ms: int
    code: str | None


class RetentionView(msgspec.Struct, frozen=True, kw_only=True):
    """Retention as it stands."""

    at: str
    classes: list[ClassView]
    rules: list[RuleView]
    holds: list[HoldView]
    waiting: list[ChangeView]
    decided: list[ChangeView]
    due: list[TallyView]
    next_run: str
    runs: list[RunView]
    failed: str | None


class SimulationView(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do; a request for it gives the digest."""

    effective_at: str
    events: int
    would_go: list[TallyView]
    goes_anyway: list[TallyView]
    digest: str


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """The events that name a person: how many, where, and what of them a hold keeps for now."""

    names: list[str]
    events: int
    unsealed: int
    classes: dict[str, int]
    ranges: list[tuple[int, int]]
    held: list[StayingView]


def retention_view(standing: Standing, sources: Mapping[int, str]) -> RetentionView:
    """Return retention as it stands, classes and sources by name."""
    names = {each.kept.number: each.kept.name for each in standing.classes}
    return RetentionView(
        at=time_of_us(standing.now),
        classes=[class_view(each) for each in standing.classes],
        rules=[rule_view(each, names, sources) for each in standing.rules],
        holds=[hold_view(each, names, sources) for each in standing.holds],
        waiting=[change_view(each) for each in standing.waiting],
        decided=[change_view(each) for each in standing.decided],
        due=tally_views(standing.due, names),
        next_run=time_of_us(standing.next_run),
        runs=[run_view(each) for each in standing.runs],
        failed=standing.failed,
    )


def class_view(each: ClassStanding) -> ClassView:
    kept, terms = each.kept, each.kept.terms
    return ClassView(
        number=kept.number,
        name=kept.name,
        retention_days=terms.retention_days,
        personal_days=terms.personal_days,
        floor_days=kept.floor_days,
        regulations=list(terms.regulations),
        keeps_facts=kept.keeps_facts,
        in_force_days=_days(each.days_in_force),
        personal_in_force_days=_days(each.personal_in_force),
        exception=kept.exception,
        exception_until=_time(kept.below_until),
        events=each.events,
        bytes=each.bytes,
        next_expiry=_time(each.next_expiry),
    )


def rule_view(rule: Rule, names: Mapping[int, str], sources: Mapping[int, str]) -> RuleView:
    source = None if rule.source is None else sources.get(rule.source, str(rule.source))
    return RuleView(
        class_name=names.get(rule.class_number, str(rule.class_number)),
        action=rule.action,
        scope=rule.scope,
        source=source,
    )


def hold_view(hold: Hold, names: Mapping[int, str], sources: Mapping[int, str]) -> HoldView:
    start, end = hold.received or (None, None)
    return HoldView(
        hold=hold.hold,
        owner=hold.owner,
        reason=hold.reason,
        ranges=None if hold.ranges is None else list(hold.ranges),
        classes=None if hold.classes is None else [names.get(number, str(number)) for number in hold.classes],
        sources=None if hold.sources is None else [sources.get(number, str(number)) for number in hold.sources],
        received_from=_time(start),
        received_to=_time(end),
        placed_by=hold.placed_by,
        placed_at=time_of_us(hold.placed_at),
        released_by=hold.released_by,
        released_at=_time(hold.released_at),
    )


def change_view(change: Change, staying: Iterable[Staying] = ()) -> ChangeView:
    return ChangeView(
        change=change.change,
        kind=change.kind.value,
        subject=change.subject,
        body=dict(change.body),
        digest=change.digest,
        state=change.state.value,
        reason=change.reason,
        proposed_by=change.proposed_by,
        proposed_at=time_of_us(change.proposed_at),
        proposed_index=change.proposed_index,
        decided_by=change.decided_by,
        decided_at=_time(change.decided_at),
        decision_reason=change.decision_reason,
        staying=[StayingView(events=each.events, hold=each.hold) for each in staying],
    )


def tally_views(tallies: Iterable[Tally], names: Mapping[int, str]) -> list[TallyView]:
    return [
        TallyView(
            class_name=names.get(each.class_number, str(each.class_number)),
            part=each.part,
            events=each.events,
            bytes=each.bytes,
            months=dict(sorted(each.months.items())),
        )
        for each in tallies
    ]


def run_view(run: Run) -> RunView:
    return RunView(
        index=run.index,
        at=time_of_us(run.at),
        state=run.state,
        events=run.events,
        erasures=run.erasures,
        took_ms=run.took_ms,
        code=run.code,
    )


def simulation_view(found: Simulation, names: Mapping[int, str]) -> SimulationView:
    return SimulationView(
        effective_at=time_of_us(found.effective_at),
        events=found.events,
        would_go=tally_views(found.would_go, names),
        goes_anyway=tally_views(found.goes_anyway, names),
        digest=found.digest,
    )


def person_view(found: Found, names: Mapping[int, str]) -> PersonView:
    return PersonView(
        names=list(found.names),
        events=found.events,
        unsealed=found.unsealed,
        classes={names.get(number, str(number)): count for number, count in sorted(found.classes.items())},
        ranges=list(found.spans.ranges()),
        held=[StayingView(events=each.events, hold=each.hold) for each in found.held],
    )


def _days(days: float) -> int | None:
    return None if days == FOR_EVER else int(days)


def _time(at: int | None) -> str | None:
    return None if at is None else time_of_us(at)
