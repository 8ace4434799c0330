"""Destroys what is due below a folder, at a time that is given, and says when it begins and when it is done."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.installation import settings

from tallystick.server import open_instance
from tallystick.testing import ManualClock


def main(root: Path, now_us: int) -> None:
    with open_instance(settings(root), clock=ManualClock(now_us)) as instance:
        instance.services.retention.worker.stop()
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        instance.services.retention.runner.run("test")
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
