"""Real vendor samples through the maps and the real admission; skipped where the samples are not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.paths import ROOT, shared

from tallystick.event.catalogue import load_shipped
from tallystick.intake.importer import Importer, ImportOptions
from tallystick.intake.mapping_parse import load_map
from tallystick.intake.report import ImportReport
from tallystick.testing.sink import AdmittingSink

NOW_US = 1_790_000_000_000_000


def run(name: str, *files: Path) -> tuple[ImportReport, AdmittingSink]:
    sink = AdmittingSink(now_us=NOW_US)
    importer = Importer(
        sink, load_map(name), ImportOptions(name), is_declared=lambda action: load_shipped().get(action) is not None
    )
    return importer.run(files), sink


def check_books(report: ImportReport, sink: AdmittingSink) -> None:
    assert report.accepted == len(sink.events)
    assert report.records == report.accepted + report.repeated + report.skipped + report.rejected_count
    assert report.accepted == report.mapped + sum(
        count for (member, _), count in report.unmapped.items() if member == "action"
    )
    # What these samples lack is a time or an action: they were shortened by hand where they were published.
    assert {each.code for each in report.rejected} <= {"unmappable"}


def test_every_cloudtrail_event_of_the_attack_techniques_goes_in() -> None:
    report, sink = run("cloudtrail", shared("data/cloudtrail-stratus"))
    check_books(report, sink)
    assert (report.records, report.accepted, report.rejected_count) == (310, 310, 0)
    assert report.mapped / report.accepted > 0.95


@pytest.mark.parametrize(
    ("name", "file", "records", "accepted_min"),
    [
        ("cloudtrail", "AWS_CloudTrail.jsonl", 444, 420),
        ("github", "GitHub_Audit.jsonl", 98, 60),
        ("okta", "Okta_SystemLog.jsonl", 64, 50),
    ],
)
def test_the_samples_of_each_vendor_end_with_counts_and_no_crash(
    name: str, file: str, records: int, accepted_min: int
) -> None:
    report, sink = run(name, shared(f"data/vendor-events/{file}"))
    check_books(report, sink)
    assert report.records == records
    assert report.accepted >= accepted_min
    assert report.mapped / report.accepted > 0.85


@pytest.mark.parametrize("name", ["cloudtrail", "github", "okta", "gitlab", "native"])
def test_no_vendors_file_crashes_any_map(name: str) -> None:
    folder = shared("data/vendor-events")
    report, _ = run(name, *sorted(folder.glob("*.jsonl")))
    assert report.records > 2500
    assert report.records == report.accepted + report.repeated + report.skipped + report.rejected_count


def test_both_forms_of_gitlab_events_go_in_whole() -> None:
    report, sink = run("gitlab", ROOT / "tests/fixtures/gitlab/streamed.jsonl", ROOT / "tests/fixtures/gitlab/api.json")
    check_books(report, sink)
    assert (report.records, report.accepted, report.mapped) == (22, 22, 18)
