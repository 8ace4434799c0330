"""One thing looked at, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

State = Literal["good", "attention", "problem", "unknown", "off"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: what was found, what that means, and what to do when it is not well.

    `off` is what this installation does not use; `unknown` is what could not be told.
    """

    name: str
    state: State
    found: str
    meaning: str
    remedy: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict in one line, the worst state among the checks, and the checks, the worst first."""

    verdict: str
    state: State
    checks: tuple[Check, ...]


def judge(checks: Sequence[Check]) -> Health:
    """Return the verdict over all checks; what is off or unknown is shown and does not decide."""
    problems = [each.name for each in checks if each.state == "problem"]
    attention = [each.name for each in checks if each.state == "attention"]
    if problems:
        verdict, state = f"Not well: {_listed(problems)}.", "problem"
    elif attention:
        verdict, state = f"It works, and needs attention: {_listed(attention)}.", "attention"
    else:
        verdict, state = "All is well.", "good"
    order: dict[State, int] = {"problem": 0, "attention": 1, "unknown": 2, "good": 3, "off": 4}
    ordered = tuple(sorted(checks, key=lambda each: order[each.state]))
    return Health(verdict=verdict, state=state, checks=ordered)  # type: ignore[arg-type]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
