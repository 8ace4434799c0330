"""What is different between two declarations."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.durations import format_duration
from tallystick.govern.systems.model import Category, Declaration, Pattern


@dataclass(frozen=True, slots=True)
class Difference:
    """A pattern or a category that was added, changed or taken away; a side that has nothing is None."""

    field: str
    old: str | None
    new: str | None


def differences(old: Declaration | None, new: Declaration) -> list[Difference]:
    """Return what differs, category by category, each pattern as one text."""
    before, after = _lines(old or Declaration((), {})), _lines(new)
    order = {category.value: at for at, category in enumerate(Category)}
    fields = sorted({*before, *after}, key=lambda field: (order[field.partition("/")[0]], field))
    return [
        Difference(field, before.get(field), after.get(field))
        for field in fields
        if before.get(field) != after.get(field)
    ]


def _lines(declaration: Declaration) -> dict[str, str]:
    patterns = {each.key: _told(each) for each in declaration.patterns}
    return {
        **patterns,
        **{category.value: f"not applicable: {why}" for category, why in declaration.not_applicable.items()},
    }


def _told(pattern: Pattern) -> str:
    sources = f" from {', '.join(pattern.sources)}" if pattern.sources else ""
    return (
        f"{pattern.query}{sources}, silent for at most {format_duration(60 * pattern.silence_minutes)}: {pattern.why}"
    )
