"""The demo organisation: half a year at Wrenfield Instruments, a company that does not exist.

`generate` gives the same events for the same seed and end. Ordinary work makes most of them (`routine`, `projects`);
between it lie the incidents of `incidents`, unmarked, for those who want to look for them.
"""

from tallystick.intake.demo.generate import DAYS, generate
from tallystick.intake.demo.incidents import INCIDENTS

__all__ = ["DAYS", "INCIDENTS", "generate"]
