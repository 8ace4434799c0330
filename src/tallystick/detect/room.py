"""Puts the register of detection rules together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from tallystick.clock import Clock
from tallystick.detect.backtest import Backtests, MakeSubject
from tallystick.detect.events import RULE_WORD
from tallystick.detect.flags import Flags
from tallystick.detect.importing import RuleImport
from tallystick.detect.lists import ListService
from tallystick.detect.logsources import Logsources, shipped_bindings
from tallystick.detect.looking import RuleReading
from tallystick.detect.model import Rule, State
from tallystick.detect.ports import Enabled, EnabledRule, RegisterPorts
from tallystick.detect.rows import load_rules
from tallystick.detect.selftest import SelfTests, SelfTestSchedule
from tallystick.detect.service import RuleService
from tallystick.detect.shipping import ship
from tallystick.detect.subject import Subject
from tallystick.follow.alarm import RaiseAlarms
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of events: `newest` returns about so many of the newest, `subject` makes one of what is stored.

    `size` is that of the log; `kinds` are those of the registered sources.
    """

    newest: Callable[[int], Iterable[Subject]]
    subject: MakeSubject
    size: Callable[[], int]
    kinds: Callable[[], Collection[str]]


@dataclass(frozen=True, slots=True)
class RuleRoom:
    """The services of this room, and which rules are in force."""

    service: RuleService
    reading: RuleReading
    lists: ListService
    importing: RuleImport
    backtests: Backtests
    enabled: Enabled
    tests: SelfTests

    def self_testing(self, raise_alarms: RaiseAlarms) -> SelfTestSchedule:
        """Return what tries the rules in force on schedule, to be entered while the server serves."""
        return SelfTestSchedule(self.tests, raise_alarms)


def open_rules(
    projection: Projection, commands: Commands, clock: Clock, ports: RegisterPorts, known: Known
) -> RuleRoom:
    """Return the room; what the program brings is on record when this returns."""
    ship(commands, ports.now_us)
    lists = ListService(projection, commands, ports.looked, ports.now_us)
    flags = Flags(Logsources(shipped_bindings()), known.kinds, known.newest, known.size)
    reading = RuleReading(projection, ports, flags)
    in_force: Kept[None, Sequence[EnabledRule]] = Kept(projection, _in_force, (RULE_WORD,))

    def enabled() -> Sequence[EnabledRule]:
        return in_force.get(None)

    return RuleRoom(
        service=RuleService(projection, commands, ports, lists.values),
        reading=reading,
        lists=lists,
        importing=RuleImport(commands, ports),
        backtests=Backtests(reading, ports, clock, lists.values, known.subject),
        enabled=enabled,
        tests=SelfTests(enabled, lists.values, ports.now_us),
    )


def _in_force(connection: Connection, _: None) -> Sequence[EnabledRule]:
    return tuple(made for each in load_rules(connection) if (made := _as_enabled(each)) is not None)


def _as_enabled(rule: Rule) -> EnabledRule | None:
    """Return a rule as the engine takes it; None where it does not watch, or its text was erased."""
    version = rule.active
    if rule.state is not State.ENABLED or version is None or version.text is None:
        return None
    about, from_index = version.about, rule.enabled_index or 0
    text = version.text.encode()
    return EnabledRule(rule.id, version.digest, text, about.severity, about.title, rule.scope, from_index, about.kind)
