"""Cursors: where a search goes on, sealed so that nobody can make one or use somebody else's."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

import msgspec

from tallystick.search.errors import CursorError
from tallystick.search.model import Search
from tallystick.search.ports import Caller
from tallystick.search.sight import sight_of

_TAG_BYTES = 16


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Go on below index `before` in the log as it was at `pinned_size`; relative times count from `now_us`, and the
    count of the first page stands for all.
    """

    before: int
    pinned_size: int
    now_us: int
    count: int
    count_exact: bool


@dataclass(frozen=True, slots=True)
class CursorSeal:
    """Makes and opens cursors with one secret key; a cursor opens only for the caller and the query it was made for."""

    key: bytes

    def format(self, position: Position, search: Search, caller: Caller) -> str:
        data = msgspec.msgpack.encode(position)
        return urlsafe_b64encode(self._tag(data, search, caller) + data).rstrip(b"=").decode()

    def parse(self, text: str, search: Search, caller: Caller) -> Position:
        """Return the position, or raise CursorError for a forged, foreign or damaged cursor."""
        try:
            sealed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        except ValueError as error:
            raise CursorError("the cursor cannot be read") from error
        tag, data = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(data, search, caller)):
            raise CursorError("the cursor was not given to you for this query")
        return msgspec.msgpack.decode(data, type=Position)

    def _tag(self, data: bytes, search: Search, caller: Caller) -> bytes:
        bound = msgspec.msgpack.encode(["tallystick cursor 1", data, search, caller.id, caller.type, *sight_of(caller)])
        return hmac.digest(self.key, bound, "sha256")[:_TAG_BYTES]
