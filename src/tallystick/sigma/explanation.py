"""Why a rule matches an event, or does not: a tree to show to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.sigma.compiling import Compiled, Kind, compile_rule, no_lists
from tallystick.sigma.model import Filter, Rule
from tallystick.sigma.values import Lists
from tallystick.sigma.view import View


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


def explain(rule: Rule, view: View, *, filters: Sequence[Filter] = (), lists: Lists = no_lists) -> Explanation:
    """Return why `rule` matches the event, or does not. Raises SigmaPlaceholderError when a list is missing."""
    return explained(compile_rule(rule, filters, lists), view)


def explained(compiled: Compiled, view: View) -> Explanation:
    """Return the truth of a condition and of everything in it."""
    return Explanation(
        compiled.kind,
        compiled.label,
        compiled.holds(view),
        tuple([explained(part, view) for part in compiled.parts]),
        compiled.field,
        view.get(compiled.field) if compiled.field else (),
    )
