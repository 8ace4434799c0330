"""How notifications do, for the page of health."""

from __future__ import annotations

from typing import Final

from tallystick.alert.notify.model import US
from tallystick.alert.notify.notifier import Standing
from tallystick.health.model import Check

WAITING_S_MAX: Final = 120


def notifications(standing: Standing, now_us: int) -> Check:
    """Return whether people hear of alerts."""
    name, meaning = "Notifications", "Receivers are told of alerts as the routes say, and each try is on record."
    if standing.trouble is not None:
        found = f"they do not go on: {standing.trouble}"
        remedy = "Look at the server's own output; they go on by themselves once the cause is mended."
        return Check(name=name, state="problem", found=found, meaning=meaning, remedy=remedy)
    if not standing.receivers:
        remedy = "Set up a receiver and a route on the page of the routes of alerts."
        return Check(
            name=name, state="off", found="nobody is told: there is no receiver", meaning=meaning, remedy=remedy
        )
    if standing.dead:
        found = f"{standing.dead:,} could not be delivered and were given up"
        remedy = "See the page of notifications: mend the receiver, then send them again."
        return Check(name=name, state="problem", found=found, meaning=meaning, remedy=remedy)
    age_s = 0.0 if standing.oldest_us is None else max(0, now_us - standing.oldest_us) / US
    found = f"{standing.waiting:,} waiting, {standing.groups:,} groups of alerts watched"
    if age_s > WAITING_S_MAX:
        remedy = "See the page of notifications for what each receiver answered."
        found = f"{standing.waiting:,} waiting, the oldest for {age_s:,.0f} s"
        return Check(name=name, state="attention", found=found, meaning=meaning, remedy=remedy)
    return Check(name=name, state="good", found=found, meaning=meaning)
