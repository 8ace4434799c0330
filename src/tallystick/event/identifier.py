"""What identifiers, actions and scopes may look like, and which identifiers give a person away."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final

SCOPE_CHARS_MAX: Final = 512
IDENTIFIER_CHARS_MAX: Final = 1024
"""Of ids and types of actors and targets, field names, streams and the identifiers in `context`."""

_ACTION: Final = re.compile(r"[a-z0-9_.-]{1,128}")
_SCOPE: Final = re.compile(r"[A-Za-z0-9._~@+-]+(?:/[A-Za-z0-9._~@+-]+)*")
_EMAIL: Final = re.compile(r"[^\s@]@(?:[\w-]+\.)+(?:xn--[a-z0-9-]+|[^\W\d_]{2,})(?=$|[\s>)\],;:/?&#])", re.IGNORECASE)
_IPV4: Final = re.compile(r"((?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5}|/\d{1,2})?")
_IPV6: Final = re.compile(
    r"\[?([0-9A-Fa-f:]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:%[^\s\]]+)?(?:/\d{1,3}|\](?::\d{1,5})?)?"
)

# Controls, formatting (bidirectional, zero-width), surrogates, line and paragraph separators.
_HIDING_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_action(text: str) -> bool:
    """Say whether `text` is written as actions are."""
    return _ACTION.fullmatch(text) is not None


def is_scope(text: str) -> bool:
    """Say whether `text` is a slash path of whole segments."""
    if len(text) > SCOPE_CHARS_MAX or _SCOPE.fullmatch(text) is None:
        return False
    return "." not in text or not {".", ".."} & set(text.split("/"))


def is_within(scope: str, prefix: str) -> bool:
    """Say whether `scope` is `prefix` or lies below it, by whole segments; the empty prefix holds everything."""
    return not prefix or scope == prefix or scope.startswith(prefix + "/")


def parse_event_id(text: str) -> bytes | None:
    """Return the 16 bytes of a UUID written with hyphens, or None for any other text."""
    if len(text) != 36 or not text.isascii() or not text[8] == text[13] == text[18] == text[23] == "-":
        return None
    try:
        data = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        return None
    return data if len(data) == 16 else None


def hidden_character(text: str) -> str | None:
    """Return the first character that a reader would not see or that would reorder what she sees, or None."""
    if text.isprintable():
        return None
    for character in text:
        if unicodedata.category(character) in _HIDING_CATEGORIES:
            return character
    return None


def names_someone(identifier: str) -> bool:
    """Say whether an identifier is shaped like an e-mail address or an IP address, and so counts as personal."""
    if "@" in identifier and _EMAIL.search(identifier):
        return True
    if ":" in identifier and (match := _IPV6.fullmatch(identifier)):
        return _is_address(match[1])
    if identifier.count(".") >= 3 and (match := _IPV4.fullmatch(identifier)):
        return _is_address(match[1])
    return False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
