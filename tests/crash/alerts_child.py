"""Raises alarms below a folder as fast as it can, and says after each batch that it returned."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.crash.test_alerts_kill import batches
from tests.installation import settings

from tallystick.server import open_instance


def main(root: Path) -> None:
    with open_instance(settings(root)) as instance:
        for number, batch in enumerate(batches()):
            instance.services.alerts.book.raise_alarms(batch)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
