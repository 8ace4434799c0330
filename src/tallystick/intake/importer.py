"""The import loop: files in, batches out, progress on the way, and a report that leaves nothing unsaid."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tallystick.clock import Clock, SystemClock
from tallystick.errors import UnavailableError
from tallystick.intake.formats import read_records
from tallystick.intake.inputs import CompressedDataError, Input, expand_inputs, open_input
from tallystick.intake.journal import Journal, Standing, journal_key
from tallystick.intake.mapping import EventMap, Mapped, UnmappableError
from tallystick.intake.model import BadRecord, Place, Position, Record
from tallystick.intake.report import FileReport, ImportReport, Rejected
from tallystick.intake.sink import ID_CONFLICT, Sink, SinkResult

BATCH_EVENTS = 1000
BATCH_BYTES = 4 * 1024 * 1024
ATTEMPTS_MAX = 6


@dataclass(frozen=True, slots=True)
class Progress:
    """How an import stands. Bytes are those of the files as they lie on disk, over all files."""

    file: str
    bytes_read: int
    bytes_total: int
    records: int
    accepted: int
    rejected: int
    elapsed_s: float

    @property
    def records_per_s(self) -> float:
        return self.records / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Seconds left at the pace so far; None while that cannot be said."""
        if self.bytes_read <= 0 or self.elapsed_s <= 0:
            return None
        return self.elapsed_s * max(0, self.bytes_total - self.bytes_read) / self.bytes_read


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import. `source` names the sender, `scope` is the path under which everything is put."""

    source: str
    scope: str = ""
    again: bool = False
    """Import a file again although the journal says that it is done."""
    batch_events: int = BATCH_EVENTS
    batch_bytes: int = BATCH_BYTES


@dataclass(slots=True)
class _Pending:
    """An event on its way, with the place it came from."""

    mapped: Mapped
    place: Place
    line: bytes


@dataclass(slots=True)
class _FileRun:
    """One file being imported."""

    file: str
    key: str
    report: FileReport
    position: Position
    pending: list[_Pending] = field(default_factory=list)
    pending_bytes: int = 0


class Importer:
    """Imports files through one map into one sink. Used once, by one thread.

    After an exception `report` says how far it came, and another run with the same journal goes on there.
    """

    def __init__(
        self,
        sink: Sink,
        event_map: EventMap,
        options: ImportOptions,
        *,
        journal: Journal | None = None,
        is_declared: Callable[[str], bool] = lambda action: not action.startswith("vendor."),
        progress: Callable[[Progress], None] = lambda _: None,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sink = sink
        self._map = event_map
        self._options = options
        self._journal = journal
        self._is_declared = is_declared
        self._progress = progress
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._reports: list[FileReport] = []
        self._bytes_total = 0
        self._bytes_done = 0
        self._records_this_run = 0
        self._started_s = 0.0

    @property
    def report(self) -> ImportReport:
        return ImportReport(tuple(self._reports))

    def run(self, paths: Iterable[Path]) -> ImportReport:
        """Import every file; raises MissingInputError before anything is sent when one is missing."""
        files = expand_inputs(paths)
        sizes = {file: file.stat().st_size for file in files}
        self._bytes_total = sum(sizes.values())
        self._started_s = self._clock.monotonic_s()
        for file in files:
            self._import_file(file)
            self._bytes_done += sizes[file]
        return self.report

    def _import_file(self, file: Path) -> None:
        run = self._begin(file)
        self._reports.append(run.report)
        if run.report.already_imported:
            return
        with open_input(file) as content:
            content.skip(run.position.offset)
            try:
                for found in read_records(
                    content.read,
                    wrappers=self._map.wrappers,
                    exact_numbers=self._map.exact_numbers,
                    start=run.position,
                ):
                    self._take(run, found, content)
            except CompressedDataError as error:
                self._flush(run, content)
                here = run.position
                place = Place(here.record, here.line, here.offset - here.line_start + 1, here.offset)
                self._reject(run, place, error.code, error.message)
            self._flush(run, content)
        self._save(run, done=True)

    def _begin(self, file: Path) -> _FileRun:
        """Return the run of `file`: from the beginning, or from where the journal says that an earlier one stopped."""
        options = self._options
        key = journal_key(file, self._map.name, self._map.digest, self._sink.name, options.source, options.scope)
        fresh = _FileRun(str(file), key, FileReport(str(file)), Position())
        standing = self._journal.find(key) if self._journal else None
        if standing is None or (standing.done and options.again):
            return fresh
        report = standing.report
        report.file = str(file)
        if standing.done:
            report.already_imported = True
            report.repeated += report.accepted
            report.accepted = 0
        else:
            report.resumed_at = standing.position.record
        return _FileRun(str(file), key, report, standing.position)

    def _take(self, run: _FileRun, found: Record | BadRecord, content: Input) -> None:
        run.report.records += 1
        self._records_this_run += 1
        if isinstance(found, BadRecord):
            self._reject(run, found.place, "record-syntax", found.reason)
        else:
            self._map_record(run, found)
        run.position = found.after
        if len(run.pending) >= self._options.batch_events or run.pending_bytes >= self._options.batch_bytes:
            self._flush(run, content)

    def _map_record(self, run: _FileRun, record: Record) -> None:
        try:
            mapped = self._map.apply(record.value, record.data, source=self._options.source, scope=self._options.scope)
            line = None if mapped is None else _event_line(mapped)
        except UnmappableError as error:
            self._reject(run, record.place, error.code, error.message)
            return
        if mapped is None or line is None:
            run.report.skipped += 1
            return
        run.pending.append(_Pending(mapped, record.place, line))
        run.pending_bytes += len(line)

    def _flush(self, run: _FileRun, content: Input) -> None:
        """Send what is pending, then write down how far the file has come.

        A crash between the two sends the batch again, which is harmless.
        """
        if run.pending:
            pending, run.pending, run.pending_bytes = run.pending, [], 0
            self._send(run, _settle_repeats(pending, run.report))
            self._save(run, done=False)
        elapsed_s = self._clock.monotonic_s() - self._started_s
        totals = self.report
        self._progress(
            Progress(
                run.file,
                min(self._bytes_done + content.position(), self._bytes_total),
                self._bytes_total,
                self._records_this_run,
                totals.accepted,
                totals.rejected_count,
                elapsed_s,
            )
        )

    def _send(self, run: _FileRun, pending: Sequence[_Pending]) -> None:
        taken: list[_Pending] = []
        for each, result in zip(pending, self._deliver(pending), strict=True):
            if result.code == ID_CONFLICT and (other := _under_own_id(each)) is not None:
                taken.append(other)
            else:
                self._settle(run, each, result)
        if taken:
            run.report.reused_ids += len(taken)
            for each, result in zip(taken, self._deliver(taken), strict=True):
                self._settle(run, each, result)

    def _deliver(self, pending: Sequence[_Pending]) -> Sequence[SinkResult]:
        """Send one batch, again after a pause where the sink is unavailable; nothing else is repeated."""
        body = b"".join(each.line for each in pending)
        for attempt in range(1, ATTEMPTS_MAX):
            try:
                return self._sink.send(body)
            except UnavailableError as error:
                self._sleep(max(error.retry_after_s, 2.0 ** (attempt - 1)))
        return self._sink.send(body)

    def _settle(self, run: _FileRun, each: _Pending, result: SinkResult) -> None:
        if result.code is not None:
            where = f" at {result.pointer}" if result.pointer else ""
            self._reject(run, each.place, result.code, f"{result.message}{where}")
            return
        if result.repeated:
            run.report.repeated += 1
        else:
            run.report.accepted += 1
        run.report.mapped += self._is_declared(each.mapped.event["action"])
        run.report.note_unmapped(each.mapped.gaps)

    def _reject(self, run: _FileRun, place: Place, code: str, reason: str) -> None:
        run.report.reject(Rejected(run.file, place.record, place.line, place.column, place.offset, code, reason))

    def _save(self, run: _FileRun, *, done: bool) -> None:
        if self._journal is not None:
            self._journal.save(run.key, Standing(run.position, run.report, done))


def _event_line(mapped: Mapped) -> bytes:
    try:
        return json.dumps(mapped.event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError as error:
        raise UnmappableError("the record holds half of a surrogate pair, which is not a character") from error


def _under_own_id(pending: _Pending) -> _Pending | None:
    """Return the event under the id of its content, marked; None where it has no such id or bears it already."""
    content_id = pending.mapped.content_id
    event = pending.mapped.event
    if content_id is None or event["id"] == content_id:
        return None
    marked = {**event, "id": content_id, "metadata": {**event.get("metadata", {}), "vendor_id_reused": True}}
    mapped = replace(pending.mapped, event=marked)
    return _Pending(mapped, pending.place, _event_line(mapped))


def _settle_repeats(pending: Sequence[_Pending], report: FileReport) -> list[_Pending]:
    """Return the batch with each id once: a repeat is counted, another event of the same id gets an id of its own."""
    by_id: dict[str, _Pending] = {}
    kept: list[_Pending] = []
    for each in pending:
        first = by_id.setdefault(str(each.mapped.event["id"]), each)
        if first is each:
            kept.append(each)
        elif first.line == each.line:
            report.repeated += 1
        elif (other := _under_own_id(each)) is None:
            kept.append(each)
        elif by_id.setdefault(str(other.mapped.event["id"]), other) is other:
            report.reused_ids += 1
            kept.append(other)
        else:
            report.repeated += 1
    return kept
