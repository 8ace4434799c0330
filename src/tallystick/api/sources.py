"""Registered senders: list, show, register, change, retire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET, UnsetType

from tallystick.access.scopes import parse_scope
from tallystick.access.sources.errors import SourceConflictError, SourceNameInvalidError, SourceUnknownError
from tallystick.access.sources.figures import Figures
from tallystick.access.sources.model import Source, SourceSettings
from tallystick.access.sources.service import describe_settings
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.event.occurred import time_of_us

_Name = Annotated[str, PathParameter(description="The name of a source.")]
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


class GapView(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of a sender's own counter that never came, both ends included."""

    stream: str
    first: int
    last: int


class FiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """How a sender does. Skew is how long after `occurred_at` its newest events were received, in seconds; a negative one
    is a clock that runs ahead. `missing` counts the numbers that never came; `gaps` names the oldest of them.
    """

    events: int
    events_24h: int
    last_event_at: str | None
    silent_s: int
    skew_median_s: float | None
    skew_p95_s: float | None
    streams: int
    missing: int
    gaps: list[GapView]


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A registered sender. `state` is waiting (for its first event), active, silent or retired."""

    number: int
    name: str
    kind: str
    owner: str
    scopes: list[str]
    actor_ids: str
    silence_s: int | None
    strict: bool
    state: str
    registered_at: str
    figures: FiguresView


class SourcesView(msgspec.Struct, frozen=True, kw_only=True):
    """The senders that the caller may see, by number."""

    sources: list[SourceView]


@get("/api/v1/sources", guards=[need_caller], sync_to_thread=True, summary="Registered senders", tags=["sources"])
def sources(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> SourcesView:
    """Return the senders that the caller may see."""
    caller = caller_of(request, services)
    found = services.sources.list(caller)
    services.recorder.looked(caller, "sources")
    return SourcesView(sources=views_of(services, found))


@get(
    "/api/v1/sources/{name:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: SourceUnknownError.code}},
    summary="One sender",
    tags=["sources"],
)
def source(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> SourceView:
    """Return one sender."""
    caller = caller_of(request, services)
    found = services.sources.get(caller, name)
    services.recorder.looked(caller, "sources")
    return view_of(services, found)


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
    return view_of(services, services.sources.register(caller_of(request, services), data.name, settings))


@patch(
    "/api/v1/sources/{name:str}", opt={PROBLEMS: {**_KNOWN, **BODY_PROBLEMS}}, summary="Change a sender", **_CHANGING
)
def change_source(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, data: JSONBody[SourceChange]
) -> SourceView:
    """Change the settings of a sender, which is an event that says from what to what."""
    given: dict[str, Any] = {
        field: getattr(data, field) for field in data.__struct_fields__ if getattr(data, field) is not UNSET
    }
    if "scopes" in given:
        given["scopes"] = parse_scopes(given["scopes"])
    changed = services.sources.change(caller_of(request, services), name, lambda settings: replace(settings, **given))
    return view_of(services, changed)


@post(
    "/api/v1/sources/{name:str}/retire",
    status_code=200,
    opt={PROBLEMS: _KNOWN},
    summary="Retire a sender",
    **_CHANGING,
)
def retire_source(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> SourceView:
    """End a sender for ever; its tokens are refused from now on."""
    return view_of(services, services.sources.retire(caller_of(request, services), name))


def view_of(services: Services, source: Source) -> SourceView:
    """Return a source as answers show it."""
    return views_of(services, [source])[0]


def views_of(services: Services, sources: Sequence[Source]) -> list[SourceView]:
    """Return sources as answers show them."""
    figures, now = services.sources.figures(), services.ledger.status().now
    return [_view(source, figures.get(source.number, Figures()), now) for source in sources]


def _view(source: Source, figures: Figures, now_us: int) -> SourceView:
    return SourceView(
        number=source.number,
        name=source.name,
        state=figures.state(source, now_us),
        registered_at=time_of_us(source.registered_at),
        figures=FiguresView(
            events=figures.total,
            events_24h=figures.last_day,
            last_event_at=None if figures.last_at is None else time_of_us(figures.last_at),
            silent_s=figures.silent_s(source, now_us),
            skew_median_s=_seconds(figures.skew_median_us),
            skew_p95_s=_seconds(figures.skew_p95_us),
            streams=figures.streams,
            missing=figures.missing,
            gaps=[GapView(stream=gap.stream, first=gap.first, last=gap.last) for gap in figures.gaps],
        ),
        **describe_settings(source.settings),
    )


def _seconds(length_us: int | None) -> float | None:
    return None if length_us is None else round(length_us / 1_000_000, 3)


def parse_scopes(texts: list[str]) -> tuple[str, ...]:
    """Return scopes as they are compared; raises ScopeInvalidError."""
    return tuple(dict.fromkeys(map(parse_scope, texts)))


SOURCE_ROUTES: Final = (sources, source, register_source, change_source, retire_source)
