"""Whether a review may be signed: every section said something about by somebody whom it is not about. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tallystick.review.model import Item, Mark, Section
from tallystick.verify.review_format import digest_marks


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a section is. `waiting` says what is missing in a sentence, empty when nothing is; `remarks` counts marks
    that are findings.
    """

    section: str
    done: bool
    waiting: str


def standing_of(section: Section, marks: Iterable[Mark], items: Collection[Item]) -> Standing:
    """Return how far a section is.

    A mark says nothing of what is about who made it. So a section is done when nothing in it is about everybody who
    marked it; and each item that is decided by itself when somebody decided it.
    """
    here = [mark for mark in marks if mark.section == section.section]
    if section.form == "decisions":
        decided = {mark.item for mark in here}
        left = [each.item for each in items if each.section == section.section and each.item not in decided]
        waiting = f"{len(left)} of {section.count} are not decided" if left else ""
        return Standing(section.section, not left, waiting)
    if not here:
        return Standing(section.section, done=False, waiting="nobody has marked it")
    own = frozenset(here[0].own).intersection(*(mark.own for mark in here[1:]))
    waiting = f"{len(own)} of it are about everybody who marked it: somebody else must" if own else ""
    return Standing(section.section, not own, waiting)


def digest_of_marks(marks: Sequence[Mark]) -> str:
    """Return the digest that a signature names, of marks in order of index."""
    return digest_marks([each.index, each.section, each.item, each.person, each.verdict] for each in marks)


def about_her(section: str, items: Iterable[Item], ids: Collection[str]) -> tuple[str, ...]:
    """Return the items of a section that are about somebody."""
    return tuple(
        each.item for each in items if each.section == section and not set(ids).isdisjoint(_people(each.facts))
    )


def _people(facts: Mapping[str, object]) -> Collection[str]:
    people = facts.get("people")
    return [str(each) for each in people] if isinstance(people, list) else ()
