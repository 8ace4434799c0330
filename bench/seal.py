"""What does sealing cost, in time and in bytes, and how fast are scattered rows read back?

Workload: one write-ahead file of 262,144 events of about 684 bytes as sent, with random ids, 1,000 a batch, one class.
It is sealed as the server does it, in a process of its own; the figures are that process's.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from bench import events, measure

EVENTS = 262_144
BATCH = 1_024
RECEIVED_AT = 1_767_225_600_000_000
ROWS = 100


def main() -> None:
    """Measure and keep the answer."""
    count = measure.sizes(__doc__, events=EVENTS).events
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_wal(folder / "wal", count)
        figures = [seal(folder), *read(folder, count)]
    measure.keep("seal", __doc__, figures)


def write_wal(path: Path, count: int) -> None:
    """Write what the ledger would write for these events."""
    from tallystick.event.admission import Admission, SourceRules
    from tallystick.event.catalogue import load_shipped
    from tallystick.event.entry import format_entries
    from tallystick.event.frame import format_frame
    from tallystick.event.pseudonym import Pseudonyms
    from tallystick.merkle import hash_leaves

    admission = Admission(load_shipped(), Pseudonyms(bytes(32)))
    source = SourceRules(1, "bench", ("",), "opaque")
    previous, first = bytes(32), 0
    with path.open("wb") as file:
        for body in events.batches(count, BATCH, "wide"):
            batch = admission.admit(body, source, now_us=RECEIVED_AT + events_us(count))
            received_at = RECEIVED_AT + events_us(first)
            leaves = hash_leaves(format_entries(batch.classes, source.number, received_at, batch.contents))
            buffers = format_frame(
                batch,
                first_index=first,
                received_at=received_at,
                source=source.number,
                nonce=bytes(16),
                previous=previous,
                leaves=leaves,
            )
            previous, first = sha256(buffers[0]).digest(), first + len(batch)
            file.write(b"".join(buffers))


def events_us(count: int) -> int:
    """Return the microseconds in which that many of the made-up events happen."""
    return count * 1_000_000


def seal(folder: Path) -> dict[str, Any]:
    """Seal in the sealer's process; return its time, memory and the bytes of each file, by the event."""
    command = [sys.executable, "-m", "tallystick.segment.sealer", "--out", str(folder / "segments")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--disk", "tallystick.store.files:LocalDisk"],
        input=msgspec.json.encode({"wal": str(folder / "wal")}) + b"\n",
        capture_output=True,
        check=True,
    )
    wall_s = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    [entry] = msgspec.json.decode(done.stdout)["segments"]
    files = {file.name: file.stat().st_size for file in (folder / "segments" / entry["path"]).iterdir()}
    return measure.figure(
        "sealing, the start of the process included",
        events=entry["events"],
        cpu_us_per_event=round(cpu_s / entry["events"] * 1e6, 2),
        wall_us_per_event=round(wall_s / entry["events"] * 1e6, 2),
        peak_mb=round(after.ru_maxrss / 1000),
        bytes_per_event={name: round(size / entry["events"], 2) for name, size in sorted(files.items())},
        bytes_per_event_together=round(sum(files.values()) / entry["events"], 2),
    )


def read(folder: Path, count: int) -> list[dict[str, Any]]:
    """Return how long it takes to fetch 100 scattered rows, and to derive everything again and compare."""
    from tallystick.segment.content import ContentFile
    from tallystick.segment.derived import check_derived

    [segment] = (folder / "segments").iterdir()
    chance = random.Random(1)
    content = ContentFile(segment / "content.parquet")
    times = []
    for _ in range(30):
        indexes = sorted(chance.sample(range(count), ROWS))
        start = time.perf_counter()
        assert len(content.rows(indexes)) == ROWS
        times.append(time.perf_counter() - start)
    start = time.process_time()
    check_derived(segment)
    derived_us = (time.process_time() - start) / count * 1e6
    return [
        measure.figure(f"{ROWS} rows scattered over the segment", ms=measure.summary_ms(times)),
        measure.figure("columns and summary derived again and compared", cpu_us_per_event=round(derived_us, 2)),
    ]


if __name__ == "__main__":
    main()
