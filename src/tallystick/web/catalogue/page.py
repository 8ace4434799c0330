"""Routes of the catalogue: every action by category, one of them with all that is said of it, and undeclared ones."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote_plus

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.catalogue import declared_action, declared_actions
from tallystick.api.services import Services
from tallystick.event.catalogue import CATEGORIES, ActionType
from tallystick.event.catalogue_example import example_of
from tallystick.search.model import Search
from tallystick.web.caller import person
from tallystick.web.page import render


class ActionRow(msgspec.Struct, frozen=True, kw_only=True):
    """An action in the list."""

    name: str
    category: str
    origin: str
    severity: str
    description: str


class Undeclared(msgspec.Struct, frozen=True, kw_only=True):
    """An action that came and is not declared, how often, and the query that finds it."""

    action: str
    count: int
    query: str


class CataloguePage(msgspec.Struct, frozen=True, kw_only=True):
    """The actions that hold the words asked for, and the most frequent undeclared ones."""

    text: str
    category: str
    categories: list[str]
    actions: list[ActionRow]
    total: int
    undeclared: list[Undeclared]
    can_manage: bool


class ActionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One action with everything that the catalogue says of it."""

    name: str
    definition: dict[str, Any]
    example: dict[str, Any] | None
    members: list[str]
    query: str


@get("/catalogue", sync_to_thread=True, opt={"parameters": ("q", "category")})
def catalogue_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    text: Annotated[str, QueryParameter(name="q", description="Words in name or description.")] = "",
    category: Annotated[str, QueryParameter(name="category", description="Only this category.")] = "",
) -> Response[bytes]:
    """Return the declared actions, and what came that is not declared."""
    caller = person(request, services)
    found = declared_actions(services, caller, text, category)
    view = CataloguePage(
        text=text,
        category=category,
        categories=list(CATEGORIES),
        actions=[_row(each) for each in found],
        total=len(services.record.admission.catalogue.types),
        undeclared=_undeclared(services, caller),
        can_manage=caller.rights.anywhere(Permission.CATALOGUE_MANAGE),
    )
    return render(request, services, "catalogue/list.html", view, title="Catalogue")


@get("/catalogue/{action:str}", sync_to_thread=True)
def action_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    action: Annotated[str, PathParameter(description="The name of an action.")],
) -> Response[bytes]:
    """Return one action: what is said, which parts are facts, what belongs in metadata, which controls it serves."""
    kind = declared_action(services, person(request, services), action)
    members = sorted(kind.metadata_schema.get("properties", {}))
    view = ActionPage(
        name=action,
        definition=kind.definition(),
        example=example_of(kind),
        members=members,
        query=quote_plus(f"action:{action}"),
    )
    return render(request, services, "catalogue/action.html", view, title=action)


def _row(kind: ActionType) -> ActionRow:
    return ActionRow(
        name=kind.name,
        category=kind.category,
        origin=kind.origin,
        severity=kind.severity,
        description=kind.description.split(". ")[0].rstrip("."),
    )


def _undeclared(services: Services, caller: Caller) -> list[Undeclared]:
    """Return undeclared actions among the most frequent ones that the caller may read; the reading is recorded."""
    if not caller.read_scopes:
        return []
    declared = services.record.admission.catalogue.types
    facets = services.search.facets(Search(text=""), caller).facets
    values = next((facet.values for facet in facets if facet.field == "action"), ())
    return [
        Undeclared(action=each.value, count=each.count, query=quote_plus(f"action:{each.value}"))
        for each in values
        if each.value is not None and each.value not in declared
    ]


CATALOGUE_PAGES: Final = (catalogue_page, action_page)
