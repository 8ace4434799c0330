"""The distinct values of a column, numbered once for the whole process, and which of them pass a test.

A test is evaluated once for each distinct value, however many segments and events have it. Vocabularies only grow; the
cache that owns them starts anew when they become too large.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from tallystick.query.fold import fold

Numbers = NDArray[np.uint32]
Mask = NDArray[np.bool_]

REMEMBERED_TESTS_MAX = 128


class Vocabulary:
    """Numbers for the values of one column; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._values: list[str] = []
        self._folded: dict[str, list[int]] = {}
        self._folded_to = 0
        self._joined = ""
        self._offsets = [0]
        self._passing: OrderedDict[Hashable, Mask] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, number: int) -> str:
        return self._values[number]

    def number(self, values: Sequence[str]) -> Numbers:
        """Return the numbers of the values, giving new ones to those not seen before."""
        with self._lock:
            numbers, known = self._numbers, self._values
            found = np.empty(len(values), dtype=np.uint32)
            for position, value in enumerate(values):
                number = numbers.get(value)
                if number is None:
                    number = numbers[value] = len(known)
                    known.append(value)
                found[position] = number
            return found

    def equal(self, text: str) -> tuple[int, ...]:
        """Return the numbers of the values that equal `text`, letter case aside."""
        with self._lock:
            for number in range(self._folded_to, len(self._values)):
                self._folded.setdefault(fold(self._values[number]), []).append(number)
            self._folded_to = len(self._values)
            return tuple(self._folded.get(fold(text), ()))

    def exactly(self, text: str) -> tuple[int, ...]:
        """Return the number of the value, if it has one."""
        number = self._numbers.get(text)
        return () if number is None else (number,)

    def passing(self, key: Hashable, test: Callable[[str], bool], literal: str) -> Mask:
        """Return for each number whether its value passes; `key` stands for the test, which must be pure.

        `literal` is folded ASCII text that every passing value holds, letter case aside; empty when there is none.
        """
        with self._lock:
            mask = self._passing.pop(key, np.zeros(0, dtype=np.bool_))
            start = len(mask)
            if start < len(self._values):
                mask = np.concatenate([mask, np.zeros(len(self._values) - start, dtype=np.bool_)])
                for number in self._likely(start, literal):
                    mask[number] = test(self._values[number])
            self._passing[key] = mask
            while len(self._passing) > REMEMBERED_TESTS_MAX:
                self._passing.popitem(last=False)
            return mask

    def _likely(self, start: int, literal: str) -> Iterable[int]:
        """Return the numbers from `start` on whose values hold the literal: one search over all of them, joined."""
        if not literal:
            return range(start, len(self._values))
        if len(self._offsets) <= len(self._values):
            new = [fold(value) for value in self._values[len(self._offsets) - 1 :]]
            self._joined += "".join(f"{value}\n" for value in new)
            self._offsets += [self._offsets[-1] + end for end in accumulate(len(value) + 1 for value in new)]
        found: list[int] = []
        at = self._joined.find(literal, self._offsets[start])
        while at >= 0:
            number = bisect_right(self._offsets, at) - 1
            found.append(number)
            at = self._joined.find(literal, self._offsets[number + 1])
        return found
