"""Opens or signs a review in a process that kills itself around an append; run by `test_reviews_kill`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.installation import installation
from tests.review_world import WEEK_S

from tallystick.access.operator import OPERATOR
from tallystick.follow.commands import Commands
from tallystick.review.reviewing import Reviewing
from tallystick.review.upkeep import ReviewUpkeep
from tallystick.testing import ManualClock


def main(root: Path, start_us: int, act: str, moment: str, number: int) -> None:
    clock = ManualClock(start_us)
    with installation(root, clock=clock) as house:
        instance, appends = house.instance, 0

        def append(events: Sequence[Mapping[str, Any]]) -> None:
            nonlocal appends
            appends += 1
            if appends == number and moment == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            instance.product.all(events)
            if appends == number:
                os.kill(os.getpid(), signal.SIGKILL)

        room, commands = instance.services.reviews, Commands(instance.projection, append)
        ports = room.upkeep._ports
        room.upkeep._stopping.set()  # nobody else opens anything meanwhile
        room.upkeep._thread.join()
        if act == "open":
            clock.advance(WEEK_S)
            ReviewUpkeep(instance.projection, commands, ports).look()
        else:
            review = room.looking.list(OPERATOR)[0].review
            Reviewing(instance.projection, commands, ports).sign(OPERATOR, review.id, review.digest)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5]))
