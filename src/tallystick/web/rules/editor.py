"""Writing a rule, and a newer version of one; the text can be tried before anything is kept."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency

from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.problem import Problem, problem_of
from tallystick.api.rules_tried import CheckView, check_view
from tallystick.api.services import Services
from tallystick.web.caller import person, require
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.rules.pages import Page
from tallystick.web.rules.rule import REFUSED, Id, rule_view_of

_NEW: Final = ("text", "scope", "reason", "do")
_EDIT: Final = ("text", "version", "reason", "do")
EXAMPLE: Final = """\
title: Somebody reads a secret of production
description: A secret of the production environment was read.
status: experimental
level: medium
logsource: {product: tallystick}
detection:
  read:
    action: secret.read
    targets.id|startswith: prod/
  condition: read
tallystick:
  owner: security
  category: security
  runbook: >
    1. Ask the person what it was for. 2. Rotate the secret where nobody can say.
  response: Confirm within one day.
  controls: ["SOC 2 CC6.1"]
  samples:
  - name: a secret of production
    match: true
    events:
    - {action: secret.read, target: {id: prod/db, type: secret}}
  - name: a secret of a test
    match: false
    events:
    - {action: secret.read, target: {id: test/db, type: secret}}
"""


class EditorPage(msgspec.Struct, frozen=True, kw_only=True):
    """A text being written. `rule` is None for a new one; `checked` is None until it was tried; `wrong` is the line that
    is meant by what was refused.
    """

    rule: str | None
    title: str
    text: str
    version: str
    scope: str
    reason: str
    checked: CheckView | None = None
    wrong: str = ""


@get("/rules/new", sync_to_thread=True)
def new_rule_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the form of a new rule, with an example to begin with."""
    require(person(request, services), Permission.RULES_MANAGE)
    view = EditorPage(rule=None, title="Write a rule", text=EXAMPLE, version="", scope="/", reason="")
    return _editor(request, services, view)


@post("/rules/new", sync_to_thread=True, dependencies=FORM, opt={"fields": _NEW}, status_code=200)
def write_rule_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Try a text, or keep it as a draft."""
    caller, service = person(request, services), services.rules.service
    text = form["text"] + "\n"
    view = EditorPage(
        rule=None, title="Write a rule", text=text, version="", scope=form["scope"] or "/", reason=form["reason"]
    )
    try:
        if form["do"] == "try":
            checked = check_view(*service.check(caller, _bytes(text)))
            return _editor(request, services, msgspec.structs.replace(view, checked=checked))
        made = service.draft(caller, _bytes(text), parse_scope(form["scope"] or "/"), reason=form["reason"])
    except REFUSED as error:
        return _editor(request, services, msgspec.structs.replace(view, wrong=_line(text, error)), problem_of(error))
    return see_other(request, f"/rules/{made}", "A draft. Test it, and have somebody else approve it.")


@get("/rules/{rule_id:str}/edit", sync_to_thread=True)
def edit_rule_page(request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id) -> Page:
    """Return the form with the newest text."""
    caller = person(request, services)
    detail = rule_view_of(services, caller, rule_id, run=False).detail
    require(caller, Permission.RULES_MANAGE, parse_scope(detail.rule.scope))
    newest = detail.versions[0]
    view = EditorPage(
        rule=detail.rule.id,
        title=f"Change {detail.rule.title[:80]}",
        text=newest.text or "",
        version=str(newest.version),
        scope=detail.rule.scope,
        reason="",
    )
    return _editor(request, services, view)


@post("/rules/{rule_id:str}/edit", sync_to_thread=True, dependencies=FORM, opt={"fields": _EDIT}, status_code=200)
def change_rule_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], rule_id: Id, form: NamedDependency[Form]
) -> Page:
    """Try a text, or keep it as the newest version."""
    caller, service = person(request, services), services.rules.service
    detail = rule_view_of(services, caller, rule_id, run=False).detail
    text = form["text"] + "\n"
    view = EditorPage(
        rule=detail.rule.id,
        title=f"Change {detail.rule.title[:80]}",
        text=text,
        version=form["version"],
        scope=detail.rule.scope,
        reason=form["reason"],
    )
    try:
        if form["do"] == "try":
            checked = check_view(*service.check(caller, _bytes(text)))
            return _editor(request, services, msgspec.structs.replace(view, checked=checked))
        seen = int(form["version"]) if form["version"].isdecimal() and len(form["version"]) < 10 else -1
        number = service.change(caller, rule_id, _bytes(text), seen, form["reason"])
    except REFUSED as error:
        return _editor(request, services, msgspec.structs.replace(view, wrong=_line(text, error)), problem_of(error))
    return see_other(request, f"/rules/{rule_id}", f"Version {number} is kept. Test it, and have it approved.")


def _editor(
    request: Request[Any, Any, Any], services: Services, view: EditorPage, problem: Problem | None = None
) -> Page:
    status = 200 if problem is None else problem.status
    return render(request, services, "rules/editor.html", view, title=view.title, status=status, problem=problem)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _line(text: str, error: Exception) -> str:
    """Return the line of the text that an error is about."""
    lines, line = text.split("\n"), getattr(error, "line", None)
    return lines[line - 1] if isinstance(line, int) and 0 < line <= len(lines) else ""
