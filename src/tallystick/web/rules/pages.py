"""Every detection rule with where it stands and what it did, and how detection does."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from tallystick.access.permissions import Permission
from tallystick.api.rules_views import RuleView, rule_view
from tallystick.api.services import Services
from tallystick.event.occurred import time_of_us
from tallystick.web.caller import person, require
from tallystick.web.page import render

Page = Response[bytes]
_STATES: Final = ("enabled", "waiting", "disabled", "retired", "flagged", "all")
_WAITING: Final = frozenset({"draft", "tested", "approved", "rejected"})


class RulesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rules in one of the states; `counts` says how many there are in each."""

    rules: list[RuleView]
    shown: str
    counts: dict[str, int]
    can_manage: bool


class SelfTestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in force that would not fire for its own sample."""

    rule: str
    title: str
    why: str


class HealthPage(msgspec.Struct, frozen=True, kw_only=True):
    """How detection does: how far it is, what each rule saw and did, and what came of the last self-test."""

    next_index: int
    lag: int
    lag_s: float
    alarms: int
    erased: int
    blocked: str
    rules: list[RuleView]
    dropped: int
    slowest_ms: float
    tested_at: str | None
    tested: int
    failed: list[SelfTestRow]


@get("/rules", sync_to_thread=True, opt={"parameters": ("show",)})
def rules_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the rules that the caller may see. The look is recorded."""
    caller = person(request, services)
    given = request.query_params.get("show") or ""
    shown = given if given in _STATES else "enabled"
    rules = [rule_view(each) for each in services.rules.reading.rules(caller)]
    view = RulesPage(
        rules=[each for each in rules if _is(each, shown)],
        shown=shown,
        counts={state: sum(_is(each, state) for each in rules) for state in _STATES},
        can_manage=caller.rights.anywhere(Permission.RULES_MANAGE),
    )
    return render(request, services, "rules/list.html", view, title="Detection rules")


@get("/rules/health", sync_to_thread=True)
def rules_health_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return how detection does. The look is recorded."""
    caller = person(request, services)
    require(caller, Permission.RULES_READ, "")
    standing, last = services.detection.standing(), services.rules.tests.last
    rules = [rule_view(each) for each in services.rules.reading.rules(caller)]
    view = HealthPage(
        next_index=standing.next_index,
        lag=standing.lag,
        lag_s=round(standing.lag_s, 1),
        alarms=standing.alarms,
        erased=standing.erased,
        blocked=standing.blocked,
        rules=[each for each in rules if each.state == "enabled"],
        dropped=standing.folds_dropped + sum(each.dropped for each in standing.rules),
        slowest_ms=max((each.slowest_us for each in standing.rules), default=0) / 1000,
        tested_at=None if last is None else time_of_us(last.at_us),
        tested=0 if last is None else last.tried,
        failed=[]
        if last is None
        else [SelfTestRow(rule=rule.id, title=rule.title, why=why) for rule, why in last.failed],
    )
    return render(request, services, "rules/health.html", view, title="Detection health")


def _is(rule: RuleView, state: str) -> bool:
    if state == "waiting":
        return rule.state in _WAITING or (rule.state != "retired" and rule.newest != rule.version)
    if state == "flagged":
        return rule.state == "enabled" and bool(rule.flags)
    return state in {"all", rule.state}
