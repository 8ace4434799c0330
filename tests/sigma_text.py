"""Rules written short for tests: only the searches, with a head put before them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.sigma import EventView, Filter, Rule, compile_rules, explain, load

HEAD = "title: A rule\nlogsource: {product: any}\n"
HEAD_LINES = 3
"""Lines before the first line of the searches, `detection:` among them."""


def rule_text(searches: str) -> bytes:
    """Return the text of a rule with these searches; without a condition it is `s`."""
    body = textwrap.dedent(searches).strip("\n")
    if "condition:" not in body:
        body += "\ncondition: s"
    return (HEAD + "detection:\n" + textwrap.indent(body, "  ") + "\n").encode()


def rule_of(searches: str) -> Rule:
    """Return the rule with these searches."""
    [document] = load(rule_text(searches))
    assert isinstance(document, Rule)
    return document


def filter_of(text: str) -> Filter:
    """Return the filter in a text."""
    [document] = load(textwrap.dedent(text).encode())
    assert isinstance(document, Filter)
    return document


def matches(
    searches: str,
    event: Mapping[str, Any],
    *,
    lists: Mapping[str, Sequence[str]] | None = None,
    filters: Sequence[Filter] = (),
) -> bool:
    """Return whether the rule matches; the set of rules and the explanation must say the same."""
    rule, known = rule_of(searches), (lists or {}).get
    matched = compile_rules({"r": rule}, filters=filters, lists=known).match(EventView(event))
    explained = explain(rule, EventView(event), filters=filters, lists=known)
    assert (matched == ("r",)) is explained.matched
    return explained.matched
