"""Lengths of time as people write and read them."""

from __future__ import annotations

import pytest

from tallystick.durations import format_age, format_duration, parse_duration


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (7200, "2 h"),
        (86_400, "1 day"),
        (8_252_634.6, "95 days"),
        (-5, "0 s"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert format_age(seconds) == shown


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30s", 30), ("90m", 5_400), ("1h30m", 5_400), ("24h", 86_400), ("2w", 1_209_600)]
)
def test_times_are_read_and_written_in_the_same_words(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "1.5h", "-1h", "30m1h", "2y"])
def test_what_is_no_time_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"30s, 5m, 4h|longer than a year"):
        parse_duration(text)
