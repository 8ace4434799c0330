"""What searches keep in memory: columns in searched form, word filters, open files; the least used goes first.

Everything in it can be made again. A segment is keyed by its folder, which is never written twice, so an entry cannot
be stale; entries of segments that are gone are dropped by `keep_only`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.search.vocabulary import Vocabulary

VOCABULARY_VALUES_MAX = 4_000_000


class _Sized(Protocol):
    @property
    def size_bytes(self) -> int: ...


T = TypeVar("T")
S = TypeVar("S", bound=_Sized)
A = TypeVar("A", bound=np.generic)


class PartCache:
    """A bounded cache, safe to share between threads. Two threads may load the same thing at once; one result stays."""

    def __init__(self, bytes_max: int, files_max: int = 512) -> None:
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._files: OrderedDict[str, Any] = OrderedDict()
        self._vocabularies: dict[str, Vocabulary] = {}

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def vocabulary(self, column: str) -> Vocabulary:
        """Return the vocabulary of a column; when it has grown too large, a new one, and the column is loaded anew."""
        with self._lock:
            found = self._vocabularies.get(column)
            if found is None or len(found) > VOCABULARY_VALUES_MAX:
                if found is not None:
                    self._drop([key for key in self._kept if key[1] == column])
                found = self._vocabularies[column] = Vocabulary()
            return found

    def has(self, part: str, column: str) -> bool:
        """Whether the column is in memory."""
        return (part, column) in self._kept

    def column(self, part: str, name: str, load: Callable[[], S]) -> S:
        return self._get((part, name), load, lambda value: value.size_bytes)

    def words(self, part: str, load: Callable[[], S]) -> S:
        return self._get((part, " words"), load, lambda value: value.size_bytes)

    def array(self, part: str, name: str, load: Callable[[], NDArray[A]]) -> NDArray[A]:
        return self._get((part, name), load, lambda value: value.nbytes)

    def files(self, part: str, load: Callable[[], T]) -> T:
        """Return the open files of a segment."""
        with self._lock:
            if part in self._files:
                self._files.move_to_end(part)
                found: T = self._files[part]
                return found
        opened = load()
        with self._lock:
            self._files[part] = opened
            while len(self._files) > self._files_max:
                self._files.popitem(last=False)
        return opened

    def keep_only(self, parts: Collection[str]) -> None:
        """Forget every segment that is not among `parts`."""
        with self._lock:
            self._drop([key for key in self._kept if key[0] not in parts])
            for part in [part for part in self._files if part not in parts]:
                del self._files[part]

    def _get(self, key: tuple[str, str], load: Callable[[], T], size_of: Callable[[T], int]) -> T:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key][0]
                return found
        value = load()
        size = size_of(value)
        with self._lock:
            self._drop([key])
            self._kept[key] = (value, size)
            self._bytes += size
            while self._bytes > self._bytes_max and len(self._kept) > 1:
                self._drop([next(iter(self._kept))])
        return value

    def _drop(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            entry = self._kept.pop(key, None)
            if entry is not None:
                self._bytes -= entry[1]
