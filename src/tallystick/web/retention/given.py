"""What the forms of retention say, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tallystick.retain.check import checked_moment
from tallystick.retain.errors import RetentionInvalidError
from tallystick.retain.looking import RetentionReading
from tallystick.retain.model import Hold, Rule, Terms


def given_terms(values: Mapping[str, str], *, guarded: bool = True) -> Terms:
    """Return the terms of a class; empty days are for ever, of the personal part: as the rest."""
    regulations = []
    for each in values["regulations"].replace(",", " ").split():
        name, colon, years = each.partition(":")
        if not colon or not years.isascii() or not years.isdigit() or len(years) > 3:
            raise RetentionInvalidError("write a regulation as sox:7", pointer="/regulations")
        regulations.append((name, int(years)))
    return Terms(_days(values, "retention_days"), _days(values, "personal_days"), guarded, tuple(regulations))


def given_rules(text: str, reading: RetentionReading) -> list[Rule]:
    """Return the rules that lines such as `short action=report.* scope=acme/web source=ci` say."""
    rules = []
    for number, line in enumerate((each for each in text.splitlines() if each.strip()), 1):
        name, *conditions = line.split()
        said = dict(each.partition("=")[::2] for each in conditions)
        if not said or said.keys() - {"action", "scope", "source"} or not all(said.values()):
            raise RetentionInvalidError(f"line {number} is not: CLASS action=… scope=… source=…", pointer="/rules")
        source = said.get("source")
        rules.append(
            Rule(
                reading.class_number(name),
                said.get("action"),
                said["scope"].strip("/") if "scope" in said else None,
                None if source is None else reading.source_number(source),
            )
        )
    return rules


def given_hold(values: Mapping[str, str], reading: RetentionReading, now_us: int) -> Hold:
    """Return the hold that a form describes."""
    start, end = (
        checked_moment(values[name], now_us, f"/{name}") if values[name] else None
        for name in ("received_from", "received_to")
    )
    return Hold(
        values["hold"],
        values["owner"],
        values["reason"],
        None,
        0,
        0,
        tuple(_range(each) for each in values["ranges"].replace(",", " ").split()) or None,
        _numbers(values["classes"], reading.class_number),
        _numbers(values["sources"], reading.source_number),
        None if (start, end) == (None, None) else (start, end),
    )


def _numbers(text: str, number_of: Callable[[str], int]) -> tuple[int, ...] | None:
    return tuple(number_of(each) for each in text.replace(",", " ").split()) or None


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not text.isascii() or not first.isdigit() or not (last or first).isdigit() or int(last or first) < int(first):
        raise RetentionInvalidError("write indexes as 100-200", pointer="/ranges")
    return int(first), int(last or first) - int(first) + 1


def _days(values: Mapping[str, str], name: str) -> int | None:
    text = values[name]
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise RetentionInvalidError("write a period in days, or nothing for ever", pointer=f"/{name}")
    return int(text)
