"""Takes pages off a scan: newest first with a cursor, or upwards by index without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tallystick.event.disclosure import Disclosure
from tallystick.query.sql import Names
from tallystick.search.cursor import Position
from tallystick.search.found import Found
from tallystick.search.kept import KeptRows
from tallystick.search.model import COUNT_BOUND, Page, Pull, Row
from tallystick.search.ports import Register
from tallystick.search.render import ingredients_of, make_row
from tallystick.search.scan import Scan
from tallystick.search.sight import Sight


@dataclass(frozen=True, slots=True)
class Pages:
    """Makes pages for any caller; what a caller may see is in the scan's plan."""

    register: Register
    kept: KeptRows

    def newest(
        self, scan: Scan, position: Position | None, *, now_us: int, limit: int, count_budget: Callable[[], float]
    ) -> tuple[Page, Position | None]:
        """Return one page without its cursor, and the position for the next one, if there may be more."""
        size = scan.view.size
        scan.below = None if position is None else position.before
        picks: list[tuple[Found, int]] = []
        taken, count, searched_to, is_full = 0, 0, size if scan.below is None else scan.below, False
        batches = scan.run()
        for found in batches:
            take = min(limit - taken, len(found))
            picks.append((found, take))
            taken += take
            count += len(found)
            searched_to = found.done_to
            if taken >= limit:
                searched_to = int(found.indexes[take - 1])
                is_full = searched_to > 0
                break
        names, sight = scan.plan.names, scan.plan.sight
        rows = [
            self.kept.row(each, names, self.register, personal=sees_personal(sight, each))
            for each in scan.contents(picks)
        ]
        ended_early = scan.out_of_time
        if position is not None:
            count, exact = position.count, position.count_exact
        else:
            count, exact = _count_on(scan, batches, count, count_budget) if is_full else (count, not ended_early)
            count, exact = (COUNT_BOUND, False) if count > COUNT_BOUND else (count, exact)
        more = is_full or ended_early
        page = Page(
            rows=tuple(rows),
            next_cursor=None,
            count=count,
            count_exact=exact,
            pinned_size=size,
            searched_to=searched_to if more else 0,
            out_of_time=ended_early,
            fact_only=scan.plan.fact_only,
            incomplete=tuple(scan.incomplete),
        )
        return page, Position(searched_to, size, now_us, count, exact) if more else None

    def upwards(self, scan: Scan, after: int, limit: int) -> Pull:
        """Return the rows above an index, oldest first."""
        contents, next_after = take_upwards(scan, after, limit)
        return Pull(
            rows=tuple(self._rendered(scan, contents)),
            next_after=next_after,
            caught_up=next_after + 1 >= scan.view.size,
            incomplete=tuple(scan.incomplete),
        )

    def rows(self, scan: Scan, picks: Sequence[tuple[Found, int]]) -> list[Row]:
        """Return the first so many rows of each finding, rendered from their content, in the order of the scan.

        A row that cannot be read is left out, and its part named in the scan's `incomplete`.
        """
        return self._rendered(scan, scan.contents(picks))

    def row(self, disclosure: Disclosure, sight: Sight, names: Names) -> Row:
        """Return one event as far as it is seen."""
        return make_row(ingredients_of(disclosure, names, self.register, personal=sees_personal(sight, disclosure)))

    def _rendered(self, scan: Scan, contents: Iterable[Disclosure]) -> list[Row]:
        return [self.row(each, scan.plan.sight, scan.plan.names) for each in contents]


def sees_personal(sight: Sight, disclosure: Disclosure) -> bool:
    """Return whether the personal part of an event that is seen is shown."""
    assert disclosure.facts is not None
    return sight.sees_personal(disclosure.facts)


def take_upwards(scan: Scan, after: int, limit: int) -> tuple[list[Disclosure], int]:
    """Return the content of up to `limit` rows above an index, and the index up to which nothing was missed."""
    scan.above = after
    picks: list[tuple[Found, int]] = []
    taken, next_after = 0, after
    for found in scan.run():
        take = min(limit - taken, len(found))
        picks.append((found, take))
        taken += take
        if take < len(found) or taken >= limit:
            next_after = int(found.indexes[take - 1])
            break
        next_after = max(next_after, min(found.done_to, scan.view.size - 1))
    else:
        next_after = next_after if scan.out_of_time else max(after, scan.view.size - 1)
    return scan.contents(picks, salts=True), next_after


def _count_on(scan: Scan, batches: Iterator[Found], count: int, budget: Callable[[], float]) -> tuple[int, bool]:
    """Go on counting where the page ended, up to the bound and within a time of its own."""
    scan.seconds_left = budget
    for found in batches:
        count += len(found)
        if count > COUNT_BOUND:
            break
    return count, not scan.out_of_time
