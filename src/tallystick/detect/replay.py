"""Rules over given events, from nothing to alarms: for samples, for history, and for tests of the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tallystick.detect.compiled import compile_enabled
from tallystick.detect.detector import Detector
from tallystick.detect.folding import Folding
from tallystick.detect.logsources import Logsources, shipped_bindings
from tallystick.detect.ports import EnabledRule
from tallystick.detect.subject import Subject
from tallystick.errors import TallystickError
from tallystick.follow.alarm import Alarm
from tallystick.sigma.compiling import no_lists
from tallystick.sigma.values import Lists


class Replay:
    """Rules with empty state. Raises what makes a rule unfit to run, instead of suspending it."""

    def __init__(
        self, rules: Sequence[EnabledRule], *, lists: Lists = no_lists, scope_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        logsources = Logsources(shipped_bindings())
        self.force = compile_enabled(rules, logsources, lists)
        for unit in self.force.units.values():
            if unit.failed:
                raise RuleUnfitError(f"the rule {unit.rule.id} cannot run: {unit.failed}")
        self.detector = Detector(self.force, logsources, scope_of)
        self._folding = Folding()

    def feed(self, subject: Subject) -> list[Alarm]:
        """Take the next event in; returns the alarms that it brings, and those that were due before it."""
        told = [alarm for firing in self.detector.feed(subject) for alarm in self._folding.take(firing)]
        return [*told, *self._folding.advance(subject.received_us)]

    def end(self, until_us: int) -> list[Alarm]:
        """Let time pass until then; returns the alarms that this brings."""
        told = [alarm for firing in self.detector.advance(until_us) for alarm in self._folding.take(firing)]
        return [*told, *self._folding.advance(until_us)]


def replay(
    rules: Sequence[EnabledRule],
    events: Iterable[Subject],
    *,
    until_us: int | None = None,
    lists: Lists = no_lists,
) -> list[Alarm]:
    """Return the alarms of rules over events in the order of the log, as the stream raises them.

    Time goes on until `until_us`, or else stops with the last event. Raises RuleUnfitError.
    """
    run = Replay(rules, lists=lists)
    told = [alarm for subject in events for alarm in run.feed(subject)]
    return told if until_us is None else [*told, *run.end(until_us)]


class RuleUnfitError(TallystickError):
    """A rule in force cannot run: something that it refers to is missing."""

    code = "rule-unfit"
    advice = "Restore the list or rule that it names, or disable it."
