"""Where events are streamed to: list, create, change, pause, test, rotate, back-fill, replay, delete."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import UNSET, UnsetType

from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.api.stream_views import (
    LettersView,
    NewStreamView,
    ReplayedView,
    StreamsView,
    StreamView,
    TestedView,
    letter_of,
    made_view,
    view_of,
)
from tallystick.stream.errors import DestinationInvalidError, DestinationStateError, DestinationUnknownError
from tallystick.stream.model import BATCH_MAX, HEADERS_MAX, Format, Settings
from tallystick.stream.service import OVERLAP_S, OVERLAP_S_MAX

_Stream = Annotated[str, PathParameter(description="The id of a destination.")]
_REFUSALS: Final = {
    404: DestinationUnknownError.code,
    409: DestinationStateError.code,
    422: DestinationInvalidError.code,
    **BODY_PROBLEMS,
}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["streams"]}

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=72)]
Url = Annotated[str, msgspec.Meta(max_length=2048, description="Where to; the query is a secret and not shown again.")]
Headers = Annotated[
    dict[str, str],
    msgspec.Meta(max_length=HEADERS_MAX, description="Sent with each request; values are secrets, not shown again."),
]
Batch = Annotated[
    int,
    msgspec.Meta(ge=1, le=BATCH_MAX, description="Events a request may carry; with more than 1 it carries an array."),
]
Query = Annotated[str, msgspec.Meta(max_length=16_384, description="Which events, as in a search; empty for all.")]
Scope = Annotated[str, msgspec.Meta(description="The scope whose events are sent, with all below it; / is everything.")]


class NewStream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A destination to be set up. `personal` and `reading` need the permissions to see these oneself."""

    name: Name
    url: Url
    format: Literal["standard", "gitlab"] = "standard"
    scope: Scope = "/"
    query: Query = ""
    personal: bool = False
    reading: bool = False
    batch: Batch = 1
    headers: Headers = {}
    token: Annotated[
        str | None, msgspec.Meta(description="What a receiver made for GitLab compares; made when not given.")
    ] = None
    from_index: Annotated[int, msgspec.Meta(ge=0, description="Where to begin; null is with what comes.")] | None = None


class StreamChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings to change; what is left out stays. `headers` are replaced as a whole."""

    name: Name | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    format: Literal["standard", "gitlab"] | UnsetType = UNSET
    scope: Scope | UnsetType = UNSET
    query: Query | UnsetType = UNSET
    personal: bool | UnsetType = UNSET
    reading: bool | UnsetType = UNSET
    batch: Batch | UnsetType = UNSET
    headers: Headers | UnsetType = UNSET


class StreamRotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many seconds the old signing secret signs beside the new one."""

    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=OVERLAP_S_MAX)] = OVERLAP_S


class Backfill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which index on everything is sent again."""

    from_index: Annotated[int, msgspec.Meta(ge=0)]


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which event that was set aside is sent again; null is all of them, the oldest 10,000 at a time."""

    index: int | None = None


@get("/api/v1/streams", guards=[need_caller], sync_to_thread=True, summary="Destinations", tags=["streams"])
def streams(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> StreamsView:
    """Return the destinations that the caller may see, with how each does. Needs `streams.read`; the look is recorded."""
    return StreamsView(streams=[view_of(*each) for each in services.streams.listed(caller_of(request, services))])


@get(
    "/api/v1/streams/{stream:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: DestinationUnknownError.code}},
    summary="One destination",
    tags=["streams"],
)
def one_stream(request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream) -> StreamView:
    """Return one destination with how it does."""
    return view_of(*services.streams.get(caller_of(request, services), stream))


@post(
    "/api/v1/streams",
    opt={PROBLEMS: {409: "destinations-full", 422: DestinationInvalidError.code, **BODY_PROBLEMS}},
    summary="Set up a destination",
    **_CHANGING,
)
def create_stream(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewStream]
) -> NewStreamView:
    """Begin to stream to an address. The signing secret is in this answer only; what it gets is granted by its maker."""
    settings = Settings(
        name=data.name,
        url=data.url,
        format=Format(data.format),
        scope=parse_scope(data.scope),
        query=data.query,
        personal=data.personal,
        reading=data.reading,
        batch=data.batch,
        headers=data.headers,
    )
    caller = caller_of(request, services)
    return made_view(services.streams.create(caller, settings, token=data.token, from_index=data.from_index))


@patch("/api/v1/streams/{stream:str}", opt={PROBLEMS: _REFUSALS}, summary="Change a destination", **_CHANGING)
def change_stream(
    request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream, data: JSONBody[StreamChange]
) -> StreamView:
    """Change a destination for events from now on; the event of the change still goes where it was set before."""
    caller = caller_of(request, services)
    given: dict[str, Any] = {
        field: getattr(data, field) for field in data.__struct_fields__ if getattr(data, field) is not UNSET
    }
    if "scope" in given:
        given["scope"] = parse_scope(given["scope"])
    if "format" in given:
        given["format"] = Format(given["format"])
    services.streams.change(
        caller, stream, lambda settings: msgspec.structs.replace(settings, **given), headers="headers" in given
    )
    return view_of(*services.streams.get(caller, stream))


@post(
    "/api/v1/streams/{stream:str}/pause",
    status_code=200,
    opt={PROBLEMS: _REFUSALS},
    summary="Pause a destination",
    **_CHANGING,
)
def pause_stream(request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream) -> StreamView:
    """Send nothing that is recorded from now on, until it is resumed; nothing is lost."""
    caller = caller_of(request, services)
    services.streams.pause(caller, stream)
    return view_of(*services.streams.get(caller, stream))


@post(
    "/api/v1/streams/{stream:str}/resume",
    status_code=200,
    opt={PROBLEMS: _REFUSALS},
    summary="Resume a destination",
    **_CHANGING,
)
def resume_stream(request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream) -> StreamView:
    """Go on where the destination was paused."""
    caller = caller_of(request, services)
    services.streams.resume(caller, stream)
    return view_of(*services.streams.get(caller, stream))


@post(
    "/api/v1/streams/{stream:str}/test",
    status_code=200,
    opt={PROBLEMS: _REFUSALS},
    summary="Test a destination",
    **_CHANGING,
)
def check_stream(request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream) -> TestedView:
    """Send one signed request that holds no event, and return what came of it."""
    tested = services.streams.test(caller_of(request, services), stream)
    return TestedView(delivered=tested.delivered, status=tested.status, said=tested.said)


@post("/api/v1/streams/{stream:str}/rotate", opt={PROBLEMS: _REFUSALS}, summary="Rotate a secret", **_CHANGING)
def rotate_stream(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    data: JSONBody[StreamRotation],
) -> NewStreamView:
    """Make a new signing secret; both sign until the overlap ends, so that a receiver may hold either."""
    return made_view(services.streams.rotate(caller_of(request, services), stream, data.overlap_s))


@post(
    "/api/v1/streams/{stream:str}/backfill",
    status_code=200,
    opt={PROBLEMS: _REFUSALS},
    summary="Send again from an index",
    **_CHANGING,
)
def backfill_stream(
    request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream, data: JSONBody[Backfill]
) -> StreamView:
    """Send again everything from an index on that the destination's settings ask for now."""
    caller = caller_of(request, services)
    services.streams.backfill(caller, stream, data.from_index)
    return view_of(*services.streams.get(caller, stream))


@get(
    "/api/v1/streams/{stream:str}/letters",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: DestinationUnknownError.code}},
    summary="What was set aside",
    tags=["streams"],
)
def stream_letters(
    request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream
) -> LettersView:
    """Return the oldest events that the destination refused again and again, each with the reason."""
    letters = services.streams.letters(caller_of(request, services), stream)
    return LettersView(letters=[letter_of(each) for each in letters])


@post(
    "/api/v1/streams/{stream:str}/replay",
    status_code=200,
    opt={PROBLEMS: _REFUSALS},
    summary="Replay what was set aside",
    **_CHANGING,
)
def replay_stream(
    request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream, data: JSONBody[Replay]
) -> ReplayedView:
    """Send again one event that was set aside, or all of them."""
    return ReplayedView(replayed=services.streams.replay(caller_of(request, services), stream, data.index))


@post(
    "/api/v1/streams/{stream:str}/delete",
    status_code=204,
    opt={PROBLEMS: _REFUSALS},
    summary="Delete a destination",
    **_CHANGING,
)
def delete_stream(request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream) -> None:
    """End a destination: it still gets what it is due, the event of its end last."""
    services.streams.delete(caller_of(request, services), stream)


STREAM_ROUTES: Final = (
    streams,
    one_stream,
    create_stream,
    change_stream,
    pause_stream,
    resume_stream,
    check_stream,
    rotate_stream,
    backfill_stream,
    stream_letters,
    replay_stream,
    delete_stream,
)
