"""Lists of indicators on pages."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.rules_list_views import ListDetail, ListView, list_detail, list_view
from tallystick.api.rules_lists import moment_of
from tallystick.api.services import Services
from tallystick.detect.lists import Additions
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.rules.pages import Page
from tallystick.web.rules.rule import REFUSED

Name = Annotated[str, PathParameter(description="The name of a list.")]


class ListsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Every list, and what was filled in for a new one."""

    lists: list[ListView]
    can_manage: bool
    typed: dict[str, str]


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """One list with its values, and what was filled in."""

    detail: ListDetail
    can_manage: bool
    typed: dict[str, str]


@get("/rules/lists", sync_to_thread=True)
def indicator_lists_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the lists of indicators. The look is recorded."""
    return _lists(request, services, {})


@post("/rules/lists", sync_to_thread=True, dependencies=FORM, opt={"fields": ("name", "description")}, status_code=200)
def create_list_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Make an empty list."""
    try:
        services.rules.lists.create(person(request, services), form["name"], form["description"])
    except REFUSED as error:
        typed = {name: form[name] for name in ("name", "description")}
        return _lists(request, services, typed, problem_of(error))
    return see_other(request, f"/rules/lists/{form['name']}", "The list is made.")


@get("/rules/lists/{name:str}", sync_to_thread=True)
def indicator_list_page(request: Request[Any, Any, Any], services: NamedDependency[Services], name: Name) -> Page:
    """Return one list with its values. The look is recorded."""
    return _list(request, services, name, {})


@post(
    "/rules/lists/{name:str}",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("values", "until", "source", "note", "remove", "reason")},
    status_code=200,
)
def change_list_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: Name, form: NamedDependency[Form]
) -> Page:
    """Put values on a list, a line each, or take marked ones off."""
    caller = person(request, services)
    values = tuple(each.strip() for each in form["values"].splitlines() if each.strip())
    try:
        until = moment_of(form["until"], services.ledger.status().now) if form["until"] else None
        additions = Additions(values, until, form["source"], form["note"])
        added, removed = services.rules.lists.change(caller, name, additions, form.all("remove"), form["reason"])
    except REFUSED as error:
        typed = {each: form[each] for each in ("values", "until", "source", "note", "reason")}
        return _list(request, services, name, typed, problem_of(error))
    return see_other(request, f"/rules/lists/{name}", f"{added} put on the list, {removed} taken off.")


@post("/rules/lists/{name:str}/delete", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def delete_list_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: Name, form: NamedDependency[Form]
) -> Page:
    """Delete a list that no rule in force uses."""
    del form
    try:
        services.rules.lists.delete(person(request, services), name)
    except REFUSED as error:
        return _list(request, services, name, {}, problem_of(error))
    return see_other(request, "/rules/lists", "The list is deleted.")


def _lists(
    request: Request[Any, Any, Any], services: Services, typed: dict[str, str], problem: Problem | None = None
) -> Page:
    caller, now_us = person(request, services), services.ledger.status().now
    view = ListsPage(
        lists=[list_view(each, now_us) for each in services.rules.lists.list(caller)],
        can_manage=caller.rights.allows(Permission.RULES_MANAGE, ""),
        typed=typed,
    )
    status = 200 if problem is None else problem.status
    title = "Lists of indicators"
    return render(request, services, "rules/lists.html", view, title=title, status=status, problem=problem)


def _list(
    request: Request[Any, Any, Any],
    services: Services,
    name: str,
    typed: dict[str, str],
    problem: Problem | None = None,
) -> Page:
    caller = person(request, services)
    view = ListPage(
        detail=list_detail(services.rules.lists.get(caller, name), services.ledger.status().now),
        can_manage=caller.rights.allows(Permission.RULES_MANAGE, ""),
        typed=typed,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "rules/one_list.html", view, title=name[:64], status=status, problem=problem)
