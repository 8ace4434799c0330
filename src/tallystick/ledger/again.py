"""Reading segments that a merge or an erasure may replace at any time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

T = TypeVar("T")
_TRIES: Final = 4


def read_again(read: Callable[[], T]) -> T:
    """Return what `read` returns, which takes a snapshot and reads its segments.

    Where a file was gone, because a merge or an erasure replaced its segment, it is called again and finds the newer ones.
    Raises FileNotFoundError where that goes on.
    """
    for _ in range(_TRIES - 1):
        with suppress(FileNotFoundError):
            return read()
    return read()
