"""Rules over given events: what is asked of which, what fires, and how firings fold."""

from __future__ import annotations

from typing import Any

import pytest
from tests.detect_world import DELETED, HOUR, MANY_FAILED, START, S, enabled, subject

from tallystick.detect.logsources import Logsources, parse_bindings, shipped_bindings
from tallystick.detect.replay import Replay, RuleUnfitError, replay
from tallystick.detect.subject import Subject
from tallystick.event.located_yaml import YamlTextError
from tallystick.sigma import Logsource

MINUTE = 60 * S


def vendor(index: int, raw: Any, kind: str = "api") -> Subject:
    """Return an event that keeps what its vendor sent."""
    return subject(index, START + index * S, "vendor.event", raw=raw, source_kind=kind)


CLOUDTRAIL = """
title: A trail was stopped
logsource: {product: aws, service: cloudtrail}
detection:
  stopped: {eventSource: cloudtrail.amazonaws.com, eventName: StopLogging}
  condition: stopped
"""
GOOGLE = """
title: A key was made
logsource: {product: gcp, service: gcp.audit}
detection:
  made: {gcp.audit.method_name|contains: CreateServiceAccountKey}
  condition: made
"""
SSH = """
title: A strange word in the log of sshd
logsource: {product: linux, service: sshd}
detection:
  words: ['error in libcrypto']
  condition: words
"""
EVENTS: dict[str, tuple[str, Any, str, bool]] = {
    "by what the vendor's event holds": (
        CLOUDTRAIL, {"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging"}, "api", True),
    "another operation": (
        CLOUDTRAIL, {"eventSource": "cloudtrail.amazonaws.com", "eventName": "StartLogging"}, "api", False),
    "the same words from another vendor": (
        CLOUDTRAIL, {"eventSource": "cloudtrail.amazonaws.com", "event": "StopLogging"}, "api", False),
    "a field that the vendor calls otherwise": (
        GOOGLE, {"protoPayload": {"methodName": "google.iam.admin.v1.CreateServiceAccountKey"}}, "api", True),
    "a text by the kind of its source": (SSH, "sshd[7]: error in libcrypto", "sshd", True),
    "a text of another source": (SSH, "sshd[7]: error in libcrypto", "nginx", False),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTS)
def test_rules_about_vendors_events_see_those_of_their_logsource(name: str) -> None:
    text, raw, kind, matches = EVENTS[name]
    assert bool(replay([enabled(text)], [vendor(0, raw, kind)])) is matches


def test_a_rule_of_the_product_sees_fields_of_the_event_and_its_source() -> None:
    rule = enabled(DELETED.replace("action: record.deleted", "source: app, source_kind: api, actor.id: ana"))
    assert len(replay([rule], [subject(0, START)])) == 1
    assert replay([rule], [subject(0, START, source="other")]) == []


def test_a_category_of_the_product_is_that_of_the_catalogue() -> None:
    rule = enabled(DELETED.replace("{product: tallystick}", "{product: tallystick, category: application}"))
    assert len(replay([rule], [subject(0, START)])) == 1
    other = enabled(DELETED.replace("{product: tallystick}", "{product: tallystick, category: network}"))
    assert replay([other], [subject(0, START)]) == []


def test_the_products_own_alerts_are_not_matched_but_a_senders_event_of_that_name_is() -> None:
    rule = enabled(DELETED.replace("record.deleted", "alert.opened"))
    assert replay([rule], [subject(0, START, "alert.opened", source_kind="product")]) == []
    assert len(replay([rule], [subject(0, START, "alert.opened")])) == 1


def test_a_correlation_names_its_numbers_and_its_events() -> None:
    events = [subject(n, START + n * MINUTE, "user.sign_in_failed") for n in range(3)]
    (alarm,) = replay([enabled(MANY_FAILED)], events)
    assert alarm.sentence == (
        "actor.id ana: 3 events within 10 min (at least 3 fires), from 2026-01-05T10:00:00Z to 2026-01-05T10:02:00Z."
    )
    assert alarm.indexes == (0, 1, 2)
    assert alarm.key == "actor.id=ana"


def test_events_count_at_the_time_that_they_claim_within_the_lateness_of_the_rule() -> None:
    late = [
        subject(0, START, "user.sign_in_failed"),
        subject(1, START + MINUTE, "user.sign_in_failed"),
        subject(2, START + 50 * MINUTE, "user.sign_in_failed", occurred_us=START + 2 * MINUTE),
    ]
    assert len(replay([enabled(MANY_FAILED)], late)) == 1, "an hour is allowed"
    strict = MANY_FAILED.replace("lateness: 1h", "lateness: 15m")
    assert replay([enabled(strict)], late) == []


def test_a_sender_cannot_spread_its_events_by_claims_beyond_the_lateness() -> None:
    spread = [subject(n, START + n * S, "user.sign_in_failed", occurred_us=START - n * 24 * HOUR) for n in range(1, 4)]
    assert len(replay([enabled(MANY_FAILED)], spread)) == 1


def test_a_rule_that_stands_by_itself_alerts_though_a_correlation_of_another_text_refers_to_it() -> None:
    base = enabled(DELETED.replace("title: A record was deleted", "title: Gone\nname: deleted"), "base")
    many = enabled(
        "title: Many gone\ncorrelation:\n  type: event_count\n  rules: [deleted]\n  group-by: [actor.id]\n"
        "  timespan: 1h\n  condition: {gte: 2}\n",
        "many",
    )
    alarms = replay([base, many], [subject(n, START + n * S) for n in range(2)])
    assert [each.kind for each in alarms] == ["base", "many"]


def test_documents_that_serve_a_correlation_alert_only_where_it_says_generate() -> None:
    events = [subject(0, START, "user.sign_in_failed")]
    assert replay([enabled(MANY_FAILED)], events) == []
    generating = MANY_FAILED.replace("  timespan: 10m", "  timespan: 10m\n  generate: true")
    assert len(replay([enabled(generating)], events)) == 1


def test_a_correlation_with_what_is_not_in_force_is_unfit() -> None:
    lonely = MANY_FAILED.replace("rules: [failed]", "rules: [elsewhere]")
    with pytest.raises(RuleUnfitError, match="'elsewhere', which is not in force"):
        replay([enabled(lonely)], [])


def test_rules_give_the_same_alarms_together_as_alone() -> None:
    events = [subject(n, START + n * S, "user.sign_in_failed", actor=f"u{n % 3}") for n in range(60)]
    texts = [MANY_FAILED.replace("gte: 3", f"gte: {count}") for count in range(3, 12)]
    rules = [enabled(text, f"r-{number}") for number, text in enumerate(texts)]
    together = replay(rules, events)
    alone = [alarm for rule in rules for alarm in replay([rule], events)]
    assert {each.occasion for each in together} == {each.occasion for each in alone}
    assert len(together) == len(alone)


def test_three_thousand_rules_of_one_source_all_fire() -> None:
    rules = [
        enabled(DELETED.replace("record.deleted", f"thing.number_{number}"), f"r-{number}") for number in range(3000)
    ]
    events = [subject(n, START + n * S, f"thing.number_{n}") for n in range(3000)]
    assert {each.kind for each in replay(rules, events)} == {each.id for each in rules}


def test_the_first_firing_is_told_at_once_and_later_ones_in_counts_that_add_up() -> None:
    events = [subject(n, START + n * 10 * S) for n in range(30)]
    alarms = replay([enabled(DELETED)], events, until_us=START + HOUR)
    assert alarms[0].count == 1
    assert sum(each.count for each in alarms) == 30
    assert len(alarms) <= 7, "at most one a minute"
    assert len({each.occasion for each in alarms}) == len(alarms)


def test_each_group_is_told_at_once() -> None:
    events = [subject(n, START + n * S, actor=f"u{n}") for n in range(50)]
    assert len(replay([enabled(DELETED)], events)) == 50


def test_after_a_while_without_firings_the_next_is_told_at_once_again() -> None:
    events = [subject(0, START), subject(1, START + 3 * MINUTE)]
    assert [each.count for each in replay([enabled(DELETED)], events)] == [1, 1]


def test_when_time_is_noticed_to_have_passed_changes_nothing() -> None:
    events = [subject(n, START + n * 25 * S, actor=f"u{n % 2}") for n in range(40)]
    silence = DELETED.replace("title: A record was deleted", "title: Silent")
    rules = [
        enabled(DELETED),
        enabled(silence + "tallystick: {kind: silence, group_by: [actor.id], expect: 1m}\n", "quiet"),
    ]
    events += [subject(40 + n, START + HOUR + n * MINUTE, actor="u0") for n in range(10)]
    often, seldom = Replay(rules), Replay(rules)
    told: list[list[str]] = [[], []]
    before = START
    for each in events:
        for at in range(before, each.received_us, 7 * S):
            told[0] += [alarm.occasion for alarm in often.end(at)]
        before = each.received_us
        told[0] += [alarm.occasion for alarm in often.feed(each)]
        told[1] += [alarm.occasion for alarm in seldom.feed(each)]
    for run, found in zip((often, seldom), told, strict=True):
        found += [alarm.occasion for alarm in run.end(START + 3 * HOUR)]
    assert sorted(told[0]) == sorted(told[1])
    assert len(set(told[0])) == len(told[0]) > 10


def test_every_logsource_that_comes_with_the_product_is_known_and_unknown_ones_are_not() -> None:
    known = Logsources(shipped_bindings())
    assert known.is_known(Logsource(product="github", service="audit"))
    assert known.is_known(Logsource(category="webserver"))
    assert known.is_known(Logsource(product="tallystick"))
    assert not known.is_known(Logsource(product="windows", service="sysmon"))


def test_bindings_that_are_wrong_are_refused_with_their_line() -> None:
    with pytest.raises(YamlTextError) as caught:
        parse_bindings(b"format: 1\nlogsources:\n- {product: x, kinds: [y]}\n- {product: z}\n", "mine.yaml")
    assert caught.value.line == 4
