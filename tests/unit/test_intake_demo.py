from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import jsonschema
import pytest

from tallystick.event.catalogue import load_shipped, render_message
from tallystick.event.template import ABSENT
from tallystick.intake.demo import DAYS, INCIDENTS, generate
from tallystick.testing.sink import AdmittingSink

END_US = 1_790_000_000_000_000
END = datetime.fromisoformat("2026-09-21T14:13:20+00:00")


@lru_cache(maxsize=1)
def demo() -> tuple[dict[str, Any], ...]:
    return tuple(generate(7, END_US))


def moment(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def test_the_same_seed_and_end_give_the_same_events() -> None:
    assert tuple(generate(7, END_US)) == demo()
    assert tuple(generate(8, END_US)) != demo()
    assert next(generate(7, END_US + 1))["id"] != demo()[0]["id"]


def test_there_are_twenty_thousand_over_half_a_year_in_order_and_none_in_the_future() -> None:
    moments = [moment(event) for event in demo()]
    assert len(moments) == 20_000
    assert moments == sorted(moments)
    assert moments[-1] <= END
    assert END - moments[0] > timedelta(days=DAYS - 3)
    assert len({event["id"] for event in demo()}) == 20_000


def test_every_event_is_admitted_as_it_is() -> None:
    sink = AdmittingSink(now_us=END_US)
    for begin in range(0, 20_000, 5000):
        results = sink.send(b"".join(json.dumps(event).encode() + b"\n" for event in demo()[begin : begin + 5000]))
        assert [result for result in results if result.code] == []


def test_every_event_is_catalogued_as_its_metadata_says() -> None:
    checks = {
        name: jsonschema.Draft202012Validator({**kind.metadata_schema, "additionalProperties": False})
        for name, kind in load_shipped().types.items()
    }
    assert [event for event in demo() if not checks[event["action"]].is_valid(event.get("metadata", {}))] == []


def test_no_message_lacks_a_word() -> None:
    for event in demo():
        assert ABSENT not in render_message(load_shipped().get(event["action"]), event)


def test_people_work_by_day_and_on_weekdays_and_machines_always() -> None:
    by_weekday = Counter(moment(event).weekday() for event in demo())
    assert max(by_weekday[5], by_weekday[6]) < min(by_weekday[day] for day in range(5)) / 3
    firewall = Counter(moment(event).hour for event in demo() if event["action"] == "firewall.connection_denied")
    assert len(firewall) == 24


def test_nobody_signs_in_before_joining() -> None:
    created = {event["targets"][0]["id"]: moment(event) for event in demo() if event["action"] == "account.created"}
    assert created
    for event in demo():
        if event["action"] == "user.signed_in" and event["actor"]["id"] in created:
            assert moment(event) > created[event["actor"]["id"]] - timedelta(days=1)


def test_who_has_left_does_nothing_any_more_but_in_the_incident() -> None:
    gone = {event["targets"][0]["id"]: moment(event) for event in demo() if event["action"] == "account.deleted"}
    assert len(gone) == 3
    late = [
        event["action"]
        for event in demo()
        if event["actor"]["id"] in gone and moment(event) > gone[event["actor"]["id"]]
    ]
    assert sorted(late) == ["access.denied", "user.signed_in"]


def test_releases_carry_milestones_and_an_edit_comes_before_its_milestones() -> None:
    actions = Counter(event["action"] for event in demo())
    assert actions["release.created"] > 40
    created = [event for event in demo() if event["action"] == "release.created"]
    assert any("milestones" in event["metadata"] for event in created)
    assert any("milestones" not in event["metadata"] for event in created)
    for at, event in enumerate(demo()):
        if event["action"] == "release.milestones_changed":
            earlier = [each for each in demo()[max(0, at - 5) : at] if each["action"] == "release.updated"]
            assert [each["metadata"]["tag"] for each in earlier][-1] == event["metadata"]["tag"]


def test_a_renamed_policy_is_a_delete_and_a_create_that_name_each_other() -> None:
    deleted = next(event for event in demo() if event["action"] == "security_policy.deleted")
    renamed = next(
        event for event in demo() if event["action"] == "security_policy.created" and "supersedes" in event["metadata"]
    )
    assert deleted["metadata"]["supersedes"] == renamed["targets"][0]["name"]
    assert renamed["metadata"]["supersedes"] == deleted["targets"][0]["name"]


@pytest.mark.parametrize(
    ("action", "count_min"),
    [
        ("user.sign_in_failed", 64), ("audit_logging.disabled", 1), ("branch_protection.removed", 1),
        ("policy.violated", 1), ("malware.detected", 1), ("audit_log.cleared", 1), ("clock.adjusted", 1),
        ("account.reactivated", 1), ("firewall.rule_added", 1), ("intrusion.attempted", 20), ("role.assigned", 1),
    ],
)  # fmt: skip
def test_the_incidents_are_there_to_be_found(action: str, count_min: int) -> None:
    assert sum(event["action"] == action for event in demo()) >= count_min


def test_a_burst_of_failures_ends_in_a_success_and_an_export() -> None:
    attack = [event["action"] for event in demo() if event.get("context", {}).get("ip") == "198.18.44.7"]
    assert attack == ["user.sign_in_failed"] * 64 + ["user.signed_in", "mfa.factor_enrolled", "record.exported"]


def test_a_smaller_demo_keeps_the_incidents() -> None:
    small = list(generate(7, END_US, 1000))
    assert len(small) == 1000
    assert sum(event["action"] == "audit_logging.disabled" for event in small) == 1
    assert len(INCIDENTS) >= 8
