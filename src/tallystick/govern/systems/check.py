"""What systems and declarations may say. Pure; what is wrong is named with its place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from tallystick.event.identifier import hidden_character, is_scope
from tallystick.govern.systems.errors import DeclarationInvalidError, SystemInvalidError
from tallystick.govern.systems.model import Category, Declaration, Facts, Pattern
from tallystick.query.errors import QueryError
from tallystick.query.model import Term, walk_terms
from tallystick.query.parser import parse_query

NAME_CHARS_MAX: Final = 100
ITEMS_MAX: Final = 200
ITEM_CHARS_MAX: Final = 300
TEXT_CHARS_MAX: Final = 10_000
WHY_CHARS_MAX: Final = 1000
PATTERNS_MAX: Final = 100
SILENCE_MINUTES_MAX: Final = 366 * 24 * 60
#: Where and when something arrived is for coverage to say; a pattern says what.
_PLACES: Final = frozenset({"index", "id", "received_at", "occurred_at", "class"})
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_BREAKS: Final = str.maketrans("", "", "\r\n\t")


def check_facts(facts: Facts) -> Facts:
    """Return what can be registered; raises SystemInvalidError."""
    if not facts.name.strip() or facts.name != facts.name.strip() or len(facts.name) > NAME_CHARS_MAX:
        raise SystemInvalidError(f"a name has 1 to {NAME_CHARS_MAX} characters", pointer="/name")
    _check_line(facts.name, "/name")
    if not facts.scopes or len(facts.scopes) > ITEMS_MAX:
        raise SystemInvalidError(f"a system has 1 to {ITEMS_MAX} scopes", pointer="/scopes")
    for scope in facts.scopes:
        if not is_scope(scope):
            raise SystemInvalidError(f"{scope[:80]!r} is not a scope", pointer="/scopes")
    for field in ("deputies", "endpoints", "assets", "third_parties", "scopes"):
        items: tuple[str, ...] = getattr(facts, field) or ()
        if len(items) > ITEMS_MAX or len(set(items)) != len(items):
            raise SystemInvalidError(f"a list has at most {ITEMS_MAX} entries, each once", pointer=f"/{field}")
        for item in items:
            if not item.strip() or len(item) > ITEM_CHARS_MAX:
                raise SystemInvalidError(f"an entry has 1 to {ITEM_CHARS_MAX} characters", pointer=f"/{field}")
            _check_line(item, f"/{field}")
    for field in ("runbook", "procedure"):
        text: str = getattr(facts, field) or ""
        if len(text) > TEXT_CHARS_MAX:
            raise SystemInvalidError(f"a text has at most {TEXT_CHARS_MAX:,} characters", pointer=f"/{field}")
        _check_line(text.translate(_BREAKS), f"/{field}")
    return facts


def parse_declaration(document: object, now_us: int) -> Declaration:
    """Return the declaration that a JSON document says; raises DeclarationInvalidError with the place."""
    categories = _members(document, {"categories"}, "").get("categories")
    found = _members(categories, {each.value for each in Category}, "/categories")
    patterns: list[Pattern] = []
    reasons: dict[Category, str] = {}
    for category in (each for each in Category if each.value in found):
        place = f"/categories/{category}"
        members = _members(found[category.value], {"patterns", "not_applicable"}, place)
        reason, listed = members.get("not_applicable"), members.get("patterns") or []
        if reason is not None and listed:
            raise DeclarationInvalidError("a category has patterns or does not apply, not both", pointer=place)
        if reason is not None:
            reasons[category] = _text(reason, f"{place}/not_applicable", WHY_CHARS_MAX)
        if not isinstance(listed, list):
            raise DeclarationInvalidError("this is not a list", pointer=f"{place}/patterns")
        patterns += [_pattern(category, each, f"{place}/patterns/{at}", now_us) for at, each in enumerate(listed)]
    if not patterns and not reasons:
        raise DeclarationInvalidError("a declaration says something about at least one category", pointer="/categories")
    if len(patterns) > PATTERNS_MAX:
        raise DeclarationInvalidError(f"a declaration has at most {PATTERNS_MAX} patterns", pointer="/categories")
    keys = [each.key for each in patterns]
    for key in keys:
        if keys.count(key) > 1:
            raise DeclarationInvalidError(f"two patterns are called {key}", pointer="/categories")
    return Declaration(tuple(patterns), reasons)


@lru_cache(maxsize=512)
def load_declaration(text: str) -> Declaration:
    """Return a declaration that was checked when it was proposed; those asked for lately are kept."""
    return parse_declaration(json.loads(text), 0)


def _pattern(category: Category, said: object, place: str, now_us: int) -> Pattern:
    members = _members(said, {"name", "query", "why", "silence_minutes", "sources"}, place)
    name = members.get("name")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise DeclarationInvalidError(
            "a pattern is named with small letters, digits and dashes", pointer=f"{place}/name"
        )
    silence = members.get("silence_minutes")
    if not isinstance(silence, int) or isinstance(silence, bool) or not 1 <= silence <= SILENCE_MINUTES_MAX:
        said_so = f"the longest silence is 1 to {SILENCE_MINUTES_MAX:,} minutes"
        raise DeclarationInvalidError(said_so, pointer=f"{place}/silence_minutes")
    sources = members.get("sources") or []
    if not isinstance(sources, list) or not all(isinstance(each, str) for each in sources) or len(sources) > ITEMS_MAX:
        raise DeclarationInvalidError("sources are a list of names", pointer=f"{place}/sources")
    query = _text(members.get("query"), f"{place}/query", WHY_CHARS_MAX)
    _check_query(query, f"{place}/query", now_us)
    why = _text(members.get("why"), f"{place}/why", WHY_CHARS_MAX)
    return Pattern(category, name, query, why, silence, tuple(dict.fromkeys(sources)))


def _check_query(text: str, place: str, now_us: int) -> None:
    try:
        node = parse_query(text, now_us=now_us)
    except QueryError as error:
        said = f"the query is not one: {error.message}"
        raise DeclarationInvalidError(said, pointer=place, line=error.line, column=error.column) from error
    named = {term.field.name for term in walk_terms(node) if isinstance(term, Term)}
    if named & _PLACES:
        said = f"a pattern says what arrives, not where or when: leave out {min(named & _PLACES)}"
        raise DeclarationInvalidError(said, pointer=place)


def _members(value: object, known: Iterable[str], place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DeclarationInvalidError("this is not an object", pointer=place)
    for name in value:
        if name not in known:
            raise DeclarationInvalidError(f"there is no {str(name)[:40]!r} here", pointer=f"{place}/{str(name)[:40]}")
    return value


def _text(value: object, place: str, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise DeclarationInvalidError(f"this needs a text of 1 to {most:,} characters", pointer=place)
    found = hidden_character(value.translate(_BREAKS))
    if found is not None:
        raise DeclarationInvalidError(f"the character U+{ord(found):04X} hides something", pointer=place)
    return value.strip()


def _check_line(text: str, pointer: str) -> None:
    found = hidden_character(text)
    if found is not None:
        raise SystemInvalidError(f"the character U+{ord(found):04X} hides something", pointer=pointer)
