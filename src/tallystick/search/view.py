"""One consistent view of the log for one search: its parts, newest first, in groups that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.ledger.model import Snapshot
from tallystick.search.cache import PartCache
from tallystick.search.model import Incomplete
from tallystick.search.parts import Part, SegmentPart
from tallystick.search.tail import Tail


@dataclass(frozen=True, slots=True)
class View:
    """The parts of a snapshot, without the segments `set_aside`. Rows at or above `size`, and tail rows below `sealed_size`, do not belong to it."""

    parts: tuple[Part, ...]
    size: int
    sealed_size: int
    set_aside: tuple[Incomplete, ...] = ()

    def groups(self, *, ascending: bool = False) -> Iterator[tuple[Part, ...]]:
        """Yield the parts, newest first or oldest first, those with overlapping ranges of indexes together."""
        groups = group_parts(self.parts)
        yield from groups if ascending else reversed(groups)

    def bounds(self, part: Part) -> tuple[int, int]:
        """Return the first index of the part that counts, and the one after the last."""
        first = part.first if part.summary is not None else max(part.first, self.sealed_size)
        return first, min(part.end, self.size)


def open_view(
    snapshot: Snapshot,
    root: Path,
    cache: PartCache,
    tail: Tail,
    pinned_size: int | None,
    quarantined: Mapping[str, str],
) -> View:
    """Return the view of a snapshot, cut to the size that an earlier page was pinned to.

    Segments `quarantined` (path to reason) are left out and named.

    An event that was in the tail then and is in a segment now is in this view once, where it is now.
    """
    size = snapshot.size if pinned_size is None else min(snapshot.size, pinned_size)
    entries = [entry for entry in snapshot.segments if entry.first < size]
    set_aside = tuple(
        Incomplete(first=entry.first, size=entry.size, reason=f"{entry.path} is set aside: {quarantined[entry.path]}")
        for entry in entries
        if entry.path in quarantined
    )
    parts: list[Part] = [SegmentPart(entry, root, cache) for entry in entries if entry.path not in quarantined]
    parts += [part for part in tail.parts(snapshot) if part.first < size]
    return View(tuple(parts), size, snapshot.sealed_size, set_aside)


def group_parts(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """Return the parts in order of index; parts whose ranges overlap share a group."""
    groups: list[list[Part]] = []
    end = -1
    for part in sorted(parts, key=lambda part: (part.first, part.end)):
        if groups and part.first < end:
            groups[-1].append(part)
        else:
            groups.append([part])
        end = max(end, part.end)
    return [tuple(group) for group in groups]
