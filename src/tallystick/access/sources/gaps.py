"""Gaps in the numbers that a sender counts its own events with: what was sent, and never came."""

from __future__ import annotations

from typing import Final

import msgspec

GAPS_MAX: Final = 100
"""Kept of one stream; of more than these the newest are known by their count only."""


class Stream(msgspec.Struct):
    """One counter of a sender: the number that comes next, and the ranges (first and last) that were left out.

    It begins with the first number seen. Numbers may come in any order: a late one closes its gap. `beyond` counts
    numbers missing beyond the gaps that are kept; those are never found again.
    """

    next: int
    gaps: list[tuple[int, int]] = []
    beyond: int = 0

    def take(self, number: int) -> None:
        """Note that a number came."""
        if number >= self.next:
            if number > self.next:
                self._miss(self.next, number - 1)
            self.next = number + 1
            return
        for at, (first, last) in enumerate(self.gaps):
            if first <= number <= last:
                rest = [(first, number - 1), (number + 1, last)]
                self.gaps[at : at + 1] = [each for each in rest if each[0] <= each[1]]
                return

    @property
    def missing(self) -> int:
        """How many numbers never came."""
        return self.beyond + sum(last - first + 1 for first, last in self.gaps)

    def _miss(self, first: int, last: int) -> None:
        if len(self.gaps) < GAPS_MAX:
            self.gaps.append((first, last))
        else:
            self.beyond += last - first + 1
