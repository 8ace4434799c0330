"""Finds the rows that a plan means, batch by batch in order of index, within a time limit.

Columns and filters bound the answer (`select`); only rows between the bounds are read and judged by `query.matches`.
Where those are many and nothing literal narrows them, DuckDB judges the whole segment off the interpreter lock.
A part that cannot be read is named and left out; everything else is still searched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tallystick.errors import CorruptionError
from tallystick.event.disclosure import Disclosure
from tallystick.query.dialect import Sql
from tallystick.query.evaluate import matches
from tallystick.query.sql import to_sql
from tallystick.search.cache import PartCache
from tallystick.search.coded import Selection
from tallystick.search.found import Found
from tallystick.search.model import Incomplete
from tallystick.search.needles import Needles, find_needles
from tallystick.search.parts import Part, SegmentPart
from tallystick.search.plan import Plan
from tallystick.search.render import make_document
from tallystick.search.select import Bounds, Selector, exactly
from tallystick.search.view import View
from tallystick.segment.manifest import COLUMNS, CONTENT
from tallystick.store.engine import Engine, QueryTimeoutError

ENGINE_SECONDS_MAX = 60.0
_READERS = 2
_ROWS_FOR_THREADS = 4
_readers = ThreadPoolExecutor(_READERS, thread_name_prefix="search")
CHUNK_ROWS = 4096
CHUNK_ROWS_FIRST = 32
CHUNK_S = 1.0
"""Rows are judged in chunks between which the time is looked at: some events take a second to read and judge, most take
some microseconds, so chunks begin small and grow while they are quick.
"""


@dataclass(frozen=True, slots=True)
class NamingDamage:
    """Leaves a damaged part out of a scan's answer, and names it."""

    scan: Scan
    part: Part

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, (CorruptionError, FileNotFoundError)):
            return False
        self.scan.refuse(self.part, error)
        return True


@dataclass(slots=True)
class Scan:
    """One pass over a view. `incomplete` and `out_of_time` are known when the iteration has ended."""

    plan: Plan
    view: View
    cache: PartCache
    engine: Engine | None
    seconds_left: Callable[[], float]
    missing_is_damage: bool
    engine_rows_min: int
    ascending: bool = False
    below: int | None = None
    above: int = -1
    incomplete: list[Incomplete] = field(default_factory=list)
    out_of_time: bool = False
    _needles: Needles | None = None
    _selector: Selector = field(init=False)

    def __post_init__(self) -> None:
        self.incomplete.extend(self.view.set_aside)
        self._selector = Selector(self.plan.rights, self.plan.names, self.cache.has)
        self._needles = find_needles(self.plan.node)

    def run(self) -> Iterator[Found]:
        """Yield what is found in every group, most wanted first; empty findings tell of progress."""
        is_first = True
        for group in self.view.groups(ascending=self.ascending):
            if self._is_outside(group):
                continue
            if self.seconds_left() <= 0 and not is_first:  # every page gets on, however little time it has
                self.out_of_time = True
                return
            is_first = False
            yield from self._group(group)
            if self.out_of_time:
                return

    def bounds(self, part: Part) -> Bounds:
        """Return the bounds of a part, cut to what counts in this view and scan."""
        found = self._selector.select(self.plan.node, part)
        low, high = self.limits(part)
        if found.is_empty or (low <= part.first and high >= part.end):
            return found
        indexes = part.indexes()
        inside = exactly((indexes >= low) & (indexes < high))
        return (
            Bounds(_cut(found.sure, inside), _cut(found.maybe, inside))
            if not found.is_exact
            else exactly(_cut(found.sure, inside))
        )

    def decide(self, part: Part) -> Selection:
        """Return exactly which rows of a part match, reading what lies between the bounds; none of a damaged part."""
        try:
            bounds = self._exact_if_wide(part, self.bounds(part))
            if bounds.is_exact:
                return bounds.sure
            mask = _mask(bounds.sure, part.rows)
            between = np.flatnonzero(_mask(bounds.maybe, part.rows) & ~mask)
            for position, disclosure in part.read(between, self._needles, personal=self.plan.rights.personal):
                mask[position] = self._matches(disclosure)
                if self.seconds_left() <= 0:
                    self.out_of_time = True
                    break
            return exactly(mask).sure
        except (CorruptionError, FileNotFoundError) as error:
            self.refuse(part, error)
            return False

    def contents(self, picks: Sequence[tuple[Found, int]], *, salts: bool = False) -> list[Disclosure]:
        """Return the content of the first so many rows of each finding, in order, with salts only where asked for.

        A row that cannot be read is left out, and its part named in `incomplete`.
        """
        wanted = [
            (found.parts[owner], position)
            for found, count in picks
            for owner, position in zip(found.owners[:count].tolist(), found.positions[:count].tolist(), strict=True)
        ]
        content: dict[tuple[str, int], Disclosure] = {}
        if not salts:
            for found, count in picks:
                content.update(found.judged(count))
        by_part: dict[str, tuple[Part, list[int]]] = {}
        for part, position in wanted:
            if (part.key, position) in content:
                continue
            by_part.setdefault(part.key, (part, []))[1].append(position)
        tasks = [(part, piece) for part, positions in by_part.values() for piece in _pieces(sorted(positions))]

        def read(task: tuple[Part, list[int]]) -> list[tuple[tuple[str, int], Disclosure]]:
            part, positions = task
            with self.naming_damage(part):
                if salts:
                    rows = list(zip(positions, part.disclosures(positions), strict=True))
                else:
                    rows = list(part.read(np.array(positions, dtype=np.intp), None, personal=True))
                return [((part.key, position), disclosure) for position, disclosure in rows]
            return []

        answers = map(read, tasks) if len(tasks) == 1 else _readers.map(read, tasks)
        content.update(pair for pairs in answers for pair in pairs)
        return [content[part.key, position] for part, position in wanted if (part.key, position) in content]

    def naming_damage(self, part: Part) -> NamingDamage:
        """Return a context that goes on after damage to a part, and notes it."""
        return NamingDamage(self, part)

    def refuse(self, part: Part, error: CorruptionError | FileNotFoundError) -> None:
        """Note that a part cannot be searched; a missing file is only damage when a newer view misses it too."""
        if isinstance(error, FileNotFoundError) and not self.missing_is_damage:
            raise error
        known = Incomplete(first=part.first, size=part.end - part.first, reason=str(error))
        if known not in self.incomplete:
            self.incomplete.append(known)

    def limits(self, part: Part) -> tuple[int, int]:
        """Return the first index of a part that counts in this view and scan, and the one after the last."""
        low, high = self.view.bounds(part)
        return max(low, self.above + 1), high if self.below is None else min(high, self.below)

    def _is_outside(self, group: tuple[Part, ...]) -> bool:
        return all(low >= high for low, high in map(self.limits, group))

    def _group(self, group: tuple[Part, ...]) -> Iterator[Found]:
        candidates = []
        for part in group:
            try:
                candidates.append(_Candidates.of(part, self._exact_if_wide(part, self.bounds(part))))
            except (CorruptionError, FileNotFoundError) as error:
                self.refuse(part, error)
                candidates.append(_Candidates.of(part, exactly(False)))
        indexes = np.concatenate([each.indexes for each in candidates])
        owners = np.repeat(np.arange(len(group)), [len(each.indexes) for each in candidates])
        positions = np.concatenate([each.positions for each in candidates])
        sure = np.concatenate([each.sure for each in candidates])
        order = np.argsort(indexes) if len(group) > 1 else np.arange(len(indexes))
        if not self.ascending:
            order = order[::-1]
        end = max(part.end for part in group) - 1 if self.ascending else min(part.first for part in group)
        start, step = 0, CHUNK_ROWS_FIRST if not bool(sure.all()) else max(len(order), 1)
        last = False
        while not last:
            left = self.seconds_left()
            chosen = order[start : start + step]
            content, kept = self._judge_some(group, chosen, owners, positions, sure)
            start += step
            last = start >= len(order)
            step = _next_step(step, left - self.seconds_left())
            done_to = end if last else int(indexes[chosen[-1]])
            yield Found(group, indexes[kept], owners[kept], positions[kept], content, done_to)
            if not last and self.seconds_left() <= 0:
                self.out_of_time = True
                return

    def _judge_some(
        self,
        group: tuple[Part, ...],
        chosen: NDArray[np.intp],
        owners: NDArray[np.intp],
        positions: NDArray[np.intp],
        sure: NDArray[np.bool_],
    ) -> tuple[dict[int, Disclosure], NDArray[np.intp]]:
        """Return which of the chosen rows match, in the same order, and the content read for it."""
        content: dict[int, Disclosure] = {}
        keep = sure[chosen]
        if bool(keep.all()):
            return content, chosen
        keep = keep.copy()
        for owner, part in enumerate(group):
            open_ = np.flatnonzero((owners[chosen] == owner) & ~sure[chosen])
            if not len(open_):
                continue
            places = positions[chosen[open_]]
            order = np.argsort(places)
            back = dict(zip(places.tolist(), open_.tolist(), strict=True))
            try:
                for position, disclosure in part.read(places[order], self._needles, personal=self.plan.rights.personal):
                    if self._matches(disclosure):
                        keep[back[position]] = True
                        content[disclosure.index] = disclosure
            except (CorruptionError, FileNotFoundError) as error:
                self.refuse(part, error)
        return content, chosen[keep]

    def _engine_time(self) -> float:
        return min(max(self.seconds_left(), 0.05), ENGINE_SECONDS_MAX)

    def _matches(self, disclosure: Disclosure) -> bool:
        document = make_document(disclosure, self.plan.names, personal=self.plan.rights.personal)
        return matches(self.plan.node, document, self.plan.rights)

    def _exact_if_wide(self, part: Part, bounds: Bounds) -> Bounds:
        """Let the engine judge a segment of which many rows would have to be read one by one."""
        if bounds.is_exact or self.engine is None or self._needles is not None or not isinstance(part, SegmentPart):
            return bounds
        between = int(np.count_nonzero(_mask(bounds.maybe, part.rows))) - int(
            np.count_nonzero(_mask(bounds.sure, part.rows))
        )
        if between < self.engine_rows_min:
            return bounds
        condition = to_sql(self.plan.node, self.plan.rights, self.plan.names)
        try:
            found = self.engine.select(segment_query(part, condition), timeout_s=self._engine_time())
        except QueryTimeoutError:
            return bounds  # row by row gets somewhere at least
        indexes = part.indexes()
        mask = np.isin(indexes, found.column("index").to_numpy().astype(np.int64))
        low, high = self.limits(part)
        return exactly(mask & (indexes >= low) & (indexes < high))


def segment_query(part: SegmentPart, condition: Sql) -> Sql:
    """Return the statement that gives the indexes of a segment's rows for which the condition of `to_sql` holds."""
    columns, content = str(part.folder / COLUMNS), str(part.folder / CONTENT)
    return Sql(
        'SELECT "index" FROM (SELECT c.*, t.id, decode(t.facts) AS facts, decode(t.personal) AS personal,'  # noqa: S608
        " CAST(? AS INTEGER) AS class_number FROM read_parquet(?) AS c JOIN read_parquet(?) AS t"
        f' ON c."index" = t."index") AS event WHERE {condition.text}',
        (part.class_number, columns, content, *condition.values),
    )


@dataclass(frozen=True, slots=True)
class _Candidates:
    indexes: NDArray[np.int64]
    positions: NDArray[np.intp]
    sure: NDArray[np.bool_]

    @classmethod
    def of(cls, part: Part, bounds: Bounds) -> _Candidates:
        if bounds.is_empty:
            none = np.zeros(0, dtype=np.intp)
            return cls(none.astype(np.int64), none, none.astype(np.bool_))
        positions = np.flatnonzero(_mask(bounds.maybe, part.rows))
        sure = np.ones(len(positions), dtype=np.bool_)
        if not bounds.is_exact:
            sure = _mask(bounds.sure, part.rows)[positions]
        return cls(part.indexes(positions), positions, sure)


def _mask(selection: NDArray[np.bool_] | bool, rows: int) -> NDArray[np.bool_]:
    return np.full(rows, selection) if isinstance(selection, bool) else selection.copy()


def _cut(selection: NDArray[np.bool_] | bool, inside: Bounds) -> NDArray[np.bool_] | bool:
    if selection is False or inside.sure is False:
        return False
    if inside.sure is True:
        return selection
    return inside.sure if selection is True else selection & inside.sure


def _next_step(step: int, seconds: float) -> int:
    return max(1, step // 4) if seconds > CHUNK_S else min(2 * step, CHUNK_ROWS)


def _pieces(positions: list[int]) -> list[list[int]]:
    """Cut the rows of one part into pieces that may be read at the same time; decompressing releases the lock."""
    size = max(_ROWS_FOR_THREADS, -(-len(positions) // _READERS))
    return [positions[start : start + size] for start in range(0, len(positions), size)]
