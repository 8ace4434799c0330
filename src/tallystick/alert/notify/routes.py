"""The verbs of the routes: look, check, set, and try where an alert would go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.access.scopes import parse_scope
from tallystick.alert.book.model import SEVERITIES
from tallystick.alert.notify import events
from tallystick.alert.notify.dispatch import Moment
from tallystick.alert.notify.errors import MatcherInvalidError, RoutingChangedError
from tallystick.alert.notify.model import Why
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.routing import NOBODY, Route, Routing
from tallystick.alert.notify.routing_text import parse_routing, plain_routing
from tallystick.alert.notify.rows import (
    RoutingVersion,
    all_receivers,
    all_silences,
    load_routing,
    open_alerts,
    routing_versions,
)
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection

VERSIONS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Question:
    """An alert that nobody raised: where would it go? Without a time it is asked for now."""

    severity: str
    scope: str
    kind: str = ""
    owner: str = ""
    at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """One route that an alert would take; `held` is why nobody would be told now, and by what."""

    route: Route
    group: tuple[tuple[str, str], ...]
    wait_s: int
    held: Why | None
    held_by: str


class RouteService:
    """The routes of one installation; may be used from any thread."""

    def __init__(
        self, projection: Projection, commands: Commands, ports: NotifyPorts, changed: Callable[[], None]
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports
        self._changed = changed

    def get(self, caller: Caller) -> tuple[RoutingVersion | None, Routing]:
        """Return the routes in force, with their version; None where nobody has set any. The look is recorded."""
        require(caller, Permission.ALERTS_READ)
        self._ports.looked(caller, "alert routes")
        with self._projection.engine.connect() as connection:
            newest = routing_versions(connection, 1)
            return (newest[0] if newest else None), load_routing(connection)[1]

    def versions(self, caller: Caller) -> list[RoutingVersion]:
        """Return the newest versions, the newest first."""
        require(caller, Permission.ALERTS_READ)
        with self._projection.engine.connect() as connection:
            return routing_versions(connection, VERSIONS_SHOWN)

    def check(self, caller: Caller, text: str) -> Routing:
        """Return what a text says. Raises RoutingInvalidError with line and column."""
        require(caller, Permission.ALERTS_READ)
        with self._projection.engine.connect() as connection:
            return parse_routing(text, all_receivers(connection))

    def set(self, caller: Caller, text: str, *, before: str | None = None) -> str:
        """Put a text in force, and return its digest; the same again changes nothing.

        Where `before` is given, the routes must be those of that digest still. Raises RoutingInvalidError,
        RoutingChangedError, PermissionMissingError, and what asks for a fresh sign-in.
        """
        require(caller, Permission.ALERTS_ROUTE, "")
        self._ports.require_fresh(caller)
        config = plain_routing(text)
        digest = sha256(config.encode()).hexdigest()

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            parse_routing(text, all_receivers(connection))
            newest = routing_versions(connection, 1)
            if before is not None and before != (newest[0].digest if newest else ""):
                raise RoutingChangedError("somebody changed the routes meanwhile")
            old = newest[0] if newest else None
            if old is not None and old.digest == digest and old.text == text:
                return []
            metadata = {"digest": digest, "config": config}
            changes = [Change("text", old.text if old else None, text)]
            target = Target("alert_routes", "routes")
            return [act(caller, events.ROUTES_CHANGED, target, metadata, self._ports.now_us(), changes=changes)]

        self._commands.run(decide)
        self._changed()
        return digest

    def ask(self, caller: Caller, question: Question, text: str | None = None) -> list[Way]:
        """Return where an alert would go, by the routes in force or by a text that is tried.

        Raises MatcherInvalidError, ScopeInvalidError, RoutingInvalidError.
        """
        require(caller, Permission.ALERTS_READ)
        if question.severity not in SEVERITIES:
            raise MatcherInvalidError(f"severities are {', '.join(SEVERITIES)}", pointer="/severity")
        scope = parse_scope(question.scope)
        now = question.at_us if question.at_us is not None else self._ports.now_us()
        with self._projection.engine.connect() as connection:
            routing = load_routing(connection)[1] if text is None else parse_routing(text, all_receivers(connection))
            silences = all_silences(connection, now)
            standing = open_alerts(connection)
        labels = {
            "severity": question.severity,
            "scope": scope,
            "kind": question.kind,
            "team": routing.team_of(scope),
            "owner": question.owner,
        }
        seen = [each for each in standing if caller.rights.allows(Permission.ALERTS_READ, each.scope)]
        sources = {each.id: each.labels(routing.team_of(each.scope)) for each in seen}
        moment = Moment(now, routing, silences, sources)
        return [_way(route, labels, moment) for route in routing.route.find(labels)]


def _way(route: Route, labels: Mapping[str, str], moment: Moment) -> Way:
    held = moment.held("", labels, route)
    group = tuple((name, labels[name]) for name in route.group_by)
    if route.receiver == NOBODY:
        return Way(route, group, route.wait_s(labels["severity"]), Why.NOBODY, "")
    reason, by = (held.reason, held.by) if held is not None else (None, "")
    return Way(route, group, route.wait_s(labels["severity"]), reason, by)
