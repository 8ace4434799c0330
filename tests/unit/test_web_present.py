"""What pages say of times."""

from __future__ import annotations

import pytest

from tallystick.web.present import offset


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.44, "0.4 s"), (-0.6, "-0.6 s"), (75, "1 min"), (-200_000, "-2 days")]
)
def test_an_offset_is_told_either_way_and_fine_where_it_is_small(seconds: float, shown: str) -> None:
    assert offset(seconds) == shown
