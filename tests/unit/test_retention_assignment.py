"""Which class an event goes to, and which rules are taken."""

from __future__ import annotations

import json

import pytest

from tallystick.event.admission import Admission
from tallystick.event.assignment import Assignment, Assignments
from tallystick.event.catalogue import load_shipped
from tallystick.event.gate import SourceRules
from tallystick.event.pseudonym import Pseudonyms
from tallystick.ledger.genesis import PRODUCT
from tallystick.retain.check import check_hold, check_name, check_rules, check_terms
from tallystick.retain.errors import RetentionInvalidError
from tallystick.retain.model import Hold, RetentionClass, Rule, Terms
from tallystick.retain.terms import lessens, shortens

NOW = 1_800_000_000_000_000
SOURCE = SourceRules(4, "app", ("",), "opaque")
RULES = Assignments(
    (
        Assignment(16, action="report.*", scope="acme"),
        Assignment(17, source=5),
        Assignment(18, scope="acme/web"),
        Assignment(16, action="user.signed_in"),
    ),
    frozenset({2, 18}),
)


@pytest.mark.parametrize(
    ("action", "scope", "source", "guarded", "number"),
    [
        ("report.opened", "acme/web", 4, False, 16),
        ("report", "acme/web", 4, False, 18),
        ("reports.opened", "acme/app", 4, False, 2),
        ("report.opened", "acmes", 4, False, 2),
        ("report.opened", "other", 5, False, 17),
        ("user.signed_in", "acme/web", 4, True, 18),
        ("user.signed_in", "acme/app", 5, True, 2),
    ],
)
def test_the_first_rule_that_takes_an_event_counts(
    action: str, scope: str, source: int, guarded: bool, number: int
) -> None:
    assert RULES.class_of(action, scope, source, guarded=guarded, otherwise=2) == number


def admitted(admission: Admission, action: str, source: SourceRules = SOURCE) -> int:
    event = {
        "action": action,
        "actor": {"id": "ana", "type": "user"},
        "target": {"id": "x", "type": "thing"},
        "scope": "acme",
        "occurred_at": "2026-03-01T12:00:00Z",
    }
    [number] = admission.admit(json.dumps(event).encode(), source, now_us=NOW).classes
    return number


def test_admission_decides_the_class_and_leaves_the_products_own_events_alone() -> None:
    admission = Admission(load_shipped(), Pseudonyms(bytes(32)))
    assert admitted(admission, "report.opened") == 2
    admission.assign(Assignments((Assignment(16, scope="acme"),), frozenset()))
    assert admitted(admission, "report.opened") == 16
    assert admitted(admission, "user.signed_in") == 2, "an event of access passes over a class without a floor"
    assert admitted(admission, "server.started", PRODUCT) == 1
    admission.assign(Assignments((Assignment(16, scope="acme"),), frozenset({16})))
    assert admitted(admission, "user.signed_in") == 16


def kept(number: int, days: int | None, floor: int | None = None, *, keeps_facts: bool = False) -> RetentionClass:
    return RetentionClass(number, f"class-{number}", Terms(days, guarded=bool(floor)), keeps_facts, 1, floor)


CLASSES = {1: kept(1, None, 365, keeps_facts=True), 2: kept(2, 400, 365), 16: kept(16, 30), 17: kept(17, 3000)}
LONG, SHORT = Rule(17, scope="acme"), Rule(16, scope="acme/web")


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        ([], [LONG], False),
        ([], [SHORT], True),
        ([LONG], [], True),
        ([SHORT], [], False),
        ([LONG, SHORT], [SHORT, LONG], True),
        ([LONG], [Rule(2, source=4), LONG], True),
        ([LONG], [LONG, Rule(2, source=4)], False),
        ([SHORT], [SHORT, LONG], False),
        ([LONG], [LONG], False),
    ],
)
def test_rules_that_may_keep_an_event_for_less_time_need_another_person(
    before: list[Rule], after: list[Rule], asks: bool
) -> None:
    assert lessens(before, after, CLASSES) is asks


@pytest.mark.parametrize(
    ("days", "personal", "floor", "below", "asks"),
    [
        (500, None, 365, None, False),
        (None, None, 365, None, False),
        (399, None, 365, None, True),
        (400, 399, 365, None, True),
        (400, 400, 365, None, False),
        (90, None, 365, {"exception": "e", "until": 1}, True),
    ],
)
def test_a_change_shortens_when_any_part_would_be_kept_for_less_time(
    days: int | None, personal: int | None, floor: int, below: object, asks: bool
) -> None:
    metadata = {"retention_days": days, "personal_days": personal, "floor_days": floor, "below_floor": below}
    assert shortens(CLASSES[2], metadata) is asks


@pytest.mark.parametrize(
    "terms",
    [Terms(0), Terms(40_000), Terms(10, 20), Terms(10, 0), Terms(None, regulations=(("sox", 0),)), Terms(None, regulations=(("SOX 7", 7),))],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused(terms: Terms) -> None:
    with pytest.raises(RetentionInvalidError):
        check_terms(terms)


@pytest.mark.parametrize("name", ["", "x", "Upper", "has space", "a" * 64])
def test_names_of_classes_are_plain(name: str) -> None:
    with pytest.raises(RetentionInvalidError):
        check_name(name)


@pytest.mark.parametrize(
    "rule",
    [Rule(16), Rule(1, scope="acme"), Rule(99, scope="acme"), Rule(16, action="Not One"), Rule(16, scope="/x/"), Rule(16, source=0), Rule(16, source=9)],
)  # fmt: skip
def test_rules_that_lead_nowhere_are_refused(rule: Rule) -> None:
    with pytest.raises(RetentionInvalidError):
        check_rules([rule], CLASSES, [0, 4])


@pytest.mark.parametrize(
    "changes",
    [
        {"hold": "case 7"},
        {"reason": " "},
        {"owner": ""},
        {"classes": None},
        {"classes": (99,)},
        {"sources": (9,)},
        {"ranges": ((0, 0),)},
        {"received": (5, 5)},
    ],
)
def test_holds_that_say_too_little_or_nothing_that_is_are_refused(changes: dict[str, object]) -> None:
    told: dict[str, object] = {"hold": "case-7", "owner": "legal", "reason": "court", "classes": (2,), **changes}
    hold = Hold(placed_by=None, placed_at=0, placed_index=0, **told)  # type: ignore[arg-type]
    with pytest.raises(RetentionInvalidError):
        check_hold(hold, CLASSES, [0, 4])
