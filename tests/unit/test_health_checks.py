"""What each finding means for the verdict; the thresholds are where an operator must act."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.api.failures import Failures
from tallystick.follow.projection import ProjectionStoppedError
from tallystick.health import Check, ledger_checks, process_checks
from tallystick.health.model import State, judge
from tallystick.ledger.model import Frames, LedgerStatus, Progress, Snapshot
from tallystick.segment.manifest import Manifest

NOW = 1_800_000_000_000_000
S = 1_000_000
RESERVE = 100
WELL = LedgerStatus(
    origin="example.org/log",
    now=NOW,
    acknowledged=Progress(10, NOW),
    committed=Progress(10, NOW),
    witnessed=Progress(10, NOW - 60 * S),
    sealed=Progress(5, NOW),
    waiting_batches=0,
    waiting_bytes=0,
    unsealed_files=1,
    unsealed_bytes=1000,
    sync_last_us=100,
    free_bytes=1000,
    clock_behind_us=0,
    read_only=None,
)
EMPTY = Snapshot(Manifest(version=1, sealed_size=0), 0, 0, Frames([]))


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (ledger_checks.takes_events(WELL), "good"),
        (ledger_checks.takes_events(replace(WELL, read_only="forked")), "problem"),
        (ledger_checks.committed(replace(WELL, committed=Progress(9, NOW - 10 * S))), "good"),
        (ledger_checks.committed(replace(WELL, committed=Progress(9, NOW - 11 * S))), "attention"),
        (ledger_checks.committed(replace(WELL, committed=Progress(10, NOW - 11 * S))), "good"),
        (ledger_checks.witnessed(WELL, 0), "off"),
        (ledger_checks.witnessed(WELL, 1), "good"),
        (ledger_checks.witnessed(replace(WELL, witnessed=Progress(10, NOW - 901 * S)), 1), "attention"),
        (ledger_checks.witnessed(replace(WELL, witnessed=Progress(0, NOW)), 1), "attention"),
        (ledger_checks.sealed(replace(WELL, unsealed_files=2)), "good"),
        (ledger_checks.sealed(replace(WELL, unsealed_files=3)), "attention"),
        (ledger_checks.sealed(replace(WELL, unsealed_files=5)), "problem"),
        (ledger_checks.retried(WELL), "good"),
        (ledger_checks.retried(replace(WELL, trouble={"seal": "no room"})), "attention"),
        (ledger_checks.disk(replace(WELL, free_bytes=400), RESERVE), "good"),
        (ledger_checks.disk(replace(WELL, free_bytes=399), RESERVE), "attention"),
        (ledger_checks.disk(replace(WELL, free_bytes=99), RESERVE), "problem"),
        (ledger_checks.disk(replace(WELL, free_bytes=None), RESERVE), "unknown"),
        (ledger_checks.segments(EMPTY, {}, {}), "good"),
        (ledger_checks.segments(EMPTY, {"0-9.c2.g0": "changed"}, {}), "problem"),
        (ledger_checks.backup(NOW, None), "unknown"),
        (ledger_checks.backup(NOW, NOW - 6 * 86_400 * S), "good"),
        (ledger_checks.backup(NOW, NOW - 8 * 86_400 * S), "attention"),
        (process_checks.clock(2 * S), "attention"),
        (process_checks.failures(0), "good"),
        (process_checks.failures(1), "attention"),
        (process_checks.certificate(None, NOW, behind_proxy=True), "off"),
        (process_checks.certificate(Path("/nowhere/at/all.pem"), NOW, behind_proxy=False), "problem"),
    ],
)
def test_a_finding_has_its_state_and_what_is_not_well_has_a_remedy(check: Check, expected: State) -> None:
    assert check.state == expected
    assert check.found
    assert check.meaning
    if expected in {"attention", "problem"}:
        assert check.remedy


def test_tables_that_stand_still_are_a_problem_with_its_reason() -> None:
    def stopped() -> int:
        raise ProjectionStoppedError("role.defined at index 7 cannot be applied")

    check = ledger_checks.tables(stopped)
    assert (check.state, check.found) == ("problem", "role.defined at index 7 cannot be applied")
    assert ledger_checks.tables(lambda: 12).state == "good"


def _check(name: str, state: State) -> Check:
    return Check(name=name, state=state, found="", meaning="")


def test_the_verdict_names_the_worst_and_nothing_unknown_or_unused_decides_it() -> None:
    calm = [_check("A", "good"), _check("B", "unknown"), _check("C", "off")]
    assert (judge(calm).state, judge(calm).verdict) == ("good", "All is well.")
    uneasy = judge([*calm, _check("D", "attention")])
    assert (uneasy.state, uneasy.verdict) == ("attention", "It works, and needs attention: D.")
    bad = judge([*calm, _check("D", "attention"), _check("E", "problem")])
    assert (bad.state, bad.verdict) == ("problem", "Not well: E.")
    assert [each.name for each in bad.checks] == ["E", "D", "B", "A", "C"]


def test_failures_count_for_an_hour_and_only_those_of_the_server() -> None:
    seconds = [0.0]
    failures = Failures(lambda: seconds[0])
    for status in (200, 404, 499, 500, 503):
        failures.note(status)
    assert failures.last_hour() == 2
    seconds[0] = 59 * 60.0
    failures.note(500)
    assert failures.last_hour() == 3
    seconds[0] = 60 * 60.0
    assert failures.last_hour() == 1
