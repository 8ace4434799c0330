"""Each index once, each id once: what is there twice, and what is gone without a right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tallystick.event.alike import Indexes, absence_at, group_alike
from tallystick.event.commitment import ID_BYTES
from tallystick.event.erasure import Part, UncoveredAbsenceError, absence_is_covered
from tallystick.verify.blocks import ContentFacts, entries_at, joined
from tallystick.verify.codes import Code
from tallystick.verify.history import LogHistory
from tallystick.verify.model import Findings
from tallystick.verify.tree import EntryLog

ID_WINDOW_US: Final = (7 * 86_400 - 3_600) * 1_000_000
"""Within seven days a source cannot use an id twice; an hour less than that is certain on any clock."""
NAMED_MAX: Final = 20
JUDGED_TOGETHER: Final = 1 << 20
"""Absences whose entries are in memory at a time."""


@dataclass(slots=True)
class Presence:
    """How many events have their content, and how many lack some of it by right; by the index of each erasure."""

    whole: int = 0
    erased: int = 0
    covers: Counter[int] = field(default_factory=Counter)


def check_presence(files: Sequence[ContentFacts], log: EntryLog, history: LogHistory, findings: Findings) -> Presence:
    """Find indexes with two events, and those without one whose erasure the log does not justify."""
    seen = np.zeros(log.size, dtype=np.uint8)
    for file in files:
        held = joined(file.indexes)
        for index in held[seen[held] > 0][:NAMED_MAX].tolist():
            findings.add(Code.CONTENT_TWICE, "another file holds this event too", file.place, index)
        seen[held] = 1
    presence = Presence()
    missing = np.flatnonzero(seen == 0).astype(np.uint64)
    partial = joined([part for file in files for part in file.personal_gone])
    for part, indexes in ((Part.ALL, missing), (Part.PERSONAL, np.sort(partial))):
        for start in range(0, len(indexes), JUDGED_TOGETHER):
            _judge_all(indexes[start : start + JUDGED_TOGETHER], part, log, history, findings, presence)
    presence.whole = log.size - len(missing)
    return presence


def _judge_all(
    indexes: Indexes, part: Part, log: EntryLog, history: LogHistory, findings: Findings, presence: Presence
) -> None:
    entries, known = entries_at(log, indexes)
    indexes, entries = indexes[known], entries[known]  # an entry that is missing is a finding of the tree already
    for group in group_alike(indexes, entries, history.erasure):
        _judge(indexes[group], entries[group], part, history, findings, presence)


def _judge(
    indexes: Indexes,
    entries: NDArray[Any],
    part: Part,
    history: LogHistory,
    findings: Findings,
    presence: Presence,
) -> None:
    """Judge a group by its newest, and one by one where that has no right to be gone."""
    try:
        erasure = absence_is_covered(absence_at(indexes[-1], entries[-1], part), history.erasure)
    except UncoveredAbsenceError:
        for at, index in enumerate(indexes.tolist()):
            absence = absence_at(index, entries[at], part)
            try:
                presence.covers[absence_is_covered(absence, history.erasure).index] += 1
                presence.erased += 1
            except UncoveredAbsenceError as error:
                rest = len(indexes) - at - 1
                more = f"; {rest} events after it of class {absence.class_number} may lack theirs too" if rest else ""
                findings.add(Code.CONTENT_MISSING, error.message + more, "segments", absence.index)
                return
    else:
        presence.covers[erasure.index] += len(indexes)
        presence.erased += len(indexes)


def check_ids(files: Sequence[ContentFacts], log: EntryLog, findings: Findings) -> None:
    """Find ids that one source used twice within the window in which the ledger refuses that."""
    halves = [np.frombuffer(part, dtype="<u8")[1::2] for file in files for part in file.ids]
    if not halves:
        return
    second_half = np.concatenate(halves)  # 62 random bits in ids of either usual kind
    order = np.argsort(second_half, kind="stable")
    ordered = second_half[order]
    same = np.concatenate([[False], ordered[1:] == ordered[:-1]])
    suspects = np.zeros(len(ordered), dtype=np.bool_)
    suspects[order[same]] = suspects[order[np.roll(same, -1)]] = True
    taken: dict[tuple[int, bytes], int] = {}
    for index, key, place in sorted(_pick(files, suspects), key=itemgetter(0)):
        first, taken[key] = taken.get(key), index
        if first is None or first == index:
            continue
        times = [each for each in (log.received_at(first), log.received_at(index)) if each is not None]
        if times and times[-1] - times[0] < ID_WINDOW_US:
            findings.add(Code.ID_TWICE, f"it has the id of the event at index {first}", place, index)


def _pick(files: Sequence[ContentFacts], suspects: NDArray[np.bool_]) -> Iterator[tuple[int, tuple[int, bytes], str]]:
    """Yield (index, (source, id), file) of the rows marked, counted through all files."""
    start = 0
    for file in files:
        for indexes, ids, sources in zip(file.indexes, file.ids, file.sources, strict=True):
            for at in np.flatnonzero(suspects[start : start + len(indexes)]).tolist():
                yield int(indexes[at]), (int(sources[at]), ids[at * ID_BYTES :][:ID_BYTES]), file.place
            start += len(indexes)
