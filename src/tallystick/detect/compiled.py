"""Rules in force, made ready: what each document is asked, and what follows when it matches.

A rule that cannot be made ready fails alone. A rule that stands in the register alerts by itself, whatever refers to it;
the documents that serve a correlation within its own text alert only where that says `generate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, NamedTuple

from tallystick.detect.logsources import Logsources
from tallystick.detect.native import Kind, Known, make_kind
from tallystick.detect.ports import EnabledRule
from tallystick.detect.rulefile import SIGMA, RuleFile, parse_rule
from tallystick.errors import TallystickError
from tallystick.event.identifier import is_within
from tallystick.sigma import Correlation, Filter, Rule, SigmaError, load
from tallystick.sigma.compiling import Compiled, compile_rule
from tallystick.sigma.correlate_chain import Correlations
from tallystick.sigma.ruleset import RuleSet
from tallystick.sigma.values import Lists

GROUPS_MAX: Final = 20_000
PARSED_MAX: Final = 8_192
"""Texts that are kept read: one rule that changes must not have all others read again."""
Names = dict[str, dict[str, str]]
"""What rules are called, to the keys of the documents that are called so, each with the scope of its rule."""


@dataclass
class Unit:
    """One rule in force. `failed` says why it is suspended; `kind` is its state where it is of a native kind."""

    rule: EnabledRule
    file: RuleFile | None = None
    kind: Kind | None = None
    correlation: str = ""
    """The key of the correlation that alerts, where it is one."""
    failed: str = ""
    matched: int = 0
    fired: int = 0
    slowest_us: int = 0

    @property
    def state_key(self) -> str:
        """Return under what its state is saved: another text begins with none."""
        return f"{self.rule.id}@{self.rule.version}"


class Use(NamedTuple):
    """What follows from a match of a document: whose it is, and whether that alerts by the match alone."""

    unit: Unit
    alerts: bool


@dataclass
class RulesInForce:
    """All rules, by what is asked of which events. `own` are about events as they are stored, `raw` about vendors'."""

    units: dict[str, Unit] = field(default_factory=dict)
    uses: dict[str, Use] = field(default_factory=dict)
    documents: dict[str, Rule] = field(default_factory=dict)
    compiled: dict[str, Compiled] = field(default_factory=dict)
    own: RuleSet = field(default_factory=lambda: RuleSet({}, {}))
    raw: RuleSet = field(default_factory=lambda: RuleSet({}, {}))
    correlations: Correlations = field(default_factory=lambda: Correlations({}, {}))
    correlation_of: dict[str, Unit] = field(default_factory=dict)
    logsources: Logsources | None = None

    def suspend(self, key: str, why: str) -> None:
        """Ask nothing more of the rule that a document belongs to."""
        unit = self.uses[key].unit
        unit.failed = why
        for each in [each for each, use in self.uses.items() if use.unit is unit]:
            self.documents.pop(each, None)
        self.sort()

    def sort(self) -> None:
        """Enter every document where it is asked."""
        assert self.logsources is not None
        own = {key: each for key, each in self.documents.items() if self.logsources.is_own(each.logsource)}
        raw = {key: each for key, each in self.documents.items() if key not in own}
        self.own, self.raw = RuleSet(own, self.compiled), RuleSet(raw, self.compiled)


def compile_enabled(
    rules: Sequence[EnabledRule], logsources: Logsources, lists: Lists, known: Known | None = None
) -> RulesInForce:
    """Return the rules, ready; those that cannot be are there with the reason."""
    force = RulesInForce(logsources=logsources)
    filters = _filters(rules)
    correlations: dict[str, tuple[Unit, Correlation, dict[str, str]]] = {}
    names: Names = {}
    for rule in rules:
        unit = force.units[rule.id] = Unit(rule)
        try:
            correlations |= _add(force, unit, filters, lists, names)
            if unit.file is not None and unit.file.kind != SIGMA:
                unit.kind = make_kind(unit.file.settings, known)
        except TallystickError as error:
            _drop(force, unit, f"{error.code}: {error.message}")
    _correlate(force, correlations, names)
    force.sort()
    return force


@lru_cache(maxsize=PARSED_MAX)
def _parsed(text: bytes) -> RuleFile:
    return parse_rule(text)


def _add(
    force: RulesInForce, unit: Unit, filters: Sequence[Filter], lists: Lists, names: Names
) -> dict[str, tuple[Unit, Correlation, dict[str, str]]]:
    """Take the documents of one rule in; returns its correlations with the names that its own documents have."""
    file = unit.file = _parsed(unit.rule.text)
    keys = [f"{unit.rule.id}#{number}" for number in range(len(file.documents))]
    mine: dict[str, str] = {}
    for key, document in zip(keys, file.documents, strict=True):
        mine.update((name, key) for name in (document.head.id, document.head.name) if name)
    generates = isinstance(file.main, Correlation) and file.main.generate
    found: dict[str, tuple[Unit, Correlation, dict[str, str]]] = {}
    for key, document in zip(keys, file.documents, strict=True):
        if isinstance(document, Correlation):
            found[key] = (unit, document, mine)
            if document is file.main:
                unit.correlation = key
        elif isinstance(document, Rule):
            force.compiled[key] = compile_rule(document, filters, lists)
            force.documents[key] = document
            force.uses[key] = Use(unit, document is file.main or generates)
    main = keys[file.documents.index(file.main)]
    for name in (file.main.head.id, file.main.head.name, unit.rule.id):
        if name:
            names.setdefault(name, {})[main] = unit.rule.scope
    return found


def _correlate(
    force: RulesInForce, given: Mapping[str, tuple[Unit, Correlation, dict[str, str]]], names: Names
) -> None:
    """Join correlations to what they refer to; one that refers to what is not in force fails, and those on it."""
    left = {key: each for key, each in given.items() if not each[0].failed}
    while True:
        ready: dict[str, Correlation] = {}
        for key, (unit, correlation, mine) in left.items():
            meant = {name: [mine[name]] if name in mine else _meant(name, names, unit) for name in correlation.rules}
            there = {name: keys[0] for name, keys in meant.items() if keys}
            several = [name for name, keys in meant.items() if len(keys) > 1]
            if several:
                _drop(force, unit, f"it refers to {several[0]!r}, which is the name of more than one rule")
                break
            missing = [
                name for name in correlation.rules if there.get(name) not in force.uses and there.get(name) not in left
            ]
            if missing:
                _drop(force, unit, f"it refers to {missing[0]!r}, which is not in force")
                break
            ready[key] = _joined(correlation, there)
        else:
            lateness = {key: _lateness(unit) for key, (unit, _, _) in left.items()}
            try:
                keys = {name: name for each in ready.values() for name in each.rules}
                force.correlations = Correlations(ready, keys, lateness, GROUPS_MAX)
            except SigmaError as error:
                place = (error.line, error.column)
                unit = next(
                    (each for each, c, _ in left.values() if tuple(c.place) == place), next(iter(left.values()))[0]
                )
                _drop(force, unit, f"{error.code}: {error.message}")
            else:
                force.correlation_of = {key: unit for key, (unit, _, _) in left.items()}
                return
        left = {key: each for key, each in left.items() if not each[0].failed}


def _meant(name: str, names: Names, unit: Unit) -> list[str]:
    """Return what a rule may mean by a name: what watches all that it watches. What others call so below is not meant."""
    return [key for key, scope in names.get(name, {}).items() if is_within(unit.rule.scope, scope)]


def _joined(correlation: Correlation, there: Mapping[str, str]) -> Correlation:
    """Return a correlation that refers to keys instead of names."""
    aliases = {
        alias: {there[name]: path for name, path in fields.items()} for alias, fields in correlation.aliases.items()
    }
    return replace(correlation, rules=tuple(there[name] for name in correlation.rules), aliases=aliases)


def _lateness(unit: Unit) -> int:
    assert unit.file is not None
    return unit.file.settings.lateness_us


def _drop(force: RulesInForce, unit: Unit, why: str) -> None:
    unit.failed = why
    for key in [key for key, use in force.uses.items() if use.unit is unit]:
        force.documents.pop(key, None)
        del force.uses[key]


def _filters(rules: Sequence[EnabledRule]) -> list[Filter]:
    texts = dict.fromkeys(text for rule in rules for text in rule.filters)
    return [each for text in texts for each in load(text, name="filter") if isinstance(each, Filter)]
