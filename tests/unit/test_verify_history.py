from __future__ import annotations

import json
from typing import Any

import pytest

from tallystick.event.catalogue import load_shipped
from tallystick.note import Ed25519Signer
from tallystick.verify.actions import ONLY_PRODUCT
from tallystick.verify.codes import MEANING, Code
from tallystick.verify.history import (
    ABOUT_THE_LOG,
    LogHistory,
    ProductEvent,
    check_numbers,
    read_history,
)
from tallystick.verify.model import Findings

ORIGIN = "example.org/log"
FIRST, SECOND, THIRD = (Ed25519Signer(ORIGIN, bytes([seed]) * 32) for seed in range(3))
CREATED = ("ledger.created", {"origin": ORIGIN, "key": FIRST.vkey, "format": 1})


def read(
    *events: tuple[str, dict[str, Any]], class_number: int = 1
) -> tuple[LogHistory, list[tuple[Code, int | None]]]:
    """Return the history of events at indexes 0, 1, ..., and what was found."""
    findings = Findings()
    product = [
        ProductEvent(index, 1_000_000 * index, class_number, json.dumps({"action": action, "metadata": facts}).encode())
        for index, (action, facts) in enumerate(events)
    ]
    history = read_history(product, findings, "events")
    return history, [(finding.code, finding.index) for finding in findings.kept]


def rotated(old: Ed25519Signer, new: Ed25519Signer) -> tuple[str, dict[str, Any]]:
    return "key.rotated", {"old": old.vkey, "new": new.vkey}


def defined(what: str, number: int) -> tuple[str, dict[str, Any]]:
    return {"class": "class.defined", "source": "source.registered"}[what], {"number": number, "retention_days": 400}


def test_only_the_product_says_what_the_catalogue_calls_its_own() -> None:
    types = load_shipped().types
    named = {name for name in types if types[name].origin == "product"}
    assert named == ONLY_PRODUCT
    assert {types[name].retention_class for name in ABOUT_THE_LOG} == {"ledger-access"}


def test_every_finding_has_a_meaning() -> None:
    assert set(MEANING) == set(Code)


def test_the_key_in_force_is_the_newest_one_that_the_entries_below_a_size_name() -> None:
    history, found = read(CREATED, defined("class", 1), rotated(FIRST, SECOND), rotated(SECOND, THIRD))
    assert not found
    keys = [history.key_in_force(size) for size in (1, 2, 3, 4)]
    assert keys == [FIRST.verifier, FIRST.verifier, SECOND.verifier, THIRD.verifier]
    assert history.keys_known() == [FIRST.verifier, SECOND.verifier, THIRD.verifier]


@pytest.mark.parametrize("wrong", [rotated(SECOND, THIRD), rotated(FIRST, Ed25519Signer("other.example", bytes(32)))])
def test_a_rotation_from_a_key_not_in_force_or_to_another_logs_key_counts_for_nothing(
    wrong: tuple[str, dict[str, Any]],
) -> None:
    history, found = read(CREATED, wrong)
    assert found == [(Code.KEYS_BROKEN, 1)]
    assert history.keys_known() == [FIRST.verifier]


def test_a_log_begins_once_at_index_0_with_its_own_key_and_a_format_that_is_known() -> None:
    assert read(defined("class", 1))[1] == [(Code.BEGINNING_WRONG, 0), (Code.BEGINNING_WRONG, 0)]
    assert read(CREATED, CREATED)[1] == [(Code.BEGINNING_WRONG, 1)]
    for change in ({"format": 2}, {"origin": "other.example"}, {"key": "nonsense"}):
        codes = [code for code, _ in read((CREATED[0], CREATED[1] | change))[1]]
        assert codes == [Code.PRODUCT_MALFORMED, Code.BEGINNING_WRONG]


@pytest.mark.parametrize("what", ["class", "source"])
def test_a_number_is_given_once(what: str) -> None:
    assert read(CREATED, defined(what, 5), defined(what, 5))[1] == [(Code.NUMBER_REUSED, 2)]
    assert read(CREATED, defined(what, 0))[1] == [(Code.NUMBER_REUSED, 1)]


def test_numbers_are_defined_before_they_are_used() -> None:
    history, _ = read(CREATED, defined("class", 1), defined("class", 2), defined("source", 1))
    findings = Findings()
    check_numbers(history, {1: 0, 2: 2, 3: 9}, {0: 0, 1: 3, 2: 9}, findings, "events")
    assert [(finding.code, finding.index) for finding in findings.kept] == [
        (Code.CLASS_UNDEFINED, 2),
        (Code.CLASS_UNDEFINED, 9),
        (Code.SOURCE_UNDEFINED, 3),
        (Code.SOURCE_UNDEFINED, 9),
    ]


def test_events_about_the_log_count_only_in_the_class_that_keeps_them() -> None:
    _, found = read(CREATED, class_number=2)
    assert found[0] == (Code.PRODUCT_MALFORMED, 0)


def test_ranges_of_product_events_are_where_absences_are_told_apart() -> None:
    held = ("hold.placed", {"hold": "h", "ranges": [[10, 5], [40, 1]]})
    assert read(CREATED, held)[0].erasure.edges == {10, 15, 40, 41}
