"""Stand-ins for the surroundings: a disk that fails on request, a clock that only moves when told.

They implement the real ports, so tests never reach into what they test. Nothing in the product imports this package.
"""

from __future__ import annotations

from tallystick.testing.batches import BatchMaker
from tallystick.testing.clock import ManualClock
from tallystick.testing.disk import Afterwards, Fault, FaultyDisk, Plan
from tallystick.testing.durable import Keep

__all__ = ["Afterwards", "BatchMaker", "Fault", "FaultyDisk", "Keep", "ManualClock", "Plan"]
