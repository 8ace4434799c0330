"""Selects the rows of a part that a query means, as far as columns, summaries and filters can tell.

The answer is a pair of bounds: rows that surely match, and rows that may. Terms that only the content can answer are
neither; `scan` then reads just the rows between the bounds and asks `query.evaluate`. Anything that is known from the
summary alone is a plain True or False, and no column is loaded for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from tallystick.query.evaluate import string_matches
from tallystick.query.fields import FIELDS, SEVERITIES, Field, Kind
from tallystick.query.model import All, Below, Contains, Equals, Exists, Node, Not, Some, Span, Term, Test, Text
from tallystick.query.rights import Rights
from tallystick.query.sql import Names
from tallystick.search.coded import CodedColumn, NumberColumn, Selection, TextColumn
from tallystick.search.needles import as_event_id, literal_texts, longest_literal, needed_words
from tallystick.search.parts import Part
from tallystick.search.words import block_rows
from tallystick.segment.summarise import SUMMARISED

WORD_COLUMNS = tuple(name for name in SUMMARISED if name != "changed")
"""The columns that hold what the word filters of a summary leave out; see `segment.words`."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Rows that surely match, and rows that may; the first are among the second."""

    sure: Selection
    maybe: Selection

    @property
    def is_exact(self) -> bool:
        return self.sure is self.maybe

    @property
    def is_empty(self) -> bool:
        return self.maybe is False


def exactly(selection: Selection) -> Bounds:
    if not isinstance(selection, bool):
        if not selection.any():
            selection = False
        elif selection.all():
            selection = True
    return Bounds(selection, selection)


NEVER = exactly(False)
ALWAYS = exactly(True)


@dataclass(frozen=True, slots=True)
class Selector:
    """Evaluates one query on one part after another."""

    rights: Rights
    names: Names
    is_loaded: Callable[[str, str], bool]

    def select(self, node: Node, part: Part) -> Bounds:
        """Return the bounds of the rows of the part that the query means; raises SegmentCorruptError."""
        if isinstance(node, All):
            return self._all(node, part)
        if isinstance(node, Some):
            found = NEVER
            for child in node.nodes:
                found = _either(found, self.select(child, part))
                if found.sure is True:
                    break
            return found
        if isinstance(node, Not):
            inner = self.select(node.node, part)
            if inner.is_exact:
                return exactly(_opposite(inner.sure))
            return Bounds(_opposite(inner.maybe), _opposite(inner.sure))
        return self._text(node.test, part) if isinstance(node, Text) else self._term(node, part)

    def _all(self, node: All, part: Part) -> Bounds:
        """Take what is cheapest first and stop as soon as nothing is left."""
        found = ALWAYS
        for child in sorted(node.nodes, key=lambda child: self._cost(child, part)):
            found = _both(found, self.select(child, part))
            if found.is_empty:
                break
        return found

    def _cost(self, node: Node, part: Part) -> int:
        """Return 0 for what is in memory, 1 for a column to load, 2 for what needs the content."""
        if isinstance(node, Text):
            return 2
        if not isinstance(node, Term):
            return 1 if isinstance(node, Not) and isinstance(node.node, Term) else 2
        field = FIELDS[node.field.name]
        columns = (*field.columns, *field.personal_columns)
        if not columns or node.field.name == "id":
            return 2
        return 0 if all(self.is_loaded(part.key, column) for column in columns) else 1

    def _term(self, term: Term, part: Part) -> Bounds:
        field, test = FIELDS[term.field.name], term.test
        if field.name == "id":
            return self._id(test, part)
        if field.name in ("source", "class"):
            return self._number_in(field, test, part)
        if field.kind in (Kind.TIME, Kind.INTEGER):
            return self._number(field.columns[0], test, part)
        found = NEVER
        for column in (*field.columns, *(field.personal_columns if self.rights.personal else ())):
            found = _either(found, self._column(field, column, test, part))
        if field.key_column and isinstance(test, Equals) and not test.exact:
            for key in {test.text, *self.rights.keys_of(test.text)}:
                found = _either(found, self._equal(field.key_column, key, part, exact=True))
        if field.in_content:
            found = _either(found, self._in_content(test, part))
        return found

    def _number(self, name: str, test: Test, part: Part) -> Bounds:
        if isinstance(test, Exists):
            return ALWAYS
        assert isinstance(test, Span)
        low, high = test.low, test.high
        if part.summary is not None:
            header = part.summary.header
            first, last = (
                getattr(header, f"{name.removesuffix('_at')}_from"),
                getattr(header, f"{name.removesuffix('_at')}_to"),
            )
            if (low is not None and last < low) or (high is not None and first >= high):
                return NEVER
            low = None if low is not None and first >= low else low
            high = None if high is not None and last < high else high
            if low is None and high is None:
                return ALWAYS
        column = part.column(name)
        assert isinstance(column, NumberColumn)
        return exactly(column.between(low, high))

    def _number_in(self, field: Field, test: Test, part: Part) -> Bounds:
        numbers = self.names.numbers(field, test)
        held: tuple[int, ...] | None = None
        if field.name == "class" and part.class_number is not None:
            held = (part.class_number,)
        elif field.name == "source" and part.summary is not None:
            held = part.summary.header.sources
        if held is not None:
            if not set(numbers) & set(held):
                return NEVER
            if set(held) <= set(numbers):
                return ALWAYS
        column = part.column(field.columns[0])
        assert isinstance(column, NumberColumn)
        return exactly(column.among(numbers))

    def _column(self, field: Field, column: str, test: Test, part: Part) -> Bounds:
        passing = _severity_test(test) if isinstance(test, Span) else lambda value: string_matches(field, test, value)
        known = self._from_summary(column, test, passing, part, many=field.many)
        if known is not None:
            return known
        if isinstance(test, Equals):
            return self._equal(column, test.text, part, exact=test.exact or field.kind is Kind.EXACT)
        found = part.column(column)
        assert isinstance(found, (CodedColumn, TextColumn))
        if isinstance(test, Exists):
            return exactly(found.present())
        literal = longest_literal(literal_texts(test))
        return exactly(found.passing((field.name, test), passing, literal))

    def _from_summary(
        self, column: str, test: Test, passing: Callable[[str], bool], part: Part, *, many: bool
    ) -> Bounds | None:
        """Return what the listed values of the column already decide."""
        if part.summary is None or column not in part.summary.header.fields:
            return None
        values, nulls = part.summary.values(column), part.summary.header.fields[column].nulls
        if values is None:
            if (
                isinstance(test, Below)
                and test.exact
                and test.scope
                and not part.summary.may_contain(column, test.scope)
            ):
                return NEVER
            return None
        passed = [isinstance(test, Exists) or passing(value) for value in values]
        if not any(passed):
            return NEVER
        return ALWAYS if all(passed) and not nulls and not many else None

    def _equal(self, column: str, text: str, part: Part, *, exact: bool) -> Bounds:
        summary = part.summary
        if exact and summary is not None and column in summary.header.fields and not summary.may_contain(column, text):
            return NEVER
        found = part.column(column)
        assert isinstance(found, (CodedColumn, TextColumn))
        return exactly(found.equal(text, exact=exact))

    def _id(self, test: Test, part: Part) -> Bounds:
        if isinstance(test, Exists):
            return ALWAYS
        if not isinstance(test, Equals):
            return Bounds(False, True)
        try:
            event_id = UUID(test.text)
        except ValueError:
            return NEVER
        return self._having_id(event_id.bytes, part) if str(event_id) == test.text.lower() else NEVER

    def _having_id(self, event_id: bytes, part: Part) -> Bounds:
        positions = part.having_id(event_id)
        if not len(positions):
            return NEVER
        mask = np.zeros(part.rows, dtype=np.bool_)
        mask[positions] = True
        return exactly(mask)

    def _in_content(self, test: Test, part: Part) -> Bounds:
        """Return the rows whose content has to be read for a term on it."""
        maybe = self._blocks(needed_words(test), part)
        return Bounds(False, maybe) if maybe is not False else NEVER

    def _text(self, test: Contains, part: Part) -> Bounds:
        event_id = as_event_id(test)
        found = self._having_id(event_id, part) if event_id is not None else NEVER
        words = needed_words(test)
        maybe = self._blocks(words, part)
        if maybe is not True:
            # The filters leave out what has a column. A match there is not yet sure: the column may hold a key or
            # an id of another part of the event, so it is read like the rest.
            action = FIELDS["action"]
            literal = longest_literal(literal_texts(test))
            for name in WORD_COLUMNS:
                column = part.column(name)
                assert isinstance(column, (CodedColumn, TextColumn))
                passed = column.passing((" text", test), lambda value: string_matches(action, test, value), literal)
                maybe = _or(maybe, exactly(passed).sure)
        return _either(found, Bounds(False, maybe) if maybe is not False else NEVER)

    def _blocks(self, words: frozenset[bytes], part: Part) -> Selection:
        """Return the rows of blocks in whose facts, or personal parts, all the words may stand."""
        if not words or part.summary is None:
            return True
        blocks = set(part.summary.blocks_with_words(b" ".join(sorted(words)).decode()))
        if self.rights.personal:
            filters = part.personal_words()
            if filters is None:
                return True
            blocks.update(filters.blocks_with(words))
        return exactly(block_rows(sorted(blocks), part.rows)).sure


def _severity_test(span: Span) -> Callable[[str], bool]:
    names = SEVERITIES[span.low or 0 : len(SEVERITIES) if span.high is None else span.high]
    return lambda value: value in names


def _opposite(selection: Selection) -> Selection:
    return (not selection) if isinstance(selection, bool) else ~selection


def _and(one: Selection, other: Selection) -> Selection:
    if one is False or other is False:
        return False
    if one is True:
        return other
    return one if other is True else one & other


def _or(one: Selection, other: Selection) -> Selection:
    if one is True or other is True:
        return True
    if one is False:
        return other
    return one if other is False else one | other


def _both(one: Bounds, other: Bounds) -> Bounds:
    if one.is_exact and other.is_exact:
        return exactly(_and(one.sure, other.sure))
    return _bounds(_and(one.sure, other.sure), _and(one.maybe, other.maybe))


def _either(one: Bounds, other: Bounds) -> Bounds:
    if one.is_exact and other.is_exact:
        return exactly(_or(one.sure, other.sure))
    return _bounds(_or(one.sure, other.sure), _or(one.maybe, other.maybe))


def _bounds(sure: Selection, maybe: Selection) -> Bounds:
    """Return the bounds, made plain where nothing is left between them."""
    maybe = exactly(maybe).sure
    if maybe is False:
        return NEVER
    return ALWAYS if sure is True else Bounds(sure, maybe)
