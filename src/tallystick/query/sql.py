"""Generates the SQL condition that selects the events a query means.

The condition speaks of a relation with the columns of a segment (`segment.columns`), `id` (16 bytes), `class_number`,
`facts` and `personal` as text. Without the right to personal data it names neither `personal` nor a personal column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member
from uuid import UUID

from tallystick.query.dialect import Dialect, DuckDbDialect, Sql
from tallystick.query.evaluate import string_matches, value_matches
from tallystick.query.fields import FIELDS, SEVERITIES, Field, Kind
from tallystick.query.fold import fold
from tallystick.query.model import (
    All,
    Below,
    Between,
    Bound,
    Contains,
    Equals,
    Exists,
    FieldRef,
    Node,
    Not,
    Some,
    Span,
    Term,
    Test,
    Text,
    Wildcard,
    Within,
)
from tallystick.query.rights import Rights, check_rights
from tallystick.query.values import parse_number

TRUE = Sql("TRUE")
FALSE = Sql("FALSE")
_INTEGERS = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT')"
_NUMBERS = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')"
_BARE = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """What sources and classes are called, by number."""

    sources: Mapping[int, str] = member(default_factory=dict)
    classes: Mapping[int, str] = member(default_factory=dict)

    def numbers(self, field: Field, test: Test) -> list[int]:
        """Return the numbers whose names pass a test on `source` or `class`; an unnamed number is its digits."""
        names = self.sources if field.name == "source" else self.classes
        return [number for number, name in names.items() if value_matches(field, test, name)]


def to_sql(node: Node, rights: Rights, names: Names, dialect: Dialect | None = None) -> Sql:
    """Return a condition that is TRUE or FALSE, never NULL, for every row; raises PersonalWithheldError."""
    check_rights(node, rights)
    return _Generator(rights, names, dialect or DuckDbDialect()).node(node)


@dataclass(frozen=True, slots=True)
class _Generator:
    rights: Rights
    names: Names
    dialect: Dialect

    def node(self, node: Node) -> Sql:
        if isinstance(node, All):
            return _join(" AND ", map(self.node, node.nodes)) if node.nodes else TRUE
        if isinstance(node, Some):
            return _join(" OR ", map(self.node, node.nodes))
        if isinstance(node, Not):
            inner = self.node(node.node)
            return Sql(f"NOT {inner.text}", inner.values)
        test = self._text(node.test) if isinstance(node, Text) else self._term(node)
        return Sql(f"coalesce({test.text}, FALSE)", test.values)

    def _term(self, term: Term) -> Sql:
        field = FIELDS[term.field.name]
        if field.name in ("source", "class"):
            return _number_in(field.columns[0], self.names.numbers(field, term.test))
        if field.name == "id":
            return self._id(field, term.test)
        columns = (*field.columns, *(field.personal_columns if self.rights.personal else ()))
        found = [self._column(field, column, term.test) for column in columns]
        if field.key_column and isinstance(term.test, Equals) and not term.test.exact:
            keys = sorted({term.test.text, *self.rights.keys_of(term.test.text)})
            among = Sql(f"{{}} IN ({', '.join('?' for _ in keys)})", tuple(keys))
            if field.many:
                found.append(self.dialect.any_item(field.key_column, Sql(among.text.format("item"), among.values)))
            else:
                found.append(Sql(among.text.format(field.key_column), among.values))
        if field.in_content:
            found.append(self._in_content(field, term.field, term.test))
        return _join(" OR ", (Sql(f"coalesce({each.text}, FALSE)", each.values) for each in found))

    def _id(self, field: Field, test: Test) -> Sql:
        if isinstance(test, Exists):
            return TRUE
        if isinstance(test, Equals):
            try:
                return (
                    Sql("id = ?", (UUID(test.text).bytes,))
                    if string_matches(field, test, str(UUID(test.text)))
                    else FALSE
                )
            except ValueError:
                return FALSE
        assert isinstance(test, Wildcard)
        return self.dialect.like("regexp_replace(hex(id), '(.{8})(.{4})(.{4})(.{4})', '\\1-\\2-\\3-\\4-')", test.parts)

    def _column(self, field: Field, column: str, test: Test) -> Sql:
        if field.kind is Kind.SEVERITY and isinstance(test, Span):
            ranks = SEVERITIES[test.low or 0 : len(SEVERITIES) if test.high is None else test.high]
            return _join(" OR ", (Sql("severity = ?", (name,)) for name in ranks)) if ranks else FALSE
        if field.kind in (Kind.TIME, Kind.INTEGER):
            return _span(f'"{column}"', test)
        if field.many:
            if isinstance(test, Exists):
                return Sql(f"len({column}) > 0")
            return self.dialect.any_item(column, self._string(field, "item", test))
        return self._string(field, column, test)

    def _string(self, field: Field, value: str, test: Test) -> Sql:
        """Return the test on an expression that is text or NULL."""
        if isinstance(test, Exists):
            return Sql(f"{value} IS NOT NULL")
        if isinstance(test, Equals):
            if test.exact or field.kind is Kind.EXACT:
                return Sql(f"{value} = ?", (test.text,))
            return Sql(f"{self.dialect.folded(value)} = ?", (fold(test.text),))
        if isinstance(test, Wildcard):
            return self.dialect.like(value, test.parts)
        if isinstance(test, Contains):
            return self.dialect.contains(value, test.parts)
        if isinstance(test, Within):
            return self.dialect.within(value, test.network)
        assert isinstance(test, Below)
        if not test.scope:
            return Sql(f"{value} IS NOT NULL")
        scope = test.scope if test.exact else fold(test.scope)
        compared = value if test.exact else self.dialect.folded(value)
        return Sql(f"({compared} = ? OR starts_with({compared}, ?))", (scope, f"{scope}/"))

    def _text(self, test: Contains) -> Sql:
        word = self.dialect.contains("node.text", test.parts)
        leaf = Sql(f"node.type IN ('VARCHAR', {_INTEGERS[1:]} AND {word.text}", word.values)
        found = [self.dialect.any_leaf("facts", Sql(f"node.path <> '$.occurred_at' AND {leaf.text}", leaf.values))]
        if self.rights.personal:
            found.append(self.dialect.any_leaf("personal", leaf))
        found.append(self._id(FIELDS["id"], Equals("*".join(test.parts))))
        return _join(" OR ", found)

    def _in_content(self, field: Field, ref: FieldRef, test: Test) -> Sql:
        path = field.path + ref.path
        value = self._leaf(field, test)
        found = []
        parts: list[tuple[str, Callable[..., str]]] = [("facts", facts_path)]
        if self.rights.personal:
            parts.append(("personal", personal_path))
        for document, pattern_of in parts:
            at = self.dialect.path_is(pattern_of(path))
            found.append(self.dialect.any_leaf(document, _join(" AND ", [at, value])))
        if self.rights.personal and isinstance(test, Exists):
            found.append(self.dialect.any_leaf("personal", self.dialect.path_is(personal_path(path, below=True))))
        return _join(" OR ", found)

    def _leaf(self, field: Field, test: Test) -> Sql:
        """Return the test on one JSON value."""
        if isinstance(test, Exists):
            return Sql("node.type NOT IN ('NULL', 'ARRAY') AND CAST(node.json AS VARCHAR) <> '{}'")
        if isinstance(test, Between):
            return _join(" AND ", [self._edge(test.low, ">"), self._edge(test.high, "<")])
        text = self._string(field, "node.text", test)
        found = [Sql(f"node.type = 'VARCHAR' AND {text.text}", text.values)]
        if isinstance(test, Equals):
            number = parse_number(test.text)
            if number is not None:
                found.append(Sql(f"node.type IN {_NUMBERS} AND {self.dialect.number('node.text')} = ?", (number,)))
            if test.text in ("true", "false"):
                found.append(Sql("node.type = 'BOOLEAN' AND node.text = ?", (test.text,)))
        return _join(" OR ", found)

    def _edge(self, bound: Bound | None, operator: str) -> Sql:
        if bound is None:
            return TRUE
        operator += "=" if bound.inclusive else ""
        if isinstance(bound.value, str):
            folded = self.dialect.folded("node.text")
            return Sql(f"node.type = 'VARCHAR' AND {folded} {operator} ?", (fold(bound.value),))
        return Sql(f"node.type IN {_NUMBERS} AND {self.dialect.number('node.text')} {operator} ?", (bound.value,))


def facts_path(path: tuple[str, ...]) -> str:
    """Return the expression that the path of a value in the facts fits; a list stands for each of its items."""
    return r"\$" + "".join(_step(key) for key in path)


def personal_path(path: tuple[str, ...], *, below: bool = False) -> str:
    r"""Return the expression that the path of a value in the personal part fits: `$."/pointer".rest`.

    Only `targets` and `changes` have members of list items in pointers, so only there a number may stand between.
    With `below`, it fits the pointers that lead further down than the path.
    """
    options = []
    for split in range(1, len(path) + 1):
        steps = [_json_escaped(key.replace("~", "~0").replace("/", "~1")) for key in path[:split]]
        if path[0] in ("targets", "changes"):
            steps[0] += "(?:/[0-9]+)?"
        pointer = "".join(f"/{step}" for step in steps)
        if below:
            pointer += r'/(?:[^"\\]|\\.)*'
            if split < len(path):
                continue
        options.append(rf'"{pointer}"(?:\[[0-9]+\])*' + "".join(_step(key) for key in path[split:]))
    return rf"\$\.(?:{'|'.join(options)})"


def _step(key: str) -> str:
    quoted = f'"{_json_escaped(key)}"'
    name = f"(?:{key}|{quoted})" if _BARE.fullmatch(key) else quoted
    return rf"\.{name}(?:\[[0-9]+\])*"


def _json_escaped(key: str) -> str:
    return re.escape(key.replace("\\", "\\\\").replace('"', '\\"'))


def _span(value: str, test: Test) -> Sql:
    if isinstance(test, Exists):
        return TRUE
    assert isinstance(test, Span)
    edges = [Sql(f"{value} >= ?", (test.low,))] if test.low is not None else []
    edges += [Sql(f"{value} < ?", (test.high,))] if test.high is not None else []
    return _join(" AND ", edges)


def _number_in(column: str, numbers: Iterable[int]) -> Sql:
    listed = tuple(numbers)
    return Sql(f"{column} IN ({', '.join('?' for _ in listed)})", listed) if listed else FALSE


def _join(operator: str, pieces: Iterable[Sql]) -> Sql:
    parts = list(pieces)
    text = operator.join(f"({part.text})" for part in parts)
    return Sql(f"({text})", tuple(value for part in parts for value in part.values))
