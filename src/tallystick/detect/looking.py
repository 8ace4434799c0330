"""Reading the register of rules: each with where it stands, what it did, and why it may never fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.detect.errors import RuleTextError, RuleUnknownError
from tallystick.detect.flags import Flags
from tallystick.detect.model import Rule, State, Step, Version
from tallystick.detect.ports import RegisterPorts, RuleFigures
from tallystick.detect.rows import find_rule, get_rule, load_rules, load_steps, load_versions
from tallystick.detect.rulefile import RuleFile, parse_rule
from tallystick.detect.sight import seen_rule, sees
from tallystick.follow.projection import Projection

_NOTHING: Final = RuleFigures()


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule as it stands, what it did, and why it may never fire."""

    rule: Rule
    figures: RuleFigures
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """A rule with its versions and steps, the newest first; `file` is None once its text was erased."""

    shown: Shown
    file: RuleFile | None
    versions: tuple[Version, ...]
    steps: tuple[Step, ...]


class RuleReading:
    """What can be seen of rules; may be used from any thread. Each look is on record when a method returns."""

    def __init__(self, projection: Projection, ports: RegisterPorts, flags: Flags) -> None:
        self._projection = projection
        self._ports = ports
        self._flags = flags

    def rules(self, caller: Caller) -> list[Shown]:
        """Return the rules that the caller sees, by id, the retired ones too."""
        require(caller, Permission.RULES_READ)
        self._ports.looked(caller, "detection rules")
        with self._projection.engine.connect() as connection:
            rules = [each for each in load_rules(connection) if sees(caller, each)]
        figures = self._ports.figures()
        return [self._shown(each, figures) for each in rules]

    def rule(self, caller: Caller, rule_id: str) -> Detail:
        """Return one rule; raises RuleUnknownError."""
        require(caller, Permission.RULES_READ)
        with self._projection.engine.connect() as connection:
            rule = seen_rule(caller, get_rule(connection, rule_id))
            versions, steps = load_versions(connection, rule.id), load_steps(connection, rule.id)
        self._ports.looked(caller, f"detection rule {rule.id}", rule.scope)
        shown = self._shown(rule, self._ports.figures())
        return Detail(shown, read_version(rule.shown), tuple(versions), tuple(steps))

    def version(self, caller: Caller, rule_id: str, number: int | None = None) -> tuple[Rule, Version]:
        """Return a rule and one of its versions: the one that speaks for it without a number. Nothing is recorded."""
        require(caller, Permission.RULES_READ)
        with self._projection.engine.connect() as connection:
            rule = seen_rule(caller, get_rule(connection, rule_id))
            if number is None:
                return rule, rule.shown
            found = next((each for each in load_versions(connection, rule.id) if each.number == number), None)
        if found is None:
            raise RuleUnknownError(f"the rule has no version {number}")
        return rule, found

    def written(self, rule_id: str, digest: str | None) -> Version | None:
        """Return the version of a rule with a digest, or the one that speaks for it; None for what is no rule.

        Nothing is checked or recorded: it is for what goes with an alert.
        """
        with self._projection.engine.connect() as connection:
            rule = find_rule(connection, rule_id)
            if rule is None or digest is None:
                return None if rule is None else rule.shown
            return next((each for each in load_versions(connection, rule_id) if each.digest == digest), rule.shown)

    def _shown(self, rule: Rule, figures: Mapping[str, RuleFigures]) -> Shown:
        known = figures.get(rule.id, _NOTHING)
        file = None if rule.state is State.RETIRED else read_version(rule.shown)
        flags = () if file is None else self._flags.of(file)
        return Shown(rule, known, (*((known.trouble,) if known.trouble else ()), *flags))


def read_version(version: Version) -> RuleFile | None:
    """Return what a version's text says; None once it was erased, or where this program reads rules differently."""
    return None if version.text is None else read_text(version.text.encode())


@lru_cache(maxsize=4096)
def read_text(text: bytes) -> RuleFile | None:
    """Return what a text says, None where this program does not read it."""
    try:
        return parse_rule(text)
    except RuleTextError:
        return None
