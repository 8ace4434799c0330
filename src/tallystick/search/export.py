"""Exports: every matching event, oldest first, streamed, with a head and a tail that say what was exported.

An export has no row limit. Its tail states how many events it holds; a file without its tail is not whole.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tallystick.errors import InvalidInputError
from tallystick.event.disclosure import Disclosure
from tallystick.query.evaluate import walk
from tallystick.query.moments import format_moment
from tallystick.search.model import Row, Search
from tallystick.search.paging import Pages
from tallystick.search.ports import Caller, LedgerReader
from tallystick.search.recorder import describe
from tallystick.search.render import row_fields, without_personal
from tallystick.search.scan import Scan
from tallystick.search.service import SearchService

ROWS_AT_ONCE = 512
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four are wide forms of the first


class UnknownFormatError(InvalidInputError):
    """There is no such export format."""

    code = "export-format-unknown"
    advice = "Formats: csv, jsonl, parquet."


@dataclass(frozen=True, slots=True)
class About:
    """What an export says of itself. `checkpoint` is the newest signed checkpoint when it was made; `personal` says
    whether it may hold personal data of some of its events.
    """

    query: str
    caller: str
    origin: str
    checkpoint: str
    size: int
    events: int
    made_at: int
    personal: bool

    def head(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {**asdict(self), "made_at": format_moment(self.made_at), "export": "tallystick/1"}


Batches = Iterator[list[Row]]
Count = Callable[[int], object]


class ExportFile(NamedTuple):
    """An export that is on record: how many events it holds, and its chunks.

    `chunks` takes what is told how many events more were written; no event is read before the first chunk is asked for.
    """

    events: int
    chunks: Callable[[Count], Iterator[bytes]]


FORMATS = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def export_events(
    service: SearchService, ledger: LedgerReader, search: Search, caller: Caller, format_name: str
) -> Iterator[bytes]:
    """Return the chunks of an export, as `start_export` does."""
    return start_export(service, ledger, search, caller, format_name).chunks(lambda _events: None)


def start_export(
    service: SearchService, ledger: LedgerReader, search: Search, caller: Caller, format_name: str
) -> ExportFile:
    """Return an export of all matching events, oldest first, however many; it is on record, with its count.

    Raises UnknownFormatError, QueryError, PersonalWithheldError, PermissionMissingError.
    """
    write = _WRITERS.get(format_name)
    if write is None:
        raise UnknownFormatError(f"there is no export format {format_name!r}")
    scan, total = service.open_export(search, caller)
    about = About(
        query=describe(search),
        caller=caller.id,
        origin=ledger.origin,
        checkpoint=ledger.checkpoint().decode(),
        size=scan.view.size,
        events=total,
        made_at=scan.plan.now_us,
        personal=scan.plan.sight.some_personal,
    )
    service.recorder.exported(caller, search, total, format_name)
    return ExportFile(total, lambda count: write(about, _batches(scan, service.pages, count), scan))


def start_disclosures(
    service: SearchService, search: Search, caller: Caller, format_name: str
) -> tuple[int, int, Iterator[Disclosure]]:
    """Return how many events match, the size of the log they were searched in, and their disclosures, oldest first, as
    far as the caller may see them. The export is on record. Raises what `start_export` raises.
    """
    scan, total = service.open_export(search, caller, proofs=True)
    service.recorder.exported(caller, search, total, format_name)
    return total, scan.view.size, _disclosures(scan)


def _disclosures(scan: Scan) -> Iterator[Disclosure]:
    for found in scan.run():
        for start in range(0, len(found), ROWS_AT_ONCE):
            piece = found.slice(start, start + ROWS_AT_ONCE)
            for each in scan.contents([(piece, len(piece))], salts=True):
                assert each.facts is not None
                yield each if scan.plan.sight.sees_personal(each.facts) else without_personal(each)


def _batches(scan: Scan, pages: Pages, count: Count) -> Batches:
    for found in scan.run():
        for start in range(0, len(found), ROWS_AT_ONCE):
            piece = found.slice(start, start + ROWS_AT_ONCE)
            rows = pages.rows(scan, [(piece, len(piece))])
            yield rows
            count(len(rows))


def _tail(scan: Scan, written: int) -> dict[str, Any]:
    missing = [{"first": part.first, "size": part.size, "reason": part.reason} for part in scan.incomplete]
    return {"end": True, "events": written, "incomplete": missing}


def _write_lines(about: About, batches: Batches, scan: Scan) -> Iterator[bytes]:
    """Yield JSON lines: the head, one event a line, the tail."""
    yield _line(about.head())
    written = 0
    for rows in batches:
        written += len(rows)
        yield b"".join(_line(row_fields(row)) for row in rows)
    yield _line(_tail(scan, written))


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a table: where its value lies in an event, and whether it is personal."""

    name: str
    path: tuple[str, ...]
    personal: bool = False


EVENT_CELLS = (
    Cell("occurred_at", ("occurred_at",)),
    Cell("action", ("action",)),
    Cell("actor_type", ("actor", "type")),
    Cell("actor_id", ("actor", "id")),
    Cell("actor_key", ("actor", "key")),
    Cell("actor_name", ("actor", "name"), personal=True),
    Cell("actor_email", ("actor", "email"), personal=True),
    Cell("on_behalf_of_id", ("on_behalf_of", "id")),
    Cell("on_behalf_of_key", ("on_behalf_of", "key")),
    Cell("target_type", ("targets", "type")),
    Cell("target_id", ("targets", "id")),
    Cell("target_key", ("targets", "key")),
    Cell("target_name", ("targets", "name"), personal=True),
    Cell("scope", ("scope",)),
    Cell("outcome", ("outcome",)),
    Cell("severity", ("severity",)),
    Cell("ip", ("context", "ip"), personal=True),
    Cell("user_agent", ("context", "user_agent"), personal=True),
    Cell("request_id", ("context", "request_id")),
    Cell("reason", ("reason",), personal=True),
)
RECORD_CELLS = ("index", "id", "received_at", "source", "class", "message", "withheld", "erased", "undeclared")


def table_names(*, personal: bool) -> list[str]:
    """Return the column names of CSV and Parquet; without the right to personal data its columns are not there."""
    return [*RECORD_CELLS, *(cell.name for cell in EVENT_CELLS if personal or not cell.personal), "event"]


def table_row(row: Row, *, personal: bool) -> list[Any]:
    """Return the values in the order of `table_names`; several values of one cell are joined by spaces."""
    fields = row_fields(row)
    cells = [cell for cell in EVENT_CELLS if personal or not cell.personal]
    texts = [" ".join(str(value) for value in walk(row.event, cell.path) if value is not None) for cell in cells]
    whole = json.dumps(row.event, ensure_ascii=False, separators=(",", ":"))
    return [*(fields[name] for name in RECORD_CELLS), *texts, whole]


def neutralised(value: object) -> str:
    """Return a cell's text so that no spreadsheet takes it for a formula."""
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _write_csv(about: About, batches: Batches, scan: Scan) -> Iterator[bytes]:
    """Yield CSV (RFC 4180): names, rows, and a last line of one cell, beginning with #, that says what was exported.

    The names come first because spreadsheets and data frames take the first line for them.
    """
    yield _csv([table_names(personal=about.personal)])
    written = 0
    for rows in batches:
        written += len(rows)
        yield _csv([[neutralised(value) for value in table_row(row, personal=about.personal)] for row in rows])
    said = {**about.head(), **_tail(scan, written)}
    yield _csv([[f"# {json.dumps(said, ensure_ascii=False)}"]])


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


class _Drain(io.RawIOBase):
    """A file that only grows and is emptied by whoever sends it on."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        self._size += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._size

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def _write_parquet(about: About, batches: Batches, scan: Scan) -> Iterator[bytes]:
    """Yield a Parquet file; head and tail stand in the metadata of its footer."""
    names = table_names(personal=about.personal)
    kinds: dict[str, pa.DataType] = {
        "index": pa.int64(),
        "withheld": pa.bool_(),
        "erased": pa.bool_(),
        "undeclared": pa.bool_(),
    }
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in names])
    drain = _Drain()
    written = 0
    with pq.ParquetWriter(drain, schema, compression="zstd") as writer:
        for rows in batches:
            written += len(rows)
            values = [table_row(row, personal=about.personal) for row in rows]
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*values, strict=True), schema, strict=True)
            ]
            if columns:
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            yield drain.take()
        writer.add_key_value_metadata(
            {"tallystick.head": json.dumps(about.head()), "tallystick.tail": json.dumps(_tail(scan, written))}
        )
    yield drain.take()


_WRITERS: dict[str, Callable[[About, Batches, Scan], Iterator[bytes]]] = {
    "csv": _write_csv,
    "jsonl": _write_lines,
    "parquet": _write_parquet,
}
