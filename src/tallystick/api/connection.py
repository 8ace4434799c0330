"""One connection as strangers may use it: a bounded head, in bounded time, and so many connections at once.

Uvicorn bounds neither the size nor the time of a request's line and headers, and never closes a connection that sends
nothing; what a body may be is the business of `api.body`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES_MAX: Final = 64 << 10
"""Of request line and headers, and of what stands between the chunks of a body."""
HEAD_S: Final = 30.0
"""Seconds from the first byte of a request, or from connecting, until its headers are there."""
CONNECTIONS_MAX: Final = 768
"""Below the 1,024 files that a process may have open where nobody set more: the ledger needs some of its own."""
_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _NotServedError(Exception):
    """Tells the parser that the request is refused; it is answered 400 and the connection closed."""


class _PlainParser:
    """Reads a request that offers another protocol as if it did not.

    None is taken up. By itself the parser stops behind the head of such a request: its body, and what a client sends
    after it, would be dropped, or taken for requests when it arrives later.
    """

    def __init__(self, connection: BoundedConnection) -> None:
        self._connection = connection
        self._begin()

    def feed_data(self, data: bytes) -> None:
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = self._connection.head_without_offer() + data[offer.args[0] :]
                self._begin()
            else:
                return

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self._connection)
        # As uvicorn sets it: what arrives behind a request that is the last by its own word is no error.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.get_method = self._parser.get_method
        self.get_http_version = self._parser.get_http_version
        self.should_keep_alive = self._parser.should_keep_alive
        self.should_upgrade = self._parser.should_upgrade


class BoundedConnection(HttpToolsProtocol):
    """Uvicorn's connection, closed on whoever does not get to the point."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.parser = _PlainParser(self)  # type: ignore[assignment]  # it has all that uvicorn asks of one
        self._head_timer: asyncio.TimerHandle | None = None
        self._fruitless = 0  # bytes since the parser last had something to say: a whole head, or a piece of a body
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), HEAD_BYTES_MAX):
            piece = data[start : start + HEAD_BYTES_MAX]
            self._fruitless += len(piece)
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._fruitless > HEAD_BYTES_MAX:
                if self._in_head:
                    self.transport.write(_TOO_LARGE)
                self.transport.close()
                return
        if self._is_idle():  # these bytes belong to no request, or to one that was answered without them
            self._await_head()

    def on_message_begin(self) -> None:
        self._in_head = True
        if self._head_timer is None:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.get_http_version() not in {"1.0", "1.1"}:
            raise _NotServedError("a version of HTTP that is not served")
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            # A proxy in front that knows the coding may see another end of the body than we do.
            raise _NotServedError("a transfer coding that is not served")
        if self.parser.get_method() == b"CONNECT":
            raise _NotServedError("this server is no proxy")
        if self.parser.should_upgrade():
            return  # it is read once more, without the offer
        self._fruitless = 0
        self._in_head = False
        self._forget_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._fruitless = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def head_without_offer(self) -> bytes:
        """Return the head of the request that was just read, as its sender would write it who offers no protocol."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                value = b", ".join(token for token in tokens if token.lower() != b"upgrade")  # noqa: PLW2901
            if name != b"upgrade":
                lines.append(name + b": " + value)
        return b"\r\n".join([*lines, b"", b""])

    def _is_idle(self) -> bool:
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self._head_timer is None and self.timeout_keep_alive_task is None

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_S, self._close_late)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
