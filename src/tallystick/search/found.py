"""What a scan hands on: matching rows by part and position, and the content it had to read to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tallystick.event.disclosure import Disclosure
from tallystick.search.parts import Part


@dataclass(frozen=True, slots=True)
class Found:
    """Matching rows of one group of parts, in the order of the scan. `owner` says which of `parts` a row is in.

    `content` holds what had to be read to judge a row, by index. Every index beyond `done_to`, in the direction of the
    scan, has been searched.
    """

    parts: tuple[Part, ...]
    indexes: NDArray[np.int64]
    owners: NDArray[np.intp]
    positions: NDArray[np.intp]
    content: dict[int, Disclosure]
    done_to: int

    def __len__(self) -> int:
        return len(self.indexes)

    def judged(self, count: int) -> Iterator[tuple[tuple[str, int], Disclosure]]:
        """Yield, by part and position, the content that was read to judge the first `count` rows."""
        for at, index in enumerate(self.indexes[:count].tolist() if self.content else ()):
            if index in self.content:
                yield (self.parts[self.owners[at]].key, int(self.positions[at])), self.content[index]

    def slice(self, start: int, stop: int) -> Found:
        """Return some of the rows, as found."""
        chosen = slice(start, stop)
        return replace(self, indexes=self.indexes[chosen], owners=self.owners[chosen], positions=self.positions[chosen])
