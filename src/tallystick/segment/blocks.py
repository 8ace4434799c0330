"""Blocks of 4096 rows: the step in which rows are read, derived, summarised and compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import pyarrow as pa

BLOCK_ROWS: Final = 4096


def blocks_by_class(parts: Iterable[tuple[int, pa.Table]]) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each class in the order they come, 4096 at a time, and what is left of each at the end."""
    waiting: dict[int, list[pa.Table]] = {}
    for number, part in parts:
        held = waiting.setdefault(number, [])
        held.append(part)
        rows = sum(table.num_rows for table in held)
        if rows >= BLOCK_ROWS:
            joined = pa.concat_tables(held).combine_chunks()
            whole = rows - rows % BLOCK_ROWS
            yield from ((number, joined.slice(start, BLOCK_ROWS)) for start in range(0, whole, BLOCK_ROWS))
            waiting[number] = [joined.slice(whole)] if rows > whole else []
    for number, held in sorted(waiting.items()):
        if held:
            yield number, pa.concat_tables(held).combine_chunks()
