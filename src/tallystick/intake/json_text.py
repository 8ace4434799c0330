"""Vendor JSON, read so that nothing is lost or guessed: exact numbers, no repeated keys, no NaN."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tallystick.errors import InvalidInputError

INTEGER_LIMIT = 2**53
"""Integers of this magnitude and beyond are not the same in every JSON reader."""


class NumberText(str):
    """The digits of a vendor's number that is not a small whole one, as they were written."""

    __slots__ = ()


class RecordSyntaxError(InvalidInputError):
    """A record is not JSON as it must be; `position` is the 0-based character where that shows."""

    code = "record-syntax"
    advice = "Correct the record at the named place, or leave it out; the others are imported all the same."

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class _RepeatedKeyError(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RepeatedKeyError(f"the key {repeated!r} stands twice in one object")
    return built


def _integer(digits: str) -> int | NumberText:
    return (
        int(digits)
        if len(digits) < 16 or (len(digits) < 18 and abs(int(digits)) < INTEGER_LIMIT)
        else NumberText(digits)
    )


def _constant(name: str) -> Any:
    raise _RepeatedKeyError(f"{name} is not JSON")


_EXACT = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=NumberText, parse_int=_integer, parse_constant=_constant, strict=True
)
_PLAIN = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, strict=True)


def parse_first(text: str, *, exact: bool) -> tuple[Any, int]:
    """Return the JSON value at the start of `text` and the character after it.

    With `exact`, floats and integers of 2^53 or more come as NumberText. Raises RecordSyntaxError.
    """
    try:
        value, end = (_EXACT if exact else _PLAIN).raw_decode(text)
    except json.JSONDecodeError as error:
        raise RecordSyntaxError(f"not JSON: {error.msg}", error.pos) from error
    except RecursionError as error:
        raise RecordSyntaxError("nested too deep to be read") from error
    except ValueError as error:
        raise RecordSyntaxError(str(error)) from error
    return value, end


def parse_whole(text: str, *, exact: bool) -> Any:
    """Return the one JSON value in `text`; raises RecordSyntaxError, also on anything after it."""
    body = text.lstrip(" \t\r\n")
    value, end = parse_first(body, exact=exact)
    if body[end:].strip(" \t\r\n"):
        raise RecordSyntaxError("something follows the end of the value", len(text) - len(body) + end)
    return value


def settle_numbers(value: Any, pointer: str = "") -> tuple[Any, list[str]]:
    """Return `value` with each NumberText as plain text, and the RFC 6901 pointers where that was done."""
    changed: list[str] = []
    return _settle(value, pointer, changed), changed


def _settle(value: Any, pointer: str, changed: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _settled(member, pointer, key, changed) for key, member in value.items()}
    if isinstance(value, list):
        return [_settled(item, pointer, str(position), changed) for position, item in enumerate(value)]
    if isinstance(value, NumberText):
        changed.append(pointer)
        return str(value)
    return value


def _settled(value: Any, pointer: str, part: str, changed: list[str]) -> Any:
    if isinstance(value, dict | list | NumberText):
        return _settle(value, f"{pointer}/{_escape(part)}", changed)
    return value


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def deepest(value: Any) -> tuple[int, int]:
    """Return how many objects and lists lie inside one another in `value`, and the longest key in characters."""
    depth, longest = 0, 0
    level = [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        longest = max([longest, *(len(key) for item in level if isinstance(item, dict) for key in item)])
        level = [inner for item in level for inner in _inside(item)]
    return depth, longest


def _inside(holder: dict[str, Any] | list[Any]) -> Iterator[Any]:
    return iter(holder.values() if isinstance(holder, dict) else holder)
