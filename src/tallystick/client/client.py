"""One connection to one server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from tallystick.client.errors import ServerUnreachableError, raise_for_problem

RETRIED_STATUSES = frozenset({502, 503, 504})
RETRIES_MAX = 8
BACKOFF_S_MAX = 10.0


class Client:
    """Speaks the HTTP API of one server; not shared between threads.

    `url` is the server's address; `token` a source token. A `transport` replaces the network, for a server in this
    process. Errors: `ServerRefusedError`, `ServerUnreachableError`.
    """

    def __init__(
        self, url: str, token: str | None = None, *, transport: httpx.BaseTransport | None = None, timeout_s: float = 60
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=url, headers=headers, transport=transport, timeout=timeout_s, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def record(self, body: bytes, *, partial: bool = False) -> dict[str, Any]:
        """Send events (one object, an array or NDJSON); on return they are durable.

        A 503 is repeated here, since it promises that nothing was taken. A lost answer is not: repeat the call
        yourself when every event carries its own `id`, which makes repeats harmless.
        """
        parameters = {"partial": "true"} if partial else {}
        return self._json("POST", "/api/v1/events", params=parameters, content=body)

    def search(self, query: str = "", **parameters: Any) -> dict[str, Any]:
        """Return one page: rows newest first, the cursor of the next page, and the count."""
        return self._json("GET", "/api/v1/events", params={"query": query, **_given(parameters)})

    def after(self, index: int, *, limit: int, query: str = "") -> dict[str, Any]:
        """Return rows with a higher index than `index`, oldest first; for collectors and tails."""
        return self._json("GET", "/api/v1/events", params={"after_index": index, "limit": limit, "query": query})

    def event(self, event_id: str) -> dict[str, Any]:
        """Return one event by id."""
        return self._json("GET", f"/api/v1/events/{event_id}")

    def proof(self, event_id: str) -> bytes:
        """Return the C2SP tlog-proof of one event, with its disclosure."""
        return self._bytes("GET", f"/api/v1/events/{event_id}/proof")

    def checkpoint(self, *, witnessed: bool = False) -> bytes:
        """Return the newest checkpoint, or the newest one that witnesses have cosigned."""
        return self._bytes("GET", "/api/v1/log/checkpoint" + (".witnessed" if witnessed else ""))

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """Return the answer of any other JSON route, such as ("POST", "/api/v1/sources", {...}); {} where it has none."""
        response = self._send(method, path, params=_given(parameters), json=body, headers=dict(headers or {}))
        document: dict[str, Any] = response.json() if response.content else {}
        return document

    def upload(self, path: str, data: bytes, **parameters: Any) -> dict[str, Any]:
        """Put the bytes of a file to a route, and return its answer."""
        return self._json("PUT", path, params=_given(parameters), content=data)

    @contextmanager
    def fetch(self, path: str) -> Iterator[Iterator[bytes]]:
        """Stream a file; it is whole when the iterator ends, however large it is."""
        try:
            with self._http.stream("GET", path, timeout=None) as response:
                raise_for_problem(response)
                yield response.iter_raw()
        except httpx.TransportError as error:
            raise _unreachable(self._http, error) from error

    @contextmanager
    def export(self, query: str, **parameters: Any) -> Iterator[Iterator[bytes]]:
        """Stream an export; the bytes arrive as the server makes them and the number of rows has no limit."""
        with self.download("/api/v1/export", query=query, **parameters) as chunks:
            yield chunks

    @contextmanager
    def download(self, path: str, **parameters: Any) -> Iterator[Iterator[bytes]]:
        """Stream any file that the server hands out, such as that of an export that is finished."""
        try:
            with self._http.stream("GET", path, params=_given(parameters), timeout=None) as response:
                raise_for_problem(response)
                yield response.iter_bytes()
        except httpx.TransportError as error:
            raise _unreachable(self._http, error) from error

    def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        document: dict[str, Any] = self._send(method, path, **request).json()
        return document

    def _bytes(self, method: str, path: str, **request: Any) -> bytes:
        return self._send(method, path, **request).content

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        for attempt in range(RETRIES_MAX):
            last = attempt == RETRIES_MAX - 1
            try:
                response = self._http.request(method, path, **request)
            except httpx.ConnectError as error:
                raise _unreachable(self._http, error) from error
            except httpx.TransportError as error:
                if last or method != "GET":
                    raise _unreachable(self._http, error) from error
            else:
                if response.status_code not in RETRIED_STATUSES or last:
                    raise_for_problem(response)
                    return response
            time.sleep(_pause_s(attempt))
        raise AssertionError("the last attempt returns or raises")


def _pause_s(attempt: int) -> float:
    return min(BACKOFF_S_MAX, 0.2 * 2.0**attempt)


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _unreachable(http: httpx.Client, error: Exception) -> ServerUnreachableError:
    return ServerUnreachableError(f"no answer from {http.base_url}: {error}")
