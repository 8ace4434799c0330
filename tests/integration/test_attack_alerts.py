"""What somebody would try with alerts: to close alone what two must, to reach another scope's, to write into the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.alert_world import HANDLE, SCOPE, AlertWorld, alarm, alerting
from tests.installation import sample

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.alert.book.errors import AlertNotFoundError, AlertStateError
from tallystick.alert.book.model import Verdict
from tallystick.errors import TallystickError

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AlertWorld]:
    with alerting(tmp_path) as world:
        yield world


def test_of_two_who_close_at_once_one_succeeds_and_the_other_is_told(world: AlertWorld) -> None:
    alert = world.opened()
    callers = [world.caller(world.olga), world.caller(world.pia)]

    def close(number: int) -> type[Exception] | None:
        try:
            world.room.closing.close(callers[number], [alert], Verdict.FALSE_POSITIVE, "nothing")
        except TallystickError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(close, range(2))) == {None, AlertStateError}
    assert world.actions().count("alert.closed") == 1


def test_of_two_who_decide_about_a_closing_at_once_one_succeeds(world: AlertWorld) -> None:
    world.second_person()
    alert = world.opened(severity="critical")
    world.room.closing.close(world.caller(world.olga), [alert], Verdict.FALSE_POSITIVE, "nothing")
    digest, pia = world.row(alert).asked_digest, world.caller(world.pia)
    ways: list[Callable[[], None]] = [
        lambda: world.room.closing.approve(pia, alert, digest),
        lambda: world.room.closing.decline(pia, alert, digest, "look again"),
    ]

    def decide(way: Callable[[], None]) -> bool:
        try:
            way()
        except AlertStateError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, ways)) == [False, True]


def test_nobody_approves_with_a_token_of_ones_own_what_one_asked_for(world: AlertWorld) -> None:
    world.second_person()
    alert, olga = world.opened(severity="high"), world.caller(world.olga)
    world.room.closing.close(olga, [alert], Verdict.FALSE_POSITIVE, "nothing")
    tokens = world.house.instance.services.tokens
    made = tokens.create(olga, Owner(OwnerKind.PERSON, world.olga.id), TokenSettings(HANDLE, (SCOPE,)))
    answer = world.ask(
        "POST",
        f"/{alert}/closing/approve",
        {"digest": world.row(alert).asked_digest},
        headers={"authorization": f"Bearer {made.secret}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, OwnDecisionError.code)
    assert world.row(alert).state == "new"


def test_who_knows_id_and_digest_reaches_nothing_in_another_scope(world: AlertWorld) -> None:
    world.second_person()
    alert, ned = world.opened(severity="high"), world.caller(world.ned)
    world.room.closing.close(world.caller(world.olga), [alert], Verdict.FALSE_POSITIVE, "nothing")
    digest = world.row(alert).asked_digest
    for reach in (
        lambda: world.room.closing.approve(ned, alert, digest),
        lambda: world.room.closing.decline(ned, alert, digest, "no"),
        lambda: world.room.service.comment(ned, alert, "hello"),
        lambda: world.room.reading.get(ned, alert),
    ):
        with pytest.raises(AlertNotFoundError):
            reach()


def test_hostile_words_stay_words_on_pages_and_in_headers(world: AlertWorld) -> None:
    alert = world.opened(
        title=SCRIPT, sentence=f"{SCRIPT} \N{RIGHT-TO-LEFT OVERRIDE}", key=f'"{SCRIPT}', kind=f"k{SCRIPT}"
    )
    world.room.service.comment(world.caller(world.olga), alert, f"{SCRIPT}\r\nSet-Cookie: a=b")
    for path in ("/alerts", f"/alerts/{alert}"):
        answer = world.house.http.get(path, headers=world.olga.headers)
        assert answer.status_code == 200
        assert SCRIPT not in answer.text
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in answer.text
        assert "set-cookie" not in answer.headers


def test_no_other_source_opens_or_closes_an_alert(world: AlertWorld) -> None:
    for action in ("alert.opened", "alert.closed"):
        answer = world.house.post([sample(action=action, metadata={"alert": "al-7k3m"})])
        assert answer.status_code == 422, answer.text
    assert world.rows() == []


def test_a_page_of_another_site_changes_no_alert(world: AlertWorld) -> None:
    alert = world.opened()
    headers = {**world.olga.headers, "sec-fetch-site": "cross-site"}
    assert world.house.http.post(f"/alerts/{alert}/acknowledge", headers=headers).status_code == 403
    assert world.row(alert).state == "new"


def test_after_closing_many_alerts_a_form_leads_nowhere_else(world: AlertWorld) -> None:
    body = {"verdict": "false_positive", "reason": "nothing"}
    for here in ("https://evil.example/", "//evil.example", "/alerts/../sign-out"):
        alert = world.opened()
        answer = world.house.http.post(
            "/alerts/close",
            data={**body, "alert": alert, "here": here},
            headers=world.olga.headers,
            follow_redirects=False,
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")


def test_what_fires_in_one_scope_is_never_counted_into_the_alert_of_another(world: AlertWorld) -> None:
    ours = world.opened(key="ana", sentence="first, here")
    world.room.book.raise_alarms(
        [alarm(key="ana", scope="acme/other", sentence="ana read the salaries", indexes=(7,), severity="critical")]
    )
    olga, ned = world.caller(world.olga), world.caller(world.ned)
    told = world.room.reading.get(olga, ours)
    assert (told.alert.count, told.alert.severity, [each.index for each in told.events]) == (1, "high", [])
    (theirs,) = world.room.reading.list(ned).alerts
    assert (theirs.scope, theirs.severity) == ("acme/other", "critical"), "who answers for the scope is told"


def test_a_recovery_in_another_scope_recovers_nothing_here(world: AlertWorld) -> None:
    ours = world.opened(key="ana", at_us=1_000_000)
    world.room.book.raise_alarms([alarm(key="ana", scope="acme/other", at_us=2_000_000, recovered=True)])
    assert world.row(ours).recovered_at is None
