"""Alerts through the API: the queue, every step of a life, and who may see and do what."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from tests.alert_world import HANDLE, READ, AlertWorld, alarm, alerting
from tests.installation import sample

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.operator import OPERATOR
from tallystick.alert.book.errors import ClosingChangedError
from tallystick.alert.book.model import Verdict
from tallystick.store.tables.alerts import ALERT

CLOSE = {"verdict": "false_positive", "reason": "the cleaning robot"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AlertWorld]:
    with alerting(tmp_path) as world:
        yield world


def ids(answer: Any) -> list[str]:
    return [each["id"] for each in answer.json()["alerts"]]


def test_a_life_from_opening_to_reopening_is_one_event_a_step(world: AlertWorld) -> None:
    alert = world.opened()
    for path, body in (
        ("acknowledge", None),
        ("assign", {"person": world.olga.id}),
        ("start", None),
        ("comments", {"text": "called ana"}),
        ("responses", {"text": "locked the account"}),
        ("close", CLOSE),
        ("reopen", {"reason": "it was ana after all"}),
    ):
        answer = world.ask("POST", f"/{alert}/{path}", body)
        assert answer.status_code == 200, answer.text
    found = world.get(alert)
    assert found["alert"]["state"] == "acknowledged"
    assert found["alert"]["assignee"] == {"kind": "person", "id": world.olga.id, "name": "Olga Lind"}
    assert [step["action"].removeprefix("alert.") for step in reversed(found["history"])] == [
        "opened",
        "acknowledged",
        "assigned",
        "started",
        "commented",
        "response_recorded",
        "closed",
        "reopened",
    ]
    assert [step["reason"] for step in found["history"]][:4] == [
        "it was ana after all",
        "the cleaning robot",
        "locked the account",
        "called ana",
    ]


def test_reasons_and_comments_are_in_no_fact_of_the_log(world: AlertWorld) -> None:
    alert = world.opened(sentence="ana failed", key="ana@example.org")
    world.ask("POST", f"/{alert}/comments", {"text": "called ana"})
    world.ask("POST", f"/{alert}/close", CLOSE)
    frames = [ref.read() for ref in world.house.instance.ledger.snapshot().frames]
    facts = [frame.facts_at(at) for frame in frames for at in range(frame.count)]
    said = (b"called ana", b"cleaning robot", b"ana@example.org", b"ana failed")
    assert not [text for text in said for each in facts if text in each]


@pytest.mark.parametrize(
    ("before", "step", "body", "status"),
    [
        ((), "acknowledge", None, 200),
        (("acknowledge",), "acknowledge", None, 409),
        (("start",), "acknowledge", None, 409),
        (("acknowledge",), "start", None, 200),
        (("start",), "start", None, 409),
        ((), "reopen", {"reason": "why not"}, 409),
        (("close",), "close", CLOSE, 409),
        (("close",), "start", None, 409),
        (("close",), "assign", {"team": "soc"}, 409),
        (("close",), "comments", {"text": "afterwards"}, 200),
        (("close",), "reopen", {"reason": "  "}, 422),
        ((), "close", {"verdict": "duplicate", "reason": "seen before"}, 422),
        ((), "close", {"verdict": "false_positive", "reason": " "}, 422),
        ((), "close", {"verdict": "false_positive", "reason": "x", "duplicate_of": "al-2222"}, 422),
        ((), "assign", {"person": "nobody-here"}, 422),
        ((), "assign", {"team": "Not A Team"}, 422),
        ((), "responses", {"text": " "}, 422),
        ((), "responses", {"follows_rule": True}, 422),
        ((), "events", {"event": 999_999}, 404),
        ((), "closing/approve", {"digest": "0"}, 409),
    ],
)
def test_a_step_is_taken_from_where_it_begins_and_refused_elsewhere(
    world: AlertWorld, before: tuple[str, ...], step: str, body: Any, status: int
) -> None:
    alert = world.opened()
    for each in before:
        assert world.ask("POST", f"/{alert}/{each}", CLOSE if each == "close" else None).status_code == 200
    size = len(world.actions())
    answer = world.ask("POST", f"/{alert}/{step}", body)
    assert answer.status_code == status, answer.text
    assert len(world.actions()) == size + (status == 200)


def test_a_duplicate_says_of_which_alert_and_no_chain_is_made(world: AlertWorld) -> None:
    first, second, third = world.opened(), world.opened(), world.opened()
    duplicate = {"verdict": "duplicate", "reason": "same cause"}
    assert world.ask("POST", f"/{first}/close", {**duplicate, "duplicate_of": first}).status_code == 422
    assert world.ask("POST", f"/{second}/close", {**duplicate, "duplicate_of": first}).status_code == 200
    assert world.ask("POST", f"/{third}/close", {**duplicate, "duplicate_of": second}).status_code == 422
    assert world.ask("POST", f"/{third}/close", {**duplicate, "duplicate_of": "al-none"}).status_code == 404


def test_many_alerts_are_closed_with_one_reason_in_one_batch_or_none_of_them(world: AlertWorld) -> None:
    alerts = [world.opened() for _ in range(3)]
    body = {"alerts": alerts, "verdict": "benign_true_positive", "reason": "the yearly drill"}
    assert world.ask("POST", "/close", {**body, "alerts": [*alerts, "al-none"]}).status_code == 404
    assert "alert.closed" not in world.actions()
    answer = world.ask("POST", "/close", body)
    assert answer.json() == {"closed": alerts, "waiting": []}
    frames = [ref.read() for ref in world.house.instance.ledger.snapshot().frames]
    batch = next(frame for frame in frames if b'"action":"alert.closed"' in frame.facts_at(0))
    assert batch.count == 3
    assert {world.get(each)["history"][0]["reason"] for each in alerts} == {"the yearly drill"}


def test_a_firing_after_the_closing_opens_another_alert(world: AlertWorld) -> None:
    world.room.book.raise_alarms([alarm("a")])
    first = world.rows()[0].alert
    world.ask("POST", f"/{first}/close", CLOSE)
    world.room.book.raise_alarms([alarm("b")])
    assert [(row.alert == first, row.count, row.state) for row in world.rows()] == [
        (True, 1, "closed"),
        (False, 1, "new"),
    ]


def test_the_queue_shows_the_gravest_first_page_by_page(world: AlertWorld) -> None:
    made = {severity: world.opened(severity=severity) for severity in ("low", "critical", "medium", "high")}
    newer = world.opened(severity="critical")
    wanted = [newer, made["critical"], made["high"], made["medium"], made["low"]]
    assert ids(world.ask("GET")) == wanted
    first = world.ask("GET", params={"limit": 2})
    second = world.ask("GET", params={"limit": 2, "after": first.json()["after"]})
    third = world.ask("GET", params={"limit": 2, "after": second.json()["after"]})
    assert ids(first) + ids(second) + ids(third) == wanted
    assert third.json()["after"] is None


def test_filters_choose_by_severity_state_scope_kind_assignee_and_time(world: AlertWorld) -> None:
    one = world.opened(severity="critical")
    two = world.opened(severity="low", scope="acme/app/deep", kind="rule-2")
    world.ask("POST", f"/{one}/assign", {"team": "soc"})
    world.ask("POST", f"/{two}/close", CLOSE)
    for parameters, found in (
        ({"severity": "critical,high"}, [one]),
        ({"state": "closed"}, [two]),
        ({"state": "open"}, [one]),
        ({"scope": "acme/app/deep"}, [two]),
        ({"kind": "rule-2"}, [two]),
        ({"assignee": "soc"}, [one]),
        ({"assignee": "none"}, [two]),
        ({"from": "now-1h", "to": "now+1h"}, [one, two]),
        ({"to": "2020-01-01"}, []),
    ):
        assert ids(world.ask("GET", params=parameters)) == found, parameters
    for wrong in ({"severity": "dire"}, {"state": "odd"}, {"from": "yesterdayish"}, {"after": "x"}, {"scope": "//"}):
        assert world.ask("GET", params=wrong).status_code == 422, wrong


def test_an_alert_of_a_scope_that_may_not_be_seen_does_not_exist(world: AlertWorld) -> None:
    alert = world.opened(scope="acme/other")
    assert ids(world.ask("GET")) == []
    for method, path, body in (
        ("GET", f"/{alert}", None),
        ("POST", f"/{alert}/acknowledge", None),
        ("POST", f"/{alert}/close", CLOSE),
        ("POST", "/close", {**CLOSE, "alerts": [alert]}),
    ):
        assert world.ask(method, path, body).status_code == 404
    own = world.opened()
    body = {"verdict": "duplicate", "reason": "guessing", "duplicate_of": alert}
    assert world.ask("POST", f"/{own}/close", body).status_code == 404


def test_who_may_only_look_changes_nothing(world: AlertWorld) -> None:
    alert = world.opened()
    headers = world.token(READ)
    assert world.ask("GET", f"/{alert}", headers=headers).status_code == 200
    assert world.ask("POST", f"/{alert}/acknowledge", headers=headers).status_code == 403
    assert world.ask("POST", "/close", {**CLOSE, "alerts": [alert]}, headers=headers).status_code == 403


def test_texts_and_names_are_withheld_without_the_right_to_personal_data(world: AlertWorld) -> None:
    alert = world.opened(key="ana")
    world.room.service.comment(world.caller(world.olga), alert, "called ana")
    world.room.service.assign(world.caller(world.olga), alert, None)
    world.ask("POST", f"/{alert}/assign", {"person": world.olga.id})
    found = world.ask("GET", f"/{alert}", headers=world.token(HANDLE)).json()
    assert (found["alert"]["sentence"], found["alert"]["about"], found["personal"]) == (None, None, False)
    assert found["alert"]["assignee"] == {"kind": "person", "id": world.olga.id, "name": None}
    comment = next(step for step in found["history"] if step["action"] == "alert.commented")
    assert (comment["reason"], comment["by"]["name"], comment["by"]["id"]) == (None, None, world.olga.id)
    export = world.ask("GET", "/export", params={"format": "json"}, headers=world.token(HANDLE)).json()
    assert {(row["sentence"], row["about"], row["withheld"]) for row in export["alerts"]} == {(None, None, True)}


def test_an_alert_is_given_only_to_who_may_handle_it(world: AlertWorld) -> None:
    alert = world.opened()
    assert world.ask("POST", f"/{alert}/assign", {"person": world.ned.id}).status_code == 422
    assert world.ask("POST", f"/{alert}/assign", {"person": "pia"}).status_code == 422  # nobody of that handle yet
    assert world.pia.id
    assert world.ask("POST", f"/{alert}/assign", {"person": "pia"}).json()["alert"]["assignee"]["id"] == world.pia.id
    assert world.ask("POST", f"/{alert}/assign", {}).json()["alert"]["assignee"] is None


def test_an_event_is_linked_by_index_or_id_by_who_may_read_it(world: AlertWorld) -> None:
    alert = world.opened()
    world.house.post([sample(scope="acme/app"), sample(scope="acme/other")])
    rows = world.house.get("/api/v1/events", query="action:user.signed_in").json()["events"]
    seen = next(row for row in rows if row["event"]["scope"] == "acme/app")
    hidden = next(row for row in rows if row["event"]["scope"] == "acme/other")
    assert world.ask("POST", f"/{alert}/events", {"event": seen["id"], "note": "where it began"}).status_code == 200
    assert world.ask("POST", f"/{alert}/events", {"event": hidden["index"]}).status_code == 404
    found = world.get(alert)["events"]
    assert [(each["index"], each["fired"]) for each in found] == [(seen["index"], False)]


def test_a_grave_closing_waits_for_another_person_where_that_is_wanted(world: AlertWorld) -> None:
    world.second_person()
    closing, olga, pia = world.room.closing, world.caller(world.olga), world.caller(world.pia)
    grave, light = world.opened(severity="critical"), world.opened(severity="low")
    done = closing.close(olga, [grave, light], Verdict.TRUE_POSITIVE, "it was an attack")
    assert (done.closed, done.waiting) == ((light,), (grave,))
    asked = world.get(grave)["alert"]["asked"]
    assert (asked["by"], asked["verdict"], asked["reason"]) == (world.olga.id, "true_positive", "it was an attack")
    with pytest.raises(OwnDecisionError):
        closing.approve(olga, grave, asked["digest"])
    assert world.ask("POST", f"/{grave}/closing/approve", {"digest": asked["digest"]}).status_code == 403  # a program
    closing.close(olga, [grave], Verdict.FALSE_POSITIVE, "it was none")
    with pytest.raises(ClosingChangedError):
        closing.approve(pia, grave, asked["digest"])
    closing.approve(pia, grave, world.get(grave)["alert"]["asked"]["digest"])
    found = world.get(grave)
    assert (found["alert"]["state"], found["alert"]["verdict"]) == ("closed", "false_positive")
    assert found["history"][0]["facts"]["requested_by"] == world.olga.id
    assert (found["history"][0]["by"]["id"], found["history"][0]["reason"]) == (world.pia.id, "it was none")


def test_a_closing_is_declined_with_a_reason_or_taken_back_without(world: AlertWorld) -> None:
    world.second_person()
    closing, olga, pia = world.room.closing, world.caller(world.olga), world.caller(world.pia)
    alert = world.opened(severity="high")
    for by, reason in ((olga, ""), (pia, "look again")):
        closing.close(olga, [alert], Verdict.FALSE_POSITIVE, "nothing")
        digest = world.row(alert).asked_digest
        closing.decline(by, alert, digest, reason)
        assert (world.row(alert).asked_digest, world.row(alert).state) == (None, "new")


def test_limits_run_by_the_logs_own_times_and_a_missed_one_is_an_alert(world: AlertWorld) -> None:
    alert = world.opened(severity="critical")
    waits = world.get(alert)["alert"]["waits"]
    assert (waits["what"], waits["late_s"]) == ("acknowledge", -900)
    world.room.overdue.look()
    assert len(world.rows()) == 1
    world.clock.advance(901)
    world.room.overdue.look()
    world.room.overdue.look()
    (_, late) = world.rows()
    assert (late.kind, late.severity, late.scope, late.about) == (
        "alert.overdue",
        "critical",
        "acme/app",
        f"{alert}/acknowledge",
    )
    assert ids(world.ask("GET", params={"overdue": True})) == [alert]
    world.ask("POST", f"/{alert}/acknowledge")
    world.room.overdue.look()
    assert world.rows()[1].recovered_at is not None
    assert world.get(alert)["alert"]["missed"][0]["what"] == "acknowledge"
    world.clock.advance(86_400)
    world.room.overdue.look()
    assert [row.about for row in world.rows()][2:] == [f"{alert}/close"]


def test_a_setting_that_is_changed_later_makes_nothing_late_or_timely(world: AlertWorld) -> None:

    alert = world.opened(severity="critical")
    before = world.row(alert).acknowledge_by
    world.house.instance.services.settings.change(OPERATOR, {"alerts.critical_acknowledge_minutes": 1})
    assert world.row(alert).acknowledge_by == before
    other = world.row(world.opened(severity="critical"))
    assert other.acknowledge_by - other.opened_at == 60_000_000


def test_figures_say_how_long_it_took_by_severity(world: AlertWorld) -> None:
    for minutes in (1, 2, 3, 30):
        alert = world.opened(severity="critical")
        world.clock.advance(minutes * 60)
        world.ask("POST", f"/{alert}/acknowledge")
        world.clock.advance(600)
        world.ask("POST", f"/{alert}/close", CLOSE)
    world.opened(severity="critical")
    found = world.ask("GET", "/figures").json()["severities"]
    assert [each["severity"] for each in found] == ["critical", "high", "medium", "low", "informational"]
    critical = found[0]
    assert (critical["opened"], critical["acknowledged"], critical["closed"], critical["false_positives"]) == (
        5,
        4,
        4,
        4,
    )
    assert critical["to_acknowledge"] == {"mean_s": 540, "p50_s": 120, "p90_s": 1800}
    assert critical["to_close"]["p50_s"] == 720
    assert (critical["late_acknowledged"], critical["late_closed"]) == (1, 0)
    assert found[1]["to_close"] == {"mean_s": None, "p50_s": None, "p90_s": None}


def test_the_list_for_auditors_is_complete_and_counted_against_the_log(world: AlertWorld) -> None:
    alerts = [world.opened(title="=1+1 as a formula"), world.opened()]
    world.opened(scope="acme/other")
    world.ask("POST", f"/{alerts[0]}/close", CLOSE)
    made = world.ask("GET", "/export", params={"format": "json"})
    found = made.json()
    assert [row["alert"] for row in found["alerts"]] == alerts
    assert (found["rows"], found["opened_events_in_log"], found["reconciles"]) == (2, 2, True)
    assert (found["alerts"][0]["verdict"], found["alerts"][0]["reason"]) == ("false_positive", "the cleaning robot")
    table = world.ask("GET", "/export", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert rows[0]["title"] == "'=1+1 as a formula"
    exported = world.house.get("/api/v1/events", query="action:alert.exported").json()["events"]
    digests = {row["event"]["metadata"]["digest"] for row in exported}
    assert {hashlib.sha256(each.content).hexdigest() for each in (made, table)} == digests


def test_a_list_that_does_not_match_the_log_says_so(world: AlertWorld) -> None:

    kept, gone = world.opened(), world.opened()
    with world.house.instance.projection.engine.begin() as connection:
        connection.execute(delete(ALERT).where(ALERT.c.alert == gone))
    found = world.ask("GET", "/export", params={"format": "json"}).json()
    assert (found["reconciles"], found["missing"], [row["alert"] for row in found["alerts"]]) == (False, [gone], [kept])


def test_looking_is_recorded_and_an_export_too(world: AlertWorld) -> None:
    alert = world.opened()
    world.get(alert)
    world.ask("GET")
    world.ask("GET", "/export")
    actions = world.house.actions()
    assert "access.looked" in actions
    assert actions.count("alert.exported") == 1


def test_a_closed_alert_that_is_reopened_gets_new_time_and_stays_marked_late(world: AlertWorld) -> None:
    alert = world.opened(severity="critical")
    world.clock.advance(25 * 3600)
    world.ask("POST", f"/{alert}/close", CLOSE)
    world.ask("POST", f"/{alert}/reopen", {"reason": "again"})
    found = world.get(alert)["alert"]
    assert (found["closed_late"], found["waits"]["what"]) == (True, "close")
    assert -86_400 <= found["waits"]["late_s"] < -86_300


def test_an_alert_of_a_rule_shows_the_rules_card_and_its_response_can_be_recorded(world: AlertWorld) -> None:
    services = world.house.instance.services
    rule = services.rules.reading.rules(OPERATOR)[0].rule
    alert = world.opened(kind=rule.id)
    card = world.get(alert)["card"]
    assert card["title"]
    assert card["response"]
    answer = world.ask("POST", f"/{alert}/responses", {"follows_rule": True})
    assert answer.json()["history"][0]["facts"]["response"] == card["response"]
    assert world.get(world.opened(kind="exception.expired"))["card"] is None


def test_an_alert_is_given_only_to_a_team_that_the_routes_know(world: AlertWorld) -> None:
    alert = world.opened()
    text = "route:\n  receiver: nobody\nteams:\n  - name: soc\n    scopes: [acme]\n"
    world.house.instance.services.notify.routes.set(OPERATOR, text)
    assert world.ask("POST", f"/{alert}/assign", {"team": "sco"}).status_code == 422
    assert world.ask("POST", f"/{alert}/assign", {"team": "soc"}).json()["alert"]["assignee"]["id"] == "soc"
    assert '<option value="soc"' in world.house.http.get(f"/alerts/{alert}", headers=world.olga.headers).text
