"""Times of the week in a zone, also on the days when the clock is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tallystick.alert.notify.intervals import TimeInterval
from tallystick.alert.notify.routing_text import parse_routing


def interval(part: str) -> TimeInterval:
    text = f"route: {{receiver: a}}\ntime_intervals: [{{name: n, time_intervals: [{part}]}}]"
    (found,) = parse_routing(text).intervals
    return found


def at(text: str, zone: str = "UTC", fold: int = 0) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("part", "moment", "holds"),
    [
        ("{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-03-02T09:00", True),
        ("{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-03-02T17:00", False),
        ("{times: [{start_time: '09:00', end_time: '17:00'}]}", "2026-03-02T16:59:59", True),
        ("{times: [{start_time: '17:00', end_time: '24:00'}]}", "2026-03-02T23:59:59", True),
        ("{times: [{start_time: '17:00', end_time: '24:00'}]}", "2026-03-03T00:00", False),
        ("{weekdays: ['monday:friday']}", "2026-03-06T12:00", True),
        ("{weekdays: ['monday:friday']}", "2026-03-07T12:00", False),
        ("{weekdays: [saturday, sunday]}", "2026-03-08T12:00", True),
        ("{weekdays: ['sunday:tuesday']}", "2026-03-09T12:00", True),
        ("{days_of_month: ['1:5']}", "2026-03-05T12:00", True),
        ("{days_of_month: ['-1']}", "2026-02-28T12:00", True),
        ("{days_of_month: ['-1']}", "2028-02-28T12:00", False),
        ("{days_of_month: ['-3:-1']}", "2026-04-28T12:00", True),
        ("{days_of_month: ['20:-1']}", "2026-04-30T12:00", True),
        ("{days_of_month: ['30:31']}", "2026-02-28T12:00", False),
        ("{months: ['1:3', may]}", "2026-05-31T12:00", True),
        ("{months: ['january:march']}", "2026-04-01T00:00", False),
        ("{years: ['2025:2026']}", "2026-12-31T23:59", True),
        ("{years: ['2025']}", "2026-01-01T00:00", False),
        ("{weekdays: [monday], months: [march]}", "2026-03-02T12:00", True),
        ("{weekdays: [monday], months: [april]}", "2026-03-02T12:00", False),
        ("{weekdays: [monday]}, {months: [april]}", "2026-04-01T12:00", True),
        ("{}", "2026-04-01T12:00", True),
    ],
)
def test_a_moment_is_in_an_interval_when_it_meets_each_field_of_one_part(part: str, moment: str, holds: bool) -> None:
    assert interval(part).holds(at(moment)) is holds


NIGHT = "{times: [{start_time: '02:00', end_time: '03:00'}], location: Europe/Berlin}"


def test_the_hour_that_is_skipped_never_comes() -> None:
    start, end = at("2026-03-29T00:00", "Europe/Berlin"), at("2026-03-30T00:00", "Europe/Berlin")
    night = interval(NIGHT)
    held = [moment for moment in range(start, end, 60_000_000) if night.holds(moment)]
    assert held == []
    assert (end - start) // 3_600_000_000 == 23


def test_the_hour_that_comes_twice_counts_twice() -> None:
    start, end = at("2026-10-25T00:00", "Europe/Berlin"), at("2026-10-26T00:00", "Europe/Berlin")
    night = interval(NIGHT)
    held = [moment for moment in range(start, end, 60_000_000) if night.holds(moment)]
    assert len(held) == 120
    assert held[0] == at("2026-10-25T02:00", "Europe/Berlin")
    assert held[-1] == at("2026-10-25T02:59", "Europe/Berlin", fold=1)


def test_office_hours_stay_at_nine_on_the_wall_when_the_clock_is_put_forward() -> None:
    hours = interval("{times: [{start_time: '09:00', end_time: '17:00'}], location: Europe/Berlin}")
    for day in ("2026-03-28", "2026-03-29", "2026-03-30"):
        assert hours.holds(at(f"{day}T09:00", "Europe/Berlin"))
        assert not hours.holds(at(f"{day}T08:59", "Europe/Berlin"))


def test_midnight_belongs_to_the_day_of_the_zone() -> None:
    tokyo = interval("{weekdays: [monday], location: Asia/Tokyo}")
    assert tokyo.holds(at("2026-03-01T15:00"))
    assert not tokyo.holds(at("2026-03-02T15:00"))


@pytest.mark.parametrize(
    "part",
    [
        "{weekdays: [someday]}",
        "{weekdays: ['friday:monday']}",
        "{days_of_month: ['0']}",
        "{days_of_month: ['32']}",
        "{days_of_month: ['-5:5']}",
        "{days_of_month: ['-1:-3']}",
        "{months: ['13']}",
        "{times: [{start_time: '9:00', end_time: '17:00'}]}",
        "{times: [{start_time: '09:00', end_time: '24:01'}]}",
        "{times: [{start_time: '09:60', end_time: '24:00'}]}",
        "{location: ../etc/passwd}",
    ],
)
def test_times_that_never_come_are_refused(part: str) -> None:
    with pytest.raises(Exception, match="line 2"):
        interval(part)
