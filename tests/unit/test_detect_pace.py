"""Detection makes room for recording where it is far behind."""

from __future__ import annotations

import time

from tallystick.detect.pace import FAR_BEHIND, TURN_S, Pace


def worked(pace: Pace, seconds: float) -> None:
    pace.begin()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def test_who_is_far_behind_rests_as_long_as_a_turn_took_while_something_is_recorded() -> None:
    sizes = iter([0, FAR_BEHIND + 1])
    pace = Pace(lambda: next(sizes))
    worked(pace, 2 * TURN_S)
    before = time.perf_counter()
    pace.breathe(0)
    assert time.perf_counter() - before >= 2 * TURN_S
