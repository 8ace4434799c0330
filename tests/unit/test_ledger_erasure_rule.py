from __future__ import annotations

from typing import Any

import pytest

from tallystick.event.erasure import (
    DAY_US,
    Absence,
    ErasureHistory,
    ErasureMalformedError,
    Part,
    UncoveredAbsenceError,
    absence_is_covered,
)

NOW = 1_800_000_000_000_000
ANA = {"id": "ana", "type": "user"}


class Log:
    """Source-0 events, a day apart unless told otherwise."""

    def __init__(self) -> None:
        self.history = ErasureHistory()
        self.index = 1000
        self.now = NOW
        self.add("class.defined", number=1, name="ledger-access", retention_days=None, keeps_facts=True)
        self.add("class.defined", number=2, name="standard", retention_days=400, keeps_facts=False)

    def add(self, action: str, actor: dict[str, str] = ANA, **metadata: Any) -> int:
        self.index += 1
        self.history.apply(self.index, self.now, {"action": action, "actor": actor, "metadata": metadata})
        return self.index

    def wait(self, days: float) -> None:
        self.now += round(days * DAY_US)

    def erase(self, part: str = "all", ground: dict[str, Any] | None = None) -> int:
        return self.add("content.erased", ranges=[[0, 100]], part=part, ground=ground or {"kind": "retention"})

    def decide(self, *people: str, part: str = "all") -> dict[str, Any]:
        request = self.add("erasure.requested", {"id": people[0], "type": "user"}, ranges=[[0, 50]], part=part)
        approvals = [self.add("erasure.approved", {"id": each, "type": "user"}, request=request) for each in people[1:]]
        return {"kind": "decision", "request": request, "approvals": approvals}


def absent(index: int = 10, class_number: int = 2, part: Part = Part.ALL, source: int = 4) -> Absence:
    return Absence(index, class_number, NOW, part, source)


def test_an_absence_without_an_erasure_is_a_finding() -> None:
    with pytest.raises(UncoveredAbsenceError, match="no erasure names it"):
        absence_is_covered(absent(), Log().history)


def test_content_may_go_once_its_retention_has_passed() -> None:
    log = Log()
    log.wait(400)
    index = log.erase()
    assert absence_is_covered(absent(), log.history).index == index


def test_content_may_not_go_a_moment_before_its_retention_has_passed() -> None:
    log = Log()
    log.now += 400 * DAY_US - 1
    log.erase()
    with pytest.raises(UncoveredAbsenceError, match="had not passed"):
        absence_is_covered(absent(), log.history)


def test_an_erasure_of_the_personal_part_does_not_cover_the_facts() -> None:
    log = Log()
    log.wait(400)
    log.erase("personal")
    assert absence_is_covered(absent(part=Part.PERSONAL), log.history)
    with pytest.raises(UncoveredAbsenceError, match="does not name"):
        absence_is_covered(absent(), log.history)


def test_only_indexes_in_the_ranges_are_covered() -> None:
    log = Log()
    log.wait(400)
    log.erase()
    with pytest.raises(UncoveredAbsenceError):
        absence_is_covered(absent(100), log.history)


def test_a_shorter_retention_takes_effect_after_thirty_days() -> None:
    log = Log()
    log.add("class.changed", number=2, retention_days=10)
    log.wait(29.9)
    assert log.history.retention_days(2, 10**6, log.now) == 400
    log.wait(0.1)
    assert log.history.retention_days(2, 10**6, log.now) == 10


def test_a_longer_retention_takes_effect_at_once() -> None:
    log = Log()
    log.add("class.changed", number=2, retention_days=500)
    assert log.history.retention_days(2, 10**6, log.now) == 500
    log.add("class.changed", number=2, retention_days=None)
    assert log.history.retention_days(2, 10**6, log.now) == float("inf")


def test_shortening_twice_does_not_shorten_the_wait() -> None:
    log = Log()
    log.add("class.changed", number=2, retention_days=10)
    log.wait(20)
    log.add("class.changed", number=2, retention_days=5)
    log.wait(20)
    assert log.history.retention_days(2, 10**6, log.now) == 10
    log.wait(10)
    assert log.history.retention_days(2, 10**6, log.now) == 5


def test_a_change_after_the_erasure_does_not_justify_it() -> None:
    log = Log()
    log.wait(100)
    log.erase()
    log.add("class.changed", number=2, retention_days=1)
    log.wait(100)
    with pytest.raises(UncoveredAbsenceError):
        absence_is_covered(absent(), log.history)


def test_a_class_that_nobody_defined_is_kept_for_ever() -> None:
    log = Log()
    log.wait(10_000)
    log.erase()
    with pytest.raises(UncoveredAbsenceError):
        absence_is_covered(absent(class_number=9), log.history)


@pytest.mark.parametrize("people", [("ana", "ben"), ("ana", "ben", "cleo"), ("ana", "ana", "ben")])
def test_two_people_may_decide_that_content_goes_early(people: tuple[str, ...]) -> None:
    log = Log()
    log.erase(ground=log.decide(*people))
    assert absence_is_covered(absent(), log.history)


@pytest.mark.parametrize("people", [("ana",), ("ana", "ana")])
def test_one_person_may_not_decide_alone(people: tuple[str, ...]) -> None:
    log = Log()
    log.erase(ground=log.decide(*people))
    with pytest.raises(UncoveredAbsenceError, match="fewer than two people"):
        absence_is_covered(absent(), log.history)


def test_a_decision_covers_only_what_was_asked_for() -> None:
    log = Log()
    log.erase(ground=log.decide("ana", "ben", part="personal"))
    assert absence_is_covered(absent(part=Part.PERSONAL), log.history)
    with pytest.raises(UncoveredAbsenceError, match="did not ask"):
        absence_is_covered(absent(), log.history)
    with pytest.raises(UncoveredAbsenceError, match="did not ask"):
        absence_is_covered(absent(60, part=Part.PERSONAL), log.history)


def test_an_approval_given_after_the_erasure_does_not_count() -> None:
    log = Log()
    decision = log.decide("ana")
    log.erase(ground={**decision, "approvals": [log.index + 2]})
    log.add("erasure.approved", {"id": "ben", "type": "user"}, request=decision["request"])
    with pytest.raises(UncoveredAbsenceError, match="holds no approval"):
        absence_is_covered(absent(), log.history)


def test_an_approval_of_another_request_does_not_count() -> None:
    log = Log()
    other = log.decide("ana", "ben")
    mine = log.decide("ana")
    log.erase(ground={**mine, "approvals": other["approvals"]})
    with pytest.raises(UncoveredAbsenceError, match="holds no approval"):
        absence_is_covered(absent(), log.history)


def test_a_hold_stops_both_grounds_until_it_is_released() -> None:
    log = Log()
    log.wait(500)
    log.add("hold.placed", hold="case-7", ranges=[[5, 10]])
    log.erase()
    log.erase(ground=log.decide("ana", "ben"))
    with pytest.raises(UncoveredAbsenceError, match=r"hold case-7 was active.*hold case-7 was active"):
        absence_is_covered(absent(), log.history)
    assert absence_is_covered(absent(20), log.history), "outside the hold"
    log.add("hold.released", hold="case-7")
    index = log.erase()
    assert absence_is_covered(absent(), log.history).index == index


def test_facts_of_the_products_own_class_never_go() -> None:
    log = Log()
    log.wait(10_000)
    log.erase(ground=log.decide("ana", "ben"))
    with pytest.raises(UncoveredAbsenceError, match="kept for ever"):
        absence_is_covered(absent(class_number=1), log.history)
    assert absence_is_covered(absent(class_number=1, part=Part.PERSONAL), log.history)


@pytest.mark.parametrize(
    "metadata",
    [
        {"ranges": [[0, 0]], "part": "all", "ground": {"kind": "retention"}},
        {"ranges": [[0]], "part": "all", "ground": {"kind": "retention"}},
        {"ranges": [[0, 5]], "part": "some", "ground": {"kind": "retention"}},
        {"ranges": [[0, 5]], "part": "all", "ground": {"kind": "whim"}},
        {"ranges": [[0, 5]], "part": "all"},
    ],
)
def test_an_erasure_that_does_not_say_what_it_must_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(ErasureMalformedError):
        Log().add("content.erased", **metadata)


def short(log: Log, **more: Any) -> None:
    log.add("class.defined", number=16, name="short", retention_days=90, personal_days=30, **more)


def test_the_personal_part_may_go_before_the_facts() -> None:
    log = Log()
    short(log)
    log.wait(30)
    log.erase()
    assert absence_is_covered(absent(class_number=16, part=Part.PERSONAL), log.history)
    with pytest.raises(UncoveredAbsenceError, match="had not passed"):
        absence_is_covered(absent(class_number=16), log.history)


def test_the_personal_part_is_never_kept_longer_than_the_facts() -> None:
    log = Log()
    log.add("class.defined", number=16, name="odd", retention_days=10, personal_days=1000)
    log.wait(10)
    log.erase()
    assert absence_is_covered(absent(class_number=16, part=Part.PERSONAL), log.history)


@pytest.mark.parametrize("change", [{}, {"floor_days": 1}, {"floor_days": None}])
def test_no_change_goes_below_the_floor_that_a_class_was_defined_with(change: dict[str, Any]) -> None:
    log = Log()
    log.add("class.defined", number=16, name="guarded", retention_days=400, floor_days=365)
    log.add("class.changed", number=16, retention_days=1, personal_days=1, **change)
    log.wait(40)
    assert log.history.retention_days(16, 10**6, log.now) == 365
    assert log.history.retention_days(16, 10**6, log.now, Part.PERSONAL) == 365


def test_an_exception_goes_below_the_floor_until_it_ends() -> None:
    log = Log()
    log.add("class.defined", number=16, name="guarded", retention_days=400, floor_days=365)
    until = log.now + 50 * DAY_US
    log.add("class.changed", number=16, retention_days=90, below_floor={"exception": "e-1", "until": until})
    log.wait(29)
    assert log.history.retention_days(16, 10**6, log.now) == 400, "what is shorter waits for thirty days all the same"
    log.wait(20)
    assert log.history.retention_days(16, 10**6, log.now) == 90
    log.wait(1)
    assert log.history.retention_days(16, 10**6, log.now) == 365


def test_a_floor_that_is_raised_counts_at_once_and_lowered_again_after_thirty_days() -> None:
    log = Log()
    short(log)
    log.add("class.changed", number=16, retention_days=90, floor_days=2557)
    assert log.history.retention_days(16, 10**6, log.now) == 2557
    log.add("class.changed", number=16, retention_days=90)
    log.wait(29)
    assert log.history.retention_days(16, 10**6, log.now) == 2557
    log.wait(1)
    assert log.history.retention_days(16, 10**6, log.now) == 90


@pytest.mark.parametrize(
    ("reach", "held"),
    [
        ({"classes": [2]}, True),
        ({"classes": [3]}, False),
        ({"sources": [4, 9]}, True),
        ({"sources": [9]}, False),
        ({"received": [NOW, None]}, True),
        ({"received": [NOW + 1, None]}, False),
        ({"received": [None, NOW + 1]}, True),
        ({"received": [None, NOW]}, False),
        ({"ranges": [[10, 1]], "classes": [2], "sources": [4], "received": [NOW, NOW + 1]}, True),
        ({"ranges": [[11, 1]], "classes": [2], "sources": [4], "received": [NOW, NOW + 1]}, False),
        ({}, True),
    ],
)
def test_a_hold_covers_what_meets_everything_that_it_names(reach: dict[str, Any], held: bool) -> None:
    log = Log()
    log.wait(500)
    log.add("hold.placed", hold="case-7", **reach)
    log.erase()
    if not held:
        assert absence_is_covered(absent(), log.history)
        return
    with pytest.raises(UncoveredAbsenceError, match="hold case-7 was active"):
        absence_is_covered(absent(), log.history)


def test_a_hold_covers_what_came_after_it_too() -> None:
    log = Log()
    log.add("hold.placed", hold="case-7", sources=[4])
    log.wait(1000)
    later = Absence(log.index + 1, 2, log.now, Part.ALL, 4)
    log.index += 5
    log.wait(400)
    log.add("content.erased", ranges=[[log.index - 4, 1]], part="all", ground={"kind": "retention"})
    with pytest.raises(UncoveredAbsenceError, match="hold case-7 was active"):
        absence_is_covered(later, log.history)


def test_an_erasure_counts_only_for_the_classes_it_names_and_not_for_sources_it_spares() -> None:
    log = Log()
    log.wait(400)
    named: dict[str, Any] = {"ranges": [[0, 100]], "part": "all", "ground": {"kind": "retention"}}
    log.add("content.erased", ANA, **named, classes=[3])
    log.add("content.erased", ANA, **named, classes=[2], except_sources=[4])
    with pytest.raises(UncoveredAbsenceError, match="no erasure names it"):
        absence_is_covered(absent(), log.history)
    assert absence_is_covered(absent(source=5), log.history)
