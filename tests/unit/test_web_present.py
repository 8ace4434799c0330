"""Lengths of time as people read them."""

from __future__ import annotations

import pytest

from tallystick.web.present import age, offset


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
    assert age(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.44, "0.4 s"), (-0.6, "-0.6 s"), (75, "1 min"), (-200_000, "-2 days")]
)
def test_an_offset_is_told_either_way_and_fine_where_it_is_small(seconds: float, shown: str) -> None:
    assert offset(seconds) == shown
