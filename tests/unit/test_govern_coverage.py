"""Declarations that are taken or refused with their place, and what counts as a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tallystick.govern.systems.check import check_facts, parse_declaration
from tallystick.govern.systems.compare import differences
from tallystick.govern.systems.coverage import HOUR_US, WINDOW_DAYS, Arrived, Coverage, Sender, evaluate
from tallystick.govern.systems.errors import DeclarationInvalidError, SystemInvalidError
from tallystick.govern.systems.model import (
    DAY_US,
    Category,
    DataClass,
    Environment,
    Facts,
    Proposal,
    System,
    Version,
    digest_of,
)

NOW = 2_000 * DAY_US
FACTS = Facts("Payments", ("acme/payments",), Environment.PRODUCTION, DataClass.CONFIDENTIAL, "p-ana")
PATTERN: dict[str, Any] = {
    "name": "sign-ins",
    "query": "action:user.signed_in",
    "why": "Who comes in.",
    "silence_minutes": 60,
    "sources": ["app"],
}
WHOLE: dict[str, Any] = {
    "categories": {
        "authentication": {"patterns": [PATTERN]},
        **{name: {"not_applicable": "elsewhere"} for name in ("system", "network", "application", "security")},
    }
}


@dataclass(frozen=True)
class Came:
    """Something that arrived."""

    at: int
    index: int = 5
    hours: Mapping[int, int] = field(default_factory=dict)


def came(ago_us: int, count: int = 1) -> Came:
    return Came(NOW - ago_us, hours={(NOW - ago_us) // HOUR_US: count})


def approved(document: object | None = WHOLE, days_ago: float = 10) -> Proposal:
    text = None if document is None else parse_declaration(document, 0).text()
    at = NOW - int(days_ago * DAY_US)
    digest = digest_of("y-1", text or "")
    return Proposal("d-1", "y-1", digest, None, text, "", "p-ana", 8, at, "approved", "p-bo", 9, at, None)


def system(declared: Proposal | None, facts: Facts = FACTS) -> System:
    return System("y-1", Version(3, 0, "p-ana", facts, ()), 3, None, declared)


def coverage(
    declared: Proposal | None,
    *,
    patterns: Mapping[str, Came] | None = None,
    actions: Mapping[str, Came] | None = None,
    sources: Mapping[str, Came] | None = None,
    senders: tuple[Sender, ...] = (),
    versions: tuple[Version, ...] = (),
) -> Coverage:
    arrived = Arrived(patterns or {}, actions or {}, sources or {})
    return evaluate(system(declared), versions, senders, arrived, 100, NOW, 365, lambda action: None)


def keys(found: Coverage) -> set[str]:
    return {each.key for each in found.gaps}


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        ({"categories": {}}, "/categories"),
        ({"categories": {"weather": {}}}, "/categories/weather"),
        ({"else": 1}, "/else"),
        ({"categories": {"network": {"patterns": {}}}}, "/categories"),
        ({"categories": {"network": {"patterns": ["x"]}}}, "/categories/network/patterns/0"),
        ({"categories": {"network": {"not_applicable": " "}}}, "/categories/network/not_applicable"),
        ({"categories": {"network": {"not_applicable": "no", "patterns": [PATTERN]}}}, "/categories/network"),
        ({"categories": {"network": {"patterns": [PATTERN, PATTERN]}}}, "/categories"),
    ],
)
def test_a_declaration_that_says_too_little_is_refused_with_its_place(document: object, pointer: str) -> None:
    with pytest.raises(DeclarationInvalidError) as refused:
        parse_declaration(document, 0)
    assert refused.value.pointer == pointer


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"name": "Sign ins"}, "name"),
        ({"name": None}, "name"),
        ({"query": "action:("}, "query"),
        ({"query": "action:x from:-7d"}, "query"),
        ({"query": "index:[1 TO 2]"}, "query"),
        ({"query": " "}, "query"),
        ({"why": ""}, "why"),
        ({"why": "safe\u202egpj.exe"}, "why"),
        ({"silence_minutes": 0}, "silence_minutes"),
        ({"silence_minutes": True}, "silence_minutes"),
        ({"silence_minutes": 1e9}, "silence_minutes"),
        ({"sources": "app"}, "sources"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_pattern_that_cannot_be_followed_is_refused_with_its_place(changes: dict[str, object], member: str) -> None:
    document = {"categories": {"network": {"patterns": [{**PATTERN, **changes}]}}}
    with pytest.raises(DeclarationInvalidError) as refused:
        parse_declaration(document, 0)
    assert refused.value.pointer == f"/categories/network/patterns/0/{member}"


def test_a_declaration_is_one_text_whatever_order_it_was_written_in() -> None:
    categories = dict(reversed(WHOLE["categories"].items()))
    assert parse_declaration({"categories": categories}, 0).text() == parse_declaration(WHOLE, 0).text()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\u202eb"}, "/name"),
        ({"scopes": ()}, "/scopes"),
        ({"scopes": ("",)}, "/scopes"),
        ({"scopes": ("acme", "acme")}, "/scopes"),
        ({"endpoints": ("",)}, "/endpoints"),
        ({"endpoints": ("x" * 301,)}, "/endpoints"),
        ({"procedure": "x" * 10_001}, "/procedure"),
    ],
)
def test_facts_that_cannot_be_registered_are_refused_with_their_place(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(SystemInvalidError) as refused:
        check_facts(replace(FACTS, **changes))
    assert refused.value.pointer == pointer


def test_without_a_declaration_every_category_is_a_gap_and_no_action_is() -> None:
    found = coverage(None, actions={"user.deleted": came(0)}, sources={"app": came(0)})
    assert keys(found) == {f"category:{each.value}" for each in Category}


def test_what_is_declared_and_arrives_leaves_no_gap() -> None:
    found = coverage(approved(), patterns={"authentication/sign-ins": came(HOUR_US // 2, 7)}, sources={"app": came(0)})
    assert found.gaps == ()
    assert (found.patterns[0].count, found.patterns[0].day, found.patterns[0].silent) == (7, 7, False)


@pytest.mark.parametrize(
    ("ago_minutes", "approved_minutes_ago", "silent"),
    [(60, 9999, False), (61, 9999, True), (None, 60, False), (None, 61, True), (61, 30, False)],
)
def test_silence_is_measured_since_it_was_seen_or_declared(
    ago_minutes: int | None, approved_minutes_ago: int, silent: bool
) -> None:
    seen = {} if ago_minutes is None else {"authentication/sign-ins": came(ago_minutes * HOUR_US // 60)}
    found = coverage(approved(days_ago=approved_minutes_ago / 1440), patterns=seen)
    assert ("silent:authentication/sign-ins" in keys(found)) is silent


@pytest.mark.parametrize(("days", "gap"), [(0, True), (WINDOW_DAYS - 0.1, True), (WINDOW_DAYS + 0.1, False)])
def test_what_arrived_undeclared_counts_for_thirty_days(days: float, gap: bool) -> None:
    long_ago = came(int(days * DAY_US))
    found = coverage(approved(), actions={"user.deleted": long_ago}, sources={"other": long_ago})
    assert ("undeclared:user.deleted" in keys(found)) is gap
    assert ("source:other" in keys(found)) is gap


@pytest.mark.parametrize(
    ("owner", "retired", "sends", "gap"),
    [("", None, True, True), ("ops", None, True, False), ("", 50, True, False), ("", None, False, False)],
)
def test_a_source_that_sends_here_needs_an_owner(owner: str, retired: int | None, sends: bool, gap: bool) -> None:
    sender = Sender("other", owner, ("acme",), 1, retired)
    found = coverage(approved(), sources={"other": came(0)} if sends else {}, senders=(sender,))
    assert ("owner:other" in keys(found)) is gap


def version(index: int, *changed: str) -> Version:
    return Version(index, NOW, "p-ana", FACTS, changed)


@pytest.mark.parametrize(
    ("days", "versions", "senders", "why"),
    [
        (364, (), (), None),
        (366, (), (), "more than 365 days ago"),
        (1, (version(8, "scopes"),), (), None),
        (1, (version(10, "name", "runbook"),), (), None),
        (1, (version(10, "environment"),), (), "environment changed"),
        (1, (version(10, "data_class"),), (), "data class changed"),
        (1, (), (Sender("new", "ops", ("acme",), 10, None),), "new was registered"),
        (1, (), (Sender("old", "ops", ("acme/payments/api",), 1, 10),), "old was retired"),
        (1, (), (Sender("far", "ops", ("acme/platform",), 10, None),), None),
    ],
)
def test_a_declaration_is_reviewed_yearly_and_on_significant_change(
    days: int, versions: tuple[Version, ...], senders: tuple[Sender, ...], why: str | None
) -> None:
    seen = {"authentication/sign-ins": came(0)}
    found = coverage(approved(days_ago=days), patterns=seen, versions=versions, senders=senders)
    due = [each.sentence for each in found.gaps if each.key == "review:due"]
    assert bool(due) is (why is not None)
    assert why is None or why in due[0]


def test_a_declaration_whose_text_was_erased_declares_nothing_and_is_due() -> None:
    found = coverage(approved(None), actions={"user.deleted": came(0)})
    assert keys(found) == {f"category:{each.value}" for each in Category} | {"review:due"}


def test_a_difference_names_what_was_added_changed_and_taken_away() -> None:
    old = parse_declaration(WHOLE, 0)
    changed = {**PATTERN, "silence_minutes": 120}
    more = {**PATTERN, "name": "lock-outs"}
    new = parse_declaration({"categories": {"authentication": {"patterns": [changed, more]}}}, 0)
    found = {each.field: (each.old is None, each.new is None) for each in differences(old, new)}
    assert found == {
        "authentication/lock-outs": (True, False),
        "authentication/sign-ins": (False, False),
        **dict.fromkeys(("system", "network", "application", "security"), (False, True)),
    }
    assert differences(old, old) == []
    assert len(differences(None, old)) == 5
