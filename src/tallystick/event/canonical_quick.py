"""The check of `canonical.check_canonical` for those who have a million to do; needs msgspec."""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.event.canonical import check_canonical
from tallystick.event.wire import WholeJson

# Text that holds one of these bytes may hold names that code points and UTF-16 units sort differently.
_MISSORTED: Final = bytes(range(0xEE, 0x100))

_decode: Final = msgspec.json.Decoder(WholeJson).decode
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def check_canonical_quickly(data: bytes) -> None:
    """Prove that `data` is canonical JSON, or raise NotCanonicalError, exactly as `check_canonical` does.

    The types let no fraction, no large integer and no deep nesting through; of the rest the encoder writes the canonical
    form, so bytes that come back unchanged are canonical. Whatever does not is judged by `check_canonical`.
    """
    try:
        unchanged = _encode(_decode(data)) == data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        unchanged = False
    if not unchanged or (not data.isascii() and data.translate(None, _MISSORTED) != data):
        check_canonical(data)
