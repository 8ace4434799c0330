"""Keys that stand for people in the facts, so that search and rules work while nobody is named."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Final

KEY_BYTES_MIN: Final = 32
_CACHED: Final = 65_536
_PSEUDONYM_BYTES: Final = 16


class Pseudonyms:
    """Derives pseudonyms from one secret key; without that key a pseudonym cannot be linked to an id any more.

    Safe to share between threads.
    """

    def __init__(self, key: bytes) -> None:
        assert len(key) >= KEY_BYTES_MIN
        self._key = bytes(key)
        self._cached = lru_cache(maxsize=_CACHED)(self._derive)

    def key_for(self, type_: str, id_: str) -> str:
        """Return the 22 base64url characters that stand for an actor or target in the facts.

        They are the first 16 bytes of HMAC-SHA-256(key, type || 0 || id) (format 1).
        """
        return self._cached(type_, id_)

    def _derive(self, type_: str, id_: str) -> str:
        message = type_.encode("utf-8") + b"\0" + id_.encode("utf-8")
        digest = hmac.digest(self._key, message, "sha256")[:_PSEUDONYM_BYTES]
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
