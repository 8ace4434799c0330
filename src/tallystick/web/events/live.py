"""Following live: a stream that says how many events came since the page was made, and where they are shown.

Rows are never put under the reader's cursor: the stream carries one link, "14 new events, show".
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream

from tallystick.access.model import Caller
from tallystick.api.services import Services
from tallystick.errors import InvalidInputError, TallystickError, UnavailableError
from tallystick.event.visible import show
from tallystick.search.model import Search
from tallystick.web.events.pages import reader
from tallystick.web.events.question import ASKED, PARAMETERS, Asked
from tallystick.web.headers import PAGE_HEADERS
from tallystick.web.templating import render_template

STREAMS_MAX: Final = 128
STREAMS_OF_ONE_MAX: Final = 6
LOOK_EVERY_S: Final = 1.0
BEAT_EVERY: Final = 15
"""Looks between two signs of life, at which it is also asked anew whether the session still holds."""
_PULL_ROWS: Final = 500
_NEW_MAX: Final = 10_000
_DIGITS_MAX: Final = 18
RETRY_MS: Final = 2000
_MEDIA_TYPE: Final = "text/event-stream"


class StreamsExhaustedError(UnavailableError):
    """As many readers follow live as the server allows."""

    code = "streams-exhausted"
    advice = "Close other live pages, or load this one without Live."


class PositionInvalidError(InvalidInputError):
    """The position to follow from is not an index."""

    code = "position-invalid"
    advice = "Open the live page again; it says where to go on."


class LiveStreams:
    """Counts the streams that are open, all of them and each reader's. Safe to share between threads."""

    def __init__(self, *, look_every_s: float = LOOK_EVERY_S, beat_every: int = BEAT_EVERY) -> None:
        self.look_every_s = look_every_s
        self.beat_every = beat_every
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()  # guarded by _lock

    def require_room(self, reader_id: str) -> None:
        """Raise StreamsExhaustedError where there is no place for one more stream of a reader."""
        with self._lock:
            if self._open.total() >= STREAMS_MAX or self._open[reader_id] >= STREAMS_OF_ONE_MAX:
                raise StreamsExhaustedError("too many pages follow live", retry_after_s=30)

    @contextmanager
    def one(self, reader_id: str) -> Iterator[None]:
        """Hold a place for one stream; raises StreamsExhaustedError."""
        self.require_room(reader_id)
        with self._lock:
            self._open[reader_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[reader_id] -= 1
                self._open += Counter()  # forgets who has none


class Place(msgspec.Struct, frozen=True):
    """How far a stream got: everything up to index `looked_at`, and how many new events it has told of."""

    looked_at: int
    told: int

    def __str__(self) -> str:
        return f"{self.looked_at}.{self.told}"


def parse_place(text: str) -> Place:
    """Return the place that an id of the stream names; raises PositionInvalidError."""
    looked_at, _, told = text.partition(".")
    if not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS_MAX for part in (looked_at, told or "0")):
        raise PositionInvalidError(f"{text[:40]!r} is not a position to follow from")
    return Place(int(looked_at), int(told or "0"))


@get("/events/live", dependencies=ASKED, opt={"parameters": (*PARAMETERS, "after")}, media_type=_MEDIA_TYPE)
async def live_stream(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    asked: NamedDependency[Asked],
    after: Annotated[str, QueryParameter(name="after", description="Index to follow from.")] = "",
) -> Stream:
    """Stream how many events came after an index, as they come. It is recorded once per session and quarter hour."""
    caller = await asyncio.to_thread(reader, request, services)
    place = parse_place(request.headers.get("last-event-id") or after)
    search = asked.search()
    streams: LiveStreams = request.app.state["live_streams"]
    streams.require_room(caller.id)
    follower = _Follower(request, services, asked, search, caller, place)
    return Stream(follower.follow(streams), media_type=_MEDIA_TYPE, headers={**PAGE_HEADERS, "x-accel-buffering": "no"})


class _Follower:
    """One stream, and how far it got."""

    def __init__(
        self,
        request: Request[Any, Any, Any],
        services: Services,
        asked: Asked,
        search: Search,
        caller: Caller,
        place: Place,
    ) -> None:
        self._request = request
        self._services = services
        self._asked = asked
        self._search = search
        self._caller = caller
        self._place = place

    async def follow(self, streams: LiveStreams) -> AsyncIterator[str]:
        """Yield what is sent, until the server stops, the session is over, or the browser goes away."""
        try:
            with streams.one(self._caller.id):
                yield f"retry: {RETRY_MS}\n\n"
                looks = 0
                while not self._services.draining():
                    told = self._place.told
                    caught_up = await asyncio.to_thread(self._look)
                    if self._place.told != told:
                        yield self._news()
                    if not caught_up:
                        continue
                    looks += 1
                    if looks % streams.beat_every == 0:
                        self._caller = await asyncio.to_thread(reader, self._request, self._services)
                        yield ":\n\n"
                    await asyncio.sleep(streams.look_every_s)
        except TallystickError as error:
            yield f"event: ended\ndata: {show(error.message)}\n\n"

    def _look(self) -> bool:
        """Count what came since; return whether that was all."""
        place = self._place
        if self._services.ledger.snapshot().size - 1 <= place.looked_at or place.told >= _NEW_MAX:
            return True
        session = self._caller.session or self._caller.token or self._caller.address
        pull = self._services.search.after_index(
            self._search, self._caller, place.looked_at, limit=_PULL_ROWS, session=session, tail=True
        )
        self._place = Place(max(place.looked_at, pull.next_after), place.told + len(pull.rows))
        return pull.caught_up

    def _news(self) -> str:
        html = render_template(
            "events/news.html",
            count=self._place.told,
            exact=self._place.told < _NEW_MAX,
            href=self._asked.link(live=True),
        )
        return f"id: {self._place}\ndata: {html.strip()}\n\n"
