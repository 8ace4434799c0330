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


def absent(index: int = 10, class_number: int = 2, part: Part = Part.ALL) -> Absence:
    return Absence(index, class_number, NOW, part)


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
