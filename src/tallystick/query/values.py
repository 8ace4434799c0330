"""Turns what stands after a field into a test, by the kind of the field."""

from __future__ import annotations

import ipaddress
import math
from typing import ClassVar

from tallystick.query.fields import SEVERITIES, Field, Kind
from tallystick.query.fold import fold
from tallystick.query.model import (
    Below,
    Between,
    Bound,
    Contains,
    Equals,
    Exists,
    Network,
    Span,
    Test,
    Wildcard,
    Within,
)
from tallystick.query.moments import Moment, parse_moment
from tallystick.query.scanner import Literal, Scanner

INTEGER_MAX = 2**63 - 1
_DIGITS_MAX = 100


def parse_network(text: str) -> Network | None:
    """Return the network that `text` names with a `/`, host bits allowed; None when it names none."""
    if "/" not in text:
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def parse_number(text: str) -> float | None:
    """Return the finite number that `text` writes in decimal, or None."""
    if not text or text.strip("0123456789+-.eE") or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class Values:
    """Reads values at the scanner's position; every refusal names the place."""

    SIGNED: ClassVar = frozenset({Kind.TIME, Kind.INTEGER, Kind.JSON})
    TIME_ADVICE: ClassVar = "Write `2026-03-01`, `2026-03-01T10:15:00Z`, `now`, `-7d`, `-2h` or `-30m`."

    def __init__(self, scanner: Scanner, now_us: int) -> None:
        self.scanner = scanner
        self.now_us = now_us

    def test(self, field: Field, literal: Literal) -> Test:
        """Return the test for `field:value`."""
        if literal.parts == ("", ""):
            return Exists()
        if field.kind in (Kind.TIME, Kind.INTEGER, Kind.SEVERITY):
            return self._span(field, self._unit(field, literal))
        if field.kind is Kind.TEXT:
            if not any(literal.parts):
                raise self.scanner.error("the text is empty", literal.offset)
            return Contains(literal.parts)
        if literal.has_wildcard:
            return Wildcard(literal.parts)
        if field.kind is Kind.SCOPE:
            return Below(literal.text.strip("/"))
        if field.kind is Kind.ADDRESS:
            return self._address(literal)
        if field.kind is Kind.CHOICE and fold(literal.text) not in field.choices:
            raise self.scanner.error(
                f"`{field.name}` is never {literal.text!r}",
                literal.offset,
                advice=f"It is one of {', '.join(field.choices)}.",
            )
        return Equals(literal.text)

    def comparison(self, field: Field, operator: str, literal: Literal) -> Test:
        """Return the test for `field>=value` and its like."""
        if field.kind is Kind.JSON:
            bound = Bound(self._json_bound(literal), inclusive=operator.endswith("="))
            return Between(bound, None) if operator[0] == ">" else Between(None, bound)
        unit = self._unit(field, literal)
        edges = {
            ">": (unit.end, None),
            ">=": (unit.start, None),
            "<": (None, unit.start),
            "<=": (None, unit.end),
        }
        low, high = edges[operator]
        return self._clamped(field, low, high)

    def is_range(self) -> bool:
        """Whether what stands here is a range rather than a value that begins with a bracket."""
        return " TO " in self.scanner.text[self.scanner.offset :]

    def bracketed(self, field: Field) -> Test:
        """Return the test for `[a TO b]`, where `{` and `}` leave the end itself out and `*` leaves it open."""
        start = self.scanner.offset
        low_inclusive = self.scanner.text[start] == "["
        self.scanner.offset += 1
        self.scanner.skip_space()
        low = self.scanner.literal("]}")
        self.scanner.skip_space()
        if not self.scanner.take_keyword("TO"):
            raise self.scanner.error("`TO` is missing between the ends of the range")
        self.scanner.skip_space()
        high = self.scanner.literal("]}")
        self.scanner.skip_space()
        high_inclusive = self.scanner.looking_at("]")
        if not (self.scanner.take("]") or self.scanner.take("}")):
            raise self.scanner.error("this range is not closed", start)
        low_open, high_open = low.parts == ("", ""), high.parts == ("", "")
        if low_open and high_open:
            return Exists()
        if field.kind is Kind.JSON:
            return Between(
                None if low_open else Bound(self._json_bound(low), low_inclusive),
                None if high_open else Bound(self._json_bound(high), high_inclusive),
            )
        first = None if low_open else self._unit(field, low)
        last = None if high_open else self._unit(field, high)
        return self._clamped(
            field,
            None if first is None else first.start if low_inclusive else first.end,
            None if last is None else last.end if high_inclusive else last.start,
        )

    def moment(self, literal: Literal) -> Moment:
        moment = parse_moment(literal.text, self.now_us)
        if moment is None:
            raise self.scanner.error(f"{literal.text!r} is not a time", literal.offset, advice=self.TIME_ADVICE)
        return moment

    def _unit(self, field: Field, literal: Literal) -> Moment:
        """Return the whole numbers that the value covers: one, or the microseconds of a time."""
        if field.kind is Kind.TIME:
            return self.moment(literal)
        if field.kind is Kind.SEVERITY:
            if fold(literal.text) not in SEVERITIES:
                raise self.scanner.error(
                    f"{literal.text!r} is not a severity",
                    literal.offset,
                    advice=f"In order: {', '.join(SEVERITIES)}.",
                )
            rank = SEVERITIES.index(fold(literal.text))
            return Moment(rank, rank + 1)
        if field.kind is not Kind.INTEGER:
            raise self.scanner.error(
                f"`{field.name}` has no order", literal.offset, advice="Use `:` with a value or a wildcard."
            )
        digits = literal.text
        # Thousands of digits are refused by their number: Python does not convert them.
        if not (digits.isascii() and digits.isdigit() and len(digits) < _DIGITS_MAX) or int(digits) >= INTEGER_MAX:
            raise self.scanner.error(f"{digits[:40]!r} is not a whole number", literal.offset)
        return Moment(int(digits), int(digits) + 1)

    def _span(self, field: Field, unit: Moment) -> Test:
        return self._clamped(field, unit.start, unit.end)

    @staticmethod
    def _clamped(field: Field, low: int | None, high: int | None) -> Test:
        """Drop an end that excludes nothing, so that one condition has one tree."""
        if field.kind is not Kind.TIME and low == 0:
            low = None
        if field.kind is Kind.SEVERITY and high == len(SEVERITIES):
            high = None
        if field.kind is Kind.SEVERITY and low == len(SEVERITIES):
            return Span(None, 0)
        return Exists() if low is None and high is None else Span(low, high)

    def _json_bound(self, literal: Literal) -> float | str:
        if literal.has_wildcard:
            raise self.scanner.error("a range ends at a value, not at a pattern", literal.offset)
        number = None if literal.quoted else parse_number(literal.text)
        return literal.text if number is None else number

    def _address(self, literal: Literal) -> Test:
        if "/" not in literal.text:
            return Equals(literal.text)
        network = parse_network(literal.text)
        if network is None:
            raise self.scanner.error(
                f"{literal.text!r} is not a network", literal.offset, advice="Write `10.0.0.0/8` or `2001:db8::/32`."
            )
        return Within(network)
