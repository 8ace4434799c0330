from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import installation, sample
from tests.ledger_home import Home
from tests.source_facts import source_facts

from tallystick.event.erasure import Decision, Part
from tallystick.ledger import ErasureOrder, Ledger, Rotation
from tallystick.ledger.lineage import succeed
from tallystick.ledger.options import LedgerOptions
from tallystick.note import Policy, PolicyLog, format_policy, parse_log_vkey
from tallystick.verify.anchors import Anchor, Trust
from tallystick.verify.codes import Code
from tallystick.verify.directory import verify_directory
from tallystick.verify.model import CouldNotCheckError, ExitStatus, Report, Tier
from tallystick.verify.service import load_trust

SOURCE = 1
DAY_S = 86_400


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    home.configure(rotation=Rotation(events=100))
    yield home
    home.end()


def begin(home: Home) -> Ledger:
    ledger = home.create()
    home.record(ledger, registered(home, SOURCE))
    return ledger


def registered(home: Home, number: int) -> dict[str, Any]:
    return home.event("source.registered", source_facts(number, f"app-{number}"))


def fill(home: Home, ledger: Ledger, events: int, *, batch: int = 10) -> None:
    for _ in range(events // batch):
        home.clock.advance(1)
        ledger.append(home.maker.batch(batch), SOURCE)
        ledger.advance()


def seal(home: Home, ledger: Ledger) -> None:
    home.clock.advance(1)
    ledger.rotate()
    ledger.advance()


def holds(home: Home, trust: Trust | None = None) -> Report:
    report = verify_directory(home.data, trust)
    assert report.exit_status is ExitStatus.HOLDS, (report.sentence, report.findings)
    return report


def codes(report: Report) -> list[Code]:
    return [finding.code for finding in report.findings]


def test_a_log_of_segments_and_unsealed_events_holds_and_is_only_self_consistent(home: Home) -> None:
    fill(home, begin(home), 450)
    report = holds(home)
    assert (report.size, report.checked, report.erased) == (455, 455, 0)
    assert report.tier is Tier.SELF_CONSISTENT
    assert "self-consistent" in report.sentence
    assert list((home.data / "ledger/main/wal").iterdir()), "part of it is not sealed"


def test_a_log_that_was_just_created_holds(home: Home) -> None:
    home.create()
    assert holds(home).size == 4


def test_every_width_of_the_right_edge_holds(home: Home) -> None:
    ledger = begin(home)
    for count in (1, 3, 246, 1, 1, 255, 2, 300):
        ledger.append(home.maker.batch(count), SOURCE)
        ledger.advance()
        holds(home)


def test_events_that_no_checkpoint_covers_are_counted_and_not_judged(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 20)
    ledger.append(home.maker.batch(7), SOURCE)
    report = holds(home)
    assert (report.size, report.uncommitted) == (25, 7)


def test_a_torn_end_of_the_log_is_remarked_on_and_torn_committed_events_are_a_finding(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 20)
    ledger.append(home.maker.batch(7), SOURCE)
    wal = max((home.data / "ledger/main/wal").iterdir())
    data = wal.read_bytes()
    wal.write_bytes(data[:-10])
    report = holds(home)
    assert "nobody was answered" in report.remarks[0]
    wal.write_bytes(data[: len(data) // 2])
    report = verify_directory(home.data)
    assert codes(report)[0] is Code.FRAME_DAMAGED
    assert Code.CONTENT_MISSING in codes(report)


def test_both_keys_of_a_rotation_and_then_the_new_one_alone_are_accepted(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 20)
    old = ledger.vkeys[0]
    kept = ledger.checkpoint()
    ledger.rotate_key(home.admission, "yearly")
    ledger.advance()
    holds(home)
    middle = ledger.checkpoint()
    ledger.retire_key(home.admission)
    fill(home, ledger, 20)
    anchors = tuple(Anchor(name, note, outside=True) for name, note in (("old", kept), ("middle", middle)))
    report = holds(home, Trust(keys=(parse_log_vkey(old),), against=anchors))
    assert report.tier is Tier.ANCHORED


def test_whoever_pins_another_key_is_told_that_nobody_vouches(home: Home, tmp_path: Path) -> None:
    fill(home, begin(home), 20)
    other = Home(tmp_path / "other")
    stranger = other.create().vkeys[0]
    other.end()
    report = verify_directory(home.data, Trust(keys=(parse_log_vkey(stranger),)))
    assert codes(report) == [Code.KEY_UNTRUSTED]


def test_content_that_was_erased_by_right_is_no_finding_and_every_erasure_is_listed(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 200)
    seal(home, ledger)
    request = home.record(ledger, home.event("erasure.requested", asks(10, 5), "ana")).indexes[0]
    approval = home.record(ledger, home.event("erasure.approved", {"request": request}, "bo")).indexes[0]
    seal(home, ledger)
    ledger.erase(ErasureOrder(((10, 5),), Part.PERSONAL, Decision(request, (approval,))), home.admission)
    home.clock.advance(401 * DAY_S)
    ledger.erase(ErasureOrder(((50, 100),), Part.ALL), home.admission)
    ledger.advance()
    report = holds(home)
    assert [(each.part, each.covers) for each in report.erasures] == [("personal", 5), ("all", 100)]
    assert report.erased == 105
    assert report.checked == report.size - 100


def asks(first: int, size: int) -> dict[str, Any]:
    return {"ranges": [[first, size]], "part": "personal", "ground": "a person asked"}


def test_a_server_may_go_on_recording_and_sealing_while_the_log_is_verified(home: Home) -> None:
    begin(home).close()
    home.options = LedgerOptions(reserve_bytes=0, rotation=Rotation(events=400), integrate_every_s=0.01)
    ledger = home.open()
    stop = threading.Event()

    def record() -> None:
        while not stop.is_set():
            home.clock.advance(0.001)
            ledger.append(home.maker.batch(30), SOURCE)

    writer = threading.Thread(target=record)
    writer.start()
    try:
        sizes = [holds(home).size]
        while len(sizes) < 8 or sizes[-1] == sizes[0]:  # the first of it may take a moment to be committed
            sizes.append(holds(home).size)
            assert len(sizes) < 10_000, "nothing is committed"
    finally:
        stop.set()
        writer.join()
    assert sizes[-1] > sizes[0]


def test_what_an_interrupted_step_leaves_is_remarked_on_and_a_strangers_file_is_a_finding(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 200)
    segments = home.data / "segments/main"
    some = next(path for path in segments.iterdir() if path.is_dir())
    shutil.copytree(some, segments / "9000-10.c2.g0")
    assert "not in force" in holds(home).remarks[0]
    for place in (
        "ledger/main/notes.txt",
        "ledger/main/tile/0/zzz",
        f"segments/main/{some.name}/extra",
        "segments/main/x",
    ):
        path = home.data / place
        path.write_bytes(b"?")
        report = verify_directory(home.data)
        assert codes(report) == [Code.FILE_UNEXPECTED]
        assert place in report.sentence
        path.unlink()


@pytest.mark.parametrize(
    ("gone", "code"),
    [
        ("ledger/main/checkpoint", Code.CHECKPOINT_MISSING),
        ("segments/main/manifest.json", Code.MANIFEST_WRONG),
        ("ledger/main/tile/entries/000", Code.BUNDLE_MISSING),
        ("ledger/main/tile/0/000", Code.TILE_MISSING),
        ("ledger/main/tile/1/000.p/1", Code.TILE_MISSING),
        ("segments/main/0-105.c2.g0/content.parquet", Code.SEGMENT_UNREADABLE),
        ("segments/main/0-105.c2.g0/columns.parquet", Code.DERIVED_DIFFERS),
        ("segments/main/0-105.c2.g0/summary", Code.DERIVED_DIFFERS),
    ],
)
def test_whatever_is_missing_is_named(home: Home, gone: str, code: Code) -> None:
    fill(home, begin(home), 350)
    (home.data / gone).unlink()
    report = verify_directory(home.data)
    assert codes(report)[0] is code
    assert gone in report.sentence
    assert report.exit_status is ExitStatus.FINDING


def test_a_partial_tile_serves_as_the_beginning_of_a_wider_one(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 60)
    for partial in (home.data / "ledger/main/tile").rglob("65"):
        wider = partial.with_name("66")
        wider.write_bytes(partial.read_bytes() + (bytes(32) if "entries" not in str(partial) else b"\0\1x"))
        partial.unlink()
    assert "beyond the checkpoint" in holds(home).remarks[0]


def test_one_id_may_come_back_after_its_window_and_not_within_it(home: Home) -> None:
    ledger = begin(home)
    batch = home.maker.batch(1)
    ledger.append(batch, SOURCE)
    home.clock.advance(8 * DAY_S)
    ledger.append(batch, SOURCE)
    ledger.advance()
    holds(home)
    home.clock.advance(DAY_S)
    ledger.append(batch, SOURCE)  # not given by the sender, so the writer does not look
    ledger.advance()
    report = verify_directory(home.data)
    assert codes(report) == [Code.ID_TWICE]
    assert report.findings[0].index == 7


def test_an_unregistered_source_and_an_undefined_class_are_named_where_they_begin(home: Home) -> None:
    ledger = begin(home)
    ledger.append(home.maker.batch(2), 9)
    ledger.append(home.maker.batch(1, class_number=7), SOURCE)
    ledger.advance()
    report = verify_directory(home.data)
    assert [(finding.code, finding.index) for finding in report.findings] == [
        (Code.CLASS_UNDEFINED, 7),
        (Code.SOURCE_UNDEFINED, 5),
    ]


def test_many_events_are_checked_in_two_processes_with_the_same_result(home: Home) -> None:
    home.configure(rotation=Rotation(events=20_000))
    ledger = begin(home)
    for _ in range(3):
        ledger.append(home.maker.batch(20_000), SOURCE)
        ledger.advance()
    assert holds(home).checked == 60_005
    column = home.data / "segments/main/20005-20000.c2.g0/columns.parquet"
    shutil.copyfile(home.data / "segments/main/0-20005.c2.g0/columns.parquet", column)
    report = verify_directory(home.data)
    assert codes(report) == [Code.DERIVED_DIFFERS]
    assert report.findings[0].index == 20_005


def test_what_is_no_data_directory_could_not_be_checked(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheckError):
        verify_directory(tmp_path)
    with pytest.raises(CouldNotCheckError):
        load_trust(against=[tmp_path / "none"])


def test_progress_is_told_from_nothing_to_all_in_each_stage(home: Home) -> None:
    fill(home, begin(home), 250)
    told: list[tuple[str, int, int]] = []
    verify_directory(home.data, progress=lambda *stage: told.append(stage))
    for stage in ("tree", "content", "checkpoints"):
        mine = [(done, total) for name, done, total in told if name == stage]
        assert mine[0][0] == 0
        assert mine[-1][0] == mine[-1][1] > 0


def test_a_policy_without_witnesses_pins_the_key_and_claims_no_more(home: Home) -> None:
    ledger = begin(home)
    policy = Policy(logs=(PolicyLog(parse_log_vkey(ledger.vkeys[0])),))
    assert format_policy(policy)
    assert holds(home, Trust(policy=policy)).tier is Tier.SELF_CONSISTENT


def test_a_log_and_the_one_that_succeeds_it_are_each_verified_by_name(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 30)
    ledger.close()
    shutil.rmtree(home.state)
    succeed(home.data, home.state, reason="restored", **home.surroundings()).close()
    report = holds(home)
    assert report.origin != "example.org/test"
    assert "--ledger main" in report.remarks[0]
    old = verify_directory(home.data, name="main")
    assert (old.exit_status, old.size) == (ExitStatus.HOLDS, 35)


def test_a_whole_installation_holds_while_it_runs(tmp_path: Path) -> None:
    with installation(tmp_path) as made:
        made.post([sample() for _ in range(30)], headers=made.token())
        made.instance.ledger.wait_committed(made.instance.ledger.status().acknowledged.size, 20)
        report = verify_directory(tmp_path / "data")
        assert report.exit_status is ExitStatus.HOLDS, report.sentence
        assert report.checked == report.size >= 35


def test_a_made_up_size_is_named_at_once(home: Home) -> None:
    ledger = begin(home)
    path = home.data / "ledger/main/checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n4\n", b"\n987654321987654321\n", 1))
    assert ledger.origin in path.read_text()
    report = verify_directory(home.data)
    assert codes(report)[0] is Code.BUNDLE_MISSING


def test_an_erasure_whose_event_is_not_committed_yet_is_waited_for(home: Home) -> None:
    ledger = begin(home)
    fill(home, ledger, 100)
    seal(home, ledger)
    home.clock.advance(401 * DAY_S)
    ledger.append(home.maker.batch(1), SOURCE)
    ledger.advance()
    ledger.erase(ErasureOrder(((20, 30),), Part.ALL), home.admission)
    committing = threading.Timer(0.5, ledger.advance)
    committing.start()
    try:
        assert holds(home).erased == 30
    finally:
        committing.join()


def test_the_first_segment_may_be_half_made_when_the_server_dies(home: Home) -> None:
    home.create()
    half = home.data / "segments/main/0-4.c1.g0"
    half.mkdir(parents=True)
    (half / "content.parquet").write_bytes(b"PAR1")
    report = holds(home)
    assert report.size == 4
    assert "not in force" in report.remarks[0]


def test_a_manifest_that_is_gone_after_sealing_is_named(home: Home) -> None:
    fill(home, begin(home), 450)
    (home.data / "segments/main/manifest.json").unlink()
    assert Code.MANIFEST_WRONG in codes(verify_directory(home.data))
