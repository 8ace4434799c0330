"""Weeks, quarters and years of duties."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tallystick.review.periods import Cadence, parse_period, period_at, periods_ended


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("at", "name", "start"),
    [
        ("2026-11-21T12:00:00", "2026-W47", "2026-11-16"),
        ("2026-11-22T23:59:59", "2026-W47", "2026-11-16"),
        ("2026-11-23T00:00:00", "2026-W48", "2026-11-23"),
        ("2027-01-01T00:00:00", "2026-W53", "2026-12-28"),
        ("2024-12-30T00:00:00", "2025-W01", "2024-12-30"),
    ],
)
def test_a_week_begins_on_monday_in_utc_and_is_named_by_iso_8601(at: str, name: str, start: str) -> None:
    period = period_at(Cadence.WEEK, us(at))
    assert (period.name, period.start) == (name, us(start))


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01"])
def test_a_week_in_which_clocks_change_somewhere_has_seven_days_like_any_other(day: str) -> None:
    period = period_at(Cadence.WEEK, us(day))
    assert period.end - period.start == 7 * 86_400 * 1_000_000


@pytest.mark.parametrize(
    ("cadence", "at", "name", "start", "end"),
    [
        (Cadence.QUARTER, "2026-11-21", "2026-Q4", "2026-10-01", "2027-01-01"),
        (Cadence.QUARTER, "2027-01-01", "2027-Q1", "2027-01-01", "2027-04-01"),
        (Cadence.YEAR, "2028-02-29", "2028", "2028-01-01", "2029-01-01"),
    ],
)
def test_quarters_and_years_follow_the_calendar(cadence: Cadence, at: str, name: str, start: str, end: str) -> None:
    period = period_at(cadence, us(at))
    assert (period.name, period.start, period.end) == (name, us(start), us(end))


def test_no_period_has_ended_in_the_microsecond_before_its_end_and_one_has_at_it() -> None:
    end = us("2026-11-23")
    assert not list(periods_ended(Cadence.WEEK, us("2026-11-18"), end - 1))
    assert [each.name for each in periods_ended(Cadence.WEEK, us("2026-11-18"), end)] == ["2026-W47"]


def test_weeks_that_were_missed_are_all_named_and_none_twice() -> None:
    found = [each.name for each in periods_ended(Cadence.WEEK, us("2026-12-10"), us("2027-01-12"))]
    assert found == ["2026-W50", "2026-W51", "2026-W52", "2026-W53", "2027-W01"]


@pytest.mark.parametrize("name", ["2026-W47", "2026-W53", "2026-Q1", "2026"])
def test_a_period_is_found_by_its_name(name: str) -> None:
    assert parse_period(name).name == name


@pytest.mark.parametrize("name", ["", "2026-W54", "2026-Q5", "2027-W53", "2026-11", "x"])
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_period(name)
