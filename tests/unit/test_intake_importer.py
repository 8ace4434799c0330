from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tallystick.intake.importer import ATTEMPTS_MAX, Importer, ImportOptions, Progress
from tallystick.intake.inputs import MissingInputError
from tallystick.intake.journal import Journal
from tallystick.intake.mapping_parse import load_map
from tallystick.intake.report import LISTED_MAX, FileReport, ImportReport, Rejected
from tallystick.intake.sink import read_answer
from tallystick.testing import ManualClock
from tallystick.testing.sink import AdmittingSink, LostAnswerError

NOW_US = 1_790_000_000_000_000


def event(number: int, **members: Any) -> dict[str, Any]:
    return {
        "uuid": f"id-{number}",
        "published": "2026-03-01T12:00:00Z",
        "eventType": "user.session.start",
        "outcome": {"result": "SUCCESS"},
        "actor": {"id": f"u{number}", "type": "User"},
        "target": [{"id": "app", "type": "AppInstance"}],
        **members,
    }


def lines(*events: Any) -> str:
    return "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in events)


def sink(**options: Any) -> AdmittingSink:
    return AdmittingSink(now_us=NOW_US, **options)


def run(
    target: AdmittingSink, files: list[Path], *, journal: Path | None = None, name: str = "okta", **options: Any
) -> ImportReport:
    return importer(target, journal=journal, name=name, **options).run(files)


def importer(target: AdmittingSink, *, journal: Path | None = None, name: str = "okta", **options: Any) -> Importer:
    extra = {key: options.pop(key) for key in ("progress", "sleep") if key in options}
    return Importer(
        target, load_map(name), ImportOptions("idp", **options),
        journal=Journal(journal) if journal else None, clock=ManualClock(0), **{"sleep": lambda _: None, **extra},
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(*(event(number) for number in range(25))))
    return path


def test_good_records_go_in_and_bad_ones_are_listed_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        lines(
            event(1), "not json", event(2, published="redacted"), event(3, eventType="x" * 300_000), event(4), '{"a":1'
        )
    )
    target = sink()
    report = run(target, [path])
    assert (report.records, report.accepted, report.rejected_count) == (6, 2, 4)
    assert [(each.line, each.column, each.code) for each in report.rejected] == [
        (2, 1, "record-syntax"), (3, 1, "unmappable"), (6, 7, "record-syntax"), (4, 1, report.rejected[3].code),
    ]  # fmt: skip
    assert str(report.rejected[0]) == f"{path}:2:1: a record begins with {{ and a list with [ (record-syntax)"
    assert len(target.events) == 2


def test_what_the_door_refuses_is_listed_with_the_pointer(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    good = {"action": "a.b", "actor": {"id": "x", "type": "user"}, "target": {"id": "y", "type": "z"}, "scope": "s",
            "occurred_at": "2026-03-01T12:00:00Z"}  # fmt: skip
    path.write_text(
        lines(good, {**good, "occurred_at": "yesterday"}, {**good, "colour": "red"}, {"action": "ledger.created"})
    )
    report = run(sink(), [path], name="native")
    assert (report.accepted, report.rejected_count) == (1, 3)
    assert [each.line for each in report.rejected] == [2, 3, 4]
    assert "/occurred_at" in report.rejected[0].reason


def test_an_import_repeated_adds_nothing(file: Path) -> None:
    target = sink()
    assert run(target, [file]).accepted == 25
    again = run(target, [file])
    assert (again.accepted, again.repeated, len(target.events)) == (0, 25, 25)


def test_the_scope_given_goes_before_that_of_the_map(file: Path) -> None:
    target = sink()
    run(target, [file], scope="acme/idp")
    facts = json.loads(next(iter(target.events.values()))[0])
    assert facts["scope"] == "acme/idp/okta/organisation"


def test_an_interrupted_import_goes_on_where_it_stopped(file: Path, tmp_path: Path) -> None:
    target = sink(fail_before=range(3, 3 + ATTEMPTS_MAX))
    with pytest.raises(LostAnswerError):
        run(target, [file], journal=tmp_path / "journal", batch_events=10)
    assert len(target.events) == 20
    report = run(target, [file], journal=tmp_path / "journal", batch_events=10)
    assert (report.files[0].resumed_at, report.accepted, report.repeated) == (20, 25, 0)
    assert target.batches[-1] == 5
    assert len(target.events) == 25


def test_a_lost_answer_is_asked_for_again_and_repeats_are_harmless(file: Path) -> None:
    slept: list[float] = []
    target = sink(fail_after=[2], fail_before=[3])
    report = run(target, [file], batch_events=10, sleep=slept.append)
    assert (report.accepted, report.repeated, len(target.events)) == (15, 10, 25)
    assert slept == [1, 2]


def test_a_compressed_file_is_resumed_too(tmp_path: Path) -> None:
    path = tmp_path / "log.json.gz"
    path.write_bytes(gzip.compress(json.dumps([event(number) for number in range(25)]).encode()))
    target = sink(fail_before=range(2, 2 + ATTEMPTS_MAX))
    with pytest.raises(LostAnswerError):
        run(target, [path], journal=tmp_path / "journal", batch_events=10)
    report = run(target, [path], journal=tmp_path / "journal", batch_events=10)
    assert (report.files[0].resumed_at, report.accepted, len(target.events)) == (10, 25, 25)


def test_a_finished_file_is_not_sent_twice_unless_asked(file: Path, tmp_path: Path) -> None:
    target, journal = sink(), tmp_path / "journal"
    run(target, [file], journal=journal)
    moved = file.rename(tmp_path / "moved.jsonl")
    report = run(target, [moved], journal=journal)
    assert report.files[0].already_imported
    assert (report.accepted, report.repeated, target.batches) == (0, 25, [25])
    again = run(target, [moved], journal=journal, again=True)
    assert (again.accepted, again.repeated, target.batches) == (0, 25, [25, 25])


def test_a_file_that_grew_is_another_file(file: Path, tmp_path: Path) -> None:
    target = sink()
    run(target, [file], journal=tmp_path / "journal")
    with file.open("a") as log:
        log.write(lines(event(99)))
    report = run(target, [file], journal=tmp_path / "journal")
    assert (report.accepted, report.repeated) == (1, 25)


def test_the_journal_is_of_this_ledger_source_scope_and_map(file: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    run(sink(), [file], journal=journal)
    assert run(sink(), [file], journal=journal, scope="other").accepted == 25
    elsewhere = sink()
    elsewhere.name = "another ledger"
    assert run(elsewhere, [file], journal=journal).accepted == 25


def test_a_damaged_journal_is_no_journal(file: Path, tmp_path: Path) -> None:
    target, journal = sink(), tmp_path / "journal"
    run(target, [file], journal=journal)
    for kept in journal.iterdir():
        kept.write_text('{"format": 1, "key"')
    assert run(target, [file], journal=journal).repeated == 25


def test_one_vendor_id_on_two_events_loses_neither(tmp_path: Path) -> None:
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    first.write_text(lines(event(1), event(1, displayMessage="another"), event(1)))
    second.write_text(lines(event(1, displayMessage="a third"), event(1, displayMessage="another")))
    target = sink()
    report = run(target, [first, second])
    assert (report.accepted, report.repeated, report.reused_ids, len(target.events)) == (3, 2, 3, 3)
    marked = [b"vendor_id_reused" in facts + personal for facts, personal in target.events.values()]
    assert marked == [False, True, True]
    again = run(target, [first, second])
    assert (again.accepted, again.repeated, len(target.events)) == (0, 5, 3)


def test_an_id_that_the_sender_chose_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    own = {"id": "11112222-3333-4444-5555-666677778888", "action": "a.b", "actor": {"id": "x", "type": "user"},
           "target": {"id": "y", "type": "z"}, "scope": "s", "occurred_at": "2026-03-01T12:00:00Z"}  # fmt: skip
    path.write_text(lines(own))
    other = tmp_path / "other.jsonl"
    other.write_text(lines({**own, "scope": "t"}))
    report = run(sink(), [path, other], name="native")
    assert (report.accepted, report.rejected[0].code) == (1, "id-conflict")


def test_half_a_surrogate_pair_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(event(1), event(2, displayMessage="half \ud800 a pair")))
    report = run(sink(), [path])
    assert (report.accepted, report.rejected_count) == (1, 1)
    assert "surrogate" in report.rejected[0].reason


def test_damage_in_a_compressed_file_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    whole = gzip.compress(lines(*(event(number, note=str(number * 7919)) for number in range(4000))).encode())
    path.write_bytes(whole[: len(whole) * 3 // 4])
    report = run(sink(), [path])
    assert report.accepted > 0
    assert [each.code for each in report.rejected][-1] == "compressed-data"


def test_a_missing_file_stops_the_import_before_anything_is_sent(file: Path, tmp_path: Path) -> None:
    target = sink()
    with pytest.raises(MissingInputError):
        run(target, [file, tmp_path / "missing.jsonl"])
    assert target.batches == []


def test_progress_tells_bytes_rate_and_what_remains(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(lines(*(event(number) for number in range(25, 50))))
    seen: list[Progress] = []
    run(sink(), [file, other], progress=seen.append, batch_events=10)
    assert [each.accepted for each in seen] == [10, 20, 25, 35, 45, 50]
    assert seen[-1].bytes_read == seen[-1].bytes_total == file.stat().st_size + other.stat().st_size
    half = Progress("f", bytes_read=50, bytes_total=200, records=10, accepted=9, rejected=1, elapsed_s=2)
    assert (half.records_per_s, half.remaining_s) == (5, 6)
    assert Progress("f", 0, 200, 0, 0, 0, 0).remaining_s is None


def test_what_the_map_had_no_words_for_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(lines(event(1), event(2, eventType="new.thing"), event(3, eventType="new.thing")))
    report = run(sink(), [path])
    assert (report.mapped, report.unmapped) == (1, {("action", "new.thing"): 2})


def test_a_report_survives_its_plain_form_and_stays_bounded() -> None:
    report = FileReport("f")
    for number in range(LISTED_MAX + 5):
        report.reject(Rejected("f", number, number + 1, 1, 0, "x", "y"))
        report.note_unmapped([("action", f"a{number}")])
    assert (report.rejected_count, len(report.rejected)) == (LISTED_MAX + 5, LISTED_MAX)
    assert report.unmapped["action", "(others)"] == 5
    assert FileReport.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert ImportReport((report, report)).to_json()["rejected_count"] == 2 * LISTED_MAX + 10


def test_the_answer_of_the_api_is_read_event_by_event() -> None:
    answer = {
        "events": [{"id": "a", "index": 7, "leaf": ""}, {"id": "c", "index": 3, "leaf": "", "repeated": True}],
        "refused": [{"item": 1, "problem": {"code": "naive-time", "detail": "no zone", "pointer": "/occurred_at"}}],
    }
    first, second, third = read_answer(answer, 3)
    assert (first.index, first.repeated, third.index, third.repeated) == (7, False, 3, True)
    assert (second.code, second.message, second.pointer) == ("naive-time", "no zone", "/occurred_at")
