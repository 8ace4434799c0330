"""Registered senders: list, show, register, change, retire."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET, UnsetType

from tallystick.access.scopes import parse_scope
from tallystick.access.sources.errors import SourceConflictError, SourceNameInvalidError, SourceUnknownError
from tallystick.access.sources.model import Source, SourceSettings
from tallystick.access.sources.service import describe_settings
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.event.occurred import time_of_us

_NAME: Final = Annotated[str, PathParameter(description="The name of a source.")]
_KNOWN: Final = {404: SourceUnknownError.code, 409: SourceConflictError.code}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["sources"]}

ActorIds = Literal["opaque", "personal"]
Kind = Annotated[str, msgspec.Meta(max_length=64, description="What it is: api, import, agent, ...")]
Owner = Annotated[
    str, msgspec.Meta(max_length=128, description="Who answers for it: a team, a group, or a person's id; no address.")
]
Scopes = Annotated[
    list[str], msgspec.Meta(min_length=1, max_length=32, description="Where its events may lie; / is everywhere.")
]
Silence = Annotated[int | None, msgspec.Meta(description="Seconds it may send nothing; null for however long.")]


class NewSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender to be registered. Name and owner are facts that stay in the log for ever."""

    name: str
    kind: Kind = "api"
    owner: Owner = ""
    scopes: Scopes
    actor_ids: ActorIds = "opaque"
    silence_s: Silence = None
    strict: bool = False


class SourceChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings to change; what is left out stays."""

    kind: Kind | UnsetType = UNSET
    owner: Owner | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    actor_ids: ActorIds | UnsetType = UNSET
    silence_s: Silence | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A registered sender."""

    number: int
    name: str
    kind: str
    owner: str
    scopes: list[str]
    actor_ids: str
    silence_s: int | None
    strict: bool
    retired: bool
    registered_at: str


class SourcesView(msgspec.Struct, frozen=True, kw_only=True):
    """The senders that the caller may see, by number."""

    sources: list[SourceView]


@get("/api/v1/sources", guards=[need_caller], sync_to_thread=True, summary="Registered senders", tags=["sources"])
def sources(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> SourcesView:
    """Return the senders that the caller may see."""
    caller = caller_of(request, services)
    return SourcesView(sources=[view_of(source) for source in services.sources.list(caller)])


@get(
    "/api/v1/sources/{name:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: SourceUnknownError.code}},
    summary="One sender",
    tags=["sources"],
)
def source(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _NAME) -> SourceView:
    """Return one sender."""
    return view_of(services.sources.get(caller_of(request, services), name))


@post(
    "/api/v1/sources",
    opt={PROBLEMS: {409: SourceConflictError.code, 422: SourceNameInvalidError.code, **BODY_PROBLEMS}},
    summary="Register a sender",
    **_CHANGING,
)
def register_source(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewSource]
) -> SourceView:
    """Register a sender, which is an event. A name is given once and for ever."""
    settings = SourceSettings(
        kind=data.kind,
        owner=data.owner,
        scopes=parse_scopes(data.scopes),
        actor_ids=data.actor_ids,
        silence_s=data.silence_s,
        strict=data.strict,
    )
    return view_of(services.sources.register(caller_of(request, services), data.name, settings))


@patch(
    "/api/v1/sources/{name:str}", opt={PROBLEMS: {**_KNOWN, **BODY_PROBLEMS}}, summary="Change a sender", **_CHANGING
)
def change_source(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _NAME, data: JSONBody[SourceChange]
) -> SourceView:
    """Change the settings of a sender, which is an event that says from what to what."""
    given: dict[str, Any] = {
        field: getattr(data, field) for field in data.__struct_fields__ if getattr(data, field) is not UNSET
    }
    if "scopes" in given:
        given["scopes"] = parse_scopes(given["scopes"])
    edit = services.sources.change(caller_of(request, services), name, lambda settings: replace(settings, **given))
    return view_of(edit)


@post(
    "/api/v1/sources/{name:str}/retire",
    status_code=200,
    opt={PROBLEMS: _KNOWN},
    summary="Retire a sender",
    **_CHANGING,
)
def retire_source(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _NAME) -> SourceView:
    """End a sender for ever; its tokens are refused from now on."""
    return view_of(services.sources.retire(caller_of(request, services), name))


def view_of(source: Source) -> SourceView:
    """Return a source as answers show it."""
    return SourceView(
        number=source.number,
        name=source.name,
        retired=source.retired,
        registered_at=time_of_us(source.registered_at),
        **describe_settings(source.settings),
    )


def parse_scopes(texts: list[str]) -> tuple[str, ...]:
    """Return scopes as they are compared; raises ScopeInvalidError."""
    return tuple(dict.fromkeys(map(parse_scope, texts)))


SOURCE_ROUTES: Final = (sources, source, register_source, change_source, retire_source)
