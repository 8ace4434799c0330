"""Reading the log: the one path by which page, API, command line and export see events.

Every method compiles the caller's scopes and rights into the query first, searches one consistent view, and puts the
reading on record before it returns anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import numpy as np

from tallystick.clock import Clock
from tallystick.errors import CorruptionError, InvalidInputError
from tallystick.event.disclosure import Disclosure
from tallystick.query.model import Node, all_of
from tallystick.query.sql import Names
from tallystick.search.arrivals import Arrivals, count_arrivals
from tallystick.search.cache import PartCache
from tallystick.search.cursor import CursorSeal, Position
from tallystick.search.errors import EventNotFoundError
from tallystick.search.kept import KeptRows
from tallystick.search.model import FACET_FIELDS, Facets, Histogram, Page, Pull, Row, Search
from tallystick.search.overview import make_overview
from tallystick.search.paging import Pages, take_upwards
from tallystick.search.plan import Plan, make_plan
from tallystick.search.ports import Caller, LedgerReader, Register
from tallystick.search.readings import readings_of
from tallystick.search.recorder import ReadRecorder
from tallystick.search.render import name_of, without_personal
from tallystick.search.scan import Scan
from tallystick.search.sight import Sight
from tallystick.search.tail import Tail
from tallystick.search.view import View, open_view
from tallystick.store.engine import Engine

T = TypeVar("T")
_SNAPSHOT_TRIES = 3
WARM_COLUMNS = (
    *("index", "occurred_at", "action", "actor_id", "actor_key", "scope", "outcome", "severity", "target_id"),
    *("target_type", "personal_actor_or_key", "source_text"),
)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Limits of one search; times are budgets after which an answer says that it is not complete.

    Rows that were shown are kept, as many as have `kept_bytes` of content together.
    From `engine_rows_min` rows of a segment on that would have to be read one by one, DuckDB reads them.
    """

    page_rows_max: int = 1000
    page_s: float = 10.0
    count_s: float = 1.0
    facets_s: float = 10.0
    cache_bytes: int = 512 << 20
    kept_bytes: int = 4 << 20
    engine_rows_min: int = 16_384
    bars_max: int = 120
    facet_values: int = 20


class SearchService:
    """Searches one ledger. Safe to share between threads; owns the caches, not the data."""

    def __init__(
        self,
        ledger: LedgerReader,
        segments: Path,
        register: Register,
        recorder: ReadRecorder,
        clock: Clock,
        *,
        cursor_key: bytes,
        engine: Engine | None = None,
        options: SearchOptions | None = None,
    ) -> None:
        self._ledger = ledger
        self._segments = segments
        self._register = register
        self.recorder = recorder
        self._clock = clock
        self._seal = CursorSeal(cursor_key)
        self._engine = engine
        self.options = options or SearchOptions()
        self._cache = PartCache(self.options.cache_bytes)
        self._tail = Tail(self._cache)
        self._kept = KeptRows(self.options.kept_bytes)
        self.pages = Pages(register, self._kept)
        self._asked_at = -math.inf
        self._version = -1  # of the manifest that the cache was last trimmed to; a race only trims twice

    def search(self, search: Search, caller: Caller, *, cursor: str | None = None, limit: int = 100) -> Page:
        """Return one page, newest first by index, and what is needed to ask for the next.

        Raises QueryError, PersonalWithheldError, CursorError. The reading is on record when this returns.
        """
        self._check_limit(limit)
        position = None if cursor is None else self._seal.parse(cursor, search, caller)
        now_us = self._clock.now_us() if position is None else position.now_us
        plan = self._plan(search, caller, now_us)

        def take(view: View, last_try: bool) -> tuple[Page, Position | None]:
            scan = self._scan(plan, view, self.options.page_s, last_try=last_try)
            budget = self._budget(self.options.page_s + self.options.count_s)
            return self.pages.newest(scan, position, now_us=now_us, limit=limit, count_budget=budget)

        page, following = self._with_view(take, None if position is None else position.pinned_size)
        self.recorder.searched(caller, search, len(page.rows))
        if following is None:
            return page
        return msgspec.structs.replace(page, next_cursor=self._seal.format(following, search, caller))

    def get(self, event_id: str | int, caller: Caller) -> Row:
        """Return the event of an id (the newest, if several sources gave it) or an index; raises EventNotFoundError."""
        _, row = self._look_up(event_id, Sight(caller, self._register))
        self.recorder.viewed(caller, row)
        return row

    def open(self, event_id: str | int, caller: Caller) -> tuple[Disclosure, Row]:
        """Return an event's bytes as far as the caller may see them, and the event as it is shown; the view is recorded.

        Raises EventNotFoundError.
        """
        sight = Sight(caller, self._register)
        disclosure, row = self._look_up(event_id, sight)
        assert disclosure.facts is not None
        self.recorder.viewed(caller, row)
        return disclosure if sight.sees_personal(disclosure.facts) else without_personal(disclosure), row

    def disclose(self, event_id: str | int, caller: Caller) -> tuple[Disclosure, Row]:
        """Return what a proof of the event discloses to the caller, and the event as it is shown. Nothing is recorded:
        `recorder.proof_downloaded` is for when the proof is made. Raises EventNotFoundError, PermissionMissingError.
        """
        sight = Sight(caller, self._register)
        disclosure, row = self._look_up(event_id, sight)
        assert disclosure.facts is not None
        Sight(caller, self._register, (row.event["scope"],)).require("proofs.read", caller.proof_scopes)
        return disclosure if sight.sees_personal(disclosure.facts) else without_personal(disclosure), row

    def who_read(self, event_id: str | int, caller: Caller, *, cursor: str | None = None, limit: int = 100) -> Page:
        """Return the events that record who read an event, newest first: it was opened or proven, or lay in a scope in
        which something was found, exported or fetched since. The look is on record when this returns.

        Raises EventNotFoundError, PermissionMissingError without the right to see readings in the event's scope.
        """
        _, row = self._look_up(event_id, Sight(caller, self._register))
        Sight(caller, self._register, (row.event["scope"],)).require("reading.read", caller.reading_scopes)
        return self.search(readings_of(row), caller, cursor=cursor, limit=limit)

    def facets(self, search: Search, caller: Caller, fields: Sequence[str] = FACET_FIELDS) -> Facets:
        """Return the most frequent values of each field among all events found."""
        return self.overview(search, caller, fields=fields)[0]

    def histogram(self, search: Search, caller: Caller, *, step_us: int | None = None) -> Histogram:
        """Return counts over time among all events found."""
        return self.overview(search, caller, fields=(), step_us=step_us)[1]

    def overview(
        self, search: Search, caller: Caller, *, fields: Sequence[str] = FACET_FIELDS, step_us: int | None = None
    ) -> tuple[Facets, Histogram]:
        """Return facets and histogram together, in one pass; the reading is on record when this returns."""
        unknown = set(fields) - set(FACET_FIELDS)
        if unknown:
            raise InvalidInputError(f"there is no facet {min(unknown)!r}", advice=f"Facets: {', '.join(FACET_FIELDS)}.")
        plan = self._plan(search, caller, self._clock.now_us())
        bars_max, values_max = self.options.bars_max, self.options.facet_values

        def count(view: View, last_try: bool) -> tuple[Facets, Histogram]:
            scan = self._scan(plan, view, self.options.facets_s, last_try=last_try)
            return make_overview(scan, fields, step_us=step_us, bars_max=bars_max, values_max=values_max)

        found = self._with_view(count)
        self.recorder.searched(caller, search, 0)
        return found

    def after_index(
        self, search: Search, caller: Caller, after: int, *, limit: int = 1000, session: str = "", tail: bool = False
    ) -> Pull:
        """Return matching events above index `after` (-1 for all), oldest first: the way to follow without gaps.

        It is recorded once per `session` and quarter of an hour, as following when `tail`, otherwise as pulling. What
        she read herself, and that others follow, does not count as found: readers are not kept reading by each other.
        """
        self._check_limit(limit)
        plan = self._plan(search, caller, self._clock.now_us())

        def take(view: View, last_try: bool) -> Pull:
            scan = self._scan(plan, view, self.options.page_s, last_try=last_try, ascending=True)
            return self.pages.upwards(scan, after, limit)

        pull = self._with_view(take)
        found = sum(not plan.sight.records_following(row.event, row.class_name) for row in pull.rows)
        if tail:
            self.recorder.tailed(caller, search, session, found)
        else:
            self.recorder.pulled(caller, search, session, found, after)
        return pull

    def disclosures_after(self, caller: Caller, after: int, limit: int) -> tuple[list[Disclosure], int]:
        """Return up to `limit` disclosures above index `after` that the caller may read and prove, oldest first, and the
        index up to which all were looked at. It is recorded as pulling. Raises PermissionMissingError.

        Without the right to personal data, its part is replaced by its digest: the facts still verify.
        """
        everything = Search(reading=True)
        plan = make_plan(everything, caller, self._register, self._clock.now_us(), within=caller.proof_scopes)
        plan.sight.require("proofs.read", caller.proof_scopes)

        def take(view: View, last_try: bool) -> tuple[list[Disclosure], int]:
            scan = self._scan(plan, view, self.options.page_s, last_try=last_try, ascending=True)
            contents, looked_at = take_upwards(scan, after, limit)
            return contents, looked_at

        contents, looked_at = self._with_view(take)
        sight, classes = plan.sight, plan.names.classes
        shown, found = [], 0
        for each in contents:
            assert each.facts is not None
            shown.append(each if sight.sees_personal(each.facts) else without_personal(each))
            found += not sight.records_following(msgspec.json.decode(each.facts), name_of(classes, each.class_number))
        self.recorder.pulled(caller, everything, "disclosures", found, after)
        return shown, looked_at

    def arrivals(
        self, questions: Sequence[tuple[Node, Sequence[str]]], caller: Caller, first: int, size: int
    ) -> list[Arrivals]:
        """Return what arrived for each query, with the fields to count by, from index `first` up to a size of the log.

        Nothing is recorded: it is for what the product works out by itself and tells in numbers.
        """
        everything = make_plan(Search(), caller, self._register, self._clock.now_us())
        plans = [replace(everything, node=all_of((everything.node, node))) for node, _ in questions]

        def count(view: View, last_try: bool) -> list[Arrivals]:
            found = []
            for plan, (_, fields) in zip(plans, questions, strict=True):
                scan = self._scan(plan, view, math.inf, last_try=last_try, ascending=True)
                scan.above = first - 1
                found.append(count_arrivals(scan, fields))
            return found

        return self._with_view(count, size)

    def received_at(self, index: int) -> int | None:
        """Return when the event of an index was received; None where there is none that can be read."""
        found = self._with_view(lambda view, _last_try: _newest(view, index, lambda _: True))
        return None if found is None else found.received_at

    def check_export(self, search: Search, caller: Caller, *, proofs: bool = False) -> Plan:
        """Return the plan of an export, which `proofs` go with or not; reads nothing.

        Raises PermissionMissingError unless all that is looked at may be exported: nothing is left out silently.
        """
        plan = self._plan(search, caller, self._clock.now_us())
        plan.sight.require("events.export", caller.export_scopes)
        if proofs:
            plan.sight.require("proofs.read", caller.proof_scopes)
        return plan

    def open_export(self, search: Search, caller: Caller, *, proofs: bool = False) -> tuple[Scan, int]:
        """Return a scan over all matching events, oldest first, and how many they are; nothing is recorded yet.

        Raises what `check_export` raises.
        """
        plan = self.check_export(search, caller, proofs=proofs)

        def count(view: View, last_try: bool) -> tuple[Scan, int]:
            counted = self._scan(plan, view, math.inf, last_try=last_try)
            total = sum(len(found) for found in counted.run())
            return self._scan(plan, view, math.inf, last_try=True, ascending=True), total

        return self._with_view(count)

    def open_history(self, search: Search, caller: Caller) -> Scan:
        """Return a scan over all matching events, oldest first, for what is worked out from them; nothing is recorded
        yet: `recorder.searched` is for when that is done.
        """
        plan = self._plan(search, caller, self._clock.now_us())
        return self._with_view(lambda view, _: self._scan(plan, view, math.inf, last_try=True, ascending=True))

    def warm(self, seconds: float, *, words: bool = True) -> None:
        """Load what the first searches will need, newest first, for at most so long; `words` also makes the filters over
        personal words, which takes about two seconds for a million events.
        """
        left = self._budget(seconds)

        def load(view: View, _last_try: bool) -> None:
            parts = [part for group in view.groups() for part in group]
            loads: list[Callable[[], Any]] = [partial(part.column, column) for part in parts for column in WARM_COLUMNS]
            loads += [part.personal_words for part in parts] if words else []
            for load_one in loads:
                if left() <= 0:
                    return
                with suppress(CorruptionError):
                    load_one()

        self._with_view(load)

    def asked_ago_s(self) -> float:
        """Return the seconds since somebody last searched; infinite when nobody did yet."""
        return self._clock.monotonic_s() - self._asked_at

    def look_ahead(self, blocks_max: int, pause: Callable[[], object]) -> bool:
        """Derive columns of frames that no search asked for yet, newest first, so that searches need not.

        Does up to `blocks_max` blocks of about a thousand rows, calling `pause` after each, and returns False once
        nothing is left to do.
        """
        left = blocks_max
        for part in reversed(self._tail.parts(self._ledger.snapshot())):
            with suppress(CorruptionError):  # the search that comes to it names it
                for block in reversed(part.blocks):
                    if block.is_made:
                        continue
                    if not left:
                        return True
                    block.derived()
                    left -= 1
                    pause()
                part.derived()
        return False

    def forget_replaced(self) -> None:
        """Let go of everything kept of segments and frames that are no longer part of the log, as after an erasure.

        Searches do so by themselves when they first see a newer manifest; call it to not wait for one.
        """
        self._with_view(lambda _view, _last_try: None)

    def _look_up(self, event_id: str | int, sight: Sight) -> tuple[Disclosure, Row]:
        """Return an event with its whole content, and as it is shown; raises EventNotFoundError."""
        wanted = event_id if isinstance(event_id, int) else _parse_id(event_id)
        names = Names(self._register.source_names(), self._register.class_names())

        def sees(disclosure: Disclosure) -> bool:
            assert disclosure.facts is not None
            return sight.sees(disclosure.facts, name_of(names.classes, disclosure.class_number))

        found = None if wanted is None else self._with_view(lambda view, _last_try: _newest(view, wanted, sees))
        if found is None:
            raise EventNotFoundError(f"there is no event {str(event_id)[:64]} that you may see")
        return found, self.pages.row(found, sight, names)

    def _check_limit(self, limit: int) -> None:
        if not 1 <= limit <= self.options.page_rows_max:
            raise InvalidInputError(f"a page has 1 to {self.options.page_rows_max} rows", pointer="/limit")

    def _with_view(self, use: Callable[[View, bool], T], pinned_size: int | None = None) -> T:
        """Call `use` with a view, and again with a newer one when an erasure takes a segment away meanwhile.

        The second argument of `use` is True when this is the last try, and a missing file therefore damage.
        """
        for left in reversed(range(_SNAPSHOT_TRIES)):
            snapshot = self._ledger.snapshot()
            if snapshot.manifest.version != self._version:
                self._cache.keep_only({entry.path for entry in snapshot.segments})
                self._kept.clear()
                self._version = snapshot.manifest.version
            view = open_view(
                snapshot, self._segments, self._cache, self._tail, pinned_size, self._register.quarantined()
            )
            try:
                return use(view, left == 0)
            except FileNotFoundError:
                if not left:
                    raise
        raise AssertionError

    def _plan(self, search: Search, caller: Caller, now_us: int) -> Plan:
        self._asked_at = self._clock.monotonic_s()
        return make_plan(search, caller, self._register, now_us)

    def _scan(self, plan: Plan, view: View, seconds: float, *, last_try: bool, ascending: bool = False) -> Scan:
        budget = self._budget(seconds)
        return Scan(
            plan,
            view,
            self._cache,
            self._engine,
            budget,
            missing_is_damage=last_try,
            engine_rows_min=self.options.engine_rows_min,
            ascending=ascending,
        )

    def _budget(self, seconds: float) -> Callable[[], float]:
        end = self._clock.monotonic_s() + seconds
        return lambda: end - self._clock.monotonic_s()


def _parse_id(text: str) -> bytes | None:
    try:
        return UUID(text).bytes
    except ValueError:
        return None


def _newest(view: View, wanted: int | bytes, sees: Callable[[Disclosure], bool]) -> Disclosure | None:
    """Return the newest event of that id or index that is seen."""
    for part in (part for group in view.groups() for part in group):
        if isinstance(wanted, int):
            if not part.first <= wanted < part.end:
                continue
            places = np.flatnonzero(part.indexes() == wanted)
        else:
            places = part.having_id(wanted)[::-1]
        low, high = view.bounds(part)
        for disclosure in part.disclosures(places.tolist()):
            if low <= disclosure.index < high and sees(disclosure):
                return disclosure
    return None
