"""Alerts reach a real receiver: at once, grouped, repeated, escalated, resolved; or are held back, with the reason."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.installation import installation
from tests.notify_world import NotifyWorld, notifying
from tests.stream_world import LOOPBACK, ReceiverProcess, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.alert.notify.courier import attempt
from tallystick.alert.notify.matchers import parse_matchers
from tallystick.settings.model import SETTINGS
from tallystick.testing.clock import ManualClock

US = 1_000_000
MINUTE = 60


class Stepped(NotifyWorld):
    """A world whose clock stands until it is moved, and whose notifier looks when it is asked to."""

    clock: ManualClock
    sent: list[dict[str, Any]]

    def after(self, seconds: float) -> list[dict[str, Any]]:
        """Move the clock, look, deliver, and return what was sent by that."""
        self.clock.advance(seconds)
        notifier = self.room.notifier
        notifier.tick()
        new = []
        for each in notifier.outbox.waiting():
            new.append(
                {"receiver": each.receiver, "tells": each.tells.value, "firing": each.firing, "resolved": each.resolved}
            )
            attempt(each, notifier._tools)
        return new

    def held(self) -> list[tuple[str, str, str]]:
        return [(each.alert, each.reason, each.by) for each in reversed(self.evidence().held)]


@contextmanager
def stepped(root: Path, receiver: ReceiverProcess) -> Iterator[Stepped]:
    clock = ManualClock()
    with installation(root, clock=clock, stream_networks=LOOPBACK) as house:
        world = Stepped(house, receiver)
        world.clock = clock
        # Hours pass here at a step: nothing is to become overdue by that.
        longest = {
            name: kind.most for name, kind in SETTINGS.items() if name.startswith("alerts.") and "_close_" in name
        }
        longest |= {name: kind.most for name, kind in SETTINGS.items() if name.endswith("_acknowledge_minutes")}
        house.instance.services.settings.change(OPERATOR, longest)
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Stepped]:
    from tests.stream_world import receiving

    with receiving(tmp_path / "receiver") as receiver, stepped(tmp_path, receiver) as made:
        made.hook("ops")
        made.hook("boss", "boss")
        yield made


def said(sent: list[dict[str, Any]]) -> list[tuple[str, str, int, int]]:
    return [(each["receiver"], each["tells"], len(each["firing"]), len(each["resolved"])) for each in sent]


PLAIN = "route: {receiver: ops, group_by: [scope]}"


def test_a_group_waits_half_a_minute_for_others_then_five_minutes_then_repeats_after_four_hours(world: Stepped) -> None:
    world.routes(PLAIN)
    world.alarm(severity="high")
    assert world.after(0) == []
    world.alarm(severity="low")
    assert world.after(29) == []
    assert said(world.after(1)) == [("ops", "firing", 2, 0)]
    world.alarm(severity="high")
    assert world.after(4 * MINUTE) == []
    assert said(world.after(MINUTE)) == [("ops", "firing", 3, 0)]
    for _ in range(47):
        assert world.after(5 * MINUTE) == []
    assert said(world.after(5 * MINUTE)) == [("ops", "repeat", 3, 0)]


def test_what_is_critical_goes_out_at_once_also_into_a_group_that_was_just_told(world: Stepped) -> None:
    world.routes(PLAIN)
    world.alarm(severity="critical")
    assert said(world.after(0)) == [("ops", "firing", 1, 0)]
    world.alarm(severity="critical")
    assert said(world.after(1)) == [("ops", "firing", 2, 0)]


def test_more_firings_of_an_open_alert_tell_nobody_again_but_a_graver_one_does(world: Stepped) -> None:
    world.routes(PLAIN)
    alert = world.alarm(severity="medium", key="k", title="t")
    assert said(world.after(30)) == [("ops", "firing", 1, 0)]
    world.alarm(severity="medium", key="k", title="t")
    assert world.after(5 * MINUTE) == []
    world.alarm(severity="critical", key="k", title="t")
    assert said(world.after(0)) == [("ops", "firing", 1, 0)]
    assert world.after(5 * MINUTE) == []
    assert world.alert("t") == alert


def test_an_alert_that_is_acknowledged_is_not_repeated_and_one_that_is_closed_is_told_so(world: Stepped) -> None:
    world.routes("route: {receiver: ops, repeat_interval: 10m}")
    alert = world.alarm()
    assert said(world.after(0)) == [("ops", "firing", 1, 0)]
    assert said(world.after(5 * MINUTE) + world.after(5 * MINUTE)) == [("ops", "repeat", 1, 0)]
    world.house.instance.services.alerts.service.acknowledge(OPERATOR, alert)
    assert world.after(5 * MINUTE) + world.after(5 * MINUTE) + world.after(5 * MINUTE) == []
    world.close(alert)
    assert said(world.after(5 * MINUTE)) == [("ops", "resolved", 0, 1)]
    assert world.after(60 * MINUTE) == []


def test_a_receiver_that_does_not_want_the_end_is_not_told_of_it(world: Stepped) -> None:
    world.hook("quiet", "quiet", send_resolved=False)
    world.routes("route: {receiver: quiet}")
    alert = world.alarm()
    assert said(world.after(0)) == [("quiet", "firing", 1, 0)]
    world.close(alert)
    assert world.after(60 * MINUTE) == []


def test_an_alert_that_was_closed_before_anybody_was_told_is_on_record_as_such(world: Stepped) -> None:
    world.routes(PLAIN)
    alert = world.alarm(severity="low")
    world.after(0)
    world.close(alert)
    assert world.after(30) == []
    assert world.held() == [(alert, "closed", "")]


def test_nobody_who_answers_in_time_is_escalated_over(world: Stepped) -> None:
    world.routes("route: {receiver: ops, escalation: [{after: 15m, receiver: boss}]}")
    answered, ignored = world.alarm(kind="a"), world.alarm(kind="b")
    assert said(world.after(0)) == [("ops", "firing", 2, 0)]
    world.house.instance.services.alerts.service.acknowledge(OPERATOR, answered)
    assert world.after(14 * MINUTE) == []
    sent = world.after(MINUTE)
    assert said(sent) == [("boss", "escalation", 1, 0)]
    assert sent[0]["firing"] == (ignored,)
    world.close(ignored)
    assert sorted(said(world.after(5 * MINUTE))) == [("boss", "resolved", 0, 1), ("ops", "resolved", 1, 1)]


def test_a_silence_holds_notifications_back_counts_them_and_lets_them_go_when_it_ends(world: Stepped) -> None:
    world.routes(PLAIN)
    until = world.house.instance.ledger.status().now + 3600 * US
    silence = world.room.silences.place(OPERATOR, parse_matchers('scope="acme"'), "we are moving it", until)
    alert = world.alarm()
    assert world.after(0) == []
    assert world.held() == [(alert, "silenced", silence)]
    assert [count for _, count in world.room.silences.list(OPERATOR)] == [1]
    assert world.after(30 * MINUTE) == []
    assert len(world.held()) == 1, "one reason is told once"
    assert said(world.after(35 * MINUTE)) == [("ops", "firing", 1, 0)]
    assert [found.ended_at for found, _ in world.room.silences.list(OPERATOR, ended=True)] == [None]
    assert world.room.silences.list(OPERATOR) == []


def test_an_open_alert_inhibits_others_until_it_is_closed(world: Stepped) -> None:
    world.routes(
        "route: {receiver: ops, group_by: ['...']}\n"
        "inhibit_rules: [{source_matchers: [kind=down], target_matchers: [kind=slow], equal: [scope]}]"
    )
    down = world.alarm(kind="down")
    slow, other = world.alarm(kind="slow"), world.alarm(kind="slow", scope="acme/web")
    sent = world.after(0)
    assert {alert for each in sent for alert in each["firing"]} == {down, other}
    assert world.held() == [(slow, "inhibited", down)]
    world.close(down)
    assert {alert for each in world.after(5 * MINUTE) for alert in each["firing"]} == {slow}


def test_a_muted_route_tells_when_the_interval_is_over(world: Stepped) -> None:
    world.routes("route: {receiver: ops, mute_time_intervals: [n]}\ntime_intervals: [{name: n, time_intervals: [{}]}]")
    alert = world.alarm()
    assert world.after(0) == []
    assert world.held() == [(alert, "muted", "n")]
    world.routes("route: {receiver: ops}")
    assert said(world.after(5 * MINUTE)) == [("ops", "firing", 1, 0)]


def test_new_routes_take_up_alerts_that_are_open_and_tell_nobody_twice_of_what_stays(world: Stepped) -> None:
    first = world.alarm()
    assert world.after(0) == []
    assert world.held() == [(first, "nobody", "")]
    world.routes(PLAIN)
    assert said(world.after(0)) == [("ops", "firing", 1, 0)]
    world.routes(PLAIN + "\ninhibit_rules: []")
    assert world.after(10 * MINUTE) == []
    world.routes("route: {receiver: ops, routes: [{receiver: boss}]}")
    assert said(world.after(0)) == [("boss", "firing", 1, 0)]


def test_what_could_not_be_delivered_is_told_to_another_receiver_and_never_in_a_circle(world: Stepped) -> None:
    world.hook("dead", "status/500")
    world.hook("also-dead", "status/501")
    world.routes("route: {receiver: dead}\nfallback_receiver: also-dead")
    alert = world.alarm()
    for _ in range(25):
        world.after(5 * MINUTE)
    dead = world.evidence().dead
    assert [(each.receiver, each.alarms) for each in dead] == [("dead", True), ("also-dead", False)]
    assert dead[0].firing == (alert,)
    assert len(dead[0].attempts) == 10
    assert {each.code for each in dead[0].attempts} == {500}
    actions = world.house.actions()
    assert actions.count("alert.notification_failed") == 2
    assert world.room.check().state == "problem"


def test_what_was_given_up_is_sent_again_with_its_key(world: Stepped) -> None:
    world.hook("dead", "status/400")
    world.routes("route: {receiver: dead}")
    world.alarm()
    for _ in range(5):
        world.after(5 * MINUTE)
    (letter,) = world.evidence().dead
    assert len(letter.attempts) == 3, "what is refused is not tried for long"
    world.hook("dead", "mended")
    world.room.evidence.retry(OPERATOR, letter.key)
    world.after(0)
    assert [each["data"]["key"] for each in world.told("mended")] == [letter.key]
    assert world.evidence().dead == ()
    assert [each.delivered for each in world.evidence().settled if each.key == letter.key] == [True]
    assert "alert.notification_retried" in world.house.actions()


def test_personal_data_goes_only_where_somebody_granted_it(world: Stepped) -> None:
    world.hook("told", "told", personal=True)
    world.routes("route: {receiver: ops, routes: [{receiver: told, continue: true}, {receiver: ops}]}")
    world.alarm()
    world.after(0)
    (open_one,), (closed_one,) = world.told("told"), world.told()
    assert "ana@example.org" in open_one["data"]["alerts"][0]["sentence"]
    assert closed_one["data"]["alerts"][0]["sentence"] is None
    assert "ana@" not in json.dumps(closed_one)


def test_a_running_notifier_tells_signed_with_evidence_on_record(tmp_path: Path) -> None:
    with notifying(tmp_path, public_url="https://audit.example.org") as world:
        secret = world.hook("ops")
        world.routes("route: {receiver: ops}")
        alert = world.alarm(title="<b>Evil</b>\r\nBcc: x")
        wait_until(lambda: world.evidence().settled)
        (request,) = world.receiver.taken()
        (settled,) = world.evidence().settled
        headers = {name.lower(): value for name, value in request["headers"].items()}
        assert headers["webhook-id"] == settled.key
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{request['body']}".encode()
        expected = hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, "sha256")
        assert headers["webhook-signature"] == f"v1,{b64encode(expected).decode()}"
        body = json.loads(request["body"])
        assert body["type"] == "alert.firing"
        (told,) = body["data"]["alerts"]
        assert told["url"] == f"https://audit.example.org/alerts/{alert}"
        assert [each.code for each in settled.attempts] == [200]
        assert world.house.actions()[-1] == "alert.notified"
        assert world.evidence().waiting == ()


def test_secrets_of_receivers_are_in_no_event_and_no_table(tmp_path: Path) -> None:
    with notifying(tmp_path, running=False) as world:
        world.hook("ops", "ok?key=s3cr3t-in-query", headers={"x-api": "s3cr3t-in-header"})
        answer = world.room.receivers.list(OPERATOR)
        assert "s3cr3t" not in repr(answer)
        path = tmp_path / "data"
        found = [
            each
            for each in path.rglob("*")
            if each.is_file() and "secrets.db" not in each.name and b"s3cr3t" in each.read_bytes()
        ]
        assert found == []


def test_the_same_happens_again_after_everything_derived_is_made_again(world: Stepped) -> None:
    world.routes(PLAIN)
    world.alarm()
    world.after(0)
    before = world.evidence().settled
    world.house.instance.projection.rebuild()
    assert world.after(5 * MINUTE) == []
    assert world.evidence().settled == before


@pytest.mark.parametrize(
    "matchers",
    ['severity="critical"', 'severity=~".*"', 'scope="/"', 'kind=~".+"', 'kind!="x"', 'owner=""', 'severity!="low"'],
)
def test_a_silence_of_everything_critical_is_refused(world: Stepped, matchers: str) -> None:
    until = world.house.instance.ledger.status().now + 3600 * US
    refuses(
        lambda: world.room.silences.place(OPERATOR, parse_matchers(matchers), "because I say so", until),
        "silence-too-wide",
    )


@pytest.mark.parametrize("matchers", ['severity!="critical"', 'scope="acme"', 'kind="x"', 'severity="high"'])
def test_a_silence_that_leaves_critical_alerts_of_most_alone_is_taken(world: Stepped, matchers: str) -> None:
    until = world.house.instance.ledger.status().now + 3600 * US
    world.room.silences.place(OPERATOR, parse_matchers(matchers), "because I say so", until)


def test_a_silence_needs_a_reason_and_an_end_that_is_not_too_far(world: Stepped) -> None:
    now, place = world.house.instance.ledger.status().now, world.room.silences.place
    told = parse_matchers("kind=x")
    refuses(lambda: place(OPERATOR, told, "  x ", now + US), "silence-invalid")
    refuses(lambda: place(OPERATOR, told, "a good reason", now - US), "silence-invalid")
    refuses(lambda: place(OPERATOR, told, "a good reason", now + 169 * 3600 * US), "silence-invalid")
    refuses(lambda: place(OPERATOR, (), "a good reason", now + US * 60), "silence-invalid", "silence-too-wide")
    made = place(OPERATOR, told, "a good reason", now + 60 * US)
    world.room.silences.change(OPERATOR, made, "it takes longer", now + 600 * US)
    world.room.silences.end(OPERATOR, made, "it is done")
    refuses(lambda: world.room.silences.end(OPERATOR, made, "again then"), "silence-state")


def refuses(call: Callable[[], object], *codes: str) -> None:
    from tallystick.errors import TallystickError

    with pytest.raises(TallystickError) as caught:
        call()
    assert caught.value.code in codes
