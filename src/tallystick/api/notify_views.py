"""Routes, receivers, silences and notifications as API and pages show them; no secret is in any."""

from __future__ import annotations

import msgspec

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.notify.model import Notification, Receiver
from tallystick.alert.notify.routes import Way
from tallystick.alert.notify.routing import Route, Routing
from tallystick.alert.notify.rows import RoutingVersion
from tallystick.api.notification_views import AttemptView, NotificationView, settled_view
from tallystick.durations import format_duration
from tallystick.event.occurred import time_of_us


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an alert goes to when nobody has acknowledged it for so long."""

    after: str
    receiver: str


class RouteView(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the tree, with what it inherits filled in; `path` names its place."""

    path: str
    receiver: str
    matchers: list[str]
    goes_on: bool = msgspec.field(name="continue")
    group_by: list[str]
    group_wait: str
    critical_wait: str
    group_interval: str
    repeat_interval: str
    mute_time_intervals: list[str]
    active_time_intervals: list[str]
    escalation: list[StepView]
    routes: list[RouteView]


class RoutesView(msgspec.Struct, frozen=True, kw_only=True):
    """The routes in force. `text` is as it was typed, or what it says where that was erased; `digest` is of what it says.

    Both are empty where nobody has set any: then nobody is told of any alert.
    """

    digest: str
    text: str
    set_at: str | None
    set_by: str | None
    route: RouteView
    time_intervals: list[str]
    teams: list[str]
    inhibit_rules: int
    fallback_receiver: str | None


class CheckedView(msgspec.Struct, frozen=True, kw_only=True):
    """What a text of routes says, as a tree."""

    route: RouteView
    receivers: list[str]


class WayView(msgspec.Struct, frozen=True, kw_only=True):
    """One way that an alert would take. `held` is why its receiver would not be told at that time: silenced, inhibited,
    muted or nobody; `by` names what holds it back.
    """

    path: str
    receiver: str
    group: dict[str, str]
    wait: str
    repeat_interval: str
    escalation: list[StepView]
    held: str | None
    by: str


class WaysView(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alert would go, in the order of the tree."""

    ways: list[WayView]


class ReceiverView(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver. `place` is what may be seen of where it is; `address` is for who may route alerts. `personal_scopes` are
    those of whose alerts it is told what they say of people.
    """

    name: str
    kind: str
    place: str
    address: str | None
    send_resolved: bool
    personal_scopes: list[str]
    header_names: list[str]
    set_at: str
    set_by: str
    tested_at: str | None
    test_outcome: str | None
    test_code: int | None
    last: NotificationView | None


class ReceiversView(msgspec.Struct, frozen=True, kw_only=True):
    """Every receiver, by name."""

    receivers: list[ReceiverView]


class NewReceiverView(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver that was set; `signing_secret` is there only where a webhook has a new one, and only now."""

    name: str
    signing_secret: str | None


class TestResultView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a test; it is on record."""

    delivered: bool
    attempt: AttemptView


def route_view(route: Route) -> RouteView:
    """Return a node with all below it."""
    return RouteView(
        path=route.path,
        receiver=route.receiver,
        matchers=[str(each) for each in route.matchers],
        goes_on=route.goes_on,
        group_by=["..."] if route.group_all else list(route.group_by),
        group_wait=format_duration(route.group_wait_s),
        critical_wait=format_duration(route.critical_wait_s),
        group_interval=format_duration(route.group_interval_s),
        repeat_interval=format_duration(route.repeat_interval_s),
        mute_time_intervals=list(route.mute),
        active_time_intervals=list(route.active),
        escalation=_steps(route),
        routes=[route_view(each) for each in route.routes],
    )


def routes_view(version: RoutingVersion | None, routing: Routing) -> RoutesView:
    """Return the routes in force."""
    return RoutesView(
        digest=version.digest if version else "",
        text=(version.text or version.config) if version else "",
        set_at=time_of_us(version.set_at) if version else None,
        set_by=version.set_by if version else None,
        route=route_view(routing.route),
        time_intervals=[each.name for each in routing.intervals],
        teams=[each.name for each in routing.teams],
        inhibit_rules=len(routing.inhibitions),
        fallback_receiver=routing.fallback,
    )


def way_view(way: Way) -> WayView:
    """Return one way of an alert."""
    return WayView(
        path=way.route.path,
        receiver=way.route.receiver,
        group=dict(way.group),
        wait=format_duration(way.wait_s),
        repeat_interval=format_duration(way.route.repeat_interval_s),
        escalation=_steps(way.route),
        held=way.held.value if way.held else None,
        by=way.held_by,
    )


def receiver_view(caller: Caller, receiver: Receiver, last: Notification | None) -> ReceiverView:
    """Return a receiver as a caller may see it."""
    routes = caller.rights.allows(Permission.ALERTS_ROUTE, "")
    return ReceiverView(
        name=receiver.name,
        kind=receiver.way.value,
        place=receiver.place,
        address=receiver.address if routes else None,
        send_resolved=receiver.send_resolved,
        personal_scopes=[scope or "/" for scope in receiver.personal_scopes],
        header_names=list(receiver.header_names),
        set_at=time_of_us(receiver.set_at),
        set_by=receiver.set_by,
        tested_at=None if receiver.tested_at is None else time_of_us(receiver.tested_at),
        test_outcome=receiver.test_outcome,
        test_code=receiver.test_code,
        last=None if last is None or not _sees(caller, last.scope) else settled_view(last),
    )


def _steps(route: Route) -> list[StepView]:
    return [StepView(after=format_duration(each.after_s), receiver=each.receiver) for each in route.escalation]


def _sees(caller: Caller, scope: str) -> bool:
    return caller.rights.allows(Permission.ALERTS_READ, scope)
