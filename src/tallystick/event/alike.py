"""Many absences judged at once: those that every erasure, hold and decision treats alike stand together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.event.erasure import Absence, ErasureHistory, Part

ENTRY: Final = np.dtype(
    [("suite", "u1"), ("zero", "u1"), ("class", ">u2"), ("source", ">u4"), ("received_at", ">u8"), ("content", "V32")]
)
"""The 48 bytes of an entry."""

Indexes = NDArray[np.uint64]


def group_alike(indexes: Indexes, entries: NDArray[Any], history: ErasureHistory) -> Iterator[NDArray[np.int64]]:
    """Yield the places in `indexes` (ascending) of each group, in order of index within it; `entries` are of `ENTRY`.

    Whatever justifies the newest of a group justifies all of it, because the older ones were kept longer, and every
    range, class, source and time that any event names has all of them or none.
    """
    if not len(indexes):
        return
    sources = _sorted(history.holds.sources() | {number for each in history.erasures for number in each.spared})
    source = entries["source"].astype(np.int64)
    columns = (
        np.searchsorted(_sorted(history.edges), indexes.astype(np.int64), side="right"),
        entries["class"].astype(np.int64),
        np.where(np.isin(source, sources), np.searchsorted(sources, source) + 1, 0),
        np.searchsorted(_sorted(history.holds.moments()), entries["received_at"].astype(np.int64), side="right"),
    )
    key = np.zeros(len(indexes), dtype=np.int64)
    for column in columns:
        _, ranked = np.unique(column, return_inverse=True)
        _, key = np.unique(key * (int(ranked.max()) + 1) + ranked, return_inverse=True)
    order = np.argsort(key, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def absence_at(index: int, entry: Any, part: Part) -> Absence:
    """Return the absence of a part at an index, as its entry of `ENTRY` has it."""
    return Absence(int(index), int(entry["class"]), int(entry["received_at"]), part, int(entry["source"]))


def _sorted(numbers: Collection[int]) -> NDArray[np.int64]:
    return np.array(sorted(numbers), dtype=np.int64)
