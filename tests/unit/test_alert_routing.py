"""Where alerts go: the tree, matchers and inhibition, held against what Alertmanager's documentation says of them."""

from __future__ import annotations

import pytest

from tallystick.alert.notify.errors import MatcherInvalidError, RoutingInvalidError
from tallystick.alert.notify.matchers import matches, parse_matchers
from tallystick.alert.notify.routing import Routing
from tallystick.alert.notify.routing_text import parse_routing, plain_routing

TREE = """
route:
  receiver: ops                       # who is told of all else
  group_by: [scope, kind]
  group_wait: 30s
  routes:
  - matchers: ['severity="critical"']
    receiver: pager
    group_wait: 10s
    continue: true
  - matchers: [scope="acme/payments"]
    receiver: payments
    repeat_interval: 1h
    routes:
    - matchers: ['kind=~"login-.*"']
      receiver: identity
      group_by: [kind]
    - matchers: ['severity!~"low|informational"', team="gold"]
      group_interval: 1m
  - matchers: ['owner="ana"']
    receiver: ana
  - matchers: ['severity="critical"', 'kind="disk"']
    receiver: never
teams:
- {name: gold, scopes: [acme/payments/api]}
- {name: silver, scopes: [acme]}
"""


def labels(**changes: str) -> dict[str, str]:
    return {"severity": "high", "scope": "other", "kind": "disk", "team": "", "owner": "", **changes}


@pytest.mark.parametrize(
    ("alert", "receivers"),
    [
        (labels(), ["ops"]),
        (labels(severity="critical"), ["pager", "never"]),
        (labels(severity="critical", kind="x"), ["pager"]),
        (labels(severity="critical", scope="acme/payments", kind="x"), ["pager", "payments"]),
        (labels(scope="acme/payments"), ["payments"]),
        (labels(scope="acme/payments/api"), ["payments"]),
        (labels(scope="acme/payments-old"), ["ops"]),
        (labels(scope="acme/payment"), ["ops"]),
        (labels(scope="acme"), ["ops"]),
        (labels(scope="ACME/payments"), ["ops"]),
        (labels(scope="acme/payments", kind="login-failed"), ["identity"]),
        (labels(scope="acme/payments", kind="my-login-failed"), ["payments"]),
        (labels(scope="acme/payments", kind="login"), ["payments"]),
        (labels(scope="acme/payments", owner="ana"), ["payments"]),
        (labels(owner="ana"), ["ana"]),
        (labels(owner="ana", severity="critical", kind="x"), ["pager", "ana"]),
        (labels(severity="critical", owner="ana", kind="disk"), ["pager", "ana"]),
        (labels(scope="acme/payments", severity="low", team="gold"), ["payments"]),
        (labels(kind=""), ["ops"]),
        (labels(scope=""), ["ops"]),
    ],
)
def test_an_alert_goes_to_the_first_child_that_matches_and_on_where_that_continues(
    alert: dict[str, str], receivers: list[str]
) -> None:
    assert [route.receiver for route in parse_routing(TREE).route.find(alert)] == receivers


def test_children_inherit_all_but_the_matchers_and_the_times_of_the_day() -> None:
    root = parse_routing(TREE).route
    pager, payments, *_ = root.routes
    identity, gold = payments.routes
    assert (pager.group_wait_s, pager.group_by, pager.group_interval_s) == (10, ("kind", "scope"), 300)
    assert (payments.repeat_interval_s, root.repeat_interval_s) == (3600, 4 * 3600)
    assert (identity.group_by, identity.repeat_interval_s, identity.goes_on) == (("kind",), 3600, False)
    assert (gold.receiver, gold.group_interval_s) == ("payments", 60)
    muted = parse_routing(
        "route: {receiver: a, active_time_intervals: [n], routes: [{receiver: b}]}\n"
        "time_intervals: [{name: n, time_intervals: [{months: [may]}]}]"
    )
    assert muted.route.active == ("n",)
    assert muted.route.routes[0].active == ()


def test_the_usual_times_are_those_of_alertmanager_and_nobody_waits_for_what_is_critical() -> None:
    route = parse_routing("route: {receiver: a}").route
    assert (route.group_wait_s, route.group_interval_s, route.repeat_interval_s) == (30, 300, 14_400)
    assert (route.wait_s("high"), route.wait_s("critical")) == (30, 0)


def test_the_team_of_an_alert_is_that_of_the_deepest_scope() -> None:
    routing = parse_routing(TREE)
    scopes = ("acme/payments/api/x", "acme/payments", "acme", "acmes", "")
    assert [routing.team_of(each) for each in scopes] == ["gold", "silver", "silver", "", ""]


@pytest.mark.parametrize(
    ("text", "alert", "holds"),
    [
        ('severity="high"', labels(), True),
        ('severity="hig"', labels(), False),
        ('severity=~"hig"', labels(), False),
        ('severity=~"hig."', labels(), True),
        ('severity=~"high|critical"', labels(), True),
        ('severity!~"high|critical"', labels(), False),
        ('severity!="low"', labels(), True),
        ('owner=""', labels(), True),
        ('owner!=""', labels(), False),
        ('owner=~".+"', labels(), False),
        ('owner=~".*"', labels(), True),
        ('{severity="high",kind!="x"}', labels(), True),
        ('severity="high", kind="x"', labels(), False),
        ("severity=high", labels(), True),
        (r'kind="a\"b\\c\n"', labels(kind='a"b\\c\n'), True),
        ('kind="a,b}"', labels(kind="a,b}"), True),
        ('kind=~"(?i)DISK"', labels(), True),
        ('scope="/"', labels(), True),
        ('scope!="acme"', labels(scope="acme/x"), False),
        ('scope=~"acme/[^/]+"', labels(scope="acme/x/y"), False),
        ("", labels(), True),
    ],
)
def test_a_matcher_means_what_it_means_in_alertmanager_and_scopes_are_whole_segments(
    text: str, alert: dict[str, str], holds: bool
) -> None:
    found = parse_matchers(text)
    assert matches(found, alert) is holds
    assert parse_matchers(", ".join(map(str, found))) == found


@pytest.mark.parametrize("text", ['colour="red"', "severity", 'severity=="x"', 'kind=~"("', 'kind="a" "b"', 'kind="a'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(MatcherInvalidError):
        parse_matchers(text)


def test_an_expression_that_takes_for_ever_elsewhere_is_quick() -> None:
    (found,) = parse_matchers('kind=~"(a*)*b"')
    assert not found.matches(labels(kind="a" * 500))


def inhibiting(**rule: object) -> Routing:
    import json

    usual = {"source_matchers": ['severity="critical"'], "target_matchers": ['severity="high"'], **rule}
    return parse_routing(json.dumps({"route": {"receiver": "a"}, "inhibit_rules": [usual]}))


@pytest.mark.parametrize(
    ("rule", "source", "target", "quiet"),
    [
        ({}, labels(severity="critical"), labels(), True),
        ({}, labels(severity="low"), labels(), False),
        ({}, labels(severity="critical"), labels(severity="low"), False),
        ({"equal": ["scope"]}, labels(severity="critical", scope="a"), labels(scope="b"), False),
        ({"equal": ["scope"]}, labels(severity="critical", scope="a"), labels(scope="a"), True),
        ({"equal": ["owner"]}, labels(severity="critical"), labels(), True),
        ({"target_matchers": []}, labels(severity="critical"), labels(severity="critical"), False),
        ({"target_matchers": []}, labels(severity="critical"), labels(severity="low"), True),
    ],
)
def test_inhibition_needs_both_sides_and_equal_labels_and_nothing_inhibits_its_like(
    rule: dict[str, object], source: dict[str, str], target: dict[str, str], quiet: bool
) -> None:
    (found,) = inhibiting(**rule).inhibitions
    assert found.inhibits(source, target) is quiet


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("route:\n  receiver: ops\n  colour: red", (3, 3), "not known"),
        ("route:\n  receiver: ops\n  group_wait: soon", (3, 15), "30s"),
        ("route:\n  receiver: ops\n  group_by: [scope, colour]", (3, 21), "no label"),
        ("route:\n  receiver: ops\n  matchers: [severity=high]", (2, 3), "every alert"),
        ("route:\n  receiver: ops\n  routes:\n  - matchers: ['x=1']", (4, 16), "no label"),
        ("route:\n  receiver: ops\n  routes:\n  - receiver: ghost", (4, 15), "no receiver"),
        ("route:\n  receiver: ops\n  mute_time_intervals: [never]", (3, 25), "no time interval"),
        ("route:\n  receiver: ops\n  receiver: ops", (3, 3), "twice"),
        ("route: {group_by: [scope]}", (1, 8), "receiver is missing"),
        ("teams: []", (1, 1), "route is missing"),
        ("route:\n  receiver: &x ops", (2, 13), "anchors"),
        ("route:\n  receiver: !!str ops", (2, 13), "tags"),
        ("route: [", (1, 9), "expected"),
        ("", (1, 1), "empty"),
        ("route:\n  receiver: ops\n  repeat_interval: 0s", (3, 20), "more than 0"),
        (
            "route: {receiver: ops, escalation: [{after: 5m, receiver: ops}, {after: 5m, receiver: ops}]}",
            (1, 73),
            "later",
        ),
        (
            "route: {receiver: ops}\ntime_intervals: [{name: n, time_intervals: [{location: Mars/Base}]}]",
            (2, 56),
            "no time zone",
        ),
        (
            "route: {receiver: ops}\ntime_intervals: [{name: n, time_intervals: [{times: [{start_time: '22:00', end_time: '06:00'}]}]}]",
            (2, 54),
            "past midnight",
        ),
    ],
)
def test_each_mistake_is_named_with_its_line_and_column(text: str, place: tuple[int, int], why: str) -> None:
    with pytest.raises(RoutingInvalidError, match=why) as caught:
        parse_routing(text, {"ops"})
    assert (caught.value.line, caught.value.column) == place


def test_the_text_without_its_comments_means_the_same() -> None:
    plain = plain_routing(TREE)
    assert "who is told" not in plain
    assert parse_routing(plain) == parse_routing(TREE)


def test_a_route_keeps_its_name_when_another_is_put_before_it() -> None:
    before = parse_routing("route: {receiver: a, routes: [{matchers: [kind=x], receiver: b}]}").route.routes[0]
    after = parse_routing(
        "route: {receiver: a, routes: [{matchers: [kind=y], receiver: c}, {matchers: [kind=x], receiver: b}]}"
    ).route.routes[1]
    assert before.key == after.key
    twice = parse_routing(
        "route: {receiver: a, routes: [{matchers: [kind=x], continue: true}, {matchers: [kind=x]}]}"
    ).route
    assert len({route.key for route in twice.walk()}) == 3
