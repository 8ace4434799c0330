"""A request that two readers would end at different places is answered 400 and its connection closed: nothing that
follows it is taken for a request, whatever a proxy in front made of it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tests.server_process import ServerProcess, serving

HEAD = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("smuggling")) as running:
        yield running


def say(server: ServerProcess, text: bytes) -> bytes:
    """Return everything that the server answers until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(text)
        answer = b""
        try:
            while more := line.recv(65536):
                answer += more
        except ConnectionError:
            pass
        return answer


AMBIGUOUS = {
    "length and chunks": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "the same length twice": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "two lengths in one": b"Content-Length: 0, 44\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": b"Content-Length: 0x2c\r\n\r\n",
    "a length that overflows": b"Content-Length: 18446744073709551616\r\n\r\n",
    "an empty length": b"Content-Length: \r\n\r\n",
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a length with a space before the colon": b"Content-Length : 44\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an obsolete coding": b"Transfer-Encoding: identity\r\nContent-Length: 44\r\n\r\n",
    "compressed and chunked": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded header": b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded length": b"Content-Length:\r\n 44\r\n\r\n",
    "a header without a colon": b"Transfer-Encoding\r\n\r\n",
    "an empty name": b": chunked\r\n\r\n",
    "a NUL in a value": b"X: a\x00b\r\n\r\n",
    "a NUL in a name": b"X\x00: a\r\n\r\n",
    "a bare line feed": b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare carriage return": b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a head that ends in bare line feeds": b"Content-Length: 0\n\n",
    "a chunk size with a sign": b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk size in 0x": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk size that overflows": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    "a chunk size with a space": b"Transfer-Encoding: chunked\r\n\r\n0 \r\n\r\n",
    "a chunk size that ends in a line feed": b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n",
    "a chunk longer than its size": b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "a chunk extension that ends in a line feed": b"Transfer-Encoding: chunked\r\n\r\n0;a\n\r\n",
}


@pytest.mark.parametrize("rest", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_a_request_of_doubtful_length_is_refused_and_nothing_after_it_is_read(
    server: ServerProcess, rest: bytes
) -> None:
    answer = say(server, HEAD + rest + SMUGGLED)
    assert b"400 Bad Request" in answer
    assert b" 404 " not in answer, "what followed was taken for a request"
    assert b" 501 " not in answer


@pytest.mark.parametrize(
    "line",
    [
        b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
        b"GET /healthz\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1 \r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /he\x00althz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"G@T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=repr,
)
def test_a_request_line_that_is_not_exactly_one_is_refused(server: ServerProcess, line: bytes) -> None:
    answer = say(server, line + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b" 404 " not in answer


def test_requests_that_leave_no_doubt_are_answered_in_order(server: ServerProcess) -> None:
    one = HEAD.replace(b"POST", b"GET") + b"\r\n"
    answer = say(server, one + one + SMUGGLED)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.count(b"HTTP/1.1 404 ") == 1


def test_a_second_host_header_is_refused(server: ServerProcess) -> None:
    answer = say(server, b"GET /events HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.org\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"host-refused" in answer


def test_an_upgrade_is_not_taken(server: ServerProcess) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\n"
    answer = say(server, head + b"Upgrade: h2c\r\n\r\n" + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 1
