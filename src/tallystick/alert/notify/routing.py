"""What an organisation decided about notifications, and where an alert goes by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tallystick.alert.notify.intervals import TimeInterval
from tallystick.alert.notify.matchers import Labels, Matcher, matches
from tallystick.event.identifier import is_within

NOBODY: Final = "nobody"
"""The receiver that is always there and that nothing is sent to."""
GROUP_WAIT_S: Final = 30
GROUP_INTERVAL_S: Final = 300
REPEAT_INTERVAL_S: Final = 4 * 3600
CRITICAL_WAIT_S: Final = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Whom an alert goes to when nobody has acknowledged it `after_s` seconds after it was opened."""

    after_s: int
    receiver: str


@dataclass(frozen=True, slots=True)
class Route:
    """One node of the tree, with what it inherits filled in. `path` names its place: `0` is the root, `0.2` the third
    of its children. `key` names it by its matchers and those above it, so that it is the same when another is put before
    it. `group_all` groups by nothing less than the alert itself.
    """

    path: str
    receiver: str
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False
    group_by: tuple[str, ...] = ()
    group_all: bool = False
    group_wait_s: int = GROUP_WAIT_S
    critical_wait_s: int = CRITICAL_WAIT_S
    group_interval_s: int = GROUP_INTERVAL_S
    repeat_interval_s: int = REPEAT_INTERVAL_S
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    escalation: tuple[Step, ...] = ()
    routes: tuple[Route, ...] = ()
    key: str = "{}"

    def find(self, labels: Labels) -> tuple[Route, ...]:
        """Return the routes that an alert takes: the first child that matches, and those after it while `continue` says
        so; the node itself where no child does.
        """
        if not matches(self.matchers, labels):
            return ()
        found: list[Route] = []
        for child in self.routes:
            below = child.find(labels)
            found += below
            if below and not child.goes_on:
                break
        return tuple(found) or (self,)

    def walk(self) -> Iterator[Route]:
        """Yield this node and all below it."""
        yield self
        for child in self.routes:
            yield from child.walk()

    def wait_s(self, severity: str) -> int:
        """Return how long the first notification about an alert may wait for others."""
        return min(self.group_wait_s, self.critical_wait_s) if severity == "critical" else self.group_wait_s


@dataclass(frozen=True, slots=True)
class Inhibition:
    """Alerts that meet `target` are not told of while one that meets `source` is open, where both have the same values
    of `equal`.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def inhibits(self, source: Labels, target: Labels) -> bool:
        """Return whether one alert keeps another quiet. One that meets both sides is kept quiet by none that does."""
        if not matches(self.target, target) or not matches(self.source, source):
            return False
        if any(source.get(name, "") != target.get(name, "") for name in self.equal):
            return False
        return not (matches(self.source, target) and matches(self.target, source))


@dataclass(frozen=True, slots=True)
class Team:
    """People who answer for some scopes; the label `team` is that of the deepest scope."""

    name: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """Everything that one text of the routes says. `fallback` is told when a notification could not be delivered."""

    route: Route
    inhibitions: tuple[Inhibition, ...] = ()
    intervals: tuple[TimeInterval, ...] = ()
    teams: tuple[Team, ...] = ()
    fallback: str | None = None
    _named: dict[str, TimeInterval] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._named.update({each.name: each for each in self.intervals})

    def team_of(self, scope: str) -> str:
        """Return the team that answers for a scope, or an empty text."""
        held = [(len(root), team.name) for team in self.teams for root in team.scopes if is_within(scope, root)]
        return max(held, key=lambda each: each[0], default=(0, ""))[1]

    def quiet(self, route: Route, at_us: int) -> str | None:
        """Return the name of the interval that keeps a route quiet at a time, or None."""
        for name in route.mute:
            if self._named[name].holds(at_us):
                return name
        if route.active and not any(self._named[name].holds(at_us) for name in route.active):
            return ", ".join(route.active)
        return None

    def find_route(self, path: str) -> Route | None:
        """Return the node at a path, or None."""
        return next((route for route in self.route.walk() if route.path == path), None)

    def receivers(self) -> set[str]:
        """Return every receiver that is named."""
        named = {route.receiver for route in self.route.walk()}
        named |= {step.receiver for route in self.route.walk() for step in route.escalation}
        return (named | ({self.fallback} if self.fallback else set())) - {NOBODY}


NOTHING: Final = Routing(Route("0", NOBODY))
"""What holds before anybody decided: nobody is told."""
