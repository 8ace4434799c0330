"""What an answer means for what was sent, and how long to wait before trying again."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass
from typing import Final

REFUSING: Final = frozenset({400, 406, 411, 412, 413, 414, 415, 417, 422, 431, 451})
"""Answers that speak of what was sent; all others speak of the destination, its address or its secret."""
FAILING: Final = frozenset({500, 501})
"""Answers that one event may cause, or a destination that does badly: it is given much longer."""


class Verdict(enum.Enum):
    """What an answer says."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    FAILED = "failed"
    UNWELL = "unwell"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a destination is waited for. `refusals_max` and `failures_max` are how often one event is tried alone
    before it is set aside; a destination that is unwell is tried for ever.
    """

    first_s: float = 0.5
    most_s: float = 300.0
    refusals_max: int = 5
    failures_max: int = 100

    def delay_s(self, failures: int, retry_after_s: int | None = None) -> float:
        """Return how long to wait after so many failures in a row: doubled each time, with jitter."""
        longest = min(self.most_s, self.first_s * 2.0 ** min(failures - 1, 30))
        jittered = longest * random.uniform(0.5, 1.0)  # noqa: S311  no secret hangs on it
        return max(jittered, float(retry_after_s or 0))

    def tries_max(self, verdict: Verdict) -> int | None:
        """Return after how many tries alone an event is set aside; None for never."""
        return {Verdict.REFUSED: self.refusals_max, Verdict.FAILED: self.failures_max}.get(verdict)


def judge_status(status: int) -> Verdict:
    """Return what a status says; redirects are not followed, so they say that the address is wrong."""
    if 200 <= status < 300:
        return Verdict.DELIVERED
    if status in REFUSING:
        return Verdict.REFUSED
    return Verdict.FAILED if status in FAILING else Verdict.UNWELL
