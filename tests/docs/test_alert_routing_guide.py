"""The routes in the guide are good as they stand, and the guide names the defaults that there are."""

from __future__ import annotations

import re

from tests.paths import ROOT

from tallystick.alert.notify.courier import REFUSALS_MAX, TRIES_MAX
from tallystick.alert.notify.matchers import LABELS
from tallystick.alert.notify.model import Why
from tallystick.alert.notify.routing_text import _ROUTE, _TOP, parse_routing
from tallystick.durations import format_duration

GUIDE = (ROOT / "docs/guide/alert-routing.md").read_text(encoding="utf-8")


def test_the_routes_in_the_guide_do_what_it_says() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    dedented = "\n".join(line.removeprefix("   ") for line in text.splitlines())
    routing = parse_routing(dedented, {"ops", "pager", "head-of-security", "payments"})
    asked = {"severity": "critical", "scope": "acme/payments/api", "kind": "x", "team": "payments", "owner": ""}
    assert [route.receiver for route in routing.route.find(asked)] == ["pager"]
    asked["severity"] = "high"
    assert [route.receiver for route in routing.route.find(asked)] == ["payments"]
    assert routing.team_of("acme/payments/api") == "payments"


def test_the_guide_names_every_key_label_and_reason_with_the_defaults() -> None:
    for name in (*_TOP, *_ROUTE):
        assert f"`{name}`" in GUIDE or f"{name}:" in GUIDE, name
    for name in (*LABELS, *(f"*{why.value}*" for why in Why)):
        assert name in GUIDE, name
    route = parse_routing("route: {receiver: a}").route
    for name in ("group_wait", "critical_wait", "group_interval", "repeat_interval"):
        assert f"`{name}` ({format_duration(getattr(route, f'{name}_s'))})" in GUIDE
    assert (TRIES_MAX, REFUSALS_MAX) == (10, 3), "the guide says ten and three"
