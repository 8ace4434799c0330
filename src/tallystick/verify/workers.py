"""Content is checked file by file, in two processes where there is enough of it to pay for starting them."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tallystick.segment.manifest import SegmentEntry
from tallystick.verify.blocks import ContentFacts
from tallystick.verify.content import check_segment

PROCESSES: Final = 2
ALONE_EVENTS_MAX: Final = 50_000
"""Up to so many events one process is done before others would have started."""

Collect = Callable[[Callable[[int], None]], list[ContentFacts]]


@contextmanager
def checked_segments(ledger: Path, segments: Path, size: int, entries: Sequence[SegmentEntry]) -> Iterator[Collect]:
    """Begin to check the segments and yield what waits for the results, given in the order of `entries`.

    The waiting one calls back with the events of each segment that is done.
    """
    if sum(entry.events for entry in entries) <= ALONE_EVENTS_MAX:

        def collect(advance: Callable[[int], None]) -> list[ContentFacts]:
            return [_told(check_segment(ledger, segments, size, entry), entry, advance) for entry in entries]

        yield collect
        return
    # What a check makes holds no cycles, and looking for them costs a twentieth of the time.
    pool = ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn"), initializer=gc.disable)
    try:
        largest_first = sorted(entries, key=lambda entry: -entry.events)
        futures = {entry.path: pool.submit(check_segment, ledger, segments, size, entry) for entry in largest_first}

        def wait(advance: Callable[[int], None]) -> list[ContentFacts]:
            return [_told(_result(futures[entry.path]), entry, advance) for entry in entries]

        yield wait
    finally:
        pool.shutdown(cancel_futures=True)


def _result(future: Future[ContentFacts]) -> ContentFacts:
    return future.result()


def _told(facts: ContentFacts, entry: SegmentEntry, advance: Callable[[int], None]) -> ContentFacts:
    advance(entry.events)
    return facts
