"""Reading a log over HTTP: what a verifier needs of a server, believing none of it. httpx is loaded when this is used."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from tallystick.verify.model import CouldNotCheckError

if TYPE_CHECKING:
    import httpx

ANSWER_BYTES_MAX: Final = 64 << 20
RETRIED: Final = frozenset({429, 502, 503, 504})
RETRIES_MAX: Final = 5
NEXT_AFTER: Final = "tallystick-next-after"
_INDEX: Final = re.compile(r"-1|0|[1-9][0-9]{0,18}", re.ASCII)


class RefusedError(CouldNotCheckError):
    """The server does not give this reader what was asked for."""

    code = "fetch-refused"
    advice = "Use a token that may read it; without one the verifier can only check what is public."


class LogServer:
    """The public interface of one log. Missing files are None; everything else that fails is CouldNotCheckError."""

    def __init__(self, url: str, token: str | None, transport: httpx.BaseTransport | None = None) -> None:
        import httpx

        # Compressed answers are not asked for: a few bytes may unfold to more than any memory holds.
        headers = {"accept-encoding": "identity", **({"authorization": f"Bearer {token}"} if token else {})}
        base = url.rstrip("/")
        base = base if base.endswith("/api/v1") else f"{base}/api/v1"
        try:
            self._http = httpx.Client(
                base_url=base, headers=headers, transport=transport, timeout=60, follow_redirects=False
            )
        except httpx.InvalidURL as error:
            raise CouldNotCheckError(f"{url} is not an address: {error}") from error
        self._errors: tuple[type[Exception], ...] = (httpx.HTTPError, httpx.InvalidURL)
        self.base = base

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def file(self, path: str) -> bytes | None:
        """Return a file of the log (`checkpoint`, `tile/...`), None where there is none."""
        answer = self._get(f"/log/{path}", {})
        return None if answer is None else answer[0]

    def may_read_entries(self, path: str) -> bool:
        """Return whether entry bundles are shown to this reader."""
        try:
            self.file(path)
        except RefusedError:
            return False
        return True

    def disclosures(self, after: int, limit: int) -> tuple[list[bytes], int] | None:
        """Return the disclosure lines above an index, and up to which index the server looked; None where this reader
        may have none.
        """
        try:
            answer = self._get("/disclosures", {"after_index": str(after), "limit": str(limit)})
        except RefusedError:
            return None
        if answer is None:
            return None
        body, headers = answer
        looked_at = headers.get(NEXT_AFTER, "")
        if _INDEX.fullmatch(looked_at) is None:
            raise CouldNotCheckError(f"{self.base} does not say how far its disclosures reach")
        return [line for line in body.split(b"\n") if line], int(looked_at)

    def _get(self, path: str, parameters: dict[str, str]) -> tuple[bytes, httpx.Headers] | None:
        for attempt in range(RETRIES_MAX):
            try:
                with self._http.stream("GET", path, params=parameters) as response:
                    status, headers = response.status_code, response.headers
                    if headers.get("content-encoding", "identity") != "identity":
                        raise CouldNotCheckError(f"{self.base}{path} answers compressed, which was not asked for")
                    body = b"".join(_limited(response.iter_bytes(), path))
            except self._errors as error:
                raise CouldNotCheckError(f"no answer from {self.base}{path}: {error}") from error
            if status not in RETRIED or attempt == RETRIES_MAX - 1:
                break
            time.sleep(0.2 * 2**attempt)
        if status == 200:
            return body, headers
        if status == 404:
            return None
        if status in (401, 403):
            raise RefusedError(f"{self.base}{path} answers {status}")
        raise CouldNotCheckError(f"{self.base}{path} answers {status}")


def _limited(chunks: Iterator[bytes], path: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > ANSWER_BYTES_MAX:
            raise CouldNotCheckError(f"the answer to {path} is larger than {ANSWER_BYTES_MAX} bytes")
        yield chunk
