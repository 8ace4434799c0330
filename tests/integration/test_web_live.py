"""Following live: what the stream says, where it goes on, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from tests.installation import Installation, installation, sample

from tallystick.access.operator import OPERATOR
from tallystick.web.events import live
from tallystick.web.events.live import LiveStreams, PositionInvalidError, StreamsExhaustedError, parse_place
from tallystick.web.site import create_site


class Drain:
    """Whether the server is told to stop."""

    def __init__(self) -> None:
        self.on = False

    def __call__(self) -> bool:
        return self.on


@pytest.fixture
def drain() -> Drain:
    return Drain()


@pytest.fixture
def house(tmp_path: Path, drain: Drain) -> Iterator[Installation]:
    with installation(tmp_path, draining=drain) as made:
        assert made.post([sample()]).status_code in {200, 201}
        yield made


async def lines(site: Litestar, query: str, headers: dict[str, str]) -> AsyncGenerator[str, None]:
    """Yield the messages of the stream as they come; leaving it is the browser going away."""
    gone, answers = asyncio.Event(), asyncio.Queue[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/events/live",
        "raw_path": b"/events/live",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.9", 1),
        "server": ("127.0.0.1", 8400),
    }
    served = asyncio.create_task(site(scope, receive, answers.put))  # type: ignore[arg-type]
    try:
        start = await answers.get()
        assert start["status"] == 200
        assert (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]
        while True:
            answer = await answers.get()
            if answer.get("body"):
                yield answer["body"].decode()
            if not answer.get("more_body"):
                return
    finally:
        gone.set()
        await served


async def until(messages: AsyncIterator[str], wanted: str) -> str:
    """Return the next message with these words."""
    async for message in messages:
        if wanted in message:
            return message
    raise AssertionError(f"the stream ended without {wanted!r}")


def quick_site(house: Installation) -> Litestar:
    """Return the application with streams that look, and ask who follows, many times a second."""
    site = create_site(house.instance.services)
    site.state["live_streams"] = LiveStreams(look_every_s=0.01, beat_every=1)
    return site


def newest(house: Installation) -> int:
    return house.instance.ledger.status().acknowledged.size - 1


def test_new_events_are_told_of_by_one_link_and_never_put_into_the_page(house: Installation) -> None:
    site, headers, after = quick_site(house), house.token(), newest(house)

    async def follow() -> str:
        async with aclosing(lines(site, f"q=action:user.signed_in&after={after}", headers)) as messages:
            assert "retry:" in await anext(messages)
            await asyncio.to_thread(house.post, [sample(), sample()])
            return await until(messages, "data:")

    message = asyncio.run(follow())
    assert ">2 new events, show</a>" in message
    assert 'href="/events?q=action%3Auser.signed_in&amp;live=yes"' in message
    assert "ana" not in message.split("href")[0]


def test_a_stream_goes_on_where_the_browser_lost_it(house: Installation) -> None:
    site, headers, after = quick_site(house), house.token(), newest(house)
    house.post([sample()])
    place = f"{newest(house)}.1"
    house.post([sample()])

    async def follow() -> str:
        given = {**headers, "last-event-id": place}
        async with aclosing(lines(site, f"q=action:user.signed_in&after={after}", given)) as messages:
            return await until(messages, "data:")

    assert ">2 new events, show</a>" in asyncio.run(follow())


def test_a_stream_ends_when_the_server_is_told_to_stop(house: Installation, drain: Drain) -> None:
    site, headers, after = quick_site(house), house.token(), newest(house)

    async def follow() -> list[str]:
        found = []
        async with aclosing(lines(site, f"after={after}", headers)) as messages:
            async for message in messages:
                found.append(message)
                drain.on = True
        return found

    assert not any("ended" in message for message in asyncio.run(follow()))


def test_a_stream_ends_when_who_follows_may_no_longer(house: Installation) -> None:
    site, after = quick_site(house), newest(house)
    headers, tokens = house.token("read", "/", "leaver"), house.instance.services.tokens

    async def follow() -> str:
        async with aclosing(lines(site, f"after={after}", headers)) as messages:
            await anext(messages)
            for token in tokens.list(OPERATOR):
                await asyncio.to_thread(tokens.revoke, OPERATOR, token.token)
            return await until(messages, "event: ended")

    assert "not" in asyncio.run(follow())


def test_following_is_on_record_once(house: Installation) -> None:
    site, headers, after = quick_site(house), house.token(), newest(house)

    async def follow() -> None:
        async with aclosing(lines(site, f"q=action:user.signed_in&after={after}", headers)) as messages:
            for _ in range(3):
                await asyncio.to_thread(house.post, [sample()])
                await until(messages, "data:")

    asyncio.run(follow())
    assert house.actions().count("events.tailed") == 1


@pytest.mark.parametrize("place", ["", "x", "-1", "1.x", "1" * 40, "1.1.1", "\u0661"])
def test_a_place_that_no_stream_named_is_refused(place: str) -> None:
    with pytest.raises(PositionInvalidError):
        parse_place(place)


def test_streams_are_bounded_for_one_reader_and_for_all() -> None:
    streams, held = LiveStreams(), []
    for _ in range(live.STREAMS_OF_ONE_MAX):
        place = streams.one("ana")
        place.__enter__()
        held.append(place)
    with pytest.raises(StreamsExhaustedError):
        streams.require_room("ana")
    streams.require_room("ben")
    held.pop().__exit__(None, None, None)
    streams.require_room("ana")
    for number in range(live.STREAMS_MAX - len(held)):
        place = streams.one(f"reader-{number}")
        place.__enter__()
        held.append(place)
    with pytest.raises(StreamsExhaustedError):
        streams.require_room("one-more")
