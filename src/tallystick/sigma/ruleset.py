"""Many rules at once: which of them match an event, asking only those that can.

Rules are sorted by the origin of events, once for each set of origins that is met. Within one, each rule is entered
under one of its witnesses: one whose texts few other rules ask for, of a field that other rules are entered by. An event's own texts then name the rules
to ask; rules without a witness are always asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.sigma.clues import WHOLE_EVENT, Clue, Witness, weight
from tallystick.sigma.compiling import Compiled, compile_rule, no_lists
from tallystick.sigma.errors import SigmaError, SigmaTooLargeError
from tallystick.sigma.expressions import LiteralSet
from tallystick.sigma.model import Filter, Logsource, Rule
from tallystick.sigma.values import Lists
from tallystick.sigma.view import View

LANES_MAX: Final = 1_000
_FEW: Final = 12
_MEMO_TEXTS: Final = 4_096
_MEMO_CHARACTERS: Final = 256


class RuleSet:
    """Rules that were compiled together. Not for several threads at once: it keeps what it has worked out."""

    def __init__(self, rules: Mapping[str, Rule], compiled: Mapping[str, Compiled]) -> None:
        self._entries = [_Entry(place, key, rules[key].logsource, compiled[key]) for place, key in enumerate(rules)]
        self._lanes: dict[frozenset[Logsource] | None, _Lane] = {}

    @property
    def unindexed(self) -> tuple[str, ...]:
        """The keys of the rules that are asked about every event of their logsource."""
        return tuple([entry.key for entry in self._entries if not entry.compiled.witnesses])

    def match(self, view: View, origins: frozenset[Logsource] | None = None) -> tuple[str, ...]:
        """Return the keys of the rules that match, in the order they were given.

        `origins` are what the event is, each fully named; a rule is asked when its logsource covers one of them. None
        asks every rule.
        """
        return tuple([entry.key for entry in self._lane(origins).candidates(view) if entry.compiled.holds(view)])

    def candidates(self, view: View, origins: frozenset[Logsource] | None = None) -> tuple[str, ...]:
        """Return the keys of the rules that `match` would ask about this event."""
        return tuple([entry.key for entry in self._lane(origins).candidates(view)])

    def _lane(self, origins: frozenset[Logsource] | None) -> _Lane:
        lane = self._lanes.get(origins)
        if lane is None:
            if len(self._lanes) >= LANES_MAX:
                self._lanes.clear()
            entries = [entry for entry in self._entries if entry.covers(origins)]
            lane = self._lanes[origins] = _Lane(entries)
        return lane


def compile_rules(rules: Mapping[str, Rule], *, filters: Sequence[Filter] = (), lists: Lists = no_lists) -> RuleSet:
    """Return the rules, ready to be asked, with the filters that are for each.

    Raises SigmaError, whose details name the `rule`, when a list is missing or holds what a rule cannot use.
    """
    compiled: dict[str, Compiled] = {}
    for key, rule in rules.items():
        try:
            compiled[key] = compile_rule(rule, filters, lists)
        except (SigmaError, SigmaTooLargeError) as error:
            error.details["rule"] = key
            raise
    return RuleSet(rules, compiled)


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    place: int
    key: str
    logsource: Logsource
    compiled: Compiled

    def covers(self, origins: frozenset[Logsource] | None) -> bool:
        return origins is None or any(self.logsource.covers(origin) for origin in origins)


class _Lane:
    """The rules for the events of one set of origins, found by what the events hold."""

    def __init__(self, entries: Sequence[_Entry]) -> None:
        self._always = [entry for entry in entries if not entry.compiled.witnesses]
        exact: dict[str, dict[str, list[_Entry]]] = {}
        inner: dict[str, dict[str, list[_Entry]]] = {}
        for entry, witness in _chosen([entry for entry in entries if entry.compiled.witnesses]):
            for clue in witness:
                table = exact if clue.exact else inner
                table.setdefault(clue.field, {}).setdefault(clue.text, []).append(entry)
        self._whole = _Inner(inner.pop(WHOLE_EVENT)) if WHOLE_EVENT in inner else None
        self._fields = [
            (field, exact.get(field, {}), _Inner(inner[field]) if field in inner else None)
            for field in sorted({*exact, *inner})
        ]

    def candidates(self, view: View) -> list[_Entry]:
        """Return the rules that can match, in their order."""
        found = list(self._always)
        for field, exact, inner in self._fields:
            for text in view.folded(field):
                named = exact.get(text)
                if named is not None:
                    found += named
                if inner is not None:
                    found += inner.find(text)
        if self._whole is not None:
            found += self._whole.find(view.whole_folded())
        return found if len(found) < 2 else sorted(dict.fromkeys(found), key=_by_place)


def _by_place(entry: _Entry) -> int:
    return entry.place


def _chosen(entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, Witness]]:
    """Yield each rule with the witness under which it is entered.

    Every field that a lane looks up costs something for every event: a rule whose own best witness asks for an unusual
    field is entered by a usual one, as long as that names nothing that many rules name.
    """
    popular = Counter(clue for entry in entries for witness in entry.compiled.witnesses for clue in witness)
    best = {entry: min(entry.compiled.witnesses, key=lambda each: _cost(each, popular)) for entry in entries}
    usual = Counter(field for witness in best.values() for field in {clue.field for clue in witness})
    limit = max(_FEW, len(entries) // 10)
    fields: set[str] = set()
    for entry in sorted(entries, key=lambda each: -min([usual[clue.field] for clue in best[each]], default=0)):
        cheap = [
            witness
            for witness in entry.compiled.witnesses
            if all(clue.field in fields and popular[clue] <= limit for clue in witness)
        ]
        witness = min(cheap, key=lambda each: _cost(each, popular)) if cheap else best[entry]
        fields.update(clue.field for clue in witness)
        yield entry, witness


def _cost(witness: Witness, popular: Counter[Clue]) -> tuple[float, float]:
    """Return how much is asked in vain under a witness: what many rules name is what many events hold."""
    return max([popular[clue] for clue in witness], default=0) * weight(witness) / max(1, len(witness)), weight(witness)


class _Inner:
    """The rules that name texts which stand somewhere inside a field."""

    def __init__(self, table: Mapping[str, list[_Entry]]) -> None:
        self._named = list(table.items())
        self._set = LiteralSet(list(table)) if len(table) > _FEW else None
        self._memo: dict[str, Iterable[_Entry]] = {}

    def find(self, text: str) -> Iterable[_Entry]:
        if len(text) > _MEMO_CHARACTERS:
            return self._search(text)
        found = self._memo.get(text)
        if found is None:
            if len(self._memo) >= _MEMO_TEXTS:
                self._memo.clear()
            found = self._memo[text] = self._search(text)
        return found

    def _search(self, text: str) -> list[_Entry]:
        if self._set is None:
            return [entry for literal, entries in self._named if literal in text for entry in entries]
        return [entry for position in self._set.find(text) for entry in self._named[position][1]]
