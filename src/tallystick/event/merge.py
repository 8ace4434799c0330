"""Puts facts and personal data together again; needs only the standard library, as everything that verifies."""

from __future__ import annotations

import json
from typing import Any

from tallystick.errors import VerificationError
from tallystick.event.pointer import BadPointerError, parse_pointer


class BadContentError(VerificationError):
    """Stored facts or personal data are not of the form that admission makes."""

    code = "bad-content"
    advice = "The content was made by something else than this product; compare it with another copy."


def merge(facts: bytes, personal: bytes | None) -> dict[str, Any]:
    """Return the normalised event, or its facts alone where `personal` is None.

    Raises BadContentError when a pointer's parent is missing or not an object, when the member is in the facts
    already, or when one pointer leads through another: a personal part may only add, never change.
    """
    event = _object(facts, "facts")
    if personal is None:
        return event
    parts = {_parse(pointer): value for pointer, value in _object(personal, "personal part").items()}
    for path in parts:
        if any(path[:length] in parts for length in range(1, len(path))):
            raise BadContentError(f"the pointer {_show(path)} leads through another one")
    for path, value in parts.items():
        parent = _parent(event, path)
        if path[-1] in parent:
            raise BadContentError(f"the personal member {_show(path)} is in the facts already")
        parent[path[-1]] = value
    return event


def _object(data: bytes, what: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadContentError(f"the {what} cannot be read as JSON") from error
    if not isinstance(value, dict):
        raise BadContentError(f"the {what} is not an object")
    return value


def _parse(pointer: str) -> tuple[str, ...]:
    try:
        path = parse_pointer(pointer)
    except BadPointerError as error:
        raise BadContentError(error.message) from error
    if not path:
        raise BadContentError("a pointer in the personal part is empty")
    return path


def _parent(event: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    place: Any = event
    for name in path[:-1]:
        if isinstance(place, dict) and name in place:
            place = place[name]
        elif isinstance(place, list) and _is_position(name, len(place)):
            place = place[int(name)]
        else:
            raise BadContentError(f"nothing in the facts holds the personal member {_show(path)}")
    if not isinstance(place, dict):
        raise BadContentError(f"the personal member {_show(path)} is not a member of an object")
    return place


def _is_position(name: str, count: int) -> bool:
    return (
        name.isascii()
        and name.isdecimal()
        and len(name) <= len(str(count))
        and str(int(name)) == name
        and int(name) < count
    )


def _show(path: tuple[str, ...]) -> str:
    return "/" + "/".join(path)[:128]
