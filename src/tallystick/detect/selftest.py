"""Shows that the rules in force would fire: each one's own sample goes the way of an event, on schedule.

What stands in a sample is never recorded and raises no alert; that a rule does not fire for it is an alarm. Rules that
keep no state are tried all together, as the log meets them; the others each by itself, from nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from tallystick.detect.looking import read_text
from tallystick.detect.ports import Enabled, EnabledRule
from tallystick.detect.replay import Replay
from tallystick.detect.rulefile import SIGMA, RuleFile
from tallystick.detect.trials import fired_by, subjects_of
from tallystick.errors import TallystickError
from tallystick.follow.alarm import Alarm, RaiseAlarms
from tallystick.follow.background import PASSING, Background
from tallystick.sigma import Lists, Rule

FIRST_S: Final = 60
EVERY_S: Final = 3600
FAILED: Final = "rule.self_test_failed"
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What came of a round: `failed` says of each rule that did not fire, why; times are microseconds."""

    at_us: int
    tried: int
    failed: tuple[tuple[EnabledRule, str], ...] = ()


class SelfTests:
    """Tries the rules in force; `round` is for one thread at a time, `last` for all."""

    def __init__(self, enabled: Enabled, lists: Lists, now_us: Callable[[], int]) -> None:
        self.enabled = enabled
        self.lists = lists
        self.now_us = now_us
        self.last: SelfTest | None = None
        self._lock = threading.Lock()

    def round(self, raise_alarms: RaiseAlarms) -> SelfTest:
        """Try every rule in force, raise an alarm for each that fails, and return what came of it."""
        with self._lock:
            in_force = {rule.id: rule for rule in self.enabled()}
            # A sample comes from nowhere and before everything: it is not for a rule's scope, nor after its start.
            everywhere = [replace(rule, scope="", from_index=0) for rule in in_force.values()]
            rules = [(rule, file) for rule in everywhere if (file := read_text(rule.text)) is not None]
            tried = [(rule, file) for rule, file in rules if any(each.matches for each in file.samples)]
            found = [*self._together(tried), *self._alone(tried)]
            failed = [(in_force[rule.id], why) for rule, why in found]
            now_us = self.now_us()
            if failed:
                raise_alarms([_alarm(rule, why, now_us) for rule, why in failed])
            self.last = SelfTest(now_us, len(tried), tuple(failed))
            return self.last

    def _together(self, rules: Sequence[tuple[EnabledRule, RuleFile]]) -> Iterable[tuple[EnabledRule, str]]:
        plain = [(rule, file) for rule, file in rules if is_plain(file)]
        try:
            run = Replay([rule for rule, _ in plain], lists=self._values([file for _, file in plain]))
        except TallystickError:
            yield from (found for each in plain if (found := self._one(*each)) is not None)
            return
        for rule, file in plain:
            sample = next(each for each in file.samples if each.matches)
            fired = [firing for subject in subjects_of(sample) for firing in run.detector.feed(subject)]
            if not any(firing.rule.id == rule.id for firing in fired):
                yield rule, f"the sample {sample.name!r} did not fire"

    def _alone(self, rules: Sequence[tuple[EnabledRule, RuleFile]]) -> Iterable[tuple[EnabledRule, str]]:
        for rule, file in rules:
            if not is_plain(file) and (found := self._one(rule, file)) is not None:
                yield found

    def _one(self, rule: EnabledRule, file: RuleFile) -> tuple[EnabledRule, str] | None:
        sample = next(each for each in file.samples if each.matches)
        try:
            if any(fired_by(rule, subjects_of(sample), self._values([file]), sample.until_us)):
                return None
        except TallystickError as error:
            return rule, error.message
        return rule, f"the sample {sample.name!r} did not fire"

    def _values(self, files: Sequence[RuleFile]) -> Lists:
        """Return the lists as they are, with the values of samples beside them."""
        given: dict[str, list[str]] = {}
        for file in files:
            for name, values in file.lists.items():
                given.setdefault(name, []).extend(values)

        def values_of(name: str) -> Sequence[str] | None:
            kept = self.lists(name)
            return None if kept is None else [*kept, *given.get(name, ())]

        return values_of


class SelfTestSchedule(Background):
    """Runs a round soon after each start and then every hour."""

    def __init__(self, tests: SelfTests, raise_alarms: RaiseAlarms) -> None:
        super().__init__("rule-self-test")
        self._tests = tests
        self._raise_alarms = raise_alarms

    def _run(self) -> None:
        wait_s = FIRST_S
        while not self._stopping.wait(wait_s):
            wait_s = EVERY_S
            try:
                self._tests.round(self._raise_alarms)
            except PASSING as error:
                telemetry = structlog.get_logger("tallystick.detect")
                telemetry.warning("self-test not done", error=type(error).__name__, message=str(error))


def is_plain(file: RuleFile) -> bool:
    """Return whether a rule keeps no state: one event decides."""
    return file.kind == SIGMA and isinstance(file.main, Rule)


def _alarm(rule: EnabledRule, why: str, now_us: int) -> Alarm:
    return Alarm(
        kind=FAILED,
        key=f"rule={rule.id}",
        occasion=f"self-test {rule.id} {rule.version} {now_us // _DAY_US}",
        scope=rule.scope,
        severity="high",
        title="A detection rule does not fire for its own sample",
        sentence=f"The rule {rule.title!r} is in force and would not fire: {why}.",
        at_us=now_us,
        version=rule.version,
    )
