"""The demo organisation with its month, loaded as `tallystick demo` loads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.installation import settings

from tallystick.cli.demo_clock import DemoClock
from tallystick.cli.demonstrate import WEEKS_US, tell
from tallystick.server import Instance, open_instance

EVENTS = 20_000


@contextmanager
def demo_month(root: Path, end_us: int) -> Iterator[Instance]:
    """Yield a new installation at the end of the demo's half year; `end_us` is past."""
    clock = DemoClock(end_us - WEEKS_US)
    with open_instance(settings(root), clock=clock) as instance:
        tell(instance, clock, end_us, EVENTS)
        yield instance
