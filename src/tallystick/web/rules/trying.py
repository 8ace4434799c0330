"""A rule tried on history, and explained on one event."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency

from tallystick.api.problem import problem_of
from tallystick.api.rules_tried import BacktestView, ExplainedView, backtest_view, explained_view
from tallystick.api.rules_views import RuleView, VersionView
from tallystick.api.services import Services
from tallystick.errors import ConflictError, InvalidInputError, NotFoundError
from tallystick.web.caller import person
from tallystick.web.page import render
from tallystick.web.rules.pages import Page
from tallystick.web.rules.rule import Id, rule_view_of


class BacktestPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a backtest and what came of it; `found` is None until it was asked for."""

    rule: RuleView
    versions: list[VersionView]
    start: str
    end: str
    version: int
    found: BacktestView | None


class ExplainPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an explanation and the explanation; `found` is None until it was asked for."""

    rule: RuleView
    versions: list[VersionView]
    event: str
    version: int
    found: ExplainedView | None


@get("/rules/{rule_id:str}/backtest", sync_to_thread=True, opt={"parameters": ("from", "to", "version")})
def rule_backtest_page(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> Page:
    """Return how a version would have done over a time. The reading is recorded."""
    caller, given = person(request, services), request.query_params
    about = rule_view_of(services, caller, rule_id, run=False).detail
    start, end = given.get("from") or "", given.get("to") or "now"
    version = _number(given.get("version"), about.rule.version)
    found, problem = None, None
    if start:
        try:
            found = backtest_view(services.rules.backtests.run(caller, rule_id, start, end, version=version))
        except (InvalidInputError, ConflictError, NotFoundError) as error:
            problem = problem_of(error)
    view = BacktestPage(
        rule=about.rule, versions=about.versions, start=start or "-7d", end=end, version=version, found=found
    )
    status = 200 if problem is None else problem.status
    title = f"Backtest of {about.rule.title[:80]}"
    return render(request, services, "rules/backtest.html", view, title=title, status=status, problem=problem)


@get("/rules/{rule_id:str}/explain", sync_to_thread=True, opt={"parameters": ("event", "version")})
def rule_explain_page(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> Page:
    """Return why a version matches an event or does not. The reading is recorded."""
    caller, given = person(request, services), request.query_params
    about = rule_view_of(services, caller, rule_id, run=False).detail
    event, version = given.get("event") or "", _number(given.get("version"), about.rule.version)
    found, problem = None, None
    if event:
        try:
            found = explained_view(services.rules.backtests.explain(caller, rule_id, event, version=version))
        except (InvalidInputError, ConflictError, NotFoundError) as error:
            problem = problem_of(error)
    view = ExplainPage(rule=about.rule, versions=about.versions, event=event, version=version, found=found)
    status = 200 if problem is None else problem.status
    title = f"Explain {about.rule.title[:80]}"
    return render(request, services, "rules/explain.html", view, title=title, status=status, problem=problem)


def _number(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else usual
