"""The demo organisation's month: every incident is alerted, nothing else cries wolf, and the duties are done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.demo_home import demo_month

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.alert.book.model import Alert, State
from tallystick.alert.notify.model import Why
from tallystick.alert.notify.routes import Question
from tallystick.intake.demo import INCIDENTS
from tallystick.intake.demo.diary import Diary
from tallystick.intake.demo.generate import DAYS
from tallystick.review.model import State as ReviewState
from tallystick.server import Instance

END_US = int(datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC).timestamp()) * 1_000_000
GRAVE = {"high", "critical"}
#: What each incident has to be noticed by: a rule, and what its alert is about.
RAISED = {
    "beacon": {("indicator-contacted", "resolver")},
    "stolen token": {("many-repositories-taken", "gaurav.joshi")},
    "guessed password": {("sign-in-after-failures", "karim.haddad"), ("large-export-of-records", "karim.haddad")},
    "world-open rule": {("open-to-the-world", "wanda.fraser")},
    "night escalation": {
        ("new-administrator", "liam.tremblay"),
        ("protection-switched-off", "liam.tremblay"),
        ("logging-switched-off", "liam.tremblay"),
    },
    "malware": {("malware-seen", "endpoint-guard")},
    "impossible travel": {("sign-in-from-afar", "oskar.lund")},
    "cleared log": {("logging-switched-off", "yusuf.demir"), ("clock-skew", "yusuf.demir")},
    "leaver takes files": {("large-export-of-records", "quentin.roy")},
    "dormant account": {("account-woken", "arne.solheim")},
    "policy put aside": {("security-policy-weakened", "paula.reyes")},
}
#: High and critical alerts that belong to no incident: of duties, and both meant to be.
OTHERS = {"coverage.gap", "duty.overdue"}


@dataclass(frozen=True)
class Month:
    instance: Instance
    alerts: tuple[Alert, ...]

    def about(self, kind: str, who: str) -> list[Alert]:
        return [each for each in self.alerts if each.kind == kind and who in (each.about or "")]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    with demo_month(tmp_path_factory.mktemp("month"), END_US) as instance:
        found = instance.services.alerts.reading.list(OPERATOR)
        assert found.after is None
        yield Month(instance, found.alerts)


def people(instance: Instance) -> dict[str, str]:
    return {each.handle: each.id for each in instance.services.people.list(OPERATOR)}


def test_every_incident_of_the_month_has_its_alerts() -> None:
    assert {each.name for each in INCIDENTS} == set(RAISED)
    assert all(each.days_before_end < 35 for each in INCIDENTS)


@pytest.mark.parametrize("incident", RAISED)
def test_an_incident_is_alerted_when_it_happens(month: Month, incident: str) -> None:
    (found,) = [each for each in INCIDENTS if each.name == incident]
    diary = Diary(7, END_US, DAYS)
    found.write(diary, diary.day(found.days_before_end))
    first = int(min(at for at, _ in diary.events).timestamp()) * 1_000_000
    last = int(max(at for at, _ in diary.events).timestamp()) * 1_000_000
    for kind, who in RAISED[incident]:
        alerts = month.about(kind, who)
        assert alerts, (kind, who)
        for alert in alerts:
            assert first <= alert.opened_at <= last + 15 * 60_000_000, (kind, alert.sentence)


def test_no_other_alert_is_grave_but_those_of_the_duties(month: Month) -> None:
    expected = {alert.id for pairs in RAISED.values() for kind, who in pairs for alert in month.about(kind, who)}
    strange = [each for each in month.alerts if each.severity in GRAVE and each.id not in expected]
    assert {each.kind for each in strange} == OTHERS, [(each.kind, each.about, each.sentence) for each in strange]
    (gap,) = [each for each in strange if each.kind == "coverage.gap"]
    assert gap.sentence is not None
    assert "settlement-keys" in gap.sentence


def test_alerts_were_answered_in_time_and_closed_with_a_reason_but_the_newest(month: Month) -> None:
    closed = [each for each in month.alerts if each.state is State.CLOSED]
    waiting = [each for each in month.alerts if each.state is not State.CLOSED]
    assert {"indicator-contacted", "coverage.gap"} <= {each.kind for each in waiting}
    assert len(waiting) <= 4 < len(closed)
    assert not any(each.closed_late for each in closed)
    for each in closed:
        assert each.acknowledged_at is not None
        assert each.acknowledge_by is not None
        assert each.acknowledged_at <= each.acknowledge_by, each.kind
        steps = month.instance.services.alerts.reading.get(OPERATOR, each.id).steps
        (end,) = [step for step in steps if step.action == "alert.closed"]
        assert end.reason


def test_three_weeks_are_reviewed_one_of_them_late_and_the_fourth_waits(month: Month) -> None:
    listed = month.instance.services.reviews.looking.list(OPERATOR)
    states = [each.state for each in sorted(listed, key=lambda each: each.review.start)]
    assert states[:3] == [ReviewState.SIGNED, ReviewState.SIGNED_LATE, ReviewState.SIGNED]
    assert len(states) == 4
    assert states[3] in {ReviewState.OPEN, ReviewState.IN_PROGRESS, ReviewState.DUE_SOON}


def test_a_system_is_silent_about_what_it_declares_and_another_gap_has_an_exception(month: Month) -> None:
    coverage = month.instance.services.systems.coverage
    found = {each.system.facts.name: each for each in coverage.listed(OPERATOR)}
    assert set(found) == {"Platform", "Payments", "Identity"}
    gaps = {gap.key for gap in found["Payments"].gaps}
    assert "silent:security/settlement-keys" in gaps
    undeclared = "undeclared:repository.download_started"
    assert undeclared in gaps
    excepted = coverage.excepted(found["Payments"].system, found["Payments"].gaps, END_US)
    assert set(excepted) == {undeclared}
    assert [gap.sentence for gap in found["Platform"].gaps + found["Identity"].gaps] == []


def test_retention_has_a_class_of_its_own_and_a_hold(month: Month) -> None:
    standing = month.instance.services.retention.reading.standing(OPERATOR)
    (kept,) = [each for each in standing.classes if each.kept.name == "customer-records"]
    assert kept.events > 50
    assert [each.hold for each in standing.holds if each.released_at is None] == ["customers-2026"]


def test_nobody_outside_is_told_of_anything(month: Month) -> None:
    notify = month.instance.services.notify
    assert len(notify.receivers.list(OPERATOR)) == 2
    lead = Caller("p-x", "user", "x", OPERATOR.rights, "local", "page")
    for severity in ("critical", "high", "low"):
        ways = notify.routes.ask(lead, Question(severity=severity, scope="/"))
        assert [way.held for way in ways] == [Why.MUTED]


def test_the_reviewer_and_the_analyst_are_two_people(month: Month) -> None:
    handles = people(month.instance)
    handled = {
        step.who.id
        for alert in month.alerts
        for step in month.instance.services.alerts.reading.get(OPERATOR, alert.id).steps
        if step.action == "alert.closed"
    }
    assert handled == {handles["callum.grant"], handles["beatriz.lima"]}
    assert handles["linnea.sand"] not in handled
