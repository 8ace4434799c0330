"""The texts that carry a text encoded, for the modifiers that search in encoded data."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

_CODECS: Final = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf16": "utf-16-le"}


def encodings_of(plain: str, unicode: str, base64: str) -> list[str]:
    """Return the texts that stand for `plain` where it was made UTF-16 (`unicode`), then Base64 (`base64`).

    Either may be empty. UTF-16 by itself is text with one character for each byte. `base64offset` gives the three forms
    that do not depend on what stands around the text; one is left out that has no character of its own.
    """
    data = plain.encode(_CODECS.get(unicode, "utf-8"))
    if unicode == "utf16":
        data = b"\xff\xfe" + data
    if not base64:
        return [data.decode("latin-1")]
    if base64 == "base64":
        return [b64encode(data).decode()]
    return [text for text in (_shifted(data, shift) for shift in range(3)) if text]


def _shifted(data: bytes, shift: int) -> str:
    """Return the characters that come of `data` alone when `shift` bytes of a group of three stand before it."""
    bits = 8 * shift
    begin = -(-bits // 6)
    end = (bits + 8 * len(data)) // 6
    return b64encode(b"\x00" * shift + data).decode()[begin:end]
