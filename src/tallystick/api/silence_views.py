"""Silences, as the API shows them."""

from __future__ import annotations

import msgspec

from tallystick.alert.notify.model import Silence
from tallystick.event.occurred import time_of_us


class SilenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A silence. `state` is active, expired or ended; `suppressed` counts the alerts of which it kept somebody from being
    told; `critical` says that critical alerts are among those it covers.
    """

    id: str
    state: str
    matchers: list[str]
    scope: str
    reason: str | None
    author: str
    placed_at: str
    until: str
    ended_at: str | None
    ended_by: str | None
    suppressed: int
    critical: bool


class SilencesView(msgspec.Struct, frozen=True, kw_only=True):
    """Silences, the newest first."""

    silences: list[SilenceView]


def silence_view(silence: Silence, suppressed: int, now_us: int) -> SilenceView:
    """Return a silence as it stands at a time."""
    ended = silence.ended_at is not None
    critical = all(each.matches({"severity": "critical"}) for each in silence.matchers if each.label == "severity")
    return SilenceView(
        id=silence.id,
        state="active" if silence.holds(now_us) else "ended" if ended else "expired",
        matchers=[str(each) for each in silence.matchers],
        scope=silence.scope or "/",
        reason=silence.reason,
        author=silence.author,
        placed_at=time_of_us(silence.placed_at),
        until=time_of_us(silence.until),
        ended_at=None if silence.ended_at is None else time_of_us(silence.ended_at),
        ended_by=silence.ended_by,
        suppressed=suppressed,
        critical=critical,
    )
