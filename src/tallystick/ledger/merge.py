"""Merging: when nothing is to be sealed, runs of small neighbouring segments become one segment each.

Order: the new segment is written, synced and compared; the manifest that names it in place of the run is put in force;
the replaced folders go. A crash anywhere leaves the one manifest or the other, and folders that it does not name are
removed by the next merge, seal, erasure or start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from tallystick.clock import Clock
from tallystick.errors import TallystickError
from tallystick.ledger.errors import SealFailedError
from tallystick.ledger.layout import Layout
from tallystick.ledger.recover import save_manifest
from tallystick.ledger.seal import Sealer, drop_unlisted, settle, take_over
from tallystick.ledger.space import SpaceGuard
from tallystick.ledger.state import LedgerState
from tallystick.segment.manifest import Manifest, SegmentEntry
from tallystick.store.files import Disk

#: A longer run is merged in several goes: every segment of a run is open at the same time.
RUN_SEGMENTS_MAX = 128

Run = Sequence[SegmentEntry]


@dataclass(frozen=True, slots=True)
class MergeRule:
    """Which runs are merged: of at least so many segments, two or more, over at most so many indexes."""

    segments_min: int
    indexes_max: int

    def __post_init__(self) -> None:
        assert self.segments_min > 1, "one segment would be merged with itself for ever"

    def find(self, manifest: Manifest, left_alone: Collection[str]) -> Run:
        """Return the first run to merge, of one class and without a path that is left alone; an empty one if none is.

        The indexes spanned are bounded, and not only the events held, and the result reaches across the edge of no
        segment of another class: a search goes through overlapping segments together, so one rare class merged from
        end to end would make it go through all of them at once.
        """
        classes: dict[int, list[SegmentEntry]] = {}
        for entry in manifest.segments:
            classes.setdefault(entry.class_number, []).append(entry)
        for _, entries in sorted(classes.items()):
            for start in range(len(entries) - self.segments_min + 1):
                run = self._longest(entries[start : start + RUN_SEGMENTS_MAX], manifest.segments, left_alone)
                if run:
                    return run
        return ()

    def _longest(self, entries: Run, others: Run, left_alone: Collection[str]) -> Run:
        """Return the longest run that begins with the first entry."""
        first, count = entries[0].first, 0
        for entry in entries:
            if entry.end - first > self.indexes_max or entry.path in left_alone:
                break
            count += 1
        for length in range(count, self.segments_min - 1, -1):
            end = entries[length - 1].end
            if not any(_cross(first, end, other) for other in others):
                return entries[:length]
        return ()


class Merging:
    """Merges one run after another, in the sealer's thread; shares the manifest's turn with seals and erasures.

    A run that could not be merged stays as it is until the ledger is opened again, and the status says why: nothing
    depends on a merge, and a damaged segment is for the self-check and `verify` to name.
    """

    def __init__(
        self,
        disk: Disk,
        layout: Layout,
        state: LedgerState,
        sealer: Sealer,
        clock: Clock,
        rule: MergeRule,
        space: SpaceGuard,
        forget: Callable[[], None],
    ) -> None:
        """`forget` makes every reader inside the ledger let go of segment files that it keeps open."""
        self._disk = disk
        self._layout = layout
        self._state = state
        self._sealer = sealer
        self._clock = clock
        self._rule = rule
        self._space = space
        self._forget = forget
        self._left_alone: set[str] = set()
        self._nothing_in: int | None = None  # version of a manifest that was found to have no run

    def is_ready(self) -> bool:
        """Return whether there is a run to merge, nothing waits to be sealed, and there is room."""
        state = self._state
        manifest = state.manifest
        if manifest.version == self._nothing_in or state.read_only is not None or state.closed_files():
            return False
        if not self._rule.find(manifest, self._left_alone):
            self._nothing_in = manifest.version
            return False
        return not self._space.is_low()

    def merge_next(self) -> bool:
        """Merge one run if one is ready; return whether that was done."""
        if not self.is_ready():
            return False
        with self._state.manifest_turn:
            if not self.is_ready():  # an erasure had the turn
                return False
            run = self._rule.find(self._state.manifest, self._left_alone)
            try:
                manifest = settle(self._disk, self._layout, self._state, self._clock)
                run = self._rule.find(manifest, self._left_alone)
                if run:
                    self._merge(manifest, run)
            except (OSError, TallystickError) as error:
                self._left_alone.update(entry.path for entry in run)
                self._state.note_trouble("merge", error)
                return False
        self._state.note_trouble("merge", None)
        return True

    def _merge(self, manifest: Manifest, run: Run) -> None:
        drop_unlisted(self._disk, self._layout, manifest)
        made = self._sealer.merge(run, self._layout.segments)
        _require_whole(run, made)
        kept = [entry for entry in manifest.segments if entry not in run]
        merged = Manifest(
            version=manifest.version + 1,
            sealed_size=manifest.sealed_size,
            segments=tuple(sorted((*kept, made), key=lambda each: (each.first, each.class_number))),
        )
        # A crash up to here leaves a folder that no manifest names.
        save_manifest(self._disk, self._layout, merged)
        # A crash from here on leaves the replaced folders, which no manifest names any more.
        take_over(self._disk, self._layout, self._state, self._clock, merged)
        self._forget()
        drop_unlisted(self._disk, self._layout, merged)


def _cross(first: int, end: int, other: SegmentEntry) -> bool:
    """Return whether the two ranges overlap though neither holds the other."""
    overlap = first < other.end and other.first < end
    return (
        overlap and not (first <= other.first and other.end <= end) and not (other.first <= first and end <= other.end)
    )


def _require_whole(run: Run, made: SegmentEntry) -> None:
    expected = (run[0].class_number, run[0].first, run[-1].end, sum(entry.events for entry in run))
    if (made.class_number, made.first, made.end, made.events) != expected:
        raise SealFailedError(f"{made.path} with {made.events} events is not what {len(run)} segments become")
