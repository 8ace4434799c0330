"""How many bytes does an event take on disk, and which part takes them?

Workload: events of about 680 bytes with random request, session, trace and target ids, sealed as the server seals them.
Parts of the sealed events are divided by their number, the hash tree and its entries by the number under a checkpoint.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import ledger, measure, server
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY, parse_manifest

EVENTS = 500_000


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS)
    with server.home(given.data) as home:
        figures = [parts(ledger.filled(home, given.events, "wide"))]
    measure.keep("disk", __doc__, figures)


def parts(filled: ledger.Filled) -> dict[str, Any]:
    """Return the bytes of each part by the event."""
    log, segments = filled.data / "ledger" / "main", filled.data / "segments" / "main"
    committed = int((log / "checkpoint").read_text().splitlines()[1])
    manifest = parse_manifest((segments / "manifest.json").read_bytes())
    sealed = sum(entry.events for entry in manifest.segments)
    entries = measure.directory_bytes(log / "tile" / "entries")
    share = {
        "content": sum(_lengths(segments, CONTENT)) / sealed,
        "columns": sum(_lengths(segments, COLUMNS)) / sealed,
        "summaries": sum(_lengths(segments, SUMMARY)) / sealed,
        "entries": entries / committed,
        "tiles": (measure.directory_bytes(log / "tile") - entries) / committed,
    }
    counted = sum(_lengths(segments, "*")) + measure.directory_bytes(log / "tile", log / "wal")
    share["the rest (keys, tables, checkpoints)"] = (measure.directory_bytes(filled.data) - counted) / committed
    return measure.figure(
        "bytes an event on disk",
        events=sealed,
        segments=len(manifest.segments),
        bytes_per_event=round(sum(share.values()), 1),
        parts={name: round(size, 2) for name, size in share.items()},
    )


def _lengths(segments: Path, name: str) -> list[int]:
    return [file.stat().st_size for file in segments.glob(f"*/{name}")]


if __name__ == "__main__":
    main()
