"""The text of the routes: YAML with the words of Alertmanager, every mistake named with its line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Final
from zoneinfo import available_timezones

from tallystick.access.scopes import parse_scope
from tallystick.alert.notify.errors import MatcherInvalidError
from tallystick.alert.notify.intervals import (
    MONTHS,
    WEEKDAYS,
    Part,
    Range,
    TimeInterval,
    parse_range,
    parse_time,
)
from tallystick.alert.notify.matchers import LABELS, MATCHERS_MAX, Matcher, parse_matchers
from tallystick.alert.notify.routing import NOBODY, Inhibition, Route, Routing, Step, Team
from tallystick.alert.notify.yaml_text import Place, parse_yaml
from tallystick.durations import parse_duration
from tallystick.errors import InvalidInputError

ROUTES_MAX: Final = 500
STEPS_MAX: Final = 5
_TOP: Final = ("route", "inhibit_rules", "time_intervals", "teams", "fallback_receiver")
_DURATIONS: Final = {
    "group_wait": "group_wait_s",
    "critical_wait": "critical_wait_s",
    "group_interval": "group_interval_s",
    "repeat_interval": "repeat_interval_s",
}
_ROUTE: Final = (
    "receiver", "matchers", "continue", "group_by", *_DURATIONS, "mute_time_intervals", "active_time_intervals",
    "escalation", "routes",
)  # fmt: skip
_PART: Final = ("times", "weekdays", "days_of_month", "months", "years", "location")
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}", re.ASCII)
_YEARS: Final = (1970, 2500)


def parse_routing(text: str, receivers: Collection[str] | None = None) -> Routing:
    """Return what a text says; every receiver has to be one of `receivers`, where these are given.

    Raises RoutingInvalidError with the place.
    """
    return _Reader(receivers).routing(parse_yaml(text))


def plain_routing(text: str) -> str:
    """Return a text without its comments and spaces: JSON, which means the same. Raises RoutingInvalidError."""
    return json.dumps(parse_yaml(text).plain(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _Reader:
    """Reads one text."""

    def __init__(self, receivers: Collection[str] | None) -> None:
        self._receivers = receivers
        self._intervals: dict[str, TimeInterval] = {}
        self._routes = 0
        self._keys: set[str] = set()

    def routing(self, place: Place) -> Routing:
        given = place.fields(_TOP, required=("route",))
        for each in _list(given, "time_intervals"):
            interval = self._interval(each)
            if interval.name in self._intervals:
                raise each.fail(f"the time interval {interval.name} is given twice")
            self._intervals[interval.name] = interval
        root = given["route"]
        if "matchers" in root.fields(_ROUTE):
            raise root.fail("the first route takes every alert: it has no matchers")
        if "continue" in root.fields(_ROUTE):
            raise root.fail("nothing comes after the first route: it has no continue")
        root.fields(_ROUTE, required=("receiver",))
        return Routing(
            route=self._route(root, "0", Route("0", NOBODY)),
            inhibitions=tuple(map(_inhibition, _list(given, "inhibit_rules"))),
            intervals=tuple(self._intervals.values()),
            teams=_teams(_list(given, "teams")),
            fallback=self._receiver(given["fallback_receiver"]) if "fallback_receiver" in given else None,
        )

    def _route(self, place: Place, path: str, parent: Route) -> Route:
        self._routes += 1
        if self._routes > ROUTES_MAX:
            raise place.fail(f"there are more than {ROUTES_MAX} routes")
        given = place.fields(_ROUTE)
        changes: dict[str, Any] = {
            "path": path,
            "matchers": tuple(_matchers(given["matchers"])) if "matchers" in given else (),
            "goes_on": "continue" in given and given["continue"].flag(),
            # Times of the day are a node's own, as in Alertmanager; all else is inherited.
            "mute": self._names(given, "mute_time_intervals"),
            "active": self._names(given, "active_time_intervals"),
            "routes": (),
        }
        for name, field in _DURATIONS.items():
            if name in given:
                changes[field] = given[name].read(parse_duration)
                if not changes[field] and name in {"group_interval", "repeat_interval"}:
                    raise given[name].fail(f"{name} is more than 0")
        if "receiver" in given:
            changes["receiver"] = self._receiver(given["receiver"])
        if "group_by" in given:
            changes["group_by"], changes["group_all"] = _group_by(given["group_by"])
        if "escalation" in given:
            changes["escalation"] = self._steps(given["escalation"])
        named = ",".join(map(str, changes["matchers"]))
        changes["key"] = self._key(f"{parent.key}/{{{named}}}" if path != "0" else "{}")
        route = replace(parent, **changes)
        below = [self._route(each, f"{path}.{at}", route) for at, each in enumerate(_list(given, "routes"))]
        return replace(route, routes=tuple(below))

    def _key(self, wanted: str) -> str:
        """Return a name that no other node has."""
        key, count = wanted, 1
        while key in self._keys:
            count += 1
            key = f"{wanted}#{count}"
        self._keys.add(key)
        return key

    def _steps(self, place: Place) -> tuple[Step, ...]:
        steps: list[Step] = []
        for each in place.items():
            given = each.fields(("after", "receiver"), required=("after", "receiver"))
            step = Step(given["after"].read(parse_duration), self._receiver(given["receiver"]))
            if step.after_s <= (steps[-1].after_s if steps else 0):
                raise given["after"].fail("each step comes later than the one before it")
            steps.append(step)
        if len(steps) > STEPS_MAX:
            raise place.fail(f"there are more than {STEPS_MAX} steps")
        return tuple(steps)

    def _receiver(self, place: Place) -> str:
        name = place.text()
        if name != NOBODY and self._receivers is not None and name not in self._receivers:
            raise place.fail(f"there is no receiver {name[:64]!r}")
        return place.read(_name)

    def _names(self, given: Mapping[str, Place], key: str) -> tuple[str, ...]:
        names = []
        for each in _list(given, key):
            name = each.text()
            if name not in self._intervals:
                raise each.fail(f"there is no time interval {name[:64]!r}")
            names.append(name)
        return tuple(names)

    def _interval(self, place: Place) -> TimeInterval:
        given = place.fields(("name", "time_intervals"), required=("name", "time_intervals"))
        parts = tuple(map(_part, given["time_intervals"].items()))
        if not parts:
            raise given["time_intervals"].fail("an interval without times never comes")
        return TimeInterval(given["name"].read(_name), parts)


def _list(given: Mapping[str, Place], key: str) -> Sequence[Place]:
    return given[key].items() if key in given else ()


def _matchers(place: Place) -> list[Matcher]:
    found: list[Matcher] = []
    for each in place.items():
        try:
            found += parse_matchers(each.text())
        except MatcherInvalidError as error:
            raise each.fail(error.message) from None
    if len(found) > MATCHERS_MAX:
        raise place.fail(f"there are more than {MATCHERS_MAX} matchers")
    return found


def _group_by(place: Place) -> tuple[tuple[str, ...], bool]:
    names = []
    for each in place.items():
        name = each.text()
        if name not in (*LABELS, "..."):
            raise each.fail(f"alerts have no label {name[:40]!r}; labels are {', '.join(LABELS)}")
        if name in names:
            raise each.fail(f"{name} is given twice")
        names.append(name)
    if "..." in names and len(names) > 1:
        raise place.fail("... stands alone: it groups nothing together")
    return ((), True) if names == ["..."] else (tuple(sorted(names)), False)


def _inhibition(place: Place) -> Inhibition:
    known = ("source_matchers", "target_matchers", "equal")
    given = place.fields(known, required=("source_matchers", "target_matchers"))
    equal = []
    for each in _list(given, "equal"):
        if each.text() not in LABELS:
            raise each.fail(f"alerts have no label {each.text()[:40]!r}")
        equal.append(each.text())
    return Inhibition(
        tuple(_matchers(given["source_matchers"])), tuple(_matchers(given["target_matchers"])), tuple(equal)
    )


def _teams(places: Sequence[Place]) -> tuple[Team, ...]:
    teams: list[Team] = []
    for place in places:
        given = place.fields(("name", "scopes"), required=("name", "scopes"))
        name = given["name"].read(_name)
        if any(team.name == name for team in teams):
            raise place.fail(f"the team {name} is given twice")
        teams.append(Team(name, tuple(each.read(_scope) for each in given["scopes"].items())))
    return tuple(teams)


def _part(place: Place) -> Part:
    given = place.fields(_PART)
    return Part(
        times=tuple(map(_times, _list(given, "times"))),
        weekdays=_ranges(given, "weekdays", WEEKDAYS, 0, (0, 6)),
        days_of_month=_ranges(given, "days_of_month", (), 1, (-31, 31)),
        months=_ranges(given, "months", MONTHS, 1, (1, 12)),
        years=_ranges(given, "years", (), 1, _YEARS),
        location=given["location"].read(_zone) if "location" in given else "UTC",
    )


def _ranges(
    given: Mapping[str, Place], key: str, words: tuple[str, ...], first: int, bounds: Range
) -> tuple[Range, ...]:
    found = []
    for each in _list(given, key):
        low, high = each.read(partial(parse_range, words=words, first=first))
        if low < bounds[0] or high > bounds[1] or (key == "days_of_month" and (not low or not high)):
            raise each.fail(f"{key} lie between {bounds[0]} and {bounds[1]}")
        if low < 0 < high:
            raise each.fail("a range that begins at the end of the month cannot end at its beginning")
        found.append((low, high))
    return tuple(found)


def _times(place: Place) -> Range:
    given = place.fields(("start_time", "end_time"), required=("start_time", "end_time"))
    start, end = given["start_time"].read(parse_time), given["end_time"].read(parse_time)
    if start >= end:
        raise place.fail("it ends before it begins; what goes past midnight is written as two")
    return start, end


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("a name has letters, digits, - _ and ., at most 63")
    return text


def _scope(text: str) -> str:
    try:
        return parse_scope(text)
    except InvalidInputError as error:
        raise ValueError(error.message) from None


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(text: str) -> str:
    if text not in _zones():
        raise ValueError(f"there is no time zone {text[:60]!r}")
    return text
