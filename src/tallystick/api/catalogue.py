"""The catalogue over HTTP, and what its pages say too: the declared actions, each with an event as an example."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.api.commands import need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.errors import NotFoundError
from tallystick.event.catalogue import ActionType
from tallystick.event.catalogue_example import example_of


class ActionUndeclaredError(NotFoundError):
    """The catalogue does not declare this action."""

    code = "action-undeclared"
    advice = "It is accepted all the same; declare it in a file of your own to give it a message, facts and controls."


class ActionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An action with everything that the catalogue says of it, and an event as somebody might send it.

    `origin` is `product` where Tallystick alone writes it. `example` is null where the schema of the metadata asks for
    more than can be made up.
    """

    name: str
    description: str
    category: str
    origin: str
    severity: str
    message: str
    facts: list[str]
    metadata_schema: dict[str, Any]
    retention_class: str
    ocsf_class: int
    ocsf_activity: int
    controls: list[str]
    streamed: bool
    since: str
    example: dict[str, Any] | None


class CatalogueAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The actions that were asked for, by name. `digest` is that of the whole catalogue in force."""

    digest: str
    actions: list[ActionAnswer]


def declared_actions(services: Services, caller: Caller, text: str = "", category: str = "") -> list[ActionType]:
    """Return the actions of a category whose name or description holds every word of `text`, by name."""
    require(caller, Permission.CATALOGUE_READ)
    words = text.lower().split()
    found = [
        each
        for each in services.record.admission.catalogue.types.values()
        if category in {"", each.category} and all(word in f"{each.name} {each.description}".lower() for word in words)
    ]
    return sorted(found, key=lambda each: each.name)


def declared_action(services: Services, caller: Caller, name: str) -> ActionType:
    """Return one action; raises ActionUndeclaredError."""
    require(caller, Permission.CATALOGUE_READ)
    kind = services.record.admission.catalogue.get(name)
    if kind is None:
        raise ActionUndeclaredError(f"the catalogue does not declare {name[:128]!r}")
    return kind


@get(
    "/api/v1/catalogue",
    guards=[need_caller],
    sync_to_thread=True,
    opt={"parameters": ("q", "category")},
    summary="Declared actions",
    tags=["catalogue"],
)
def catalogue(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    text: Annotated[str, QueryParameter(name="q", description="Words in name or description.")] = "",
    category: Annotated[str, QueryParameter(name="category", description="Only this category.")] = "",
) -> CatalogueAnswer:
    """Return the declared actions, those of the installation's own files among them."""
    found = declared_actions(services, caller_of(request, services), text, category)
    digest = services.record.admission.catalogue.digest
    return CatalogueAnswer(digest=digest, actions=[_shown(each) for each in found])


@get(
    "/api/v1/catalogue/{action:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: ActionUndeclaredError.code}},
    summary="One action",
    tags=["catalogue"],
)
def catalogue_action(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    action: Annotated[str, PathParameter(description="The name of an action.")],
) -> ActionAnswer:
    """Return one action: its message, its facts, what belongs in its metadata, the controls it gives evidence for."""
    return _shown(declared_action(services, caller_of(request, services), action))


def _shown(kind: ActionType) -> ActionAnswer:
    return ActionAnswer(**kind.definition(), example=example_of(kind))


#: Every route of this module.
CATALOGUE_ROUTES: Final = (catalogue, catalogue_action)
