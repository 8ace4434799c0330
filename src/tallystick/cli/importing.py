"""The import command's work: maps, journal, progress bar, and the report at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from tallystick.cli.console import err, out, plain, print_json, say
from tallystick.client import Client
from tallystick.config import default_state
from tallystick.errors import InvalidInputError
from tallystick.event.catalogue import load_shipped
from tallystick.intake.importer import Importer, ImportOptions, Progress
from tallystick.intake.journal import Journal
from tallystick.intake.mapping import EventMap
from tallystick.intake.mapping_parse import load_map, parse_map
from tallystick.intake.report import ImportReport
from tallystick.intake.sink import RecordingSink

UNMAPPED_SHOWN = 15


class MapWithoutNativeError(InvalidInputError):
    """A mapping of one's own goes with the native format only."""

    code = "map-without-native"
    advice = "Use --format native with --map, or leave --map out."


def import_all(
    client: Client,
    files: list[Path],
    file_format: str,
    event_map: EventMap,
    *,
    scope: str | None,
    source: str,
    state: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Import the files to their ends and print the report, which lists everything refused.

    Leaves with status 1 when nothing but refusals came of them.
    """
    origin = client.checkpoint().split(b"\n", 1)[0].decode()
    sink = RecordingSink(origin, lambda body: client.record(body, partial=True))
    journal = Journal((state or default_state()) / "imports")
    options = ImportOptions(source=source, scope="" if scope in {None, "/"} else str(scope))
    declared = load_shipped()
    with _ImportBar(quiet=quiet) as (bar, follow):
        importer = Importer(
            sink,
            event_map,
            options,
            journal=journal,
            is_declared=lambda action: declared.get(action) is not None,
            progress=follow,
        )
        report = importer.run(files)
        bar.refresh()
    print_json(report.to_json()) if as_json else _print(report, file_format)
    if _everything_refused(report):
        raise typer.Exit(1)


class _ImportBar:
    """A bar over the bytes of all files, with rate and remaining time; silent when nobody watches."""

    def __init__(self, *, quiet: bool) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=err,
            disable=quiet or not err.is_terminal,
        )
        self._task = self._bar.add_task("importing", total=None, rate="")

    def __enter__(self) -> tuple[Bar, Callable[[Progress], None]]:
        self._bar.start()
        return self._bar, self._follow

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _follow(self, progress: Progress) -> None:
        self._bar.update(
            self._task,
            description=Path(progress.file).name[:30],
            completed=progress.bytes_read,
            total=progress.bytes_total,
            rate=f"{progress.records_per_s:,.0f} events/s",
        )


def load_event_map(file_format: str, mapping: Path | None) -> EventMap:
    """Return the map of a format that is shipped, or one's own. Raises MapWithoutNativeError."""
    if mapping is None:
        return load_map(file_format)
    if file_format != "native":
        raise MapWithoutNativeError(f"--map does not go with --format {file_format}")
    return parse_map(mapping.read_bytes(), str(mapping))


def _print(report: ImportReport, file_format: str) -> None:
    for rejected in report.rejected:
        out.print(plain(f"refused  {rejected}", "yellow"))
    unlisted = report.rejected_count - len(report.rejected)
    if unlisted:
        out.print(plain(f"and {unlisted:,} more that are not listed", "yellow"))
    unmapped = report.unmapped
    if unmapped:
        out.print(plain("not mapped (kept whole in `raw`):"))
        for (member, said), count in unmapped.most_common(UNMAPPED_SHOWN):
            out.print(plain(f"  {count:>8,}  {member}: {said}", "dim"))
        if len(unmapped) > UNMAPPED_SHOWN:
            out.print(plain(f"            and {len(unmapped) - UNMAPPED_SHOWN:,} other kinds", "dim"))
    if report.accepted and not report.mapped and file_format != "native":
        say(
            f"No record was what --format {file_format} expects. Is it the right format? They went in all the same.",
            "bold yellow",
        )
    done = sum(file.already_imported for file in report.files)
    if done:
        say(f"{done:,} of {len(report.files):,} files had been imported before")
    say(
        f"{report.records:,} records: {report.accepted:,} new, {report.repeated:,} repeated, "
        f"{report.skipped:,} skipped by the map, {report.rejected_count:,} refused; {report.mapped:,} fully mapped",
        "bold",
    )


def _everything_refused(report: ImportReport) -> bool:
    return bool(report.rejected_count) and not (report.accepted or report.repeated or report.skipped)
