"""The two spellings that every text format here shares: exact base64 and exact decimals."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode

from tallystick.errors import VerificationError

NUMBER_MAX = 2**63 - 1

_DECIMAL = re.compile(rb"0|[1-9][0-9]{0,18}")


class SpellingError(VerificationError):
    """A number or a base64 value is not written in its one exact form."""

    code = "spelling-invalid"
    advice = "The text was changed or made by a faulty program; fetch it again from its source."


def format_base64(data: bytes) -> bytes:
    """Return the standard base64 of RFC 4648 section 4, with padding."""
    return b64encode(data)


def parse_base64(text: bytes, *, exact: bool = True) -> bytes:
    """Return what the base64 text says; raise SpellingError unless it is the one text that encodes those bytes.

    With `exact=False` the unused bits of the last character may be set, as Go's decoder and the published witness
    vectors have it for signature lines.
    """
    try:
        data = b64decode(text, validate=True)
    except binascii.Error as error:
        raise SpellingError(f"not base64: {error}") from error
    if exact and b64encode(data) != text:
        raise SpellingError("base64 with bits that no encoder writes")
    return data


def parse_hash(text: bytes) -> bytes:
    """Return the 32 bytes that the base64 text says; raise SpellingError for any other length."""
    data = parse_base64(text)
    if len(data) != 32:
        raise SpellingError(f"a hash has 32 bytes, this one {len(data)}")
    return data


def parse_decimal(text: bytes) -> int:
    """Return the number from 0 to 2^63 - 1 written in ASCII digits without leading zeros."""
    if _DECIMAL.fullmatch(text) is None or (number := int(text)) > NUMBER_MAX:
        raise SpellingError("not a decimal number without leading zeros below 2^63")
    return number
