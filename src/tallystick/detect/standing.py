"""How the engine does, for who looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.detect.compiled import RulesInForce
from tallystick.detect.logsources import Logsources
from tallystick.detect.state import Tally
from tallystick.sigma import Logsource


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """What one rule in force saw and did. `failed` says why it is suspended, empty while it runs.

    `seen` are the events of its logsource, `dropped` the groups, values and matches that were forgotten because there
    were too many; `is_bound` says whether its logsource means any events at all.
    """

    id: str
    version: str
    title: str
    seen: int
    matched: int
    fired: int
    last_fired_us: int
    dropped: int
    slowest_us: int
    failed: str
    is_bound: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How the engine does. `lag` counts events not judged yet, `lag_s` is the oldest one's age; `behind_s` is for how long
    it has been running without having judged everything.

    `blocked` says why nothing is judged, empty while it goes on.
    """

    next_index: int
    lag: int
    lag_s: float
    behind_s: float
    alarms: int
    erased: int
    blocked: str
    folds_dropped: int
    rules: tuple[RuleStanding, ...]


def rule_standings(
    force: RulesInForce, logsources: Logsources, dropped: Mapping[str, int], tallies: Mapping[str, Tally]
) -> tuple[RuleStanding, ...]:
    """Return what each rule saw and did: what was counted before, and since then in memory."""
    met = logsources.met()
    by_rule: dict[str, list[str]] = {}
    for key in list(force.uses):
        by_rule.setdefault(force.uses[key].unit.rule.id, []).append(key)
    known: dict[frozenset[Logsource], int] = {}  # many rules are of few logsources
    found = []
    for unit in list(force.units.values()):
        rule, before = unit.rule, tallies.get(unit.rule.id, Tally())
        documents = [document for key in by_rule.get(rule.id, ()) if (document := force.documents.get(key)) is not None]
        wanted = frozenset(document.logsource for document in documents)
        seen = known.get(wanted)
        if seen is None:
            seen = known[wanted] = sum(each.count for each in met if any(each.covers(one) for one in wanted))
        standing = RuleStanding(
            id=rule.id,
            version=rule.version,
            title=rule.title,
            seen=before.seen + seen,
            matched=before.matched + unit.matched,
            fired=before.fired + unit.fired,
            last_fired_us=before.last_fired_us,
            dropped=dropped.get(rule.id, 0) or before.dropped,
            slowest_us=unit.slowest_us,
            failed=unit.failed,
            is_bound=not wanted or any(logsources.is_known(each) for each in wanted),
        )
        found.append(standing)
    return tuple(found)


def failed_of(rules: Sequence[RuleStanding]) -> list[RuleStanding]:
    """Return the rules that are suspended."""
    return [each for each in rules if each.failed]
