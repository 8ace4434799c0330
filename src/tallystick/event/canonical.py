"""Canonical JSON (RFC 8785), written here so that whoever verifies needs no library of ours or anyone's.

One value has exactly one byte form: members sorted by UTF-16 code units, numbers as ECMAScript prints them,
the shortest escapes, no white space. See `docs/adr/0002-own-canonical-json.md` for why it is our own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from tallystick.errors import InvalidInputError, VerificationError

SAFE_INTEGER_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader understands alike (RFC 7493 section 2.2)."""

# Members whose names hold only characters below this sort alike by code point and by UTF-16 unit.
_FIRST_MISSORTED_BYTE: Final = 0xEE


class UncanonicalValueError(InvalidInputError):
    """A value has no canonical JSON form."""

    code = "uncanonical-value"
    advice = (
        "Use only objects with text names, arrays, text without lone surrogates, finite numbers, booleans and null."
    )


class NotCanonicalError(VerificationError):
    """Stored bytes are not the one canonical form of the value they hold."""

    code = "not-canonical"
    advice = "The bytes were made by something else than this product or were changed; compare with another copy."


def canonical_json(value: object) -> bytes:
    """Return the RFC 8785 form of `value`.

    Raises UncanonicalValueError for NaN, infinities, integers beyond 2^53-1, lone surrogates, names that are
    not text, types that JSON does not have, and nesting deeper than the interpreter's own limit.
    """
    parts: list[str] = []
    try:
        _append(value, parts.append)
        return "".join(parts).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UncanonicalValueError("text holds a lone surrogate, which is not a character") from error
    except RecursionError as error:
        raise UncanonicalValueError("the value is nested too deeply") from error


def check_canonical(data: bytes) -> None:
    """Prove that `data` is canonical JSON, or raise NotCanonicalError.

    Whoever hashes stored bytes asks this too: with it, two readers cannot see two stories in one commitment
    (duplicate members, numbers that round, another order of members).
    """
    try:
        canonical = _plain_form(data)
        if canonical is None:
            canonical = canonical_json(_EXACT.decode(data.decode("utf-8")))
    except (ValueError, RecursionError, UncanonicalValueError) as error:
        raise NotCanonicalError(f"the bytes are not canonical JSON: {error}") from error
    if canonical != data:
        raise NotCanonicalError(
            "the bytes are JSON but not in canonical form", offset=_first_difference(canonical, data)
        )


def format_number(value: float) -> str:
    """Return a finite number as ECMAScript's Number::toString prints it (RFC 8785 section 3.2.2.3)."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    # repr() finds the shortest digits that read back to the same double, which is what ECMAScript asks for;
    # only the layout differs.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = "." + digits[1:] if count > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"


class _FractionError(Exception):
    """A number that the standard library's encoder would not write canonically."""


def _refuse_fraction(text: str) -> float:
    raise _FractionError(text)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON has")


def _safe_integer(text: str) -> int:
    number = int(text)
    if -SAFE_INTEGER_MAX <= number <= SAFE_INTEGER_MAX:
        return number
    raise _FractionError(text)


def _number(text: str) -> int | float:
    number = int(text)
    return number if -SAFE_INTEGER_MAX <= number <= SAFE_INTEGER_MAX else float(text)


_PLAIN: Final = json.JSONDecoder(parse_float=_refuse_fraction, parse_int=_safe_integer, parse_constant=_refuse_constant)
_EXACT: Final = json.JSONDecoder(parse_int=_number, parse_constant=_refuse_constant)
_encode_text: Callable[[str], str] = json.encoder.encode_basestring
_encode_plain: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False, allow_nan=False
).encode


def _plain_form(data: bytes) -> bytes | None:
    """Return the canonical form by the standard library alone, or None where its encoder cannot be trusted with it."""
    if not data.isascii() and max(data) >= _FIRST_MISSORTED_BYTE:
        return None
    try:
        return _encode_plain(_PLAIN.decode(data.decode("utf-8"))).encode("utf-8")
    except _FractionError:
        return None


def _append(value: object, put: Callable[[str], None]) -> None:
    if isinstance(value, str):
        put(_encode_text(value))
    elif value is None or value is True or value is False:
        put("null" if value is None else "true" if value else "false")
    elif isinstance(value, int):
        if not -SAFE_INTEGER_MAX <= value <= SAFE_INTEGER_MAX:
            raise UncanonicalValueError("an integer is beyond 2^53-1, where readers disagree about its value")
        put(int.__repr__(value))
    elif isinstance(value, float):
        if value - value != 0:
            raise UncanonicalValueError(f"{value!r} is not a number that JSON has")
        put(format_number(value))
    elif isinstance(value, dict):
        _append_object(value, put)
    elif isinstance(value, list | tuple):
        put("[")
        for position, item in enumerate(value):
            if position:
                put(",")
            _append(item, put)
        put("]")
    else:
        raise UncanonicalValueError(f"a {type(value).__name__} has no JSON form")


def _append_object(value: dict[Any, Any], put: Callable[[str], None]) -> None:
    for name in value:
        if not isinstance(name, str):
            raise UncanonicalValueError(f"a member's name is a {type(name).__name__}, not text")
    put("{")
    for position, name in enumerate(sorted(value, key=_utf16_units)):
        if position:
            put(",")
        put(_encode_text(name))
        put(":")
        _append(value[name], put)
    put("}")


def _utf16_units(name: str) -> bytes:
    return name.encode("utf-16-be")


def _first_difference(one: bytes, other: bytes) -> int:
    for offset, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return offset
    return min(len(one), len(other))
