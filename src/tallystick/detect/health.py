"""How detection does, for the page of health."""

from __future__ import annotations

from typing import Final

from tallystick.detect.standing import Standing, failed_of
from tallystick.health.model import Check, State

NAME: Final = "Detection"
LAG_S_MAX: Final = 60.0
_MEANING: Final = "Rules watch every event as it is recorded; who watches, and how far they are, stands here."


def detection(standing: Standing) -> Check:
    """Return the check."""
    failed = failed_of(standing.rules)
    found = f"{len(standing.rules) - len(failed):,} rules watch, {standing.alarms:,} alarms so far"
    state: State = "good"
    remedy = ""
    if standing.blocked:
        state, found = "problem", f"it stands still at event {standing.next_index:,}: {standing.blocked}"
        remedy = "Mend what it names; nothing is lost, events are judged once it goes on."
    elif min(standing.lag_s, standing.behind_s) > LAG_S_MAX:
        state, found = "attention", f"{standing.lag:,} events behind, the oldest {standing.lag_s:,.0f} s old"
        remedy = "Look for rules that are slow on the page of rules; events are judged late, none is passed over."
    elif failed:
        state, found = "attention", f"{found}; {len(failed):,} are suspended"
        remedy = "The page of each rule says why it is suspended."
    return Check(name=NAME, state=state, found=found, meaning=_MEANING, remedy=remedy)
