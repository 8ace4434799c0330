"""What arrived in the scopes of systems: asked of the search, and followed from there so that each event counts once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tallystick.govern.ports import AskArrivals, Joinable
from tallystick.govern.systems.coverage import PRODUCT, Arrived, declaration_of, window_start
from tallystick.govern.systems.model import Pattern, System
from tallystick.query.model import Below, Equals, FieldRef, Node, Span, Term, all_of, any_of, negate
from tallystick.query.parser import parse_query

_ACTION: Final = "action"
_SOURCE: Final = "source"
_Seen = dict[str, "Joinable"]


@dataclass(slots=True)
class _Followed:
    """What arrived for one system in its present form, up to an index."""

    form: tuple[object, ...]
    size: int
    patterns: _Seen = field(default_factory=dict)
    actions: _Seen = field(default_factory=dict)
    sources: _Seen = field(default_factory=dict)
    incomplete: bool = False

    def frozen(self) -> Arrived:
        return Arrived(dict(self.patterns), dict(self.actions), dict(self.sources), self.incomplete)


class Arrivals:
    """What arrived, by system. May be used from any thread; what was counted is kept and only what is new is asked for."""

    def __init__(self, ask: AskArrivals) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}  # guarded by _lock

    def at(self, system: System, size: int, at_us: int) -> Arrived:
        """Return what had arrived in the first `size` events, counted anew."""
        followed = _Followed((), 0)
        self._add(system, followed, 0, size, window_start(system, at_us))
        return followed.frozen()

    def up_to(self, system: System, size: int, at_us: int) -> Arrived:
        """Return what arrived in the first `size` events, going on from what was counted before.

        It holds what `at` holds, and older events beside it, which no evaluation looks at.
        """
        form = (system.facts.scopes, system.in_force.declaration if system.in_force else None)
        with self._lock:
            followed = self._followed.get(system.id)
            if followed is None or followed.form != form or followed.size > size or followed.incomplete:
                followed = self._followed[system.id] = _Followed(form, 0)
            if followed.size < size:
                self._add(system, followed, followed.size, size, window_start(system, at_us))
                followed.size = size
            _forget_older(followed, window_start(system, at_us))
            return followed.frozen()

    def _add(self, system: System, followed: _Followed, first: int, size: int, since_us: int) -> None:
        declaration = declaration_of(system)
        patterns = declaration.patterns if declaration else ()
        inside = any_of([Term(FieldRef("scope"), Below(each, exact=True)) for each in system.facts.scopes])
        if not first:  # from the first event on only what lies in the window is read
            inside = all_of((Term(FieldRef("received_at"), Span(since_us, None)), inside))
        declared = [_asked(each) for each in patterns]
        rest = all_of((inside, negate(_from((PRODUCT,))), *(negate(each) for each in declared)))
        questions: list[tuple[Node, Sequence[str]]] = [
            (inside, (_SOURCE,)),
            (rest, (_ACTION,) if declaration else ()),
            *((all_of((inside, each)), ()) for each in declared),
        ]
        sources, actions, *found = self._ask(questions, first, size)
        _join(followed.sources, sources.by[_SOURCE])
        _join(followed.actions, actions.by.get(_ACTION, {}))
        seen = {each.key: one.all for each, one in zip(patterns, found, strict=True) if one.all is not None}
        _join(followed.patterns, seen)
        followed.incomplete = any(each.incomplete for each in (sources, actions, *found))


def _join(known: _Seen, more: Mapping[str, Joinable]) -> None:
    for name, seen in more.items():
        known[name] = known[name].and_later(seen) if name in known else seen


def _forget_older(followed: _Followed, since_us: int) -> None:
    """Let go of what fell out of the window altogether, so that what is kept stays small."""
    for known in (followed.patterns, followed.actions, followed.sources):
        for name in [name for name, seen in known.items() if seen.at < since_us]:
            del known[name]


def _asked(pattern: Pattern) -> Node:
    """Return what a pattern means: what its query finds, from the sources that it names, or from any but the product."""
    origin = _from(pattern.sources) if pattern.sources else negate(_from((PRODUCT,)))
    return all_of((parse_query(pattern.query, now_us=0), origin))


def _from(sources: Sequence[str]) -> Node:
    return any_of([Term(FieldRef(_SOURCE), Equals(each, exact=True)) for each in sources])
