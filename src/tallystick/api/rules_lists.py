"""Lists of indicators, which detection rules name by `%name%`."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.rules_list_views import ListDetail, ListsView, list_detail, list_view
from tallystick.api.services import Services, caller_of
from tallystick.detect.errors import IndicatorListConflictError, IndicatorListUnknownError, RuleInvalidError
from tallystick.detect.lists import CHANGE_MAX, VALUE_CHARS_MAX, Additions
from tallystick.errors import PermissionMissingError
from tallystick.query.moments import parse_moment

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["rules"]}
_CHANGING: Final[dict[str, Any]] = {
    **COMMAND,
    "request_max_body_size": 2 * CHANGE_MAX * VALUE_CHARS_MAX,
    "tags": ["rules"],
}
_KNOWN: Final = {403: PermissionMissingError.code, 404: IndicatorListUnknownError.code}
_CHANGED: Final = {**_KNOWN, 409: IndicatorListConflictError.code, 422: RuleInvalidError.code, **BODY_PROBLEMS}
_Name = Annotated[str, PathParameter(description="The name of a list.")]


class NewList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list to be made. Rules name it by `%name%`."""

    name: Annotated[str, msgspec.Meta(description="A small letter, then small letters, digits and _.")]
    description: str = ""


class ListChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values to be put on a list, all with one end, source and note, and values to be taken off."""

    add: list[str] = []
    remove: list[str] = []
    expires_at: Annotated[str | None, msgspec.Meta(description="A time, or +30d; null for no end.")] = None
    source: str = ""
    note: str = ""
    reason: str = ""


@get("/api/v1/indicator-lists", opt={PROBLEMS: {403: PermissionMissingError.code}}, summary="Lists", **_READING)
def indicator_lists(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> ListsView:
    """Return every list of indicators. The look is recorded."""
    rules, now_us = services.rules, services.ledger.status().now
    return ListsView(lists=[list_view(each, now_us) for each in rules.lists.list(caller_of(request, services))])


@post("/api/v1/indicator-lists", opt={PROBLEMS: _CHANGED}, summary="Make a list", **_CHANGING)
def create_indicator_list(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewList]
) -> ListDetail:
    """Make an empty list."""
    caller = caller_of(request, services)
    services.rules.lists.create(caller, data.name, data.description)
    return list_detail(services.rules.lists.get(caller, data.name), services.ledger.status().now)


@get("/api/v1/indicator-lists/{name:str}", opt={PROBLEMS: _KNOWN}, summary="One list", **_READING)
def indicator_list(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> ListDetail:
    """Return a list with its values. The look is recorded."""
    found = services.rules.lists.get(caller_of(request, services), name)
    return list_detail(found, services.ledger.status().now)


@post(
    "/api/v1/indicator-lists/{name:str}/change",
    opt={PROBLEMS: _CHANGED},
    status_code=200,
    summary="Change a list",
    **_CHANGING,
)
def change_indicator_list(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, data: JSONBody[ListChange]
) -> ListDetail:
    """Put values on a list and take some off. Rules that use it go by it when this is answered."""
    caller = caller_of(request, services)
    expires_at = None if data.expires_at is None else moment_of(data.expires_at, services.ledger.status().now)
    additions = Additions(tuple(data.add), expires_at, data.source, data.note)
    services.rules.lists.change(caller, name, additions, data.remove, data.reason)
    return list_detail(services.rules.lists.get(caller, name), services.ledger.status().now)


@post(
    "/api/v1/indicator-lists/{name:str}/delete",
    opt={PROBLEMS: _CHANGED},
    status_code=204,
    summary="Delete a list",
    **_CHANGING,
)
def delete_indicator_list(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> None:
    """Delete a list that no rule in force uses."""
    services.rules.lists.delete(caller_of(request, services), name)


def moment_of(text: str, now_us: int) -> int:
    """Return the end that a value is given, in microseconds; raises RuleInvalidError."""
    found = parse_moment(text, now_us)
    if found is None:
        raise RuleInvalidError("a time such as +30d or 2026-03-01T12:00:00Z is wanted", pointer="/expires_at")
    return found.start


LIST_ROUTES: Final = (
    indicator_lists,
    create_indicator_list,
    indicator_list,
    change_indicator_list,
    delete_indicator_list,
)
