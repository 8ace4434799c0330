"""What is read of a rule, a correlation and a filter."""

from __future__ import annotations

import pytest
from tests.sigma_text import rule_of

from tallystick.sigma import (
    Bound,
    Correlation,
    CorrelationType,
    Filter,
    Level,
    Logsource,
    Operator,
    Place,
    Related,
    Rule,
    Status,
    fields_of,
    load,
    placeholders_of,
)

RULE = b"""\
title: Keys for another
id: 929A690E-bef0-4204-a928-ef5e620d6fcc
name: keys_for_another
related:
  - id: 08fbc97d-0a2f-491c-ae21-8ffcfd3174e9
    type: derived
status: test
description: |
  Someone makes keys
  for someone else.
license: Apache-2.0
author: Ada, Grace
references: [https://example.org/1, 'https://example.org/2']
date: 2026-11-21
modified: 2026-11-22
tags: [attack.persistence, attack.t1098.001]
logsource:
  category: audit
  product: aws
  service: cloudtrail
  definition: Management events must be on.
  collected_by: someone
detection:
  selection: {eventName: CreateAccessKey}
  condition: selection
fields: [userIdentity.arn]
falsepositives: Administrators
level: high
scope: [server]
tallystick:
  kind: sigma
  samples: [{match: true, events: [{eventName: CreateAccessKey, n: 1}]}]
"""

CORRELATION = b"""\
title: Many failures, then success
id: 0e95725d-7320-415d-80f7-004da920fc11
correlation:
  type: temporal_ordered
  rules: [many_failures, success]
  group-by: [user, address]
  timespan: 90m
  aliases:
    user: {many_failures: target.user, success: actor.user}
  generate: true
level: critical
"""

FILTER = b"""\
title: Our own scanner
logsource: {product: aws}
filter:
  rules: [keys_for_another, 929a690e-bef0-4204-a928-ef5e620d6fcc]
  scanner: {userAgent|startswith: scanner}
  condition: not scanner
"""


def test_a_rules_head_is_kept_whole() -> None:
    [rule] = load(RULE)
    assert isinstance(rule, Rule)
    head = rule.head
    assert (head.title, head.name, head.place) == ("Keys for another", "keys_for_another", Place(1, 1))
    assert head.id == "929a690e-bef0-4204-a928-ef5e620d6fcc"
    assert head.related == (Related("08fbc97d-0a2f-491c-ae21-8ffcfd3174e9", "derived"),)
    assert (head.status, head.level) == (Status.TEST, Level.HIGH)
    assert head.description == "Someone makes keys\nfor someone else.\n"
    assert (head.license, head.author) == ("Apache-2.0", "Ada, Grace")
    assert head.references == ("https://example.org/1", "https://example.org/2")
    assert (head.date, head.modified) == ("2026-11-21", "2026-11-22")
    assert head.tags == ("attack.persistence", "attack.t1098.001")
    assert (head.fields, head.falsepositives, head.scope) == (("userIdentity.arn",), ("Administrators",), ("server",))


def test_keys_that_the_specification_leaves_free_are_kept_with_their_places() -> None:
    [rule] = load(RULE)
    sample = {"match": True, "events": [{"eventName": "CreateAccessKey", "n": 1}]}
    assert rule.head.custom == {"tallystick": {"kind": "sigma", "samples": [sample]}}
    assert rule.head.custom_places == {"tallystick": Place(30, 1)}


def test_a_logsource_has_three_names_and_may_say_more() -> None:
    [rule] = load(RULE)
    assert isinstance(rule, Rule)
    assert rule.logsource == Logsource("audit", "aws", "cloudtrail")


def test_a_correlation_is_read() -> None:
    [correlation] = load(CORRELATION)
    assert isinstance(correlation, Correlation)
    assert correlation.type is CorrelationType.TEMPORAL_ORDERED
    assert correlation.rules == ("many_failures", "success")
    assert correlation.group_by == ("user", "address")
    assert correlation.timespan_us == 90 * 60 * 1_000_000
    assert (correlation.condition, correlation.fields) == ((), ())
    assert correlation.aliases == {"user": {"many_failures": "target.user", "success": "actor.user"}}
    assert correlation.generate
    assert correlation.head.level is Level.CRITICAL


@pytest.mark.parametrize(
    ("kind", "condition", "bounds", "fields"),
    [
        ("event_count", "{gte: 100}", (Bound(Operator.GTE, 100),), ()),
        ("event_count", "{gt: 100, lte: 200}", (Bound(Operator.GT, 100), Bound(Operator.LTE, 200)), ()),
        ("value_count", "{field: user, lt: 3}", (Bound(Operator.LT, 3),), ("user",)),
        ("value_count", "{field: [user, host], lt: 3}", (Bound(Operator.LT, 3),), ("user", "host")),
        ("event_count", "{eq: 0}", (Bound(Operator.EQ, 0),), ()),
        ("event_count", "{neq: 7}", (Bound(Operator.NEQ, 7),), ()),
    ],
)
def test_a_correlations_condition_is_read(
    kind: str, condition: str, bounds: tuple[Bound, ...], fields: tuple[str, ...]
) -> None:
    text = f"title: t\ncorrelation: {{type: {kind}, rules: a, timespan: 1d, condition: {condition}}}\n"
    [correlation] = load(text.encode())
    assert isinstance(correlation, Correlation)
    assert (correlation.condition, correlation.fields) == (bounds, fields)
    assert (correlation.rules, correlation.timespan_us) == (("a",), 86_400_000_000)
    assert not correlation.generate


def test_a_filter_is_read() -> None:
    [tuning] = load(FILTER)
    assert isinstance(tuning, Filter)
    assert tuning.rules == ("keys_for_another", "929a690e-bef0-4204-a928-ef5e620d6fcc")
    assert tuning.logsource == Logsource(product="aws")
    assert tuple(tuning.searches.named) == ("scanner",)


def test_a_file_holds_several_documents_in_their_order() -> None:
    documents = load(b"---\n" + RULE + b"---\n" + CORRELATION + b"---\n# nothing\n---\n" + FILTER)
    assert [type(document) for document in documents] == [Rule, Correlation, Filter]


def test_line_ends_of_windows_are_read() -> None:
    [rule] = load(RULE.replace(b"\n", b"\r\n"))
    assert rule.head.tags == ("attack.persistence", "attack.t1098.001")


def test_an_alias_is_written_out() -> None:
    rule = rule_of("one: {a: &names [x, y]}\ntwo: {b: *names}\ncondition: one and two")
    [item] = [search for name, search in rule.searches.named.items() if name == "two"]
    assert [value.value for value in getattr(item, "values")] == ["x", "y"]  # noqa: B009 one of three kinds


def test_the_fields_and_lists_that_a_rule_asks_for_are_told() -> None:
    rule = rule_of(
        "one: {a.b: x, c|fieldref: d}\ntwo: [{e|expand: '%admins%-%zones%'}, word]\n"
        "unused: {f: x}\ncondition: one and not 1 of tw*"
    )
    assert fields_of(rule) == {"a.b", "c", "d", "e"}
    assert placeholders_of(rule) == {"admins", "zones"}
