"""Detection as the server runs it: the rules that come with the product, alerts, health, figures, and the witnesses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select
from tests.installation import installation, sample
from tests.stream_world import wait_until

from tallystick.access.operator import OPERATOR
from tallystick.detect.health import detection
from tallystick.detect.own_alarms import BEHIND_S, OwnAlarms
from tallystick.detect.standing import RuleStanding, Standing
from tallystick.detect.witnesses import BEHIND_US, WitnessWatch
from tallystick.server import Instance
from tallystick.store.tables.alerts import ALERT
from tallystick.testing.clock import ManualClock


def kinds(instance: Instance) -> list[str]:
    with instance.projection.engine.connect() as connection:
        return list(connection.scalars(select(ALERT.c.kind)))


def standing(**changes: Any) -> Standing:
    usual: dict[str, Any] = {
        "next_index": 10, "lag": 0, "lag_s": 0.0, "behind_s": 0.0, "alarms": 0, "erased": 0, "blocked": "", "folds_dropped": 0, "rules": (),
    }  # fmt: skip
    return Standing(**{**usual, **changes})


def rule(**changes: Any) -> RuleStanding:
    usual: dict[str, Any] = {
        "id": "r-1", "version": "v", "title": "A rule", "seen": 0, "matched": 0, "fired": 0, "last_fired_us": 0,
        "dropped": 0, "slowest_us": 0, "failed": "", "is_bound": True,
    }  # fmt: skip
    return RuleStanding(**{**usual, **changes})


def test_a_rule_that_comes_with_the_product_opens_an_alert_soon_after_its_event(tmp_path: Path) -> None:
    with installation(tmp_path) as house, house.instance.services.detection as engine:
        wait_until(lambda: engine.standing().lag == 0)
        house.post([sample(action="malware.detected", target={"id": "/tmp/x", "type": "file"})])
        wait_until(lambda: "malware-seen" in kinds(house.instance))
        figures = house.get("/metrics").text
        check = next(each for each in house.instance.services.health.look(OPERATOR).checks if each.name == "Detection")
    assert 'tallystick_detect_rule_fired_total{rule="malware-seen"} 1.0' in figures
    assert "tallystick_detect_blocked 0.0" in figures
    assert check.state == "good"
    assert "rules watch" in check.found


def test_a_rule_that_is_disabled_in_the_log_watches_no_further(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        services = house.instance.services
        services.rules.service.disable(OPERATOR, "malware-seen", reason="a trial of the engine")
        with services.detection as engine:
            house.post([sample(action="malware.detected", target={"id": "/tmp/x", "type": "file"})])
            wait_until(lambda: engine.standing().lag == 0)
            assert "malware-seen" not in {each.id for each in engine.standing().rules}
        assert "malware-seen" not in kinds(house.instance)


def test_witnesses_that_fall_behind_are_put_on_record_once_for_each_outage(tmp_path: Path) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        instance = house.instance
        first = instance.ledger.status().now
        watch = WitnessWatch(1, instance.ledger.status, lambda _: first, instance.product.one)
        house.post([sample()])
        wait_until(lambda: instance.ledger.status().committed.size == instance.ledger.status().acknowledged.size)
        watch.look()
        assert "witness.fell_behind" not in house.actions()
        clock.advance(BEHIND_US / 1_000_000 + 1)
        watch.look()
        watch.look()
        WitnessWatch(1, instance.ledger.status, lambda _: first, instance.product.one).look()
        assert house.actions().count("witness.fell_behind") == 1
        frames = [ref.read() for ref in instance.ledger.snapshot().frames]
    facts = [json.loads(frame.facts_at(at)) for frame in frames for at in range(frame.count)]
    (found,) = [each["metadata"] for each in facts if each["action"] == "witness.fell_behind"]
    assert found["behind_s"] >= 3600


def test_without_witnesses_nothing_falls_behind(tmp_path: Path) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        instance = house.instance
        clock.advance(100_000)
        WitnessWatch(0, instance.ledger.status, lambda _: 0, instance.product.one).look()
        assert "witness.fell_behind" not in house.actions()


def test_health_says_when_detection_stands_still_is_behind_or_has_rules_that_failed() -> None:
    assert detection(standing()).state == "good"
    blocked = detection(standing(blocked="the disk is gone"))
    assert (blocked.state, "event 10" in blocked.found) == ("problem", True)
    assert detection(standing(lag=7, lag_s=90.0, behind_s=90.0)).state == "attention"
    assert "1 are suspended" in detection(standing(rules=(rule(failed="a list is missing"), rule()))).found


def test_being_behind_is_an_alarm_and_so_is_having_caught_up() -> None:
    own = OwnAlarms(lambda: 1)
    (alarm,) = own.watched(standing(lag=100, lag_s=BEHIND_S + 1, behind_s=BEHIND_S + 1))
    assert own.watched(standing(lag=100, lag_s=BEHIND_S + 9, behind_s=BEHIND_S + 9)) == []
    assert own.watched(standing(lag=10, lag_s=30.0)) == []
    (over,) = own.watched(standing(next_index=99))
    assert [alarm.recovered, over.recovered] == [False, True]
    assert (alarm.kind, alarm.key) == (over.kind, over.key) == ("detection.behind", "engine")
    assert alarm.occasion != over.occasion


def test_old_events_after_a_pause_are_no_alarm_until_the_engine_has_had_its_time() -> None:
    own = OwnAlarms(lambda: 1)
    old = {"lag": 100, "lag_s": 86_400.0}
    assert own.watched(standing(**old, behind_s=BEHIND_S - 1)) == []
    assert detection(standing(**old, behind_s=BEHIND_S - 1)).state == "good"
    assert len(own.watched(standing(**old, behind_s=BEHIND_S + 1))) == 1


def test_an_engine_begins_to_be_behind_when_it_begins_to_run(tmp_path: Path) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        engine = house.instance.services.detection
        house.post([sample()])
        clock.advance(86_400)
        found = engine.standing()
        assert (found.lag > 0, found.lag_s >= 86_000, found.behind_s < 3600) == (True, True, True)
        while engine.step() == 0.0:
            pass
        assert (engine.standing().lag, engine.standing().behind_s) == (0, 0.0)


def test_old_logs_that_are_brought_along_are_learned_from_and_told_to_nobody(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        engine = house.instance.services.detection
        found = {"action": "malware.detected", "target": {"id": "/tmp/x", "type": "file"}}
        house.post([sample(**found)])
        engine.learn()
        assert engine.standing().lag == 0
        assert "malware-seen" not in kinds(house.instance)
        house.post([sample(**found)])
        while engine.step() == 0.0:
            pass
        assert kinds(house.instance).count("malware-seen") == 1


def test_what_rules_forget_and_how_slow_they_are_is_told_once_for_each_size() -> None:
    own = OwnAlarms(lambda: 1)
    kinds = [each.kind for each in own.watched(standing(rules=(rule(dropped=5, slowest_us=80_000),)))]
    assert kinds == ["detection.groups_dropped", "detection.rule_slow"]
    assert own.watched(standing(rules=(rule(dropped=9, slowest_us=90_000),))) == []
    assert [each.kind for each in own.watched(standing(rules=(rule(dropped=50),)))] == ["detection.groups_dropped"]
