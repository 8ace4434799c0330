"""The sealer: a process of its own that turns write-ahead files into segments, one request a line.

`python -m tallystick.segment.sealer --out SEGMENTS --disk MODULE:CLASS` reads lines `{"wal": "<path>"}`, or `{"merge":
[<entries of the manifest>]}` for neighbouring segments that are to become one, or `{"rewrite": {<entry>, <drop>}}` for a
segment that is to lose content, and answers each with `{"wal": ..., "segments": [...]}` or `{"wal": ..., "error": {"code", "message"}}`, until its input ends. The class
named is called without arguments and must be a `segment.ports.Disk`: whoever starts the sealer chooses the disk.

When nobody is left to read the answers it ends at once, in the middle of a file too: whoever asked is dead, and the
next one to open the ledger removes what no manifest names and has it made again.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import select
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import pyarrow as pa

from tallystick.errors import TallystickError
from tallystick.segment.manifest import SegmentEntry
from tallystick.segment.ports import Disk
from tallystick.segment.writer import Drop, merge, rewrite, seal_file


class SealRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A closed write-ahead file to seal, or neighbouring segments of one class to merge, or one to rewrite without what
    `drop` says.
    """

    wal: str = ""
    merge: tuple[SegmentEntry, ...] = ()
    rewrite: SegmentEntry | None = None
    drop: Drop | None = None


class SealError(msgspec.Struct, frozen=True):
    """Why a file was not sealed, or segments not merged: the code of the error, and its message."""

    code: str
    message: str


class SealAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The segments that hold the events, durable and compared; or the error, after which none may be used."""

    wal: str
    segments: tuple[SegmentEntry, ...] = ()
    error: SealError | None = None


def answer(request: SealRequest, out_dir: Path, disk: Disk) -> SealAnswer:
    """Return what became of one request; only errors of the file or the disk are answers, bugs end the process."""
    try:
        if request.merge:
            return SealAnswer(request.wal, (merge(request.merge, out_dir=out_dir, disk=disk),))
        if request.rewrite is not None and request.drop is not None:
            made = rewrite(request.rewrite, request.drop, out_dir=out_dir, disk=disk)
            return SealAnswer(request.wal, () if made is None else (made,))
        return SealAnswer(request.wal, tuple(seal_file(Path(request.wal), out_dir, disk)))
    except TallystickError as error:
        return SealAnswer(request.wal, error=SealError(error.code, error.message))
    except OSError as error:
        return SealAnswer(request.wal, error=SealError("disk", str(error)))


def serve(lines: Iterable[bytes], answers: BinaryIO, out_dir: Path, disk: Disk) -> None:
    """Answer every line, in order, until the lines end.

    Collection of cycles waits for the end of each file: among a million short-lived values it finds nothing and costs a
    quarter of the time.
    """
    gc.disable()
    for line in lines:
        request = msgspec.json.decode(line, type=SealRequest)
        answers.write(msgspec.json.encode(answer(request, out_dir, disk)) + b"\n")
        answers.flush()
        gc.collect()


def load_disk(name: str) -> Disk:
    """Return the disk that `module:class` names."""
    module, _, attribute = name.partition(":")
    return cast("Disk", getattr(importlib.import_module(module), attribute)())


def main() -> None:
    parser = argparse.ArgumentParser(prog="tallystick.segment.sealer", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder of the segments")
    parser.add_argument("--disk", required=True, help="the disk to write with, as module:class")
    options = parser.parse_args()
    pa.set_memory_pool(pa.system_memory_pool())  # gives back what it frees: a tenth less at the peak
    threading.Thread(target=_end_with_reader, args=(sys.stdout.fileno(),), daemon=True).start()
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, options.out, load_disk(options.disk))
    except BrokenPipeError:
        os._exit(0)  # an ordinary exit would try to write the answer once more, and complain


def _end_with_reader(answers: int) -> None:
    """End this process when the other end of the pipe is closed, which is how a killed server shows."""
    poll = select.poll()
    poll.register(answers, 0)  # errors are always reported; nothing else is waited for
    poll.poll()
    os._exit(0)


if __name__ == "__main__":
    main()
