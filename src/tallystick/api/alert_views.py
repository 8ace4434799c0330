"""Alerts as answers and pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tallystick.alert.book.clock import Standing, breaches, waits_for
from tallystick.alert.book.figures import Figures, Times
from tallystick.alert.book.model import Alert, Step, Who
from tallystick.alert.book.reading import Detail, Page
from tallystick.event.occurred import time_of_us

_US = 1_000_000


class AssigneeView(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an alert is given to: a person, by id, or a team. The name is a person's, where it may be seen."""

    kind: str
    id: str
    name: str | None


class LimitView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has to do (`acknowledge` or `close`) and until when. `late_s` is by how much that time is over;
    below zero it is what is left.
    """

    what: str
    until: str
    late_s: float


class AskedView(msgspec.Struct, frozen=True, kw_only=True):
    """A closing that waits for a second person, who approves by its digest."""

    index: int
    by: str
    verdict: str
    duplicate_of: str | None
    digest: str
    reason: str | None = None


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """An alert. `about` (what fired) and `sentence` are null without the right to personal data, and once erased.

    `waits` is the limit that runs now, `missed` those that were missed or are being missed.
    """

    id: str
    kind: str
    severity: str
    state: str
    title: str
    sentence: str | None
    about: str | None
    scope: str
    count: int
    first_at: str
    last_at: str
    opened_at: str
    opened_index: int
    changed_index: int
    assignee: AssigneeView | None
    acknowledged_at: str | None
    closed_at: str | None
    reopened_at: str | None
    recovered_at: str | None
    verdict: str | None
    duplicate_of: str | None
    version: str | None
    waits: LimitView | None
    missed: list[LimitView]
    closed_late: bool
    asked: AskedView | None
    age_s: float


class AlertsView(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, the gravest first and then the newest; `after` leads to the next page, null at the end."""

    alerts: list[AlertView]
    after: str | None


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule that fired says about itself; empty where it says nothing."""

    title: str
    version: str
    description: str
    runbook: str
    threshold: str
    response: str
    owner: str
    author: str
    licence: str


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """Who did something; the name only where it may be seen."""

    id: str
    type: str
    name: str | None
    via: str | None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an alert's history. `reason` and `sentence` are personal."""

    index: int
    at: str
    action: str
    message: str
    by: WhoView
    reason: str | None
    sentence: str | None
    facts: dict[str, Any]


class LinkedView(msgspec.Struct, frozen=True, kw_only=True):
    """An event that belongs to an alert, by its index: shown by a firing, or linked by the event `linked_index`."""

    index: int
    linked_index: int
    fired: bool


class AlertDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One alert with its rule's card, its events, and its history, the newest step first."""

    alert: AlertView
    card: CardView | None
    events: list[LinkedView]
    history: list[StepView]
    personal: bool


class TimesView(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that something took; null where it never happened."""

    mean_s: float | None
    p50_s: float | None
    p90_s: float | None


class FiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """The alerts of one severity that were opened in the period. `late_*` missed a limit, or are missing it now."""

    severity: str
    opened: int
    acknowledged: int
    closed: int
    late_acknowledged: int
    late_closed: int
    false_positives: int
    to_acknowledge: TimesView
    to_close: TimesView


class AlertFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Times of reaction by severity, the gravest first."""

    severities: list[FiguresView]


def alerts_view(page: Page) -> AlertsView:
    """Return a page of alerts."""
    return AlertsView(alerts=[alert_view(alert, page.now_us) for alert in page.alerts], after=page.after)


def alert_view(alert: Alert, now_us: int, asked_reason: str | None = None) -> AlertView:
    """Return one alert as it stands at a time."""
    given = alert.assignee
    waits = waits_for(alert, now_us)
    return AlertView(
        id=alert.id,
        kind=alert.kind,
        severity=alert.severity,
        state=alert.state.value,
        title=alert.title,
        sentence=alert.sentence,
        about=alert.about,
        scope=alert.scope,
        count=alert.count,
        first_at=time_of_us(alert.first_at),
        last_at=time_of_us(alert.last_at),
        opened_at=time_of_us(alert.opened_at),
        opened_index=alert.opened_index,
        changed_index=alert.changed_index,
        assignee=None if given is None else AssigneeView(kind=given.kind, id=given.id, name=given.name),
        acknowledged_at=_time(alert.acknowledged_at),
        closed_at=_time(alert.closed_at),
        reopened_at=_time(alert.reopened_at),
        recovered_at=_time(alert.recovered_at),
        verdict=alert.verdict.value if alert.verdict else None,
        duplicate_of=alert.duplicate_of,
        version=alert.version,
        waits=None if waits is None else _limit(waits),
        missed=[_limit(each) for each in breaches(alert, now_us)],
        closed_late=alert.closed_late,
        asked=_asked(alert, asked_reason),
        age_s=(now_us - alert.opened_at) / _US,
    )


def detail_view(detail: Detail) -> AlertDetail:
    """Return one alert with everything that belongs to it."""
    card = detail.card
    return AlertDetail(
        alert=alert_view(detail.alert, detail.now_us, detail.asked_reason),
        card=None if card is None else CardView(**{name: getattr(card, name) for name in CardView.__struct_fields__}),
        events=[
            LinkedView(index=each.index, linked_index=each.linked_index, fired=each.fired) for each in detail.events
        ],
        history=[_step(step) for step in detail.steps],
        personal=detail.personal,
    )


def figures_view(found: Sequence[Figures]) -> AlertFigures:
    """Return figures in seconds."""
    return AlertFigures(
        severities=[
            FiguresView(
                severity=each.severity,
                opened=each.opened,
                acknowledged=each.acknowledged,
                closed=each.closed,
                late_acknowledged=each.late_acknowledged,
                late_closed=each.late_closed,
                false_positives=each.false_positives,
                to_acknowledge=_times(each.to_acknowledge),
                to_close=_times(each.to_close),
            )
            for each in found
        ]
    )


def _step(step: Step) -> StepView:
    return StepView(
        index=step.index,
        at=time_of_us(step.at),
        action=step.action,
        message=step.message,
        by=_who(step.who),
        reason=step.reason,
        sentence=step.sentence,
        facts=dict(step.facts),
    )


def _who(who: Who) -> WhoView:
    return WhoView(id=who.id, type=who.type, name=who.name, via=who.via)


def _asked(alert: Alert, reason: str | None) -> AskedView | None:
    asked = alert.asked
    if asked is None:
        return None
    return AskedView(
        index=asked.index,
        by=asked.by,
        verdict=asked.verdict.value,
        duplicate_of=asked.duplicate_of,
        digest=asked.digest,
        reason=reason,
    )


def _limit(standing: Standing) -> LimitView:
    return LimitView(what=standing.what, until=time_of_us(standing.until), late_s=standing.late_us / _US)


def _times(times: Times) -> TimesView:
    found = (times.mean_us, times.p50_us, times.p90_us)
    mean, p50, p90 = (None if each is None else each / _US for each in found)
    return TimesView(mean_s=mean, p50_s=p50, p90_s=p90)


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)
