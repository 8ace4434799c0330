"""Routes of destinations: the list, one of them, and everything that may be done with it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.api.stream_views import LetterView, StreamView, letter_of, view_of
from tallystick.counted import counted
from tallystick.errors import ConflictError, InvalidInputError
from tallystick.stream.errors import DestinationUnknownError
from tallystick.stream.service import Made
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.streams.forms import CHANGE_FIELDS, CREATE_FIELDS, filled, parse_form, parse_number, typed_of

_Stream = Annotated[str, PathParameter(description="The id of a destination.")]
_Verb = Annotated[str, PathParameter(description="What to do.")]
_DONE: Final = {
    "pause": "Paused. What is recorded from now on waits.",
    "resume": "Resumed: it goes on where it was paused.",
    "delete": "Deleted. It still gets what it is due, the event of its end last.",
}


class NewSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets that were made just now; shown in this one answer."""

    signing_secret: str
    token: str


class StreamsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The destinations that the caller may see, and the form for a new one as it was filled in."""

    streams: list[StreamView]
    can_manage: bool
    typed: dict[str, str]
    size: int


class StreamPage(msgspec.Struct, frozen=True, kw_only=True):
    """One destination with how it does, what was set aside, and the form to change it."""

    stream: StreamView
    letters: list[LetterView]
    can_manage: bool
    typed: dict[str, str]
    size: int
    made: NewSecrets | None = None


@get("/streams", sync_to_thread=True)
def streams_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return the destinations, with how each one does. The look is recorded."""
    return _list(request, services, person(request, services))


@post("/streams", sync_to_thread=True, dependencies=FORM, opt={"fields": CREATE_FIELDS}, status_code=200)
def create_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Set up a destination, and show its secrets for the only time."""
    caller = person(request, services)
    try:
        start = parse_number(form["from_index"], "/from_index") if form["from_index"] else None
        made = services.streams.create(caller, parse_form(form), token=form["token"] or None, from_index=start)
    except (InvalidInputError, ConflictError) as error:
        typed = typed_of(form, CREATE_FIELDS)
        return _list(request, services, caller, typed=typed, problem=problem_of(error))
    return _one(request, services, caller, made.id, made=made)


@get("/streams/{stream:str}", sync_to_thread=True)
def stream_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], stream: _Stream
) -> Response[bytes]:
    """Return one destination: lag, last success and error, what was set aside, its settings. The look is recorded."""
    return _one(request, services, person(request, services), stream)


@post(
    "/streams/{stream:str}/change",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": CHANGE_FIELDS},
    status_code=200,
)
def change_stream_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Change a destination for what is recorded from now on."""
    caller = person(request, services)
    try:
        wanted = parse_form(form)
        services.streams.change(
            caller, stream, lambda _: wanted, headers=form.flag("replace_headers") or bool(form["headers"])
        )
    except (InvalidInputError, ConflictError) as error:
        typed = typed_of(form, CHANGE_FIELDS)
        return _one(request, services, caller, stream, typed=typed, problem=problem_of(error))
    return see_other(request, f"/streams/{stream}", "Changed for what is recorded from now on.")


@post(
    "/streams/{stream:str}/rotate",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("overlap_hours",)},
    status_code=200,
)
def rotate_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Make a new signing secret, and show it for the only time."""
    caller = person(request, services)
    try:
        hours = parse_number(form["overlap_hours"] or "24", "/overlap_hours")
        made = services.streams.rotate(caller, stream, hours * 3600)
    except (InvalidInputError, ConflictError) as error:
        return _one(request, services, caller, stream, problem=problem_of(error))
    return _one(request, services, caller, stream, made=made)


@post("/streams/{stream:str}/test", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def test_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Send a test, and say what came of it."""
    del form
    tested = services.streams.test(person(request, services), stream)
    words = f"The test was taken: {tested.said}." if tested.delivered else f"The test was not taken: {tested.said}."
    return see_other(request, f"/streams/{stream}", words, kind="done" if tested.delivered else "attention")


@post(
    "/streams/{stream:str}/backfill",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("from_index",)},
    status_code=200,
)
def backfill_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Send again from an index on."""
    caller = person(request, services)
    try:
        start = parse_number(form["from_index"], "/from_index")
        services.streams.backfill(caller, stream, start)
    except (InvalidInputError, ConflictError) as error:
        return _one(request, services, caller, stream, problem=problem_of(error))
    return see_other(request, f"/streams/{stream}", f"It is sent again from index {start:,} on.")


@post(
    "/streams/{stream:str}/replay",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("index",)},
    status_code=200,
)
def replay_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Send again one event that was set aside, or all of them."""
    caller = person(request, services)
    index = parse_number(form["index"], "/index") if form["index"] else None
    count = services.streams.replay(caller, stream, index)
    return see_other(request, f"/streams/{stream}", f"{counted(count, 'event is', 'events are')} sent again.")


@post("/streams/{stream:str}/{verb:str}", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def turn_from_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    stream: _Stream,
    verb: _Verb,
    form: NamedDependency[Form],
) -> Response[bytes]:
    """Pause, resume or delete a destination."""
    del form
    caller, service = person(request, services), services.streams
    verbs = {"pause": service.pause, "resume": service.resume, "delete": service.delete}
    if verb not in verbs:
        raise DestinationUnknownError("a destination cannot do this")
    verbs[verb](caller, stream)
    return see_other(request, "/streams" if verb == "delete" else f"/streams/{stream}", _DONE[verb])


def _list(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response[bytes]:
    view = StreamsPage(
        streams=[view_of(*each) for each in services.streams.listed(caller)],
        can_manage=caller.rights.anywhere(Permission.STREAMS_MANAGE),
        typed=typed or filled(),
        size=services.ledger.status().acknowledged.size,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "streams/list.html", view, title="Streams", status=status, problem=problem)


def _one(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    stream: str,
    *,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
    made: Made | None = None,
) -> Response[bytes]:
    destination, standing = services.streams.get(caller, stream)
    letters = services.streams.letters(caller, stream)
    manages = caller.rights.allows(Permission.STREAMS_MANAGE, destination.now.scope)
    view = StreamPage(
        stream=view_of(destination, standing),
        letters=[letter_of(each) for each in letters],
        can_manage=manages and destination.state in {"active", "paused"},
        typed=typed or filled(destination),
        size=services.ledger.status().acknowledged.size,
        made=None if made is None else NewSecrets(signing_secret=made.signing, token=made.token),
    )
    status = 200 if problem is None else problem.status
    title = destination.name or destination.id
    return render(request, services, "streams/stream.html", view, title=title, status=status, problem=problem)


STREAM_PAGES: Final = (
    streams_page,
    create_from_page,
    stream_page,
    change_stream_from_page,
    rotate_from_page,
    test_from_page,
    backfill_from_page,
    replay_from_page,
    turn_from_page,
)
