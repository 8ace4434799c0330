"""Reading an uploaded body: bounded in bytes before and after decompression, and in time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import zstandard
from litestar import Request
from litestar.types import Receive

from tallystick.errors import InvalidInputError, TooLargeError, UnavailableError

READ_S: Final = 60
"""Seconds a body may take to arrive."""
ROOM_BYTES: Final = 256 << 20
"""Of uploads in memory at once, those that are still arriving included."""
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_ZSTD_WINDOW_MAX: Final = 8 << 20  # RFC 9659: what a sender of Content-Encoding zstd may ask a receiver to hold
_ZSTD_STEP: Final = 512
"""Bytes fed at a time: a block of four bytes unfolds to at most 128 KiB, so one step to at most 16 MiB."""


class BodyTooLargeError(TooLargeError):
    """The body has more bytes than a batch may have."""

    code = "body-too-large"
    advice = "Send the events in smaller batches."


class BodyTimeoutError(UnavailableError):
    """The body did not arrive in time; nothing of it was taken."""

    code = "body-timeout"
    advice = "Send smaller batches, or over a faster line."


class BodyCutError(UnavailableError):
    """The connection ended before the body did; nothing of it was taken."""

    code = "body-cut"
    advice = "Send the whole body again."


class BusyError(UnavailableError):
    """So much is being uploaded that there is no memory for more; nothing was taken."""

    code = "busy"
    advice = "Send again after the time given."


class EncodingUnknownError(InvalidInputError):
    """The content encoding is not one that is read here."""

    code = "content-encoding-unknown"
    advice = "Send the body plain, or with Content-Encoding gzip or zstd."


class EncodingBrokenError(InvalidInputError):
    """The body is not what its content encoding says."""

    code = "content-encoding-broken"
    advice = "Compress the whole body as one stream, and send all of it."


class BodyRoom:
    """Bounds the bytes of uploads that are in memory at once. Used on the event loop only."""

    def __init__(self, bytes_max: int = ROOM_BYTES) -> None:
        self._free = bytes_max

    @contextmanager
    def visit(self) -> Iterator[Callable[[int], None]]:
        """Yield what takes so many bytes more, or raises BusyError; all are given back at the end."""
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if count > self._free:
                raise BusyError("too much is being uploaded at this moment")
            self._free -= count
            taken += count

        try:
            yield take
        finally:
            self._free += taken


async def read_body(
    request: Request[Any, Any, Any], bytes_max: int, take: Callable[[int], None], *, read_s: float = READ_S
) -> bytes:
    """Return the decompressed body of at most `bytes_max` bytes; an upload that is cut short is never half taken.

    `take` is told of every byte that is kept (`BodyRoom.visit`); the body may take `read_s` seconds to arrive. Raises
    the errors of this module.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > bytes_max:
        raise BodyTooLargeError(f"the body has {int(declared):,} bytes; at most {bytes_max:,} are accepted")
    try:
        async with asyncio.timeout(read_s):
            body = await _receive(request.receive, bytes_max, take)
    except TimeoutError as error:
        raise BodyTimeoutError(f"the body did not arrive within {read_s:g} seconds") from error
    if declared.isdigit() and len(body) != int(declared):
        raise BodyCutError("the body ended early")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"", "identity"}:
        return body
    plain = decompress(body, encoding, bytes_max)
    take(len(plain))
    return plain


async def _receive(receive: Receive, bytes_max: int, take: Callable[[int], None]) -> bytes:
    chunks: list[bytes] = []
    received = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise BodyCutError("the connection ended before the body did")
        chunk = message["body"]
        received += len(chunk)
        if received > bytes_max:
            raise BodyTooLargeError(f"the body has more than {bytes_max:,} bytes")
        take(len(chunk))
        chunks.append(chunk)
        more = message["more_body"]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def decompress(body: bytes, encoding: str, bytes_max: int) -> bytes:
    """Return the plain body; never makes much more than `bytes_max` bytes of it. Raises the errors of this module."""
    if encoding == "gzip":
        return _inflate(body, bytes_max)
    if encoding == "zstd":
        return _unzstd(body, bytes_max)
    raise EncodingUnknownError(f"the content encoding {encoding[:32]!r} is not known")


def _inflate(body: bytes, bytes_max: int) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = inflater.decompress(body, bytes_max + 1)
    except zlib.error as error:
        raise EncodingBrokenError(f"the body is not gzip: {error}") from error
    if len(plain) > bytes_max:
        raise BodyTooLargeError(f"the body has more than {bytes_max:,} bytes when decompressed")
    if not inflater.eof or inflater.unused_data:
        raise EncodingBrokenError("the gzip stream is cut, or something follows it")
    return plain


def _unzstd(body: bytes, bytes_max: int) -> bytes:
    inflater = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX).decompressobj()
    parts: list[bytes] = []
    size = 0
    for start in range(0, len(body), _ZSTD_STEP):
        try:
            part = inflater.decompress(body[start : start + _ZSTD_STEP])
        except zstandard.ZstdError as error:
            raise EncodingBrokenError(f"the body is not zstd: {error}") from error
        size += len(part)
        if size > bytes_max:
            raise BodyTooLargeError(f"the body has more than {bytes_max:,} bytes when decompressed")
        parts.append(part)
        if inflater.eof:
            break
    if not inflater.eof or inflater.unused_data or start + _ZSTD_STEP < len(body):
        raise EncodingBrokenError("the zstd frame is cut, or something follows it")
    return b"".join(parts)
