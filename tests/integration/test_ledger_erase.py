from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger_home import Home

from tallystick.errors import TallystickError
from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import format_entry
from tallystick.event.erasure import Absence, Decision, Part, UncoveredAbsenceError, absence_is_covered
from tallystick.ledger import ErasureOrder, Ledger
from tallystick.ledger.errors import ErasureRefusedError
from tallystick.merkle import hash_leaf
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT
from tallystick.testing import Afterwards, Fault, FaultyDisk, Plan

SOURCE = 4
RETENTION_S = 400 * 86_400


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end()


def filled(home: Home) -> Ledger:
    """A ledger with the genesis in 0 to 3 and standard events in 4 to 23, all sealed."""
    ledger = home.create()
    ledger.append(home.maker.batch(20), SOURCE)
    ledger.rotate()
    ledger.advance()
    assert ledger.snapshot().sealed_size == 24
    return ledger


def sealed(home: Home, ledger: Ledger) -> dict[int, Disclosure]:
    files = [ContentFile(home.layout.segments / entry.path / CONTENT) for entry in ledger.snapshot().segments]
    return {event.index: event for file in files for rows in file.iterate() for event in rows}


def decide(home: Home, ledger: Ledger, part: str = "all", approver: str = "ben") -> Decision:
    asked: dict[str, Any] = {"ranges": [[4, 10]], "part": part, "ground": "a person asked"}
    request = home.record(ledger, home.event("erasure.requested", asked, "ana")).indexes[0]
    approval = home.record(ledger, home.event("erasure.approved", {"request": request}, approver)).indexes[0]
    return Decision(request, (approval,))


def test_content_past_its_retention_goes_and_the_log_says_so(home: Home) -> None:
    ledger = filled(home)
    before = sealed(home, ledger)
    home.clock.advance(RETENTION_S + 7200)
    with pytest.raises(ErasureRefusedError):
        ledger.erase(ErasureOrder(((0, 24),), Part.ALL), home.admission)
    receipt = ledger.erase(ErasureOrder(((0, 24),), Part.ALL, classes=(2,)), home.admission)
    after = sealed(home, ledger)
    assert sorted(after) == [0, 1, 2, 3], "class 1 keeps its facts"
    assert all(after[index].facts == before[index].facts for index in after)
    assert all(hash_leaf(format_entry(after[index].entry())) for index in after)
    history = ledger._parts.eraser.history()
    for index in range(4, 24):
        absence = Absence(index, 2, before[index].received_at, Part.ALL, SOURCE)
        assert absence_is_covered(absence, history).index == receipt.indexes[0]
    assert not (home.layout.ledger / "erasing.json").exists()
    assert {path.name for path in home.layout.segments.iterdir()} == {"manifest.json", "0-24.c1.g0"}


def test_a_decision_takes_only_the_personal_part_where_facts_are_kept_for_ever(home: Home) -> None:
    ledger = filled(home)
    asked = {"ranges": [[0, 24]], "part": "all", "ground": "the right to be forgotten"}
    request = home.record(ledger, home.event("erasure.requested", asked, "ana")).indexes[0]
    approval = home.record(ledger, home.event("erasure.approved", {"request": request}, "ben")).indexes[0]
    ledger.erase(ErasureOrder(((0, 24),), Part.ALL, Decision(request, (approval,))), home.admission)
    after = sealed(home, ledger)
    assert sorted(after) == [0, 1, 2, 3]
    assert all(event.facts is not None and event.personal is None for event in after.values())


def test_entries_and_proofs_outlive_the_content(home: Home) -> None:
    ledger = filled(home)
    before = sealed(home, ledger)
    entries = ledger.read_entries(0)
    home.clock.advance(RETENTION_S + 7200)
    ledger.erase(ErasureOrder(((4, 20),), Part.PERSONAL), home.admission)
    after = sealed(home, ledger)
    assert ledger.read_entries(0)[:24] == entries
    for index in range(4, 24):
        assert after[index].personal is None
        assert after[index].facts == before[index].facts
        assert format_entry(after[index].entry()) == entries[index]


def test_content_within_its_retention_stays(home: Home) -> None:
    ledger = filled(home)
    home.clock.advance(RETENTION_S - 60)
    with pytest.raises(ErasureRefusedError, match="had not passed"):
        ledger.erase(ErasureOrder(((4, 20),), Part.ALL), home.admission)
    assert len(sealed(home, ledger)) == 24
    assert ledger.append(home.maker.batch(1), SOURCE)


def test_two_people_may_end_content_early_and_only_what_they_named(home: Home) -> None:
    ledger = filled(home)
    decision = decide(home, ledger)
    with pytest.raises(ErasureRefusedError, match="did not ask"):
        ledger.erase(ErasureOrder(((4, 11),), Part.ALL, decision), home.admission)
    ledger.erase(ErasureOrder(((4, 10),), Part.ALL, decision), home.admission)
    assert sorted(sealed(home, ledger)) == [0, 1, 2, 3, *range(14, 24)]


def test_one_person_may_not(home: Home) -> None:
    ledger = filled(home)
    with pytest.raises(ErasureRefusedError, match="fewer than two people"):
        ledger.erase(ErasureOrder(((4, 10),), Part.ALL, decide(home, ledger, approver="ana")), home.admission)


def test_a_hold_stops_an_erasure_until_it_is_released(home: Home) -> None:
    ledger = filled(home)
    home.record(ledger, home.event("hold.placed", {"hold": "case-7", "ranges": [[13, 1]], "reason": "court"}))
    order = ErasureOrder(((4, 10),), Part.ALL, decide(home, ledger))
    with pytest.raises(ErasureRefusedError, match="hold case-7"):
        ledger.erase(order, home.admission)
    home.record(ledger, home.event("hold.released", {"hold": "case-7"}))
    ledger.erase(order, home.admission)


def test_unsealed_content_is_not_erased_yet(home: Home) -> None:
    ledger = filled(home)
    ledger.append(home.maker.batch(5), SOURCE)
    with pytest.raises(ErasureRefusedError, match="only sealed"):
        ledger.erase(ErasureOrder(((20, 9),), Part.ALL), home.admission)


def test_repeats_of_erased_events_are_not_answered_from_memory(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(20, given=True)
    ledger.append(batch, SOURCE)
    ledger.rotate()
    ledger.advance()
    again = home.maker.assemble(batch.facts, batch.personal, batch.classes, given=True, ids=batch.ids)
    assert ledger.append(again, SOURCE).repeated
    ledger.erase(ErasureOrder(((4, 10),), Part.ALL, decide(home, ledger)), home.admission)
    assert ledger.append(again.without(range(10, 20)), SOURCE).repeated == frozenset()


def interrupt_erasures(tmp_path: Path, stride: int) -> None:
    outcomes = set()
    for number in itertools.count(random.randrange(stride), stride):
        step, fault = number // 2, (Fault.BEFORE, Fault.AFTER)[number % 2]
        disk = FaultyDisk(tmp_path / f"{step}-{fault}")
        home = Home(disk.root, disk)
        ledger = filled(home)
        # Narrowed to what it would take anyway, so that what is written down of an open order has all its members.
        order = ErasureOrder(((4, 10),), Part.ALL, decide(home, ledger), (2,), (SOURCE + 1,), 10)
        afterwards = random.choice(list(Afterwards))
        disk.plan(Plan(step, fault, afterwards))
        try:
            ledger.erase(order, home.admission)
        except (OSError, TallystickError) as error:
            refused: Exception | None = error
        else:
            refused = None
        assert disk.failed or refused is None, refused
        if disk.failed is None:
            break
        ledger.close()
        disk.heal()
        ledger = home.open()
        left = sorted(sealed(home, ledger))
        told = len(ledger._parts.eraser.history().erasures)
        assert (len(left), bool(told)) in {(24, False), (14, True)}, (disk.failed, fault, left)
        assert told <= 2
        assert ledger.append(home.maker.batch(1), SOURCE)
        assert ledger.status().read_only is None
        outcomes.add(len(left))
        home.end()
    assert outcomes == {24, 14}
    home.end()


def test_an_erasure_interrupted_somewhere_is_finished_by_the_next_start_or_never_began(tmp_path: Path) -> None:
    interrupt_erasures(tmp_path, 9)


@pytest.mark.slow
def test_an_erasure_interrupted_anywhere_is_finished_by_the_next_start_or_never_began(tmp_path: Path) -> None:
    interrupt_erasures(tmp_path, 1)


def test_an_erasure_spares_the_sources_that_it_names_and_other_classes(home: Home) -> None:
    ledger = home.create()
    ledger.append(home.maker.batch(10), SOURCE)
    ledger.append(home.maker.batch(10), SOURCE + 1)
    ledger.rotate()
    ledger.advance()
    home.clock.advance(RETENTION_S + 7200)
    ledger.erase(ErasureOrder(((0, 24),), Part.ALL, classes=(2,), spared=(SOURCE + 1,), events=10), home.admission)
    after = sealed(home, ledger)
    assert sorted(after) == [0, 1, 2, 3, *range(14, 24)]
    [erased] = ledger.erasure_history().erasures
    assert (erased.classes, erased.spared) == (frozenset({2}), frozenset({SOURCE + 1}))
    with pytest.raises(UncoveredAbsenceError, match="no erasure names it"):
        absence_is_covered(Absence(20, 2, 0, Part.ALL, SOURCE + 1), ledger.erasure_history())
