"""Writes the reference page of the query language from the table of fields.

`python -m tallystick.query.reference docs/reference/query-language.md` writes it; a test fails when the page is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tallystick.query.fields import FIELDS, SEVERITIES, Field, Kind, Part
from tallystick.query.parser import QueryLimits

_OPERATORS = {
    Kind.KEYWORD: "`:` exact, `*`",
    Kind.EXACT: "`:` exact with letter case, `*`",
    Kind.CHOICE: "`:` one of its values, `*`",
    Kind.SCOPE: "`:` itself and below, `*`",
    Kind.TEXT: "`:` whole words, `*`",
    Kind.ADDRESS: "`:` exact, network, `*`",
    Kind.SEVERITY: "`:` `>` `>=` `<` `<=` range",
    Kind.TIME: "`:` `>` `>=` `<` `<=` range",
    Kind.INTEGER: "`:` `>` `>=` `<` `<=` range",
    Kind.JSON: "`:` exact, `*`, `>` `>=` `<` `<=` range",
}
_PARTS = {
    Part.RECORD: "ledger",
    Part.FACT: "fact",
    Part.PERSONAL: "personal",
    Part.MIXED: "personal, unless the catalogue declares it a fact",
}

_HEAD = """# The query language

<!-- Made from src/tallystick/query by `python -m tallystick.query.reference`; edits are overwritten. -->

One language serves search, facets, histogram, export and following by index, on every page, route and command.

    action:release.* actor:ana outcome:failure -ip:10.0.0.0/8 changes.field:description metadata.ticket:OPS-17 "free words"

## Writing a query

| write | to find events |
|---|---|
| `field:value` | whose field is the value; letter case does not matter |
| `field:rel*`, `field:*ed` | whose field fits; `*` stands for anything, also nothing |
| `field:"two words"` | with this text; inside quotes `*` is a star, `\\"` a quote, `\\\\` a backslash |
| `field:(a OR b)`, `field:(a -b)` | whose field fits one of several values, or one and not another |
| `severity>=high`, `metadata.count<5` | above or below a value |
| `occurred_at:[2026-03-01 TO 2026-03-07]` | in a range, both ends included |
| `index:{100 TO *}` | in a range without its ends; `*` leaves an end open |
| `has:reason`, `reason:*` | with any value |
| `word`, `OPS-17` | with the whole word anywhere in the event but its time, or with this id |
| `"disk full"` | with the phrase |
| `rel*`, `*ease` | with a word that begins, or ends, like this |
| `a b`, `a AND b` | with both |
| `a OR b` | with one of them; AND binds closer |
| `-a`, `NOT a` | without it |
| `(a OR b) c` | grouped |
| `metadata.a."b c".d` | with a value below a path; quotes for steps with other characters; a list stands for each item |

Operators are written in capitals. Text with a colon is put in quotes: `"http://example.org"`.

A *word* ends where neither an ASCII letter, digit or underscore nor any character beyond ASCII follows. Letter case
is folded character by character.

## Times

Absolute times cover the unit they are written in: `2026-03-01` is that day, `2026-03-01T10:15` that minute,
`2026-03-01T10:15:00Z` that second. Without a zone they are UTC. `now`, `-7d`, `now-2h`, `+30m` count from the moment of
asking (`s m h d w`); later pages of the same search keep that moment.

`from:-7d` is `occurred_at>=-7d`, and `to:2026-03-07` is `occurred_at<=2026-03-07`, that day included.

## Values below `metadata`, `context`, `raw` and `changes`

Numbers are compared with numbers, text with text: `metadata.count:5` finds the number 5 and the text "5",
`metadata.count>4` only numbers, `metadata.due>"2026-01-01"` only text, by code point.

## Addresses

`ip:10.0.0.0/8` and `ip:2001:db8::/32` find addresses in a network. An IPv4 address mapped into IPv6 counts as the IPv4
address. What is not an address is in no network.

## Actors

Where an id names a person, the facts hold a pseudonym key instead, and the id is personal.

- With the right to personal data, `actor:x` finds events whose actor has the id `x`, the key `x`, or the key that the id `x` has.
- Without it, `actor:x` finds ids that are facts and the key `x`; no key is computed from an id, since that would tell who
  stands behind a pseudonym. An e-mail or IP address is never a fact, so asking for one is refused.
- `actor.key:x` finds the key for both. The same holds for `on_behalf_of` and `target`.

## Without the right to personal data

A query that names a personal field, also in a negation or in `has:`, is refused (`personal-withheld`, 403) rather than
answered. `metadata`, `context`, `changes.old`, `changes.new` and free words are answered from the facts alone, and the
answer names those fields in `fact_only`.
"""


def render_reference() -> str:
    """Return the page."""
    lines = [_HEAD, "## Fields", "", "| field | also | holds | part | operators |", "|---|---|---|---|---|"]
    lines += [_row(field) for field in FIELDS.values()]
    lines += [
        "",
        f"Severities, in order: {', '.join(f'`{name}`' for name in SEVERITIES)}.",
        "",
        "## Limits",
        "",
        _limits(),
        "",
    ]
    return "\n".join(lines)


def _limits() -> str:
    limits = QueryLimits()
    return (
        f"A query has at most {limits.chars_max} characters, {limits.terms_max} terms, {limits.depth_max} levels of nesting "
        f"and paths of {limits.path_max} steps. A query that exceeds one is refused; errors name line and column."
    )


def _row(field: Field) -> str:
    name = f"{field.name}.…" if field.is_open else field.name
    also = ", ".join(f"`{alias}`" for alias in field.aliases)
    return f"| `{name}` | {also} | {field.help} | {_PARTS[field.part]} | {_OPERATORS[field.kind]} |"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render_reference(), encoding="utf-8")
