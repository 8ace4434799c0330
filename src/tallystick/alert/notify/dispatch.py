"""What a group of alerts calls for at a moment. Pure: the same group, alerts and time give the same answer.

A group is the alerts that one route sends to one receiver together. It is looked at when its time has come: after
`group_wait` the first time, then every `group_interval`. What was told of already is told again only when there is
something new about it, or after `repeat_interval` while nobody has acknowledged it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from tallystick.alert.notify.model import NEW, US, Seen, Silence, Tells, Why
from tallystick.alert.notify.routing import NOBODY, Route, Routing


class Group(msgspec.Struct, kw_only=True):
    """Alerts (`members`: id to epoch) on their way to one receiver, and what it was told of them (`told`).

    `step` is 0 for the route itself and counts its steps of escalation otherwise. `born` is the epoch of the alert that
    began it. `held` remembers which reasons are on record. Changed by the notifier only.
    """

    id: str
    route: str
    receiver: str
    step: int
    labels: str
    next_at: int
    born: int = 0
    number: int = 0
    notified_at: int = 0
    flushed: bool = False
    members: dict[str, int] = {}
    told: dict[str, int] = {}
    held: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that nobody is told of by this group now, and why."""

    alert: str
    reason: Why
    by: str = ""


@dataclass(slots=True)
class Outcome:
    """What a look at a group calls for; `tells` is None for nothing to send."""

    tells: Tells | None = None
    firing: list[str] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Moment:
    """What holds at a time: routes, silences, and the alerts that may keep others quiet, with their labels."""

    now_us: int
    routing: Routing
    silences: Sequence[Silence]
    sources: Mapping[str, Mapping[str, str]]

    def held(self, alert: str, labels: Mapping[str, str], route: Route) -> Held | None:
        """Return why an alert is not told of by a route now, or None."""
        for inhibition in self.routing.inhibitions:
            for source, found in self.sources.items():
                if source != alert and inhibition.inhibits(found, labels):
                    return Held(alert, Why.INHIBITED, source)
        quiet = self.routing.quiet(route, self.now_us)
        if quiet is not None:
            return Held(alert, Why.MUTED, quiet)
        for silence in self.silences:
            if silence.silences(labels, self.now_us):
                return Held(alert, Why.SILENCED, silence.id)
        return None


def group_key(route: Route, receiver: str, step: int, labels: Mapping[str, str], alert: str) -> tuple[str, str]:
    """Return the key of the group that an alert belongs to on a route, and the labels that it shares with the others."""
    shared = f"alert={alert}" if route.group_all else ",".join(f"{name}={labels[name]}" for name in route.group_by)
    told = "\x00".join((route.key, receiver, str(step), shared))
    return sha256(told.encode()).hexdigest()[:24], shared


def join(group: Group, seen: Seen, route: Route, now_us: int) -> None:
    """Put an alert into a group, and bring the time of its next look forward where it cannot wait."""
    group.members[seen.id] = seen.epoch
    due = _due(group, seen, route)
    if not group.flushed or group.step or seen.severity == "critical":
        group.next_at = min(group.next_at, max(now_us, due))


def look(group: Group, route: Route, seen: Mapping[str, Seen], moment: Moment, *, send_resolved: bool) -> Outcome:
    """Return what a group calls for now, and bring the group up to that.

    Alerts that are in `seen` no more have left the tables. `group.number` grows by one for each notification.
    """
    outcome = Outcome()
    quiet = moment.routing.quiet(route, moment.now_us) is not None
    fresh = [_look_at(group, route, found, moment, outcome, quiet=quiet) for found in _members(group, seen)]
    outcome.resolved = outcome.resolved if send_resolved else []
    unanswered = any(seen[alert].state == NEW for alert in outcome.firing)
    repeats = moment.now_us >= group.notified_at + route.repeat_interval_s * US
    if any(fresh):
        outcome.tells = Tells.ESCALATION if group.step else Tells.FIRING
    elif outcome.resolved:
        outcome.tells = Tells.RESOLVED
    elif outcome.firing and unanswered and group.number and repeats:
        outcome.tells = Tells.REPEAT
    if outcome.tells is not None:
        group.number += 1
        group.notified_at = moment.now_us
        group.told |= {alert: seen[alert].epoch for alert in outcome.firing}
    group.flushed = True
    group.next_at = _next(group, route, seen, moment.now_us)
    return outcome


def _look_at(group: Group, route: Route, found: Seen, moment: Moment, outcome: Outcome, *, quiet: bool) -> bool:
    """Judge one member; return whether there is something new to tell of it."""
    was_told = found.id in group.told
    if not found.is_open:
        if was_told and quiet:
            return False  # it stays until the interval is over
        if was_told:
            outcome.resolved.append(found.id)
        elif found.id not in group.held and not group.step:
            outcome.held.append(Held(found.id, Why.CLOSED))
        _leave(group, found.id)
        return False
    if group.step and found.state != NEW:
        if not was_told:
            _leave(group, found.id)  # somebody answered in time
        return False
    if _due(group, found, route) > moment.now_us:
        return False
    labels = found.labels(moment.routing.team_of(found.scope))
    held = Held(found.id, Why.NOBODY) if group.receiver == NOBODY else moment.held(found.id, labels, route)
    if held is not None:
        said = f"{group.members[found.id]} {held.reason} {held.by}"
        if group.held.get(found.id) != said:
            group.held[found.id] = said
            outcome.held.append(held)
        return False
    outcome.firing.append(found.id)
    return group.told.get(found.id) != found.epoch


def _members(group: Group, seen: Mapping[str, Seen]) -> list[Seen]:
    gone = [alert for alert in group.members if alert not in seen]
    for alert in gone:
        _leave(group, alert)
    return [seen[alert] for alert in group.members]


def _leave(group: Group, alert: str) -> None:
    for held in (group.members, group.told, group.held):
        held.pop(alert, None)


def _due(group: Group, seen: Seen, route: Route) -> int:
    """Return when an alert may be told of at the earliest."""
    if group.step:
        return seen.opened_at + route.escalation[group.step - 1].after_s * US
    return seen.since + route.wait_s(seen.severity) * US


def _next(group: Group, route: Route, seen: Mapping[str, Seen], now_us: int) -> int:
    """Return when to look again: an escalation also when the next alert is due for it."""
    usual = now_us + route.group_interval_s * US
    if not group.step:
        return usual
    waiting = [_due(group, seen[alert], route) for alert in group.members if alert not in group.told]
    return min([usual, *(due for due in waiting if due > now_us)])
