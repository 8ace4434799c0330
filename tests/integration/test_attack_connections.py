"""What strangers may do to the server before they have shown a token: connect, and not get to the point."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from tallystick.api import connection
from tallystick.api.connection import HEAD_BYTES_MAX, BoundedConnection

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\n"


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", scope["path"] != "/at-once"
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def _listening() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(_echo, http=BoundedConnection, log_config=None, lifespan="off", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def port() -> Iterator[int]:
    with _listening() as port:
        yield port


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connection, "HEAD_S", 0.2)
    with _listening() as port:
        yield port


def _say(port: int, *pieces: bytes) -> bytes:
    """Return everything that the server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except OSError:
            pass  # closed while it was being talked to
        answer = b""
        try:
            while more := line.recv(65536):
                answer += more
        except ConnectionError:
            pass
        return answer


@pytest.mark.parametrize(
    "endless",
    [
        pytest.param((b"GET /", b"a" * 65536), id="an address"),
        pytest.param((HEAD + b"X: ", b"a" * 65536), id="one header"),
        pytest.param((HEAD, b"X: y\r\n" * 8192), id="many headers"),
    ],
)
def test_a_head_that_does_not_end_is_cut_off(port: int, endless: tuple[bytes, bytes]) -> None:
    begin, again = endless
    assert _say(port, begin, *[again] * 64).startswith(b"HTTP/1.1 431 ")


def test_what_stands_between_chunks_is_cut_off_too(port: int) -> None:
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert _say(port, chunked, b"1;", *[b"a" * 65536] * 64) == b""
    assert _say(port, chunked + b"1\r\nx\r\n0\r\n", *[b"X: y\r\n" * 8192] * 64) == b""


@pytest.mark.parametrize("size", [0, 1, HEAD_BYTES_MAX, 5 * HEAD_BYTES_MAX + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_is_not_a_head(port: int, size: int, chunked: bool) -> None:
    body = b"x" * size
    head = HEAD + b"Connection: close\r\n"
    if chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1000], body[1000:]) if part]
        answer = _say(port, head + b"Transfer-Encoding: chunked\r\n\r\n", *pieces, b"0\r\n\r\n")
    else:
        answer = _say(port, head + b"Content-Length: %d\r\n\r\n" % size, body)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n" + body)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n", id="blank lines"),
        pytest.param(b"GET / HTTP/1.1\r\nHost:", id="half a head"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n\r\n", id="a request and blank lines"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: here\r\n\r\nGET", id="a request and half another"),
        pytest.param(b"POST /at-once HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nx", id="half an unread body"),
    ],
)
def test_who_does_not_get_to_the_point_is_not_waited_for(impatient: int, said: bytes) -> None:
    whole = said.count(b"\r\n\r\n")
    assert _say(impatient, said).count(b"HTTP/1.1 200 ") == whole


def test_connections_beyond_the_limit_are_closed_and_the_others_served(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECTIONS_MAX", 3)
    held = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(3)]
    for line in held:
        line.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert _say(port, b"GET / HTTP/1.1\r\nHost: here\r\n\r\n") == b""
    held[0].sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    assert held[0].recv(4096).startswith(b"HTTP/1.1 200 ")
    for line in held:
        line.close()


NEXT = b"GET /next HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
OFFERS = {
    "HTTP/2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
    "a websocket": b"Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "the name twice": b"Connection: Upgrade\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS.keys())
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "byte by byte"])
def test_a_client_that_offers_another_protocol_is_answered_and_so_is_what_it_asks_next(
    port: int, offer: bytes, apart: bool
) -> None:
    said = b"GET / HTTP/1.1\r\nHost: here\r\n" + offer + b"\r\n" + NEXT
    answer = _say(port, *[said[at : at + 1] for at in range(len(said))] if apart else [said])
    assert answer.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "byte by byte"])
def test_the_body_behind_an_offer_is_the_body_and_never_a_request(port: int, chunked: bool, apart: bool) -> None:
    body = b"GET /smuggled HTTP/1.1\r\nHost: here\r\n\r\n"
    framed = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    if chunked:
        framed = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    said = HEAD + OFFERS["HTTP/2"] + framed + NEXT
    answer = _say(port, *[said[at : at + 1] for at in range(len(said))] if apart else [said])
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(body) == 1


def test_whoever_takes_the_server_for_a_proxy_is_refused(port: int) -> None:
    for place in (b"here:80", b"/"):
        answer = _say(port, b"CONNECT " + place + b" HTTP/1.1\r\nHost: here\r\n\r\n" + NEXT)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1
