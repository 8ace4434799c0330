"""The book of alerts over a log in memory: states and refusals, limits, figures, and what survives an erasure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.alert_memory import AlertMemory
from tests.alert_world import SCOPE, alarm
from tests.grants_world import OPERATOR

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.alert.book.errors import AlertInvalidError, AlertNotFoundError, AlertStateError
from tallystick.alert.book.figures import times_of
from tallystick.alert.book.model import TEXT_MAX, Assignee, Filter, Verdict
from tallystick.alert.ports import Card
from tallystick.errors import PermissionMissingError

HOUR_US = 3_600_000_000
Step = Callable[[AlertMemory, str], Any]
STEPS: dict[str, Step] = {
    "acknowledge": lambda book, alert: book.service.acknowledge(OPERATOR, alert),
    "start": lambda book, alert: book.service.start(OPERATOR, alert),
    "assign": lambda book, alert: book.service.assign(OPERATOR, alert, Assignee("team", "soc")),
    "comment": lambda book, alert: book.service.comment(OPERATOR, alert, "said"),
    "link": lambda book, alert: book.service.link(OPERATOR, alert, 0),
    "respond": lambda book, alert: book.service.respond(OPERATOR, alert, "done"),
    "close": lambda book, alert: book.closing.close(OPERATOR, [alert], Verdict.FALSE_POSITIVE, "nothing"),
    "reopen": lambda book, alert: book.closing.reopen(OPERATOR, alert, "again"),
}
WAYS: dict[str, tuple[str, ...]] = {
    "new": (),
    "acknowledged": ("acknowledge",),
    "in_progress": ("start",),
    "closed": ("close",),
    "reopened": ("close", "reopen"),
}
#: What each step leaves behind, by where it begins; where nothing stands it is refused.
LEADS: dict[str, dict[str, str]] = {
    "new": {"acknowledge": "acknowledged", "start": "in_progress", "close": "closed"},
    "acknowledged": {"start": "in_progress", "close": "closed"},
    "in_progress": {"close": "closed"},
    "closed": {"reopen": "acknowledged"},
    "reopened": {"start": "in_progress", "close": "closed"},
}
STAY = {"comment", "link", "respond"}


@pytest.fixture
def book() -> AlertMemory:
    return AlertMemory()


def opened(book: AlertMemory, **changes: Any) -> str:
    book.book.raise_alarms([alarm(**changes)])
    return str(book.rows()[-1].alert)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("way", WAYS)
def test_a_step_leads_from_one_state_to_another_or_is_refused(book: AlertMemory, way: str, step: str) -> None:
    alert = opened(book)
    for each in WAYS[way]:
        STEPS[each](book, alert)
    before, size = book.rows()[0].state, len(book.events())
    assigns = step == "assign" and before != "closed"
    after = before if step in STAY or assigns else LEADS[way].get(step)
    if after is None:
        with pytest.raises(AlertStateError):
            STEPS[step](book, alert)
    else:
        STEPS[step](book, alert)
    assert book.rows()[0].state == (after or before)
    assert len(book.events()) == size + (after is not None)


def test_the_first_acknowledgement_counts_and_no_later_one(book: AlertMemory) -> None:
    alert = opened(book)
    STEPS["acknowledge"](book, alert)
    first = book.rows()[0].acknowledged_at
    for step in ("close", "reopen", "start"):
        book.world.clock.advance(60)
        STEPS[step](book, alert)
    assert book.rows()[0].acknowledged_at == first


def test_ids_are_short_enough_to_say(book: AlertMemory) -> None:
    made = {opened(book, key=str(number)) for number in range(200)}
    assert len(made) == 200
    assert {len(each) for each in made} == {len("al-7k3m")}
    assert not set("".join(made)) & set("01oilauye") - set("al")


def test_what_is_erased_is_gone_from_the_tables_and_the_rest_stays(book: AlertMemory) -> None:
    alert = opened(book, key="ana@example.org")
    for step in ("comment", "respond", "link", "close", "reopen"):
        STEPS[step](book, alert)
    before = book.rows()[0]
    projection, read = book.world.projection, book.world.read
    projection._read = lambda first: read(first, erased=True)
    projection.rebuild()
    after = book.rows()[0]
    assert (after.about, after.sentence) == (None, None)
    same = ("alert", "kind", "key", "state", "count", "severity", "title", "opened_at", "changed_index", "close_by")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    found = book.reading.get(OPERATOR, alert)
    assert {(step.reason, step.sentence) for step in found.steps} == {(None, None)}


def test_a_graver_firing_sets_the_shorter_limits_from_when_the_alert_was_opened(book: AlertMemory) -> None:
    opened(book, key="x", severity="low")
    book.world.clock.advance(3600)
    book.book.raise_alarms([alarm(key="x", severity="critical")])
    row = book.rows()[0]
    assert (row.close_by - row.opened_at, row.severity_index) == (24 * HOUR_US, row.changed_index)


def test_an_alert_is_given_to_no_team_that_the_routes_do_not_know(book: AlertMemory) -> None:
    alert = opened(book)
    book.teams = {"soc", "ops"}
    with pytest.raises(AlertInvalidError, match="'sco' is no team"):
        book.service.assign(OPERATOR, alert, Assignee("team", "sco"))
    book.service.assign(OPERATOR, alert, Assignee("team", "ops"))
    assert book.reading.get(OPERATOR, alert).teams == ("ops", "soc")
    assert book.rows()[0].assignee == "ops"


def test_what_only_informs_is_never_overdue(book: AlertMemory) -> None:
    opened(book, severity="informational")
    book.world.clock.advance(10**8)
    book.overdue.look()
    assert len(book.rows()) == 1


def test_an_overdue_alert_about_an_overdue_alert_is_never_made(book: AlertMemory) -> None:
    opened(book, severity="critical")
    for _ in range(4):
        book.world.clock.advance(90_000)
        book.overdue.look()
    assert [row.kind for row in book.rows()] == ["rule-1", "alert.overdue", "alert.overdue"]


def test_a_response_that_follows_the_rule_says_which(book: AlertMemory) -> None:
    book.cards["rule-1"] = Card("Failed sign-ins", "v1", response="Lock the account")
    alert = opened(book)
    book.service.respond(OPERATOR, alert, follows_rule=True)
    assert book.events()[-1]["metadata"]["response"] == "Lock the account"
    found = book.reading.get(OPERATOR, alert)
    assert found.card == book.cards["rule-1"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda book, alert: book.service.comment(OPERATOR, alert, " \n "),
        lambda book, alert: book.service.comment(OPERATOR, alert, "x" * (TEXT_MAX + 1)),
        lambda book, alert: book.service.respond(OPERATOR, alert),
        lambda book, alert: book.service.respond(OPERATOR, alert, follows_rule=True),
        lambda book, alert: book.service.assign(OPERATOR, alert, Assignee("person", "nobody")),
        lambda book, alert: book.service.assign(OPERATOR, alert, Assignee("person", "outsider")),
        lambda book, alert: book.service.assign(OPERATOR, alert, Assignee("team", "no team!")),
        lambda book, alert: book.closing.close(OPERATOR, [alert], Verdict.FALSE_POSITIVE, ""),
        lambda book, alert: book.closing.close(OPERATOR, [], Verdict.FALSE_POSITIVE, "why"),
        lambda book, alert: book.closing.close(OPERATOR, [alert] * 3, Verdict.DUPLICATE, "why"),
        lambda book, alert: book.closing.close(OPERATOR, [alert], Verdict.DUPLICATE, "why", alert),
        lambda book, alert: book.closing.close(OPERATOR, [alert], Verdict.TRUE_POSITIVE, "why", alert),
        lambda book, alert: book.reading.list(OPERATOR, Filter(severities=("dire",))),
        lambda book, alert: book.reading.list(OPERATOR, Filter(states=("odd",))),
        lambda book, alert: book.reading.list(OPERATOR, after="1"),
    ],
)
def test_what_cannot_be_taken_is_refused_and_changes_nothing(
    book: AlertMemory, ask: Callable[[AlertMemory, str], Any]
) -> None:
    book.people["outsider"] = Rights.of([(Permission.ALERTS_HANDLE, "acme/other")])
    alert, size = opened(book), len(book.events())
    with pytest.raises(AlertInvalidError):
        ask(book, alert)
    assert len(book.events()) == size


@pytest.mark.parametrize("step", STEPS)
def test_without_the_right_an_alert_is_refused_and_out_of_sight_it_is_not_there(
    book: AlertMemory, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = opened(book)
    for scope, error in ((SCOPE, PermissionMissingError), ("acme/other", AlertNotFoundError)):
        rights = Rights.of([(Permission.ALERTS_READ, scope)])
        monkeypatch.setitem(globals(), "OPERATOR", Caller("p-vic", "user", "vic", rights, "local", "page"))
        with pytest.raises(error):
            STEPS[step](book, alert)


def test_every_text_of_a_person_stays_out_of_the_facts(book: AlertMemory) -> None:
    alert = opened(book, key="ana@example.org", sentence="ana failed")
    book.service.comment(OPERATOR, alert, "called ana")
    book.service.link(OPERATOR, alert, 0, "ana was here")
    STEPS["close"](book, alert)
    facts = b" ".join(part[1] for part in book.world.parts if b'"alert.' in part[1])
    for text in (b"ana@example.org", b"ana failed", b"called ana", b"ana was here", b"nothing"):
        assert text not in facts


def test_percentiles_are_values_that_happened() -> None:
    found = times_of([40, 10, 30, 20])
    assert (found.mean_us, found.p50_us, found.p90_us) == (25, 20, 40)
    assert times_of([7]).p90_us == 7
    assert times_of([]).mean_us is None
