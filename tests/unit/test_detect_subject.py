"""Stored events as rules see them."""

from __future__ import annotations

import json
from typing import Any

from tallystick.detect.subject import Subject, subject_of
from tallystick.event.disclosure import Disclosure
from tallystick.event.merge import merge

FACTS: dict[str, Any] = {
    "action": "user.signed_in",
    "actor": {"type": "user", "key": "k3y"},
    "targets": [{"type": "application", "id": "intranet"}, {"type": "user"}],
    "changes": [{"field": "role"}],
    "scope": "acme/intranet",
    "occurred_at": "2026-03-01T12:00:00.000000Z",
    "outcome": "success",
    "context": {},
}
PERSONAL = {
    "/actor/id": "ana@example.org",
    "/targets/1/id": "bo@example.org",
    "/changes/0/new": "admin",
    "/context/ip": "192.0.2.7",
    "/raw": {"eventName": "ConsoleLogin", "a/b": 1},
}


def row(facts: Any = FACTS, personal: Any = PERSONAL, source: int = 3) -> Disclosure:
    def encoded(value: Any) -> bytes | None:
        return None if value is None else json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

    return Disclosure(7, b"i" * 16, 1_000, source, 2, b"s" * 16, encoded(facts), b"t" * 16, encoded(personal), None)


def made(found: Disclosure) -> Subject | None:
    return subject_of(found, lambda number: (f"source-{number}", "api"), {"user.signed_in": "authentication"}.get)


def test_facts_and_personal_data_are_put_together_as_everywhere_else() -> None:
    found = made(row())
    assert found is not None
    event = {name: value for name, value in found.event.items() if name not in {"source", "source_kind"}}
    stored = row()
    assert stored.facts is not None
    assert event == merge(stored.facts, stored.personal)
    assert found.view().texts("targets.id") == ("intranet", "bo@example.org")
    assert found.raw_view(None).texts("eventName") == ("ConsoleLogin",)
    assert (found.category, found.event["source"], found.event["source_kind"]) == ("authentication", "source-3", "api")


def test_an_event_whose_content_was_erased_is_passed_over() -> None:
    assert made(row(facts=None, personal=None)) is None


def test_an_event_whose_personal_part_was_erased_is_judged_by_its_facts() -> None:
    found = made(row(personal=None))
    assert found is not None
    assert found.view().texts("actor.id") == ()
    assert found.view().texts("actor.key") == ("k3y",)
    assert found.raw is None


def test_a_personal_part_that_does_not_fit_the_facts_is_passed_over() -> None:
    assert made(row(personal={"/nowhere/at": 1})) is None
    assert made(row(personal={"/targets/9/id": "x"})) is None


def test_the_product_itself_is_a_source_of_its_own_kind() -> None:
    found = made(row(source=0))
    assert found is not None
    assert (found.event["source"], found.kind, found.is_own) == ("tallystick", "product", False)
