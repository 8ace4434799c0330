"""Columns in the form in which they are searched: small codes instead of texts, numpy arrays instead of rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.query.fold import fold
from tallystick.search.vocabulary import Mask, Numbers, Vocabulary

CODED_VALUES_MAX = 65_536
Selection = Mask | bool
"""Which rows: a mask, or a plain bool when it is the same for all of them."""


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Whole numbers, none missing, as distances from the smallest in the fewest bytes that hold them."""

    base: int
    offsets: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, numbers: NDArray[np.int64]) -> NumberColumn:
        base = int(numbers.min()) if len(numbers) else 0
        span = int(numbers.max()) - base if len(numbers) else 0
        return cls(base, (numbers - base).astype(_smallest(span)))

    @property
    def size_bytes(self) -> int:
        return self.offsets.nbytes

    def at(self, positions: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """Return the numbers at the positions, or all."""
        chosen = self.offsets if positions is None else self.offsets[positions]
        return chosen.astype(np.int64) + self.base

    def between(self, low: int | None, high: int | None) -> Selection:
        """Select what is at least `low` and less than `high`."""
        most = np.iinfo(self.offsets.dtype).max
        from_, to = 0 if low is None else low - self.base, most + 1 if high is None else high - self.base
        if from_ > most or to <= 0:
            return False
        found: Selection = True if from_ <= 0 else self.offsets >= from_
        if to <= most:
            below = self.offsets < to
            found = below if found is True else found & below
        return found

    def among(self, numbers: Iterable[int]) -> Selection:
        """Select what is one of a few numbers."""
        found: Selection = False
        for number in numbers:
            one = self.between(number, number + 1)
            found = one if found is False or one is True else found if one is False or found is True else found | one
        return found


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """Texts as codes into the values of this part; the highest code stands for a missing value.

    For a column of lists, `rows` gives the row of each code (None when every row has exactly one), and `size` the rows.
    """

    vocabulary: Vocabulary
    values: Numbers
    codes: NDArray[np.unsignedinteger]
    rows: NDArray[np.uint32] | None
    size: int

    @property
    def size_bytes(self) -> int:
        return self.values.nbytes + self.codes.nbytes + (0 if self.rows is None else self.rows.nbytes)

    def present(self) -> Selection:
        """Select the rows with a value."""
        return self._rows_of(self.codes != len(self.values))

    def equal(self, text: str, *, exact: bool) -> Selection:
        numbers = self.vocabulary.exactly(text) if exact else self.vocabulary.equal(text)
        places = [np.flatnonzero(self.values == number) for number in numbers]
        return self._having(np.concatenate(places) if places else _NONE)

    def passing(self, key: Hashable, test: Callable[[str], bool], literal: str) -> Selection:
        return self.among(self.vocabulary.passing(key, test, literal))

    def among(self, wanted: Mask) -> Selection:
        """Select the rows with a value whose number is marked."""
        if not len(self.values) or not wanted.any():
            return False
        marked = wanted[self.values]
        codes = np.flatnonzero(marked)
        if len(codes) <= _FEW:
            return self._having(codes)
        return self._rows_of(np.append(marked, False)[self.codes])

    def counts(self, rows: NDArray[np.intp] | None) -> NDArray[np.int64]:
        """Return how many of the rows, or of all, have each value, with the missing last; a list counts a value once."""
        kinds = len(self.values) + 1
        codes = self.codes
        if self.rows is not None:
            pairs = np.unique(self.rows.astype(np.int64) * kinds + codes)
            codes = pairs % kinds
            if rows is not None:
                wanted = np.zeros(self.size, dtype=np.bool_)
                wanted[rows] = True
                codes = codes[wanted[pairs // kinds]]
        elif rows is not None:
            codes = codes[rows]
        return np.bincount(codes, minlength=kinds)

    def _having(self, codes: NDArray[np.intp]) -> Selection:
        if not len(codes):
            return False
        found = self.codes == codes[0]
        for code in codes[1:]:
            found |= self.codes == code
        return self._rows_of(found)

    def _rows_of(self, marked: Mask) -> Selection:
        if self.rows is None:
            return marked
        found = np.zeros(self.size, dtype=np.bool_)
        found[self.rows[marked]] = True
        return found


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Texts with too many distinct values to be worth numbering, kept as Arrow holds them."""

    texts: pa.Array
    rows: NDArray[np.uint32] | None
    size: int

    @property
    def size_bytes(self) -> int:
        return int(self.texts.nbytes) + (0 if self.rows is None else self.rows.nbytes)

    def present(self) -> Selection:
        return self._rows_of(pc.is_valid(self.texts).to_numpy(zero_copy_only=False))

    def equal(self, text: str, *, exact: bool) -> Selection:
        if exact:
            return self._rows_of(_mask(pc.equal(self.texts, text)))
        wanted = fold(text)
        return self.passing(None, lambda value: fold(value) == wanted, text)

    def passing(self, key: Hashable, test: Callable[[str], bool], literal: str) -> Selection:
        """Select the rows whose text passes; `literal` is ASCII text that every passing text holds, letter case aside."""
        del key
        likely = pc.is_valid(self.texts)
        if literal:
            likely = pc.match_substring(pc.utf8_lower(self.texts), literal.lower())
        marked = _mask(likely)
        places = np.flatnonzero(marked)
        passed = [test(value) for value in self.texts.take(pa.array(places)).to_pylist()]
        marked[places] = passed
        return self._rows_of(marked)

    def counts(self, rows: NDArray[np.intp] | None) -> list[tuple[str | None, int]]:
        """Return how many of the rows, or of all, have each value; in a list each one counts."""
        texts = self.texts
        if rows is not None:
            texts = texts.take(pa.array(rows if self.rows is None else np.flatnonzero(np.isin(self.rows, rows))))
        counted = pc.value_counts(texts)
        return list(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))

    def _rows_of(self, marked: Mask) -> Selection:
        if self.rows is None:
            return marked
        found = np.zeros(self.size, dtype=np.bool_)
        found[self.rows[marked]] = True
        return found


@dataclass(frozen=True, slots=True)
class BarColumn:
    """Times as numbers of equal steps, counted from the first of the part."""

    first: int
    codes: NDArray[np.unsignedinteger]
    totals: NDArray[np.int64]

    @property
    def size_bytes(self) -> int:
        return self.codes.nbytes + self.totals.nbytes


Column = NumberColumn | CodedColumn | TextColumn
_NONE = np.zeros(0, dtype=np.intp)
_FEW = 3


NUMBERS = frozenset({"index", "received_at", "occurred_at", "source"})
COMBINED = {
    "actor_or_key": ("actor_id", "actor_key"),
    "personal_actor_or_key": ("actor_id", "personal_actor_id", "actor_key"),
    "source_text": ("source",),
}
"""Columns that facets count: the first of several that has a value, and numbers as text."""


def load_column(
    name: str, read: Callable[[Sequence[str]], pa.Table], vocabulary: Vocabulary
) -> NumberColumn | CodedColumn | TextColumn:
    """Return a column in its searched form; `read` gives columns by name as they are stored."""
    if name in COMBINED:
        table = read(COMBINED[name])
        columns = [table.column(each).cast(pa.string()) for each in COMBINED[name]]
        return text_column(pc.coalesce(*columns), vocabulary)
    column = read((name,)).column(name)
    if name in NUMBERS:
        return NumberColumn.of(column.to_numpy().astype(np.int64, copy=False))
    return text_column(column, vocabulary)


def count_all(column: Column) -> NDArray[np.int64]:
    """Return how many rows have each value of a coded column, the missing last."""
    assert isinstance(column, CodedColumn)
    return column.counts(None)


def bar_column(times: NumberColumn, step_us: int) -> BarColumn:
    """Return the times in steps of `step_us`."""
    bars = times.at() // step_us
    first = int(bars.min())
    codes = (bars - first).astype(_smallest(int(bars.max()) - first + 1))
    return BarColumn(first, codes, np.bincount(codes))


def text_column(column: pa.ChunkedArray, vocabulary: Vocabulary) -> CodedColumn | TextColumn:
    """Return a column of texts or of lists of texts in its searched form."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    size, rows = len(array), None
    if pa.types.is_list(array.type):
        parents = pc.list_parent_indices(array).to_numpy().astype(np.uint32)
        array = pc.list_flatten(array)
        rows = None if len(parents) == size and bool((parents == np.arange(size)).all()) else parents
    encoded = array.dictionary_encode()
    values = encoded.dictionary
    if len(values) > CODED_VALUES_MAX:
        return TextColumn(array, rows, size)
    missing = len(values)
    codes = encoded.indices.fill_null(missing).to_numpy().astype(_smallest(missing))
    return CodedColumn(vocabulary, vocabulary.number(values.to_pylist()), codes, rows, size)


def _smallest(maximum: int) -> type[np.unsignedinteger]:
    return next(kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64) if maximum <= np.iinfo(kind).max)


def _mask(array: pa.Array) -> Mask:
    found: Mask = array.fill_null(False).to_numpy(zero_copy_only=False)
    return np.array(found)
