"""What commands about retention are given, as the API takes it, and how its answers stand in tables."""

from __future__ import annotations

from typing import Any

import typer

from tallystick.cli.console import plain


def given_terms(days: int | None, personal_days: int | None, regulation: list[str] | None) -> dict[str, Any]:
    """Return the terms of a class as the API takes them."""
    regulations = {}
    for each in regulation or ():
        name, colon, years = each.partition(":")
        if not colon or not years.isascii() or not years.isdigit():
            raise typer.BadParameter(f"{each!r} is not NAME:YEARS", param_hint="--regulation")
        regulations[name] = int(years)
    return {"retention_days": days, "personal_days": personal_days, "regulations": regulations}


def given_rule(text: str) -> dict[str, str]:
    """Return the rule that CLASS=CONDITIONS says."""
    name, equals, conditions = text.partition("=")
    rule = {"class_name": name}
    for condition in conditions.split(","):
        what, colon, value = condition.partition(":")
        if not equals or not colon or what not in {"action", "scope", "source"} or what in rule:
            raise typer.BadParameter(f"{text!r} is not CLASS=action:…,scope:…,source:…", param_hint="RULE")
        rule[what] = value
    return rule


def given_range(text: str) -> tuple[int, int]:
    """Return what FIRST-LAST says, as first and size."""
    first, dash, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit() or (dash and not last) or int(last or first) < int(first):
        raise typer.BadParameter(f"{text!r} is not FIRST-LAST", param_hint="--indexes")
    return int(first), int(last or first) - int(first) + 1


def class_row(each: dict[str, Any]) -> list[Any]:
    """Return the cells of a class."""
    keeps = "facts for ever" if each["keeps_facts"] else days_text(each["in_force_days"])
    cells = (
        each["name"],
        str(each["number"]),
        keeps,
        days_text(each["personal_in_force_days"]),
        days_text(each["floor_days"], ""),
    )
    more = (f"{each['events']:,}", f"{each['bytes']:,}", (each["next_expiry"] or "")[:10])
    return [plain(cell) for cell in (*cells, *more)]


def days_text(days: int | None, none: str = "for ever") -> str:
    """Return a period in words."""
    return none if days is None else f"{days:,} days"


def hold_row(each: dict[str, Any]) -> list[Any]:
    """Return the cells of a hold."""
    covers = [
        f"{what} {', '.join(map(str, each[what]))}"
        for what in ("classes", "sources", "ranges")
        if each[what] is not None
    ]
    covers += [f"{word} {each[at]}" for word, at in (("from", "received_from"), ("to", "received_to")) if each[at]]
    cells = (each["hold"], each["owner"] or "", "; ".join(covers), each["placed_at"][:19])
    return [plain(cell) for cell in (*cells, (each["released_at"] or "")[:19])]


def change_row(each: dict[str, Any]) -> list[Any]:
    """Return the cells of a proposal."""
    cells = (
        each["change"],
        each["kind"],
        each["subject"],
        each["state"],
        each["proposed_by"],
        each["proposed_at"][:19],
    )
    return [plain(cell) for cell in (*cells, each["digest"])]
