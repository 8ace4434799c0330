"""The engine over a real ledger: what it judges, what it keeps, and what it says about itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.detect_world import DELETED, MANY_FAILED, detecting, enabled, settle
from tests.installation import sample
from tests.stream_world import wait_until

from tallystick.errors import UnavailableError
from tallystick.event.occurred import time_of_us
from tallystick.follow.alarm import Alarm
from tallystick.follow.log_reader import LogReader
from tallystick.testing.clock import ManualClock


def deleted(**changes: object) -> dict[str, object]:
    return sample(action="record.deleted", target={"id": "r-9", "type": "record"}, **changes)


def failed(**changes: object) -> dict[str, object]:
    return sample(action="user.sign_in_failed", outcome="failure", **changes)


def test_a_matching_event_is_an_alarm_with_its_index_and_a_sentence(tmp_path: Path) -> None:
    with detecting(tmp_path, DELETED) as world, world.engine() as engine:
        settle(engine)
        (index,) = world.send(deleted())
        settle(engine)
    (alarm,) = [each for each in world.alarms if each.kind == "r-1"]
    assert alarm.indexes == (index,)
    assert alarm.severity == "high"
    assert alarm.scope == "acme/intranet"
    assert alarm.key == "actor.id=ana"
    assert "user ana: record.deleted (success) on record r-9" in alarm.sentence


def test_what_was_recorded_before_the_first_start_is_not_judged(tmp_path: Path) -> None:
    with detecting(tmp_path, DELETED) as world:
        world.send(deleted())
        with world.engine() as engine:
            settle(engine)
    assert world.alarms == []


def test_an_engine_goes_on_where_it_was_with_what_it_knew(tmp_path: Path) -> None:
    with detecting(tmp_path, MANY_FAILED) as world:
        with world.engine() as engine, engine:
            pass
        world.send(failed(), failed())
        with world.engine() as engine:
            settle(engine)
            engine._save()
        assert world.alarms == []
        world.send(failed())
        with world.engine() as engine:
            settle(engine)
    (alarm,) = world.alarms
    assert "3 events within 10 min (at least 3 fires)" in alarm.sentence
    assert len(alarm.indexes) == 3


def test_an_event_below_the_index_that_enabled_a_rule_is_not_for_it(tmp_path: Path) -> None:
    with detecting(tmp_path) as world, world.engine() as engine:
        settle(engine)
        _, second = world.send(deleted(), deleted(actor={"id": "bo", "type": "user"}))
        world.put(enabled(DELETED, from_index=second))
        settle(engine)
    assert [each.indexes for each in world.alarms] == [(second,)]


def test_a_rule_of_a_scope_sees_no_other(tmp_path: Path) -> None:
    with detecting(tmp_path) as world, world.engine() as engine:
        world.put(enabled(DELETED, scope="acme/web"))
        settle(engine)
        world.send(deleted(scope="acme/website"))
        (index,) = world.send(deleted(scope="acme/web/shop"))
        settle(engine)
    assert [each.indexes for each in world.alarms] == [(index,)]


def test_alarms_that_could_not_be_raised_are_raised_later_and_nothing_is_passed_over(tmp_path: Path) -> None:
    with detecting(tmp_path, DELETED) as world, world.engine() as engine:
        settle(engine)

        def refuse(_: Sequence[Alarm]) -> None:
            raise UnavailableError("not now")

        world.refuse = refuse
        world.send(deleted())
        with pytest.raises(UnavailableError):
            settle(engine)
        world.refuse = lambda _: None
        world.send(deleted(actor={"id": "bo", "type": "user"}))
        settle(engine)
    assert [each.key for each in world.alarms] == ["actor.id=ana", "actor.id=bo"]


def test_later_firings_fold_into_a_count_that_is_told_after_a_minute(tmp_path: Path) -> None:
    clock = ManualClock()
    with detecting(tmp_path, DELETED, clock=clock) as world, world.engine() as engine:
        settle(engine)
        world.send(*[deleted() for _ in range(5)])
        settle(engine)
        assert [each.count for each in world.alarms] == [1]
        clock.advance(70)
        settle(engine)
    assert [each.count for each in world.alarms] == [1, 4]
    assert len({each.occasion for each in world.alarms}) == 2


def test_a_rule_whose_list_is_missing_is_suspended_and_alarmed_while_others_watch(tmp_path: Path) -> None:
    listed = DELETED.replace("action: record.deleted", "targets.id|expand: '%stolen%'").replace("A record", "It")
    with detecting(tmp_path, listed, DELETED) as world, world.engine() as engine:
        settle(engine)
        (about,) = world.alarms
        assert (about.kind, about.key) == ("detection.rule_failed", "r-1")
        assert "stolen" in about.sentence
        world.send(deleted())
        settle(engine)
        assert [each.kind for each in world.alarms[1:]] == ["r-2"]
        world.lists["stolen"] = ["r-9"]
        world.put(enabled(listed + "\n", "r-1"))
        settle(engine)
        assert [each.failed for each in engine.standing().rules] == ["", ""]
        over = world.alarms[2]
        assert (over.kind, over.key, over.recovered) == ("detection.rule_failed", "r-1", True)
        world.send(deleted(actor={"id": "bo", "type": "user"}))
        settle(engine)
    assert sorted(each.kind for each in world.alarms[3:]) == ["r-1", "r-2"]


def test_detection_reads_what_proofs_read_without_what_only_proofs_need(tmp_path: Path) -> None:
    with detecting(tmp_path) as world:
        world.send(deleted(), deleted(actor={"id": "bo", "type": "user"}))
        instance = world.house.instance
        reader = LogReader(instance.ledger.snapshot, instance.settings.data / "segments" / "main", dict)
        names = ("index", "received_at", "source", "class_number", "facts", "personal")
        for first in (0, reader.size - 1):
            whole = [row for rows, _ in reader.chunks(first, None) for row in rows]
            told = [row for rows, _ in reader.told(first, None) for row in rows]
            assert [[getattr(row, name) for name in names] for row in told] == [
                [getattr(row, name) for name in names] for row in whole
            ]
            assert told


def test_a_changed_list_counts_from_the_next_look(tmp_path: Path) -> None:
    listed = DELETED.replace("action: record.deleted", "targets.id|expand: '%stolen%'")
    with detecting(tmp_path, listed) as world, world.engine() as engine:
        world.lists["stolen"] = ["other"]
        settle(engine)
        world.send(deleted())
        settle(engine)
        assert world.alarms == []
        world.lists["stolen"] = ["r-9"]
        world.house.token(source="another")  # a source is registered, so the tables changed
        world.send(deleted())
        settle(engine)
    assert [each.kind for each in world.alarms] == ["r-1"]


def test_events_about_alerts_are_never_matched(tmp_path: Path) -> None:
    everything = DELETED.replace("action: record.deleted", "action|exists: true")
    with detecting(tmp_path, everything) as world, world.engine() as engine:
        settle(engine)
        (alarm,) = [Alarm("r-1", "k", "o", "acme", "high", "A title", "Said.", 1)]
        world.house.instance.services.alerts.book.raise_alarms([alarm])
        assert "alert.opened" in world.house.actions()
        settle(engine)
    matched = {index for each in world.alarms for index in each.indexes}
    assert matched.isdisjoint(
        index for index, action in enumerate(world.house.actions()) if action.startswith("alert.")
    )


def test_a_clock_that_is_ahead_is_an_alarm_once_a_day_for_each_source(tmp_path: Path) -> None:
    with detecting(tmp_path) as world, world.engine() as engine:
        settle(engine)
        soon = time_of_us(world.house.instance.ledger.status().now + 3600 * 1_000_000)
        world.send(deleted(occurred_at=soon), deleted(occurred_at=soon))
        settle(engine)
    (alarm,) = world.alarms
    assert (alarm.kind, alarm.key) == ("detection.clock_ahead", "tester")


def test_a_silent_source_alarms_once_and_recovers(tmp_path: Path) -> None:
    silence = DELETED.replace("action: record.deleted", "action|exists: true")
    silence += "tallystick: {kind: silence, group_by: [source], expect: 1h}\n"
    clock = ManualClock()
    with detecting(tmp_path, silence, clock=clock) as world, world.engine() as engine:
        settle(engine)
        world.send(deleted())
        settle(engine)
        for _ in range(3):
            clock.advance(3600)
            settle(engine)
        (alarm,) = world.alarms
        assert alarm.key == "source=tester"
        assert "nothing was received for 1 h" in alarm.sentence
        world.send(deleted())
        settle(engine)
    assert [each.recovered for each in world.alarms] == [False, True]


def test_figures_of_a_rule_outlive_a_restart(tmp_path: Path) -> None:
    with detecting(tmp_path, DELETED) as world:
        with world.engine() as engine:
            settle(engine)
            world.send(deleted(), failed())
            settle(engine)
            engine._save()
        with world.engine() as engine:
            settle(engine)
            world.send(deleted())
            settle(engine)
            (rule,) = engine.standing().rules
    assert (rule.matched, rule.fired) == (2, 2)
    assert rule.seen >= 3


def test_sealed_and_unsealed_events_are_judged_alike(tmp_path: Path) -> None:
    with detecting(tmp_path, DELETED) as world:
        with world.engine() as engine:
            settle(engine)
        sent = [world.send(deleted(actor={"id": f"u{number}", "type": "user"}))[0] for number in range(6)]
        ledger = world.house.instance.ledger
        ledger.rotate()
        wait_until(lambda: ledger.snapshot().sealed_size > sent[-1])
        sent += [world.send(deleted(actor={"id": f"u{number}", "type": "user"}))[0] for number in range(6, 9)]
        with world.engine() as engine:
            settle(engine)
    assert [each.indexes[0] for each in world.alarms] == sent
