"""Small segments become larger ones when nothing is to be sealed, and nobody who asks sees a difference."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.ledger_story import read_all
from tests.ledger_home import Home
from tests.search_world import Reader, World
from tests.source_facts import source_facts

from tallystick.event.erasure import Part
from tallystick.ledger import ErasureOrder, Ledger, LedgerOptions, Rotation
from tallystick.ledger.merge import MergeRule
from tallystick.search.model import Search
from tallystick.segment.derived import check_segment
from tallystick.segment.manifest import CONTENT, Manifest, SegmentEntry, segment_name
from tallystick.verify.directory import verify_directory

SOURCE = 4
MANY = 1000
RETENTION_S = 400 * 86_400


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end()


def begin(home: Home) -> Ledger:
    ledger = home.create()
    home.record(ledger, home.event("source.registered", source_facts(SOURCE)))
    return ledger


def seal(home: Home, ledger: Ledger, files: int) -> None:
    for _ in range(files):
        ledger.append(home.maker.batch(5), SOURCE)
        ledger.rotate()
        ledger.advance()


def unmerged(home: Home, files: int) -> None:
    """A ledger that sealed so many files under options that merge nothing, closed."""
    home.configure(merge_segments_min=MANY)
    ledger = home.create()
    seal(home, ledger, files)
    ledger.close()


def paths(ledger: Ledger) -> list[str]:
    return [entry.path for entry in ledger.snapshot().segments]


def folders(home: Home) -> list[str]:
    return sorted(path.name for path in home.layout.segments.iterdir() if path.is_dir())


def test_eight_neighbours_become_one_segment_with_the_same_content(home: Home) -> None:
    unmerged(home, 8)
    home.configure(merge_segments_min=8)
    ledger = home.open()
    before, version = read_all(ledger, home.data), ledger.snapshot().manifest.version
    assert len(paths(ledger)) == 9
    ledger.advance()
    assert paths(ledger) == ["0-9.c1.g0", "0-44.c2.g1"]
    assert folders(home) == sorted(paths(ledger))
    assert read_all(ledger, home.data) == before
    assert ledger.snapshot().manifest.version == version + 1
    for entry in ledger.snapshot().segments:
        check_segment(home.layout.segments, entry)
    ledger.close()
    assert paths(home.open()) == ["0-9.c1.g0", "0-44.c2.g1"]


def test_merging_goes_on_as_files_are_sealed_and_verification_holds(home: Home) -> None:
    ledger = begin(home)
    seal(home, ledger, 7)
    assert len(paths(ledger)) == 8
    seal(home, ledger, 1)
    assert paths(ledger) == ["0-10.c1.g0", "0-45.c2.g1"]
    seal(home, ledger, 7)
    assert paths(ledger) == ["0-10.c1.g0", "0-80.c2.g2"]
    assert ledger.status().trouble == {}
    ledger.append(home.maker.batch(3), SOURCE)
    ledger.advance()
    report = verify_directory(home.data)
    assert (report.findings, report.size, report.remarks) == ((), 83, ())


def test_nothing_is_merged_while_a_file_waits_to_be_sealed(home: Home) -> None:
    unmerged(home, 8)
    home.configure(merge_segments_min=8)
    ledger = home.open()
    ledger.append(home.maker.batch(5), SOURCE)
    ledger.rotate()
    assert not ledger._parts.merging.merge_next()
    ledger.advance()
    assert paths(ledger) == ["0-9.c1.g0", "0-49.c2.g1"]


def test_merging_leaves_the_reserve_alone(home: Home) -> None:
    unmerged(home, 8)
    home.configure(merge_segments_min=8, reserve_bytes=1 << 60)
    ledger = home.open()
    ledger.advance()
    assert len(paths(ledger)) == 9


def test_no_merged_segment_spans_more_than_one_file_of_the_log_may_hold(home: Home) -> None:
    home.configure(merge_segments_min=3, rotation=Rotation(events=20))
    ledger = home.create()
    seal(home, ledger, 12)
    merged = [entry for entry in ledger.snapshot().segments if entry.generation]
    assert len(merged) >= 3
    assert all(entry.size <= 20 for entry in ledger.snapshot().segments)


def entry(first: int, end: int, number: int) -> SegmentEntry:
    name = segment_name(first, end - first, number, 0)
    return SegmentEntry(
        first=first, size=end - first, class_number=number, generation=0, events=1, path=name, content_sha256="",
        received_from=0, received_to=0, occurred_from=0, occurred_to=0,
    )  # fmt: skip


def test_runs_skip_what_is_left_alone_and_never_cross_the_edge_of_another_class() -> None:
    days = [entry(first, first + 10, 2) for first in range(0, 100, 10)]
    rule = MergeRule(3, 1000)

    def find(*others: SegmentEntry, left_alone: tuple[str, ...] = ()) -> list[int]:
        segments = tuple(sorted((*days, *others), key=lambda each: (each.first, each.class_number)))
        return [each.first for each in rule.find(Manifest(version=1, sealed_size=100, segments=segments), left_alone)]

    assert find() == list(range(0, 100, 10))
    assert find(entry(0, 100, 3), entry(20, 50, 1)) == list(range(0, 100, 10))
    assert find(entry(40, 120, 3)) == [0, 10, 20, 30]
    assert find(entry(5, 120, 3)) == list(range(10, 100, 10))
    assert find(left_alone=("20-10.c2.g0",)) == list(range(30, 100, 10))
    assert find(left_alone=("20-10.c2.g0", "50-10.c2.g0", "80-10.c2.g0")) == []


def test_a_damaged_segment_and_its_run_stay_as_they_are_and_the_status_says_so(home: Home) -> None:
    unmerged(home, 8)
    home.configure(merge_segments_min=8)
    ledger = home.open()
    before = paths(ledger)
    path = home.layout.segments / before[3] / CONTENT
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    ledger.advance()
    assert paths(ledger) == before
    assert before[3] in ledger.status().trouble["merge"]
    assert ledger.status().read_only is None
    seal(home, ledger, 8)
    assert paths(ledger)[-1].endswith("g1"), "later segments are merged all the same"


def test_repeats_are_recognised_across_a_merge_even_one_that_comes_between(home: Home) -> None:
    home.configure(merge_segments_min=MANY)
    ledger = home.create()
    batch = home.maker.batch(20, given=True)
    ledger.append(batch, SOURCE)
    seal(home, ledger, 8)
    ledger.close()
    home.configure(merge_segments_min=8)
    ledger = home.open()
    again = home.maker.assemble(batch.facts, batch.personal, batch.classes, given=True, ids=batch.ids)
    group = ledger._parts.writer._duplicates.begin(home.clock.now_us())
    ledger.advance()
    assert len(paths(ledger)) == 2
    assert len(group.check(again, SOURCE, 1000)) == 20
    assert ledger.append(again, SOURCE).indexes == tuple(range(4, 24))


def test_erasure_after_a_merge_takes_exactly_what_was_named(home: Home) -> None:
    ledger = begin(home)
    seal(home, ledger, 8)
    assert len(paths(ledger)) == 2
    home.clock.advance(RETENTION_S + 7200)
    ledger.erase(ErasureOrder(((10, 5),), Part.PERSONAL), home.admission)
    ledger.erase(ErasureOrder(((20, 7),), Part.ALL), home.admission)
    assert [(each.path, each.events) for each in ledger.snapshot().segments] == [("0-10.c1.g0", 5), ("0-45.c2.g3", 33)]
    ledger.advance()
    report = verify_directory(home.data)
    assert report.findings == ()
    assert (report.erased, report.checked) == (12, report.size - 7)
    seal(home, ledger, 7)
    assert "0-82.c2.g4" in paths(ledger)
    assert verify_directory(home.data).findings == ()


def test_searches_answer_the_same_before_and_after(tmp_path: Path) -> None:
    world = World(tmp_path, merge_min=MANY)
    try:
        for seed in range(8):
            world.fill(seed, 25)
            world.seal()
        searches = [Search(text=text) for text in ("class:*", "outcome:failure", "action:release.updated", "secret")]
        before = [[row.index for row in world.all_rows(each, Reader(), limit=7)] for each in searches]
        content, segments = world.disclosures(), len(world.ledger.snapshot().segments)
        world.ledger.close()
        options = LedgerOptions(background=False, reserve_bytes=0)
        data, state = tmp_path / "data", tmp_path / "state"
        world.ledger = Ledger.open(data, state, clock=world.clock, options=options)
        world.service = world.make_service()
        assert world.service.search(Search(), Reader()).count
        world.ledger.advance()
        assert len(world.ledger.snapshot().segments) <= segments - 7
        after = [[row.index for row in world.all_rows(each, Reader(), limit=7)] for each in searches]
        assert before == after
        assert before[0]
        assert world.disclosures() == content
    finally:
        world.close()


def test_the_sealing_process_merges_in_the_background(home: Home) -> None:
    unmerged(home, 8)
    home.configure(merge_segments_min=8, background=True)
    ledger = home.open()
    before = read_all(ledger, home.data)
    deadline = time.monotonic() + 30
    while len(paths(ledger)) > 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert paths(ledger) == ["0-9.c1.g0", "0-44.c2.g1"]
    ledger.close()
    assert ledger.status().trouble == {}
    assert read_all(ledger, home.data) == before
    assert folders(home) == ["0-44.c2.g1", "0-9.c1.g0"]
