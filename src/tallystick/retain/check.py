"""What a class, a rule and a hold must say to be taken."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tallystick.event.identifier import is_action, is_scope
from tallystick.query.moments import parse_moment
from tallystick.retain.errors import RetentionInvalidError
from tallystick.retain.model import DAYS_MAX, Hold, RetentionClass, Rule, Terms

RULES_MAX: Final = 200
HOLD_RANGES_MAX: Final = 1000
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,62}", re.ASCII)
_HOLD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}", re.ASCII)


def check_name(name: str) -> None:
    """Raise unless it may be the name of a class."""
    if not _NAME.fullmatch(name):
        raise RetentionInvalidError(
            "a class is named in 2 to 63 lower-case letters, digits and hyphens", pointer="/name"
        )


def check_terms(terms: Terms) -> None:
    """Raise unless the periods are possible."""
    for pointer, days in (("/retention_days", terms.retention_days), ("/personal_days", terms.personal_days)):
        if days is not None and not 1 <= days <= DAYS_MAX:
            raise RetentionInvalidError(f"a period is 1 to {DAYS_MAX} days, or for ever", pointer=pointer)
    if None not in (terms.retention_days, terms.personal_days) and terms.personal_days > terms.retention_days:  # type: ignore[operator]
        raise RetentionInvalidError("the personal part is never kept longer than the rest", pointer="/personal_days")
    if len(terms.regulations) > 20:
        raise RetentionInvalidError("a class has up to 20 regulations", pointer="/regulations")
    for name, years in terms.regulations:
        if not _NAME.fullmatch(name) or not 1 <= years <= 100:
            raise RetentionInvalidError(
                "a regulation is a short name and 1 to 100 years: sox: 7", pointer="/regulations"
            )


def check_rules(rules: Sequence[Rule], classes: Mapping[int, RetentionClass], sources: Sequence[int]) -> None:
    """Raise unless every rule names a class and what it takes."""
    if len(rules) > RULES_MAX:
        raise RetentionInvalidError(f"there are up to {RULES_MAX} rules", pointer="/rules")
    for at, rule in enumerate(rules):
        pointer = f"/rules/{at}"
        kept = classes.get(rule.class_number)
        if kept is None or kept.keeps_facts:
            raise RetentionInvalidError(f"class {rule.class_number} takes no events of others", pointer=pointer)
        if rule.action is None and rule.scope is None and rule.source is None:
            raise RetentionInvalidError("a rule names an action, a scope or a source", pointer=pointer)
        if rule.action is not None and not is_action(rule.action.removesuffix(".*")):
            raise RetentionInvalidError(f"{rule.action[:64]!r} is neither an action nor one with .*", pointer=pointer)
        if rule.scope is not None and not is_scope(rule.scope):
            raise RetentionInvalidError(f"{rule.scope[:64]!r} is not a scope", pointer=pointer)
        if rule.source is not None and (rule.source == 0 or rule.source not in sources):
            raise RetentionInvalidError(f"there is no source {rule.source}", pointer=pointer)


def check_hold(hold: Hold, classes: Mapping[int, RetentionClass], sources: Sequence[int]) -> None:
    """Raise unless the hold has a name, a reason, an owner, and covers something that can be."""
    if not _HOLD.fullmatch(hold.hold):
        raise RetentionInvalidError("a hold is named in letters, digits and ._-, such as case-7", pointer="/hold")
    if not (hold.reason or "").strip() or not (hold.owner or "").strip():
        raise RetentionInvalidError("a hold has a reason and an owner", pointer="/reason")
    if (hold.ranges, hold.classes, hold.sources, hold.received) == (None, None, None, None):
        raise RetentionInvalidError("a hold names indexes, classes, sources or a time", pointer="/ranges")
    for first, size in hold.ranges or ():
        if first < 0 or size < 1:
            raise RetentionInvalidError(f"[{first}, {size}] is not a range of indexes", pointer="/ranges")
    if len(hold.ranges or ()) > HOLD_RANGES_MAX:
        raise RetentionInvalidError(f"a hold names up to {HOLD_RANGES_MAX} ranges", pointer="/ranges")
    if any(number not in classes for number in hold.classes or ()):
        raise RetentionInvalidError("one of the classes does not exist", pointer="/classes")
    if any(number not in sources for number in hold.sources or ()):
        raise RetentionInvalidError("one of the sources does not exist", pointer="/sources")
    start, end = hold.received or (None, None)
    if start is not None and end is not None and start >= end:
        raise RetentionInvalidError("the time of a hold ends after it begins", pointer="/received")


def checked_moment(text: str, now_us: int, pointer: str) -> int:
    """Return the time that a text says, in microseconds; raises RetentionInvalidError."""
    found = parse_moment(text.strip(), now_us)
    if found is None:
        raise RetentionInvalidError("write a time as 2026-03-01T12:00:00Z", pointer=pointer)
    return found.start
