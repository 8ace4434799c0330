"""From alerts that changed to groups, and from groups whose time has come to what is to be sent. One thread at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.alert.notify import events
from tallystick.alert.notify.dispatch import Group, Held, Moment, Outcome, group_key, join, look
from tallystick.alert.notify.model import FAILED_KIND, Delivery, Receiver, Seen, Silence, Why
from tallystick.alert.notify.outbox import Place
from tallystick.alert.notify.routing import NOBODY, Route, Routing
from tallystick.event.canonical import canonical_json

_FIRST: Final = 0


@dataclass(frozen=True, slots=True)
class World:
    """What the tables say at one moment: `changed` since the last look, `all_open` that nobody has closed."""

    now_us: int
    digest: str
    routing: Routing
    receivers: Mapping[str, Receiver]
    silences: Sequence[Silence]
    changed: Sequence[Seen]
    all_open: Sequence[Seen]


@dataclass(slots=True)
class Plan:
    """What one look changed, to be kept together."""

    place: Place
    touched: dict[str, Group] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    deliveries: list[Delivery] = field(default_factory=list)
    notes: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep but how far it is."""
        return not (self.touched or self.gone or self.deliveries or self.notes)


class Planner:
    """The groups of one log. `groups` is what the outbox has; a plan that is not kept leaves them ahead of it, so whoever
    fails to keep one makes a new planner.
    """

    def __init__(self, origin: str, groups: dict[str, Group], place: Place | None) -> None:
        self._origin = origin
        self._groups = groups
        self._place = place
        self._of: dict[str, set[str]] = {}  # which groups an alert is in
        for group in groups.values():
            for alert in group.members:
                self._of.setdefault(alert, set()).add(group.id)

    @property
    def place(self) -> Place | None:
        """How far the alerts were seen."""
        return self._place

    def next_at(self) -> int | None:
        """Return when the next group is to be looked at."""
        return min((group.next_at for group in self._groups.values()), default=None)

    def waiting(self) -> Iterable[Group]:
        """Return the groups."""
        return self._groups.values()

    def plan(self, world: World, seen: Mapping[str, Seen]) -> Plan:
        """Return what follows from the alerts that changed and from the time. `seen` holds every alert of the groups that
        are due, and those that changed.
        """
        before = self._place
        after = max((each.changed_index for each in world.changed), default=before.after if before else _FIRST)
        plan = Plan(Place(after, world.digest))
        if before is not None and before.routing != world.digest:
            self._reroute(world, plan)
        for each in world.changed:
            # What came and went before anybody looked is on record as such; a new file knows nothing of what is over.
            if each.is_open or (before is not None and each.epoch > before.after):
                self._enter(each, world, plan)
        for group in [each for each in self._groups.values() if each.next_at <= world.now_us]:
            before_look = set(group.members)
            self._look(group, world, seen, plan)
            for alert in before_look - group.members.keys():
                self._of.get(alert, set()).discard(group.id)
        self._place = plan.place
        return plan

    def due(self, now_us: int) -> set[str]:
        """Return the alerts of groups that are to be looked at."""
        return {alert for group in self._groups.values() if group.next_at <= now_us for alert in group.members}

    def _reroute(self, world: World, plan: Plan) -> None:
        """Put every alert where the new routes want it; what a receiver was told stays known where the route stays."""
        alerts = {each.id for each in world.all_open}
        for each in world.all_open:
            self._enter(each, world, plan)
        for group in list(self._groups.values()):
            for alert in set(group.members) - alerts:
                self._drop(group, alert, plan)

    def _enter(self, seen: Seen, world: World, plan: Plan) -> None:
        wanted = targets(world.routing, seen)
        keys = {key for _, _, _, key, _ in wanted}
        for group in [self._groups[key] for key in self._of.get(seen.id, set()) - keys if key in self._groups]:
            self._drop(group, seen.id, plan)  # it became graver, and another group's
        self._of[seen.id] = keys
        for route, receiver, step, key, labels in wanted:
            if key not in self._groups:
                # An end that lies far ahead: joining brings it to when the alert is due.
                far = world.now_us + 400 * 86_400_000_000
                self._groups[key] = Group(
                    id=key, route=route.path, receiver=receiver, step=step, labels=labels, next_at=far, born=seen.epoch
                )
            group = self._groups[key]
            if group.members.get(seen.id) == seen.epoch:
                continue
            group.route = route.path
            join(group, seen, route, world.now_us)
            plan.gone.discard(key)
            plan.touched[key] = group

    def _drop(self, group: Group, alert: str, plan: Plan) -> None:
        for held in (group.members, group.told, group.held):
            held.pop(alert, None)
        self._keep(group, plan)

    def _look(self, group: Group, world: World, seen: Mapping[str, Seen], plan: Plan) -> None:
        found = self._route_of(group, world)
        if found is None:
            group.members.clear()
            self._keep(group, plan)
            return
        sources = {each.id: each.labels(world.routing.team_of(each.scope)) for each in world.all_open}
        moment = Moment(world.now_us, world.routing, world.silences, sources)
        receiver = world.receivers.get(group.receiver)
        outcome = look(group, found, seen, moment, send_resolved=receiver is not None and receiver.send_resolved)
        if outcome.tells is not None:
            plan.deliveries.append(self._delivery(group, outcome, seen, world.now_us))
        if outcome.held:
            plan.notes.append(_note(group, outcome.held, seen, world.now_us))
        self._keep(group, plan)

    def _route_of(self, group: Group, world: World) -> Route | None:
        route = world.routing.find_route(group.route)
        return None if route is None or group.step > len(route.escalation) else route

    def _keep(self, group: Group, plan: Plan) -> None:
        if group.members:
            plan.touched[group.id] = group
            return
        plan.touched.pop(group.id, None)
        plan.gone.add(group.id)
        self._groups.pop(group.id, None)

    def _delivery(self, group: Group, outcome: Outcome, seen: Mapping[str, Seen], now_us: int) -> Delivery:
        assert outcome.tells is not None
        alerts = [*outcome.firing, *outcome.resolved]
        return Delivery(
            key=events.notification_id(self._origin, group.id, group.born, group.receiver, group.number),
            receiver=group.receiver,
            route=group.route,
            group=group.id,
            tells=outcome.tells,
            number=group.number,
            scope=events.common_scope([seen[alert].scope for alert in alerts]),
            made_at=now_us,
            due_at=0,
            firing=tuple(outcome.firing),
            resolved=tuple(outcome.resolved),
            alarms=any(seen[alert].kind != FAILED_KIND for alert in alerts),
        )


def targets(routing: Routing, seen: Seen) -> list[tuple[Route, str, int, str, str]]:
    """Return where an alert goes: route, receiver, step of escalation (0 for at once), the group's id, what it shares."""
    labels = seen.labels(routing.team_of(seen.scope))
    found = []
    for route in routing.route.find(labels):
        steps = [(0, route.receiver), *((at, step.receiver) for at, step in enumerate(route.escalation, 1))]
        for at, receiver in steps:
            reached = receiver if seen.kind != FAILED_KIND else _other_channel(routing, receiver, seen.about)
            found.append((route, reached, at, *group_key(route, reached, at, labels, seen.id)))
    return found


def _other_channel(routing: Routing, receiver: str, failed: str | None) -> str:
    """Return who is told that `failed` cannot be reached: never `failed` itself."""
    if receiver not in {failed, NOBODY}:
        return receiver
    if routing.fallback is not None and routing.fallback != failed:
        return routing.fallback
    return min(routing.receivers() - {failed or ""}, default=NOBODY) if receiver != NOBODY else NOBODY


def _note(group: Group, found: Sequence[Held], seen: Mapping[str, Seen], now_us: int) -> tuple[str, bytes]:
    told = [(each.alert, _reason(each, seen[each.alert]), each.by) for each in found]
    scope = events.common_scope([seen[each.alert].scope for each in found])
    event: dict[str, Any] = events.held(group.receiver, told, scope, group.id, now_us)
    return event["id"], canonical_json(event)


def _reason(held: Held, seen: Seen) -> str:
    is_failure = held.reason is Why.NOBODY and seen.kind == FAILED_KIND
    return (Why.NO_CHANNEL if is_failure else held.reason).value
