"""Why a rule matches an event, or does not: a tree to show to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["rule", "filter", "and", "or", "not", "quantified", "search", "map", "list", "field"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One condition: what it says, whether it holds for this event, and the conditions that it is made of.

    `label` is the condition in the rule's words. For kind `field` only, `values` are what the event has there (empty
    when the field is missing; () for a search in the whole event too), and `field` is its path.
    """

    kind: Kind
    label: str
    matched: bool
    parts: tuple[Explanation, ...] = ()
    field: str = ""
    values: tuple[Any, ...] = ()
