"""Parses the text form of a query into a tree.

    query   = all { "OR" all }
    all     = unary { [ "AND" ] unary }
    unary   = ( "-" | "NOT" ) unary | "(" query ")" | term
    term    = field ":" ( value | list | range ) | field ( ">" | ">=" | "<" | "<=" ) value | value
    list    = "(" query of values ")"          range = ( "[" | "{" ) value "TO" value ( "]" | "}" )

A relative time is resolved against the `now` that the caller gives, once, so that the tree means the same for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.query.errors import QueryError
from tallystick.query.fields import OPEN_FIELDS, Field, find_field, nearest_names
from tallystick.query.model import (
    EVERYTHING,
    Contains,
    Exists,
    FieldRef,
    Node,
    Place,
    Span,
    Term,
    Text,
    all_of,
    any_of,
    negate,
)
from tallystick.query.moments import Moment, parse_moment
from tallystick.query.scanner import Literal, Scanner
from tallystick.query.values import Values

_PSEUDO_FIELDS = ("from", "to", "has")


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """How much one query may ask."""

    chars_max: int = 8192
    depth_max: int = 32
    terms_max: int = 200
    path_max: int = 8


def parse_query(text: str, *, now_us: int, limits: QueryLimits | None = None) -> Node:
    """Return the tree that `text` stands for; empty text stands for every event.

    Raises QueryError with line and column where the text is not a query or exceeds a limit.
    """
    return _Parser(text, now_us, limits or QueryLimits()).parse()


def between_moments(start: str | None, end: str | None, *, now_us: int) -> Node:
    """Return the condition on `occurred_at` for a from and a to given outside the text; both may be None."""
    low = _outside_moment(start, now_us, "from").start if start else None
    high = _outside_moment(end, now_us, "to").end if end else None
    return EVERYTHING if low is None and high is None else Term(FieldRef("occurred_at"), Span(low, high))


def _outside_moment(text: str, now_us: int, name: str) -> Moment:
    moment = parse_moment(text.strip(), now_us)
    if moment is None:
        raise QueryError(f"`{name}` is not a time: {text[:64]!r}", advice=Values.TIME_ADVICE)
    return moment


class _Parser:
    def __init__(self, text: str, now_us: int, limits: QueryLimits) -> None:
        self.scanner = Scanner(text)
        self.limits = limits
        self.values = Values(self.scanner, now_us)
        self.depth = 0
        self.terms = 0

    def parse(self) -> Node:
        limit = self.limits.chars_max
        if len(self.scanner.text) > limit:
            raise self.scanner.error(f"the query is longer than {limit} characters", limit)
        self.scanner.skip_space()
        if self.scanner.at_end():
            return EVERYTHING
        node = self._any(None)
        if not self.scanner.at_end():
            raise self.scanner.error("this parenthesis closes nothing")
        return node

    def _any(self, listed: tuple[FieldRef, Field] | None) -> Node:
        """Parse alternatives; inside a list, `listed` is the field that every value belongs to."""
        self.depth += 1
        if self.depth > self.limits.depth_max:
            raise self.scanner.error(f"the query nests deeper than {self.limits.depth_max}")
        nodes = [self._all(listed)]
        while self.scanner.take_keyword("OR"):
            nodes.append(self._all(listed))
        self.depth -= 1
        return any_of(nodes)

    def _all(self, listed: tuple[FieldRef, Field] | None) -> Node:
        nodes = [self._unary(listed)]
        while True:
            self.scanner.skip_space()
            joined = self.scanner.take_keyword("AND")
            if not joined and (
                self.scanner.at_end() or self.scanner.looking_at(")") or self.scanner.looking_at_keyword("OR")
            ):
                return all_of(nodes)
            nodes.append(self._unary(listed))

    def _unary(self, listed: tuple[FieldRef, Field] | None) -> Node:
        negated = False
        self.scanner.skip_space()
        while self.scanner.take_keyword("NOT") or (self.scanner.looking_at("-") and self._is_minus(listed)):
            negated = not negated
            self.scanner.skip_space()
        start = self.scanner.offset
        for keyword in ("AND", "OR"):
            if self.scanner.looking_at_keyword(keyword):
                raise self.scanner.error(
                    f"{keyword} stands where a term is expected", start, advice=f'Write "{keyword}" for the word.'
                )
        if self.scanner.at_end() or self.scanner.looking_at(")"):
            raise self.scanner.error("a term is missing here", start)
        if self.scanner.take("("):
            node = self._any(listed)
            if not self.scanner.take(")"):
                raise self.scanner.error("this parenthesis is not closed", start)
        else:
            self.terms += 1
            if self.terms > self.limits.terms_max:
                raise self.scanner.error(f"the query has more than {self.limits.terms_max} terms")
            node = self._term() if listed is None else self._value(*listed)
        return negate(node) if negated else node

    def _is_minus(self, listed: tuple[FieldRef, Field] | None) -> bool:
        """Step over a minus that negates; in a list of times `-7d` is a value."""
        if listed is not None and listed[1].kind in Values.SIGNED:
            return False
        following = self.scanner.text[self.scanner.offset + 1 : self.scanner.offset + 2]
        return bool(following.strip()) and self.scanner.take("-")

    def _term(self) -> Node:
        start = self.scanner.offset
        written = self.scanner.field_name()
        if written is None:
            return self._free_text()
        if len(written) == 1 and written[0] in _PSEUDO_FIELDS and self.scanner.looking_at(":"):
            self.scanner.offset += 1
            return self._pseudo(written[0], self.scanner.place(start))
        ref, field = self._resolve(written, start)
        place = self.scanner.place(start)
        for operator in (":>=", ":<=", ":>", ":<", ">=", "<=", ">", "<"):
            if self.scanner.take(operator):
                return Term(ref, self.values.comparison(field, operator.lstrip(":"), self.scanner.literal()), place)
        self.scanner.take(":")
        opening = self.scanner.text[self.scanner.offset : self.scanner.offset + 1]
        if opening == "(":
            self.scanner.offset += 1
            node = self._any((ref, field))
            if not self.scanner.take(")"):
                raise self.scanner.error("this list is not closed", start)
            return node
        if opening in ("[", "{") and self.values.is_range():
            return Term(ref, self.values.bracketed(field), place)
        return self._value(ref, field)

    def _value(self, ref: FieldRef, field: Field) -> Node:
        place = self.scanner.place()
        return Term(ref, self.values.test(field, self.scanner.literal()), place)

    def _free_text(self) -> Node:
        place = self.scanner.place()
        literal = self.scanner.literal()
        self._check_ended(literal)
        parts = tuple(literal.parts)
        if parts == ("", ""):
            return EVERYTHING
        if not any(parts):
            raise self.scanner.error("the text between the quotes is empty", literal.offset)
        return Text(Contains(parts), place)

    def _check_ended(self, literal: Literal) -> None:
        """Refuse `"a"b` and `a"b"`, which would silently become two words."""
        following = self.scanner.text[self.scanner.offset : self.scanner.offset + 1]
        if following and (following == '"' or (literal.quoted and following not in " \t\r\n()")):
            raise self.scanner.error("a space is missing here", advice="Put the whole text in one pair of quotes.")

    def _pseudo(self, name: str, place: Place) -> Node:
        literal = self.scanner.literal()
        if name == "has":
            inner = Scanner(literal.text + ":")
            ref, _field = self._resolve(inner.field_name() or (literal.text,), literal.offset)
            return Term(ref, Exists(), place)
        moment = self.values.moment(literal)
        span = Span(moment.start, None) if name == "from" else Span(None, moment.end)
        return Term(FieldRef("occurred_at"), span, place)

    def _resolve(self, written: tuple[str, ...], offset: int) -> tuple[FieldRef, Field]:
        field = find_field(".".join(written))
        if field is not None and (not field.is_open or len(written) == 1):
            if field.is_open:
                raise self.scanner.error(f"say which value: `{field.name}.name`", offset)
            return FieldRef(field.name), field
        if written[0] in OPEN_FIELDS and len(written) > 1:
            if len(written) - 1 > self.limits.path_max:
                raise self.scanner.error(f"the path is longer than {self.limits.path_max} steps", offset)
            opened = find_field(written[0])
            assert opened is not None
            return FieldRef(written[0], written[1:]), opened
        near = nearest_names(".".join(written))
        meant = f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else ""
        raise self.scanner.error(
            f"there is no field `{'.'.join(written)}`{meant}",
            offset,
            advice="To search for text with a colon put it in quotes; your own fields are written `metadata.name`.",
        )
