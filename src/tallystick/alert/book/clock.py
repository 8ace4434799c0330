"""How long alerts may wait, by severity, and how an alert stands against its limits.

Every time here is a `received_at` of the log or the time now: nobody types one in. Limits are copied into the event that
opens an alert, so that a setting changed later makes nothing late, or timely, after the fact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from tallystick.alert.book.model import Alert, Limits, State
from tallystick.follow.alarm import Severity

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
What = Literal["acknowledge", "close"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an alert waits for and until when. `late_us` is by how much that has passed, or how late it was done."""

    what: What
    until: int
    late_us: int

    @property
    def late(self) -> bool:
        """Whether the limit has passed."""
        return self.late_us > 0


def limits_of(count: Callable[[str], int], severity: Severity) -> Limits:
    """Return the limits that the settings have for a severity now; what only informs waits for nobody."""
    if severity == "informational":
        return Limits(None, None)
    return Limits(
        count(f"alerts.{severity}_acknowledge_minutes") * MINUTE_US, count(f"alerts.{severity}_close_hours") * HOUR_US
    )


def waits_for(alert: Alert, now_us: int) -> Standing | None:
    """Return what somebody has to do next with an alert, and until when; None where nothing has a limit."""
    if alert.state == State.CLOSED:
        return None
    if alert.acknowledged_at is None and alert.acknowledge_by is not None:
        return Standing("acknowledge", alert.acknowledge_by, now_us - alert.acknowledge_by)
    if alert.close_by is not None:
        return Standing("close", alert.close_by, now_us - alert.close_by)
    return None


def breaches(alert: Alert, now_us: int) -> tuple[Standing, ...]:
    """Return every limit that an alert missed or is missing, by how much; what was late once stays late."""
    found = []
    if alert.acknowledge_by is not None:
        found.append(
            Standing("acknowledge", alert.acknowledge_by, (alert.acknowledged_at or now_us) - alert.acknowledge_by)
        )
    if alert.close_by is not None:
        found.append(Standing("close", alert.close_by, (alert.closed_at or now_us) - alert.close_by))
    return tuple(each for each in found if each.late)
