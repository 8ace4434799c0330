"""Whether what was declared arrives, and what arrives that nobody declared: a pure function of what it is given."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.counted import counted
from tallystick.durations import format_age, format_duration
from tallystick.event.identifier import is_within
from tallystick.govern.ports import Seen
from tallystick.govern.systems.check import load_declaration
from tallystick.govern.systems.model import (
    DAY_US,
    MINUTE_US,
    SIGNIFICANT,
    Category,
    Declaration,
    Pattern,
    System,
    Version,
)

HOUR_US: Final = 60 * MINUTE_US
WINDOW_DAYS: Final = 30
"""What arrived longer ago counts no more, but for patterns that may be silent for longer."""
PRODUCT: Final = "tallystick"
"""The name of source 0: what the product itself says needs no declaration."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """What arrived in a system's scopes up to a place in the log: for each pattern by its key, for each action that no
    pattern covers, and for each source. `incomplete` says that a part of the log could not be read.
    """

    patterns: Mapping[str, Seen]
    actions: Mapping[str, Seen]
    sources: Mapping[str, Seen]
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Sender:
    """A registered sender as it stood; a retired one has `retired_index`."""

    name: str
    owner: str
    scopes: tuple[str, ...]
    registered_index: int
    retired_index: int | None


class GapKind(enum.StrEnum):
    """What can be missing."""

    CATEGORY = "category"
    SILENT = "silent"
    UNDECLARED = "undeclared"
    SOURCE = "source"
    OWNER = "owner"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing, and what to do about it. `key` is the same for the same gap as long as it is open."""

    kind: GapKind
    detail: str
    sentence: str
    remedy: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.detail}"


@dataclass(frozen=True, slots=True)
class PatternState:
    """A declared pattern: how often it arrived within the window and the last day, and when last. None for never."""

    pattern: Pattern
    count: int
    day: int
    last_index: int | None
    last_at: int | None
    silent: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """What stands about a system at a place in the log: the first `size` events, at a time. `declaration` is None where
    none is in force, or where its text was erased.
    """

    system: System
    size: int
    at_us: int
    declaration: Declaration | None
    patterns: tuple[PatternState, ...]
    gaps: tuple[Gap, ...]
    incomplete: bool


def window_start(system: System, at_us: int) -> int:
    """Return from when on what arrived counts: a whole hour."""
    declaration = declaration_of(system)
    longest = max((each.silence_us for each in declaration.patterns), default=0) if declaration else 0
    return (at_us - max(longest, WINDOW_DAYS * DAY_US)) // HOUR_US * HOUR_US


def declaration_of(system: System) -> Declaration | None:
    """Return the declaration in force, or None where there is none that can be read."""
    if system.in_force is None or system.in_force.text is None:
        return None
    return load_declaration(system.in_force.text)


def evaluate(
    system: System,
    versions: Sequence[Version],
    senders: Sequence[Sender],
    arrived: Arrived,
    size: int,
    at_us: int,
    review_days: int,
    category_of: Callable[[str], str | None],
) -> Coverage:
    """Return how a system stands. Everything given is as it stood at `size`; `at_us` is the time that silence and
    reviews are measured at. `category_of` says what the catalogue has of an action.
    """
    declaration = declaration_of(system)
    declared = declaration or Declaration((), {})
    states = tuple(_state(system, each, arrived, at_us) for each in declared.patterns)
    gaps = [_missing_category(each) for each in Category if not _says(declared, each)]
    gaps += [_silent(each, at_us) for each in states if each.silent]
    if declaration is not None:
        gaps += _undeclared_actions(arrived, at_us, category_of)
        gaps += _undeclared_sources(declaration, arrived, at_us)
    gaps += _ownerless(system, declared, senders, arrived, at_us)
    gaps += _review(system, versions, senders, at_us, review_days)
    return Coverage(system, size, at_us, declaration, states, tuple(gaps), arrived.incomplete)


def _says(declaration: Declaration, category: Category) -> bool:
    return category in declaration.not_applicable or bool(declaration.of(category))


def _state(system: System, pattern: Pattern, arrived: Arrived, at_us: int) -> PatternState:
    """Return how a pattern does. It is silent when nothing came for too long since it was last seen, or was approved."""
    assert system.in_force is not None
    assert system.in_force.decided_at is not None
    seen = _within(arrived.patterns.get(pattern.key), at_us, max(pattern.silence_us, WINDOW_DAYS * DAY_US))
    since = system.in_force.decided_at if seen is None else max(seen.at, system.in_force.decided_at)
    return PatternState(
        pattern=pattern,
        count=_count(seen, at_us, WINDOW_DAYS * DAY_US),
        day=_count(seen, at_us, DAY_US),
        last_index=None if seen is None else seen.index,
        last_at=None if seen is None else seen.at,
        silent=at_us - since > pattern.silence_us,
    )


def _missing_category(category: Category) -> Gap:
    return Gap(
        GapKind.CATEGORY,
        category.value,
        f"Nothing is declared about the category {category}.",
        "Declare what is critical in it, or say why it does not apply.",
    )


def _silent(state: PatternState, at_us: int) -> Gap:
    expected = format_duration(60 * state.pattern.silence_minutes)
    window = max(WINDOW_DAYS, state.pattern.silence_us // DAY_US)
    seen = f"has not arrived in {window} days"
    if state.last_at is not None:
        seen = f"last arrived {format_age((at_us - state.last_at) / 1_000_000)} ago"
    return Gap(
        GapKind.SILENT,
        state.pattern.key,
        f"{state.pattern.name} {seen}; it is expected every {expected}.",
        "See whether its sources still send; else change the query or the expected silence.",
    )


def _undeclared_actions(arrived: Arrived, at_us: int, category_of: Callable[[str], str | None]) -> list[Gap]:
    found = []
    for action, seen in sorted(arrived.actions.items()):
        if _within(seen, at_us) is None:
            continue
        category = category_of(action)
        known = f"of category {category}" if category else "which the catalogue does not know"
        count = _count(seen, at_us, WINDOW_DAYS * DAY_US)
        times = f"{counted(count, 'time')} in {WINDOW_DAYS} days"
        remedy = f"Declare it under {category or 'its category'}, or narrow the scopes of the system."
        found.append(Gap(GapKind.UNDECLARED, action, f"{action}, {known}, arrived {times} undeclared.", remedy))
    return found


def _undeclared_sources(declaration: Declaration, arrived: Arrived, at_us: int) -> list[Gap]:
    return [
        Gap(
            GapKind.SOURCE,
            source,
            f"The source {source} sends into the system's scopes, and no pattern names it.",
            "Name it with the patterns that it sends, or keep it out of these scopes.",
        )
        for source, seen in sorted(arrived.sources.items())
        if source != PRODUCT and source not in declaration.sources and _within(seen, at_us) is not None
    ]


def _ownerless(
    system: System, declaration: Declaration, senders: Sequence[Sender], arrived: Arrived, at_us: int
) -> list[Gap]:
    """Return the sources that send here, or are said to, and that nobody owns."""
    sending = {name for name, seen in arrived.sources.items() if _within(seen, at_us) is not None}
    named = sending | declaration.sources
    return [
        Gap(
            GapKind.OWNER,
            each.name,
            f"The source {each.name} of {system.facts.name} has no owner.",
            "Give the source an owner in the register of sources.",
        )
        for each in sorted(senders, key=lambda each: each.name)
        if each.name in named and each.name != PRODUCT and not each.owner and each.retired_index is None
    ]


def _review(
    system: System, versions: Sequence[Version], senders: Sequence[Sender], at_us: int, review_days: int
) -> list[Gap]:
    """Return whether the declaration has to be looked at again: yearly, and when something significant changed since."""
    proposal = system.in_force
    if proposal is None:
        return []
    assert proposal.decided_index is not None
    assert proposal.decided_at is not None
    since, why = proposal.decided_index, []
    if at_us - proposal.decided_at > review_days * DAY_US:
        why.append(f"it was approved more than {review_days} days ago")
    if proposal.text is None:
        why.append("its text was erased")
    changed = {field for each in versions if each.index > since for field in each.changed}
    why += [f"the system's {field.replace('_', ' ')} changed" for field in SIGNIFICANT if field in changed]
    for each in sorted(senders, key=lambda each: each.name):
        if each.name == PRODUCT or not _meet(each.scopes, system.facts.scopes):
            continue
        if each.retired_index is not None and each.retired_index > since:
            why.append(f"the source {each.name} was retired")
        elif each.registered_index > since:
            why.append(f"the source {each.name} was registered")
    if not why:
        return []
    remedy = "Propose the declaration again, changed or as it is, and let somebody else approve it."
    return [Gap(GapKind.REVIEW, "due", f"The declaration is due for review: {'; '.join(why)}.", remedy)]


def _meet(one: Sequence[str], other: Sequence[str]) -> bool:
    return any(is_within(mine, each) or is_within(each, mine) for mine in one for each in other)


def _within(seen: Seen | None, at_us: int, window_us: int = WINDOW_DAYS * DAY_US) -> Seen | None:
    """Return what was seen if the newest of it lies in the window."""
    return seen if seen is not None and seen.at > at_us - window_us else None


def _count(seen: Seen | None, at_us: int, window_us: int) -> int:
    """Return how many arrived in the window, which begins with a whole hour."""
    first = (at_us - window_us) // HOUR_US
    return 0 if seen is None else sum(count for hour, count in seen.hours.items() if hour >= first)
