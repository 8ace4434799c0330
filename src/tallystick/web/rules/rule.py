"""One detection rule: what it says and whether its samples come out, its versions, and every step of its life."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.problem import Problem, problem_of
from tallystick.api.rules_tried import SampleView, sample_views
from tallystick.api.rules_views import RuleDetail, VersionView, detail_view
from tallystick.api.services import Services
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.rules.pages import Page

Id = Annotated[str, PathParameter(description="The id of a rule.")]
REFUSED: Final = (InvalidInputError, ConflictError, ForbiddenError)
_FRESH: Final = frozenset({"approve", "enable", "disable", "retire"})
_SAID: Final = {
    "approve": "Approved: it can be enabled.",
    "reject": "Rejected.",
    "enable": "Enabled: it watches from the next event on.",
    "disable": "Disabled: it does not watch any more.",
    "retire": "The rule is retired.",
}


class RuleStepUnknownError(NotFoundError):
    """There is nothing of this name to be done with a rule."""

    code = "rule-step-unknown"
    advice = "Use the buttons of the page."


class RulePage(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its text and what comes of its samples, and what the caller may do with it.

    `waiting` is the newest version where it is not in force, `wrong` why the samples cannot be run.
    """

    detail: RuleDetail
    text: str | None
    samples: list[SampleView]
    wrong: str
    waiting: VersionView | None
    names: dict[str, str]
    can_manage: bool
    can_approve: bool
    can_enable: str


@get("/rules/{rule_id:str}", sync_to_thread=True)
def rule_page(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> Page:
    """Return one rule. The look is recorded."""
    return show_rule(request, services, rule_id)


@get("/rules/{rule_id:str}/versions", sync_to_thread=True)
def rule_versions_page(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> Page:
    """Return every version with its difference and its approval, and the history. The look is recorded."""
    caller = person(request, services)
    view = rule_view_of(services, caller, rule_id, run=False)
    return render(request, services, "rules/versions.html", view, title=f"Versions of {view.detail.rule.title[:80]}")


@post(
    "/rules/{rule_id:str}/{step:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("digest", "reason")},
    status_code=200,
)
def step_rule_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    rule_id: Id,
    step: Annotated[str, PathParameter(description="What to do.")],
    form: NamedDependency[Form],
) -> Page:
    """Test, approve, reject, enable, disable or retire a rule."""
    caller = person(request, services)
    if step in _FRESH and caller.session is not None:
        services.sessions.require_fresh(caller)
    try:
        said = _step(services, caller, rule_id, step, form)
    except REFUSED as error:
        return show_rule(request, services, rule_id, problem_of(error))
    return see_other(request, f"/rules/{rule_id}", said)


def show_rule(
    request: Request[Any, Any, Any], services: Services, rule_id: str, problem: Problem | None = None
) -> Page:
    """Return the page of a rule, with what was refused."""
    view = rule_view_of(services, person(request, services), rule_id)
    status = 200 if problem is None else problem.status
    title = view.detail.rule.title[:80]
    return render(request, services, "rules/rule.html", view, title=title, status=status, problem=problem)


def rule_view_of(services: Services, caller: Caller, rule_id: str, *, run: bool = True) -> RulePage:
    """Return what the pages of a rule show."""
    detail = detail_view(services.rules.reading.rule(caller, rule_id))
    rule, newest = detail.rule, detail.versions[0]
    lives, scope = rule.state != "retired", parse_scope(rule.scope)
    text = next((each.text for each in detail.versions if each.version == rule.version), None)
    samples, wrong = _samples(services, caller, text) if run and text is not None else ([], "")
    people = {each for one in detail.versions for each in (one.drafted_by, one.decided_by) if each}
    people |= {each.by for each in detail.history}
    waits = rule.newest != rule.version or rule.state not in {"enabled", "disabled", "retired"}
    return RulePage(
        detail=detail,
        text=text,
        samples=samples,
        wrong=wrong,
        waiting=newest if lives and waits else None,
        names=dict(services.grants.names(people)),
        can_manage=lives and caller.rights.allows(Permission.RULES_MANAGE, scope),
        can_approve=lives and caller.rights.allows(Permission.RULES_APPROVE, scope) and newest.drafted_by != caller.id,
        can_enable=_to_enable(detail) if lives else "",
    )


def _to_enable(detail: RuleDetail) -> str:
    """Return the digest of the version that could be enabled now, empty where there is none."""
    rule, newest = detail.rule, detail.versions[0]
    if newest.state == "approved" and (rule.state != "enabled" or newest.version != rule.version):
        return newest.digest
    return rule.digest if rule.state == "disabled" else ""


def _samples(services: Services, caller: Caller, text: str) -> tuple[list[SampleView], str]:
    try:
        return sample_views(services.rules.service.check(caller, text.encode())[1]), ""
    except InvalidInputError as error:
        return [], error.message


def _step(services: Services, caller: Caller, rule_id: str, step: str, form: Form) -> str:
    service = services.rules.service
    if step == "test":
        results = service.test(caller, rule_id)
        failed = [each.name for each in results if not each.passed]
        return (
            f"The samples do not come out: {failed[0]}" if failed else f"Tested: all {len(results)} samples come out."
        )
    if step == "approve":
        service.approve(caller, rule_id, form["digest"], form["reason"])
    elif step == "reject":
        service.reject(caller, rule_id, form["digest"], form["reason"])
    elif step == "enable":
        service.enable(caller, rule_id, form["digest"])
    elif step == "disable":
        service.disable(caller, rule_id, form["reason"])
    elif step == "retire":
        service.retire(caller, rule_id, form["reason"])
    else:
        raise RuleStepUnknownError(f"a rule cannot be {step[:32]!r}")
    return _SAID[step]
