"""Which stored events a logsource of a rule means, and whose names its fields are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from tallystick.event.located_yaml import LocatedYaml, parse_yaml
from tallystick.sigma import Logsource

OWN: Final = "tallystick"
"""The product of rules about events as they are stored."""
_CACHED_MAX: Final = 10_000
_QUICK_MAX: Final = 1_000
_MEMBERS_MAX: Final = 100
_KEYS: Final = frozenset({"category", "product", "service", "kinds", "has", "names"})


@dataclass(frozen=True, slots=True)
class Binding:
    """One logsource of vendors' events: its source has one of `kinds`, or its members are those of one of `has`."""

    logsource: Logsource
    kinds: frozenset[str]
    has: tuple[frozenset[str], ...]
    names: Mapping[str, str] | None


@dataclass(slots=True)
class Origins:
    """What an event is: as it is stored, and as its vendor sent it, apart for those whose fields have other names.

    `count` is how many events were like this.
    """

    event: frozenset[Logsource]
    raw: tuple[tuple[Mapping[str, str] | None, frozenset[Logsource]], ...]
    count: int = 0

    def covers(self, logsource: Logsource) -> bool:
        """Return whether a rule of a logsource is for these events."""
        return any(logsource.covers(each) for group in (self.event, *(raw for _, raw in self.raw)) for each in group)


class Logsources:
    """Answers by what an event's source, action and vendor event look like; may be used from one thread."""

    def __init__(self, bindings: Sequence[Binding]) -> None:
        self.bindings = tuple(bindings)
        telling = {name for binding in bindings for members in binding.has for name in members}
        self._telling = frozenset(telling)
        self._quick: dict[tuple[Any, ...], Origins] = {}
        self._cached: dict[tuple[Any, ...], Origins] = {}
        self._distinct: dict[tuple[Any, ...], Origins] = {}

    def met(self) -> Sequence[Origins]:
        """Return every kind of event that was met."""
        return list(self._distinct.values())

    def origins(self, kind: str, category: str | None, raw: Any) -> Origins:
        """Return what an event is; `category` is its action's in the catalogue, `raw` None where nothing was kept."""
        quick = (kind, category, tuple(raw) if isinstance(raw, dict) else raw is not None)
        known = self._quick.get(quick)
        if known is not None:
            return known
        shape: Any = self._telling.intersection(raw) if isinstance(raw, dict) else raw is not None
        key = (kind, category, shape)
        found = self._cached.get(key)
        if found is None:
            if len(self._cached) >= _CACHED_MAX:
                self._cached.clear()  # kinds are what somebody registered, shapes what somebody sent
            found = self._cached[key] = self._find(kind, category, shape)
        if not isinstance(raw, dict) or len(raw) <= _MEMBERS_MAX:
            if len(self._quick) >= _QUICK_MAX:
                self._quick.clear()
            self._quick[quick] = found
        return found

    def is_own(self, logsource: Logsource) -> bool:
        """Return whether the fields of a rule are those of the event as it is stored."""
        return logsource.product == OWN

    def is_known(self, logsource: Logsource) -> bool:
        """Return whether a rule's logsource means any events at all."""
        return self.is_own(logsource) or any(logsource.covers(each.logsource) for each in self.bindings)

    def _find(self, kind: str, category: str | None, shape: Any) -> Origins:
        own = frozenset({Logsource(category=category, product=OWN, service=kind)})
        if shape is False:
            return self._same(own, ())
        members: frozenset[str] = frozenset() if shape is True else shape
        named: dict[int, tuple[Mapping[str, str] | None, list[Logsource]]] = {}
        for binding in self.bindings:
            if kind in binding.kinds or any(each <= members for each in binding.has):
                names = binding.names
                named.setdefault(0 if names is None else id(names), (names, []))[1].append(binding.logsource)
        return self._same(own, tuple((names, frozenset(found)) for names, found in named.values()))

    def _same(self, own: frozenset[Logsource], raw: tuple[Any, ...]) -> Origins:
        key = (own, tuple(found for _, found in raw))
        return self._distinct.setdefault(key, Origins(own, raw))


@cache
def shipped_bindings() -> tuple[Binding, ...]:
    """Return the bindings that come with the product."""
    data = files("tallystick.detect").joinpath("logsources.yaml").read_bytes()
    return parse_bindings(data, "logsources.yaml")


def parse_bindings(data: bytes, file: str) -> tuple[Binding, ...]:
    """Return the bindings of a text; raises YamlTextError with the line of what is wrong."""
    text = parse_yaml(data, file)
    if not isinstance(text.value, dict) or text.value.get("format") != 1:
        raise text.error("expected `format: 1`")
    lines = text.value.get("logsources")
    if not isinstance(lines, list):
        raise text.error("expected a list of logsources", "logsources")
    return tuple(_binding(text, number, line) for number, line in enumerate(lines))


def _binding(text: LocatedYaml, number: int, line: Any) -> Binding:
    place = ("logsources", number)
    if not isinstance(line, dict) or not line.keys() <= _KEYS:
        raise text.error(f"a logsource has {', '.join(sorted(_KEYS))}", *place)
    logsource = Logsource(line.get("category"), line.get("product"), line.get("service"))
    if logsource == Logsource() or not (line.get("kinds") or line.get("has")):
        raise text.error("a logsource says what it is called, and by which kinds or members it is known", *place)
    return Binding(
        logsource=logsource,
        kinds=frozenset(line.get("kinds", ())),
        has=tuple(frozenset(members) for members in line.get("has", ())),
        names=line.get("names"),
    )
