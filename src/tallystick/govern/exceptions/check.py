"""What an exception may say. Pure; what is wrong is named with its place."""

from __future__ import annotations

import re
import secrets
from typing import Final

from tallystick.event.identifier import hidden_character, is_scope
from tallystick.govern.exceptions.errors import ExceptionInvalidError
from tallystick.govern.exceptions.model import DAY_US, ExceptionRecord, Kind, Terms, Wish
from tallystick.query.errors import QueryError
from tallystick.query.parser import parse_query

TEXT_CHARS_MAX: Final = 4000
REASON_CHARS_MAX: Final = 1000
AHEAD_DAYS: Final = 366
"""How far ahead an exception may begin."""
_SUBJECT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+#-]{0,255}", re.ASCII)
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_BREAKS: Final = str.maketrans("", "", "\n\t")


def terms_of(wish: Wish, now_us: int, days_max: int, extends: ExceptionRecord | None = None) -> Terms:
    """Return what a wish asks for, with an id of its own; raises ExceptionInvalidError.

    An extension begins where the exception before it ends.
    """
    if _SUBJECT.fullmatch(wish.subject) is None:
        raise ExceptionInvalidError("name the subject by its id, 1 to 256 characters", pointer="/subject")
    if wish.scope and not is_scope(wish.scope):
        raise ExceptionInvalidError(f"{wish.scope[:80]!r} is not a scope", pointer="/scope")
    start_us = max(now_us, wish.start_us or now_us) if extends is None else extends.terms.until_us
    _check_times(start_us, wish.until_us, now_us, days_max)
    query = _checked_query(wish.query, now_us)
    if query is not None and wish.kind is not Kind.RULE:
        raise ExceptionInvalidError("a query narrows an exception from a rule, no other", pointer="/query")
    return Terms(
        exception="x-" + "".join(secrets.choice(_ALPHABET) for _ in range(12)),
        kind=wish.kind,
        subject=wish.subject,
        scope=wish.scope,
        narrowed=query is not None,
        query=query,
        justification=checked_text(wish.justification, "/justification", "a justification"),
        control=checked_text(wish.control, "/control", "a compensating control"),
        risk=wish.risk,
        start_us=start_us,
        until_us=wish.until_us,
        extends=None if extends is None else extends.id,
    )


def checked_text(text: str, pointer: str, what: str, most: int = TEXT_CHARS_MAX) -> str:
    """Return a text that says something, without blanks around it; raises ExceptionInvalidError."""
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > most:
        raise ExceptionInvalidError(f"{what} has 1 to {most:,} characters", pointer=pointer)
    found = hidden_character(text.translate(_BREAKS))
    if found is not None:
        raise ExceptionInvalidError(f"the character U+{ord(found):04X} hides something", pointer=pointer)
    return text


def _check_times(start_us: int, until_us: int, now_us: int, days_max: int) -> None:
    if start_us > now_us + AHEAD_DAYS * DAY_US:
        raise ExceptionInvalidError(f"an exception begins within {AHEAD_DAYS} days", pointer="/start")
    if until_us <= start_us:
        raise ExceptionInvalidError("the end lies in the past, or before the beginning", pointer="/until")
    if until_us - start_us > days_max * DAY_US:
        raise ExceptionInvalidError(f"an exception lasts at most {days_max} days", pointer="/until")


def _checked_query(text: str | None, now_us: int) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        parse_query(text.strip(), now_us=now_us)
    except QueryError as error:
        raise ExceptionInvalidError(
            f"the query is not one: {error.message}", pointer="/query", line=error.line, column=error.column
        ) from error
    return text.strip()
