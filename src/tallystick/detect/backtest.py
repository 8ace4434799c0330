"""A rule tried on history, and explained on one event, by the very evaluation that watches the log.

Only what the caller may read is looked at, and of the personal part only what she may see: a rule must not tell her
more than a search would. Both are on record as readings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from tallystick.access.model import Caller
from tallystick.clock import Clock
from tallystick.detect.errors import BacktestTooWideError, RuleEventUnknownError, RuleInvalidError, RuleStateError
from tallystick.detect.firing import Firing
from tallystick.detect.logsources import Logsources, shipped_bindings
from tallystick.detect.looking import RuleReading, read_version
from tallystick.detect.model import Rule, Version
from tallystick.detect.narrowing import query_of
from tallystick.detect.ports import EnabledRule, RegisterPorts
from tallystick.detect.rulefile import RuleFile
from tallystick.detect.subject import Subject
from tallystick.detect.trials import fired_by
from tallystick.errors import NotFoundError
from tallystick.event.disclosure import Disclosure
from tallystick.query.moments import format_moment, parse_moment
from tallystick.search.model import Search
from tallystick.search.paging import sees_personal
from tallystick.search.scan import Scan
from tallystick.sigma import EventView, Explanation, Lists, Logsource, explain
from tallystick.sigma import Rule as SigmaRule

ROWS_AT_ONCE: Final = 512
SECONDS_MAX: Final = 120.0
"""Of one backtest; it says how far it came."""
GROUPS_SHOWN: Final = 20
FIRINGS_SHOWN: Final = 50
GROUPS_COUNTED: Final = 100_000
MakeSubject = Callable[[Disclosure], Subject | None]


@dataclass(frozen=True, slots=True)
class Backtest:
    """How a version would have done. `read` events were held against it; `groups` are those for whom it fired most.

    With `withheld`, the personal part of some events was not looked at. Without `complete`, time ran out on the way:
    `end_us` is then how far it came. Times are microseconds.
    """

    rule: str
    version: int
    start_us: int
    end_us: int
    fired: int
    read: int
    size: int
    groups: tuple[tuple[str, int], ...]
    firings: tuple[Firing, ...]
    withheld: bool
    complete: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a version matches an event or does not: a tree for each of its documents.

    `concerns` says whether the event comes from where the rule looks at all.
    """

    rule: str
    version: int
    index: int
    action: str
    at: str
    concerns: bool
    withheld: bool
    documents: tuple[Explanation, ...]


@dataclass
class _Pass:
    """One pass over history, and what was met on the way."""

    scan: Scan
    subject: MakeSubject
    seconds_left: Callable[[], float]
    read: int = 0
    last_us: int = 0
    withheld: bool = False
    complete: bool = True
    counts: Counter[str] = field(default_factory=Counter)

    def subjects(self) -> Iterator[Subject]:
        """Yield the events that may be of interest, oldest first, as far as time goes."""
        for found in self.scan.run():
            for start in range(0, len(found), ROWS_AT_ONCE):
                if self.seconds_left() <= 0:
                    self.complete = False
                    return
                piece = found.slice(start, start + ROWS_AT_ONCE)
                for row in self.scan.contents([(piece, len(piece))]):
                    seen, withheld = self._seen(row)
                    self.withheld = self.withheld or withheld
                    subject = self.subject(seen)
                    if subject is not None:
                        self.read += 1
                        self.last_us = subject.received_us
                        yield subject

    def _seen(self, row: Disclosure) -> tuple[Disclosure, bool]:
        return _as_seen(row, personal=sees_personal(self.scan.plan.sight, row))


class Backtests:
    """Tries rules on history for those who may read it; may be used from any thread."""

    def __init__(
        self,
        reading: RuleReading,
        ports: RegisterPorts,
        clock: Clock,
        lists: Lists,
        subject: MakeSubject,
    ) -> None:
        self._reading = reading
        self._ports = ports
        self._clock = clock
        self._lists = lists
        self._subject = subject

    def run(self, caller: Caller, rule_id: str, start: str, end: str, *, version: int | None = None) -> Backtest:
        """Return how a version would have done between two times; the reading is on record when this returns.

        Raises RuleUnknownError, RuleInvalidError, RuleStateError.
        """
        rule, found, file = self._file(caller, rule_id, version)
        start_us, end_us = self._span(start, end)
        question = Search(
            text=query_of(file.documents, Logsources(shipped_bindings()), self._lists),
            start=format_moment(start_us),
            end=format_moment(end_us),
            scope=rule.scope or None,
            reading=True,
        )
        began, until = self._clock.monotonic_s(), self._clock.monotonic_s() + SECONDS_MAX
        scan = self._ports.search.open_history(question, caller)
        told = Search(text=f"detection rule {rule.id} version {found.number}", start=start, end=end, scope=rule.scope)
        self._ports.search.recorder.searched(caller, told, 0)
        over = _Pass(scan, self._subject, lambda: until - self._clock.monotonic_s())
        enabled = EnabledRule(rule.id, found.digest, file.text, file.severity, file.title, rule.scope)
        fired = 0
        firings: list[Firing] = []
        for firing in fired_by(enabled, over.subjects(), self._lists, end_us):
            fired += 1
            if len(firings) < FIRINGS_SHOWN:
                firings.append(firing)
            if len(over.counts) < GROUPS_COUNTED:
                over.counts[group_of(firing)] += 1
        return Backtest(
            rule=rule.id,
            version=found.number,
            start_us=start_us,
            end_us=end_us if over.complete else over.last_us,
            fired=fired,
            read=over.read,
            size=scan.view.size,
            groups=tuple(over.counts.most_common(GROUPS_SHOWN)),
            firings=tuple(firings),
            withheld=over.withheld,
            complete=over.complete and not scan.incomplete,
            seconds=self._clock.monotonic_s() - began,
        )

    def explain(self, caller: Caller, rule_id: str, event: str, *, version: int | None = None) -> Explained:
        """Return why a version matches an event or does not; that the event was seen is on record when this returns.

        Raises RuleUnknownError, RuleEventUnknownError.
        """
        rule, found, file = self._file(caller, rule_id, version)
        named: str | int = int(event) if event.isascii() and event.isdigit() and len(event) < 19 else event.strip()
        try:
            row, shown = self._ports.search.open(named, caller)
        except NotFoundError as error:
            raise RuleEventUnknownError(error.message) from error
        subject = self._subject(row)
        if subject is None:
            raise RuleEventUnknownError("the content of the event was erased")
        trees = []
        concerns = False
        for each in file.documents:
            if isinstance(each, SigmaRule):
                view, is_of_it = _view(each.logsource, subject)
                concerns = concerns or is_of_it
                trees.append(explain(each, view, lists=self._lists))
        return Explained(
            rule=rule.id,
            version=found.number,
            index=row.index,
            action=shown.event["action"],
            at=shown.event["occurred_at"],
            concerns=concerns,
            withheld=shown.withheld,
            documents=tuple(trees),
        )

    def _file(self, caller: Caller, rule_id: str, version: int | None) -> tuple[Rule, Version, RuleFile]:
        rule, found = self._reading.version(caller, rule_id, version)
        file = read_version(found)
        if file is None:
            raise RuleStateError("the text of this version was erased")
        return rule, found, file

    def _span(self, start: str, end: str) -> tuple[int, int]:
        now_us = self._ports.now_us()
        moments = parse_moment(start, now_us), parse_moment(end or "now", now_us)
        if moments[0] is None or moments[1] is None:
            raise RuleInvalidError("a time such as -7d, now or 2026-03-01 is wanted", pointer="/start")
        if moments[0].start >= moments[1].end:
            raise BacktestTooWideError("the end is before the start")
        return moments[0].start, moments[1].end


def group_of(firing: Firing) -> str:
    """Return in words for whom a rule fired."""
    named = zip(firing.names, firing.group, strict=True)
    return ", ".join(f"{name}={value or '(none)'}" for name, value in named) or "everything"


def _view(wanted: Logsource, subject: Subject) -> tuple[EventView, bool]:
    """Return the event as a rule for a logsource sees it, and whether it is of that logsource."""
    logsources = Logsources(shipped_bindings())
    origins = logsources.origins(subject.kind, subject.category, subject.raw)
    if logsources.is_own(wanted):
        return subject.view(), any(wanted.covers(each) for each in origins.event)
    for names, found in origins.raw:
        if any(wanted.covers(each) for each in found):
            return subject.raw_view(names), True
    return subject.view() if subject.raw is None else subject.raw_view(None), False


def _as_seen(row: Disclosure, *, personal: bool) -> tuple[Disclosure, bool]:
    if personal or row.personal in {None, b"{}"}:
        return row, False
    return replace(row, personal=None), True
