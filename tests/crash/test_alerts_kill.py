"""kill -9 while alarms are raised: what was told is in an alert once, however often it is told again."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from tests.alert_world import alarm
from tests.installation import installation

from tallystick.access.operator import OPERATOR
from tallystick.follow.alarm import Alarm

KILLS = 2
BATCHES, EACH = 40, 5
ROOT = Path(__file__).resolve().parents[2]


def batches() -> list[list[Alarm]]:
    """Return what is told, the same each time: some keys by turns, each firing worth two."""
    return [
        [alarm(f"{number}/{each}", key=f"key {each}", count=2, at_us=number + 1) for each in range(EACH)]
        for number in range(BATCHES)
    ]


def raise_until(root: Path, told: int) -> int:
    """Raise alarms in another process, kill it once so many batches have returned, and return how many had."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.alerts_child", str(root)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with child:
        assert child.stdout is not None
        returned = 0
        for line in child.stdout:
            returned = int(line) + 1
            if returned >= told:
                child.kill()
                break
    return returned


def test_alarms_told_again_after_a_kill_are_counted_once(tmp_path: Path) -> None:
    chance = random.Random(11)
    for _ in range(KILLS):
        returned = raise_until(tmp_path, chance.randint(1, BATCHES - 1))
        with installation(tmp_path) as house:
            counted = [alert.count for alert in house.instance.services.alerts.reading.list(OPERATOR).alerts]
            assert len(counted) == EACH
            assert min(counted) >= 2 * returned
            assert len(set(counted)) == 1, "a batch is in the book as a whole or not at all"
    with installation(tmp_path) as house:
        alerts = house.instance.services.alerts
        for batch in batches():
            alerts.book.raise_alarms(batch)
        assert [alert.count for alert in alerts.reading.list(OPERATOR).alerts] == [2 * BATCHES] * EACH
