"""What differs between SQL engines, and nothing else. Values are always bound, never written into the text."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Protocol

from tallystick.query.fold import contains_source, fold
from tallystick.query.model import Network


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its placeholders, in order."""

    text: str
    values: tuple[object, ...] = ()


class Dialect(Protocol):
    """One engine's way to say the few things that standard SQL does not."""

    @property
    def setup(self) -> tuple[str, ...]:
        """Statements to run once on a connection before any query."""
        ...

    def folded(self, value: str) -> str:
        """Return the expression whose letter case is folded."""
        ...

    def like(self, value: str, parts: tuple[str, ...]) -> Sql:
        """Return whether the folded text is the parts with anything between them."""
        ...

    def contains(self, value: str, parts: tuple[str, ...]) -> Sql:
        """Return whether the text holds the parts as whole words."""
        ...

    def within(self, value: str, network: Network) -> Sql:
        """Return whether the text is an address in the network."""
        ...

    def any_item(self, items: str, test: Sql) -> Sql:
        """Return whether `test`, which speaks of `item`, holds for some item of a list."""
        ...

    def any_leaf(self, document: str, test: Sql) -> Sql:
        """Return whether `test`, which speaks of `node.path`, `node.type`, `node.text` and `node.json`, holds for some
        value anywhere in a JSON document.
        """
        ...

    def path_is(self, pattern: str) -> Sql:
        """Return whether the whole path of a JSON node fits a regular expression."""
        ...

    def number(self, value: str) -> str:
        """Return the expression as a floating-point number, NULL where it is none."""
        ...


_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = "[0-9a-f]{1,4}"
_GROUPS = f"(?:{_GROUP}(?::{_GROUP})*)?"
_COLONS = f"(?:(?:{_GROUP}:){{7}}{_GROUP}|{_GROUPS}::{_GROUPS})"
_MAPPED_PREFIX = "0" * 20 + "ffff"


class DuckDbDialect:
    """DuckDB 1.3 and later: RE2 expressions, `json_tree`, lambdas."""

    setup = (
        f"""CREATE OR REPLACE MACRO tally_dotted(a) AS
            CASE WHEN regexp_full_match(a, '{_DOTTED}') THEN printf('%02x%02x:%02x%02x',
                split_part(a, '.', 1)::INT, split_part(a, '.', 2)::INT,
                split_part(a, '.', 3)::INT, split_part(a, '.', 4)::INT) END""",
        """CREATE OR REPLACE MACRO tally_groups(a) AS
            list_filter(string_split(a, ':'), lambda g: g <> '')""",
        """CREATE OR REPLACE MACRO tally_hex(groups) AS
            array_to_string(list_transform(groups, lambda g: lpad(g, 4, '0')), '')""",
        f"""CREATE OR REPLACE MACRO tally_expand(a) AS
            CASE WHEN NOT regexp_full_match(a, '{_COLONS}') THEN NULL
                WHEN NOT contains(a, '::') THEN tally_hex(tally_groups(a))
                WHEN len(tally_groups(a)) > 7 THEN NULL
                ELSE tally_hex(tally_groups(split_part(a, '::', 1)))
                    || repeat('0000', 8 - len(tally_groups(a)))
                    || tally_hex(tally_groups(split_part(a, '::', 2))) END""",
        f"""CREATE OR REPLACE MACRO tally_address(a) AS
            CASE WHEN contains(a, ':') THEN tally_expand(CASE WHEN contains(a, '.')
                    THEN regexp_extract(a, '^(.*:)[0-9.]+$', 1) || tally_dotted(regexp_extract(a, '^.*:([0-9.]+)$', 1))
                    ELSE a END)
                ELSE '{_MAPPED_PREFIX}' || replace(tally_dotted(a), ':', '') END""",
    )

    def folded(self, value: str) -> str:
        return f"lower({value})"

    def like(self, value: str, parts: tuple[str, ...]) -> Sql:
        escaped = (fold(part).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for part in parts)
        return Sql(f"{self.folded(value)} LIKE ? ESCAPE '\\'", ("%".join(escaped),))

    def contains(self, value: str, parts: tuple[str, ...]) -> Sql:
        return Sql(f"regexp_matches({self.folded(value)}, ?)", (contains_source(parts, engine="re2"),))

    def within(self, value: str, network: Network) -> Sql:
        first, last = int(network[0]), int(network[-1])
        if isinstance(network, ipaddress.IPv4Network):
            low, high = f"{_MAPPED_PREFIX}{first:08x}", f"{_MAPPED_PREFIX}{last:08x}"
            return Sql(f"tally_address(lower({value})) BETWEEN ? AND ?", (low, high))
        return Sql(
            f"(tally_address(lower({value})) BETWEEN ? AND ?"
            f" AND NOT starts_with(tally_address(lower({value})), '{_MAPPED_PREFIX}'))",
            (f"{first:032x}", f"{last:032x}"),
        )

    def any_item(self, items: str, test: Sql) -> Sql:
        return Sql(f"len(list_filter({items}, lambda item: {test.text})) > 0", test.values)

    def any_leaf(self, document: str, test: Sql) -> Sql:
        return Sql(
            "EXISTS (SELECT 1 FROM (SELECT fullkey AS path, type, atom->>'$' AS text, value AS json"  # noqa: S608 - names and placeholders only
            f" FROM json_tree({document})) AS node WHERE {test.text})",
            test.values,
        )

    def path_is(self, pattern: str) -> Sql:
        return Sql("regexp_full_match(node.path, ?)", (pattern,))

    def number(self, value: str) -> str:
        return f"TRY_CAST({value} AS DOUBLE)"
