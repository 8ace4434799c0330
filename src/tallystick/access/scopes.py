"""Scopes as people write them."""

from __future__ import annotations

from tallystick.access.errors import ScopeInvalidError
from tallystick.event.identifier import is_scope


def parse_scope(text: str) -> str:
    """Return the slash path that `text` names, empty for `/`; raises ScopeInvalidError."""
    if text == "/":
        return ""
    if not is_scope(text):
        raise ScopeInvalidError(f"{text[:80]!r} is not a scope")
    return text
