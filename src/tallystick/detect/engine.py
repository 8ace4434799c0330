"""Follows the log by the rules in force, and raises alarms.

A thread of its own runs `step` again and again; nothing waits for it. What a crash leaves: alarms are durable before
the position behind them is saved, so after a restart some events are judged again, from the states that were saved with
the position; that gives the same alarms with the same occasions, which change nothing the second time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from tallystick.detect.around import Around, changes_rules
from tallystick.detect.compiled import RulesInForce, compile_enabled
from tallystick.detect.detector import Detector, Row
from tallystick.detect.firing import Firing
from tallystick.detect.folding import Folding
from tallystick.detect.health import detection
from tallystick.detect.logsources import Logsources, shipped_bindings
from tallystick.detect.own_alarms import OwnAlarms
from tallystick.detect.pace import Pace
from tallystick.detect.ports import EnabledRule, EnginePorts, RuleFigures
from tallystick.detect.standing import Standing, rule_standings
from tallystick.detect.state import Position, States, Tally
from tallystick.detect.subject import subject_of
from tallystick.errors import TallystickError
from tallystick.follow.alarm import Alarm
from tallystick.follow.background import Background
from tallystick.follow.log_reader import LogReader, Told
from tallystick.health.model import Check

POLL_S: Final = 0.2
FILL_S: Final = 0.1
"""So long events are judged before what came of it is told."""
TURN_EVENTS: Final = 16
"""After so many it is looked whether others should have a turn."""
SAVE_S: Final = 2.0
"""A crash has so long judged again."""
SAVE_SHARE: Final = 20
"""Saving takes one part in so many at most."""
WATCH_S: Final = 10.0
"""How often the engine looks at itself, and at what no event shows."""
RETRY_S: Final = 1.0
GRACE_US: Final = 5_000_000
"""Time passes so long behind the clock while nothing comes: what is on its way into the log has an earlier time."""
FOLDS: Final = "folds"
Forget = Callable[[Collection[str]], None]
"""Returns when no rule remembers any of some texts: those of people whose data is to be destroyed."""
_telemetry = structlog.get_logger("tallystick.detect")


class Engine(Background):
    """The follower. `step` runs in one thread; `standing` and `at_rest` may be called from any."""

    def __init__(self, reader: LogReader, states: States, ports: EnginePorts) -> None:
        super().__init__("detect")
        self._reader = reader
        self._states = states
        self._ports = ports
        self._around = Around(ports)
        self._pace = Pace(lambda: reader.size)
        self._turn = threading.Lock()  # who holds it may change what rules remember
        self.position = states.find() or _begin(states, reader.size)
        self.position.next_index = min(self.position.next_index, reader.size)
        self._rules: tuple[EnabledRule, ...] = ()
        self._logsources = Logsources(shipped_bindings())
        self._force = RulesInForce(logsources=self._logsources)
        self._detector = Detector(self._force, self._logsources, self._around.scope_of)
        self._folding = Folding()
        self._folding.load(states.load([FOLDS])[FOLDS])
        self._version = -1
        self._is_stale = True
        self._chunks: Iterator[tuple[list[Told], int]] | None = None
        self._pending: list[Alarm] = []  # told by the rules, not durable yet
        self._own = OwnAlarms(ports.now_us)
        self._saved_at = time.monotonic()
        self._watched_at = 0.0
        self._save_every_s = SAVE_S
        self._unsaved: list[Row] = []
        self._saved_index = -1
        self._blocked = ""
        self._level_at = time.monotonic()  # when it began to run, or had judged everything, last

    def learn(self) -> None:
        """Judge what is in the log by now and tell nobody: old logs that were brought along. Not while the thread runs."""
        self._refresh()
        while self._judge_some():
            self._pending.clear()
            self._refresh()
        self._folding = Folding()  # nobody was told, so nothing is a repetition of that

    def step(self) -> float:
        """Do one thing, and return the seconds until there may be another."""
        self._raise_pending()
        self._refresh()
        clock_us = self._ports.now_us() - GRACE_US  # before the log is looked at: all that is older is in it
        if self._judge_some():
            self._raise_pending()
            self._save_sometimes()
            return 0.0
        self._level_at = time.monotonic()
        self._pass_time(clock_us)
        self._raise_pending()
        self._save_sometimes()
        return POLL_S

    @contextmanager
    def at_rest(self) -> Iterator[Forget]:
        """Nothing is judged while this lasts; what it gives makes all rules forget some texts.

        Entered before anything that keeps others from deciding: the engine decides, too, while it judges.
        """
        with self._turn:
            yield self._forget

    def standing(self) -> Standing:
        """Return how the engine does now."""
        position, size = self.position, self._reader.size
        lag = max(0, size - position.next_index)
        since = self._reader.received_at(position.next_index) if lag else None
        return Standing(
            next_index=position.next_index,
            lag=lag,
            lag_s=0.0 if since is None else max(0.0, (self._ports.now_us() - since) / 1_000_000),
            behind_s=time.monotonic() - self._level_at if lag else 0.0,
            alarms=position.alarms,
            erased=position.erased,
            blocked=self._blocked,
            folds_dropped=self._folding.dropped,
            rules=rule_standings(self._force, self._logsources, self._detector.dropped(), position.tallies),
        )

    def figures(self) -> dict[str, RuleFigures]:
        """Return what the rules in force did, by their ids."""
        return {
            each.id: RuleFigures(each.seen, each.fired, each.last_fired_us or None, each.failed)
            for each in self.standing().rules
        }

    def check(self) -> Check:
        """Return how detection does, for the page of health."""
        return detection(self.standing())

    def _forget(self, texts: Collection[str]) -> None:
        if not self._rules:  # nothing was taken up yet
            self._states.forget(texts)
            return
        self._save()
        self._states.forget(texts)
        self._folding = Folding()
        self._folding.load(self._states.load([FOLDS])[FOLDS])
        self._take_up(self._rules)

    def _run(self) -> None:
        self._level_at = time.monotonic()
        while not self._stopping.is_set():
            wait_s = self._try_step()
            if wait_s > 0:
                self._stopping.wait(wait_s)
        if not self._pending:
            self._save()

    def _try_step(self) -> float:
        try:
            with self._turn:
                wait_s = self.step()
        except FileNotFoundError:
            self._chunks = None  # a merge or an erasure replaced a segment: read the newer ones
            return POLL_S
        except TallystickError as error:
            self._chunks = None
            self._block(f"{error.code}: {error.message}")
            return RETRY_S
        except Exception as error:  # noqa: BLE001 - it waits, with a word and an alarm; it must not end for good
            self._chunks = None
            _telemetry.exception("detection failed")
            self._block(f"{type(error).__name__}; the telemetry of the server says more")
            return RETRY_S
        self._blocked = ""
        return wait_s

    def _block(self, why: str) -> None:
        """Say that nothing is judged, once for each place at which that happens."""
        if not self._blocked:
            _telemetry.error("detection waits", said=why, next_index=self.position.next_index)
        self._blocked = why
        try:
            self._ports.raise_alarms(self._own.blocked(self.position.next_index, why))
        except Exception:  # noqa: BLE001 - what keeps events from being judged may keep alarms from being told as well
            _telemetry.exception("the alarm about it could not be raised")

    def _refresh(self) -> None:
        """Take up what changed of rules, lists and sources."""
        if self._is_stale:
            self._ports.refresh()  # looks through the log, so only where an event says that it is needed
            self._is_stale = False
        version = self._ports.version()
        if version == self._version:
            return
        self._version = version
        lists_changed = self._around.look()
        rules = tuple(self._ports.enabled())
        if rules == self._rules and not lists_changed:
            return
        self._save()  # the states are taken back from there
        self._take_up(rules)

    def _take_up(self, rules: tuple[EnabledRule, ...]) -> None:
        self._count_seen()
        self._around.forget_lists()
        self._rules = rules
        self._force = compile_enabled(rules, self._logsources, self._around.listed, self._around.known)
        self._detector = Detector(self._force, self._logsources, self._around.scope_of)
        keys = self._detector.state_keys()
        self._detector.load(self._states.load(keys))
        self._detector.received_us = self.position.received_us
        self._states.keep_only({*keys, FOLDS})
        self._pending += self._own.mended(self._force.units)
        self._pending += self._own.failed(self._force.units.values())

    def _judge_some(self) -> bool:
        """Judge what there is, for a moment; returns False when there is nothing."""
        until, found = time.monotonic() + FILL_S, False
        self._pace.begin()
        while self._judge_next():
            found = True
            if self._is_stale or time.monotonic() >= until or self._stopping.is_set():
                break
        return found

    def _judge_next(self) -> bool:
        """Judge the next chunk of the log; returns False when there is none."""
        if self._chunks is None:
            self._chunks = self._reader.told(self.position.next_index, None)
        found = next(self._chunks, None)
        if found is None:
            self._chunks = None  # a snapshot that is held keeps files on the disk
            return self.position.next_index < self._reader.size
        rows, done_to = found
        for number, row in enumerate(rows):
            self._judge(row)
            if number % TURN_EVENTS == 0:
                self._pace.breathe(row.index)
            if changes_rules(row):
                # What follows may be under other rules: look at the tables first.
                done_to, self._chunks, self._is_stale = row.index + 1, None, True
                break
        self.position.next_index = done_to
        self.position.received_us = self._detector.received_us
        self._pending += self._own.failed(self._detector.failures)
        self._detector.failures.clear()
        return True

    def _judge(self, row: Told) -> None:
        subject = subject_of(row, self._around.source, self._ports.category)
        if subject is None:
            self.position.erased += 1
            return
        try:
            firings = self._detector.feed(subject)
        except Exception as error:  # noqa: BLE001 - one event must not keep all others from being judged
            _telemetry.exception("an event could not be judged", index=subject.index)
            self._pending += self._own.unjudged(subject, error)
            return
        self._pending += self._own.skew(subject)
        self._fold(firings)
        self._pending += self._folding.advance(subject.received_us)

    def _fold(self, firings: Iterable[Firing]) -> None:
        for firing in firings:
            self._tally(firing.rule.id).last_fired_us = firing.at_us
            self._pending += self._folding.take(firing)

    def _pass_time(self, clock_us: int) -> None:
        """Let time pass though nothing comes: what is due is due at its own time, whenever that is noticed."""
        self._fold(self._detector.advance(clock_us))
        self._pending += self._folding.advance(clock_us)

    def _raise_pending(self) -> None:
        """Return when nothing is left to be told; raises what kept it from that."""
        if self._pending:
            self._ports.raise_alarms(tuple(self._pending))
            # A crash here has them raised again, which changes nothing.
            self.position.alarms += len(self._pending)
            self._pending.clear()

    def _save_sometimes(self) -> None:
        now = time.monotonic()
        if now - self._saved_at < self._save_every_s:
            return
        if now - self._watched_at >= WATCH_S:
            self._watched_at = now
            self._ports.look()
            self._pending += self._own.watched(self.standing())
            self._raise_pending()
        self._save()
        self._saved_at = now

    def _save(self) -> None:
        """Keep how far it is with the states there, if anything changed."""
        started = time.monotonic()
        self._unsaved += self._detector.take_changes()
        self._unsaved += [(FOLDS, *each) for each in self._folding.take_changes()]
        if not self._unsaved and self.position.next_index == self._saved_index:
            return
        self._count_seen()
        self._states.save(self.position, self._unsaved)
        self._unsaved.clear()
        self._saved_index = self.position.next_index
        self._save_every_s = max(SAVE_S, SAVE_SHARE * (time.monotonic() - started))

    def _count_seen(self) -> None:
        """Move what rules counted in memory to what is kept."""
        for each in rule_standings(self._force, self._logsources, self._detector.dropped(), self.position.tallies):
            tally = self._tally(each.id)
            tally.seen, tally.matched, tally.fired, tally.dropped = each.seen, each.matched, each.fired, each.dropped
        for unit in self._force.units.values():
            unit.matched = unit.fired = 0
        for origins in self._logsources.met():
            origins.count = 0

    def _tally(self, rule: str) -> Tally:
        return self.position.tallies.setdefault(rule, Tally())


def _begin(states: States, size: int) -> Position:
    """Return where an engine that never ran begins; kept at once, since a crash must not move it."""
    position = Position(next_index=size)
    states.save(position, ())
    return position
