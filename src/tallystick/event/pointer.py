"""RFC 6901 pointers: how a place inside an event is written."""

from __future__ import annotations

from collections.abc import Iterable

from tallystick.errors import InvalidInputError


class BadPointerError(InvalidInputError):
    """A text is not an RFC 6901 pointer."""

    code = "bad-pointer"
    advice = "Begin each part with `/`, and write `~0` for `~` and `~1` for `/`."


def escape(name: str) -> str:
    """Return a member's name as one part of a pointer."""
    if "~" in name or "/" in name:
        return name.replace("~", "~0").replace("/", "~1")
    return name


def format_pointer(parts: Iterable[str | int]) -> str:
    """Return the pointer that leads through `parts`."""
    return "".join([f"/{escape(str(part))}" for part in parts])


def parse_pointer(text: str) -> tuple[str, ...]:
    """Return the parts of a pointer, or raise BadPointerError unless `text` is exactly what `format_pointer` makes."""
    if not text:
        return ()
    parts = tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))
    if format_pointer(parts) != text:
        raise BadPointerError(f"{text!r} is not a pointer")
    return parts
