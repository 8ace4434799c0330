"""The sealer process answers each line, good or bad, until its input ends."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.segment_samples import events, write_wal

from tallystick.segment.derived import check_segment
from tallystick.segment.sealer import SealAnswer, serve
from tallystick.store.files import LocalDisk


def test_the_process_seals_file_after_file_and_names_what_it_cannot_seal(tmp_path: Path) -> None:
    write_wal(tmp_path / "0.wal", events(300))
    write_wal(tmp_path / "300.wal", events(200, first=300, classes=(1, 2)))
    (tmp_path / "bad.wal").write_bytes(b"not a frame")
    names = ["0.wal", "bad.wal", "300.wal", "missing.wal"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tallystick.segment.sealer",
            "--out",
            str(tmp_path / "segments"),
            "--disk",
            "tallystick.store.files:LocalDisk",
        ],
        input=b"".join(msgspec.json.encode({"wal": str(tmp_path / name)}) + b"\n" for name in names),
        capture_output=True,
        check=True,
        timeout=60,
    )
    answers = [msgspec.json.decode(line, type=SealAnswer) for line in done.stdout.splitlines()]
    assert [answer.wal for answer in answers] == [str(tmp_path / name) for name in names]
    assert [[entry.path for entry in answer.segments] for answer in answers] == [
        ["0-300.c2.g0"],
        [],
        ["300-200.c1.g0", "300-200.c2.g0"],
        [],
    ]
    codes = [answer.error.code if answer.error else None for answer in answers]
    assert codes == [None, "segment-corrupt", None, "disk"]
    for answer in answers:
        for entry in answer.segments:
            check_segment(tmp_path / "segments", entry)


def _sealer(folder: Path) -> subprocess.Popen[bytes]:
    words = ["-m", "tallystick.segment.sealer", "--out", str(folder), "--disk", "tallystick.store.files:LocalDisk"]
    return subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_in_silence_when_nobody_reads_the_answers_any_more(tmp_path: Path, busy: bool) -> None:
    write_wal(tmp_path / "wal", events(3000))
    child = _sealer(tmp_path / "segments")
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdin as questions, child.stderr as complaints:  # the input stays open: only the answers have no reader
        question = msgspec.json.encode({"wal": str(tmp_path / "wal")}) + b"\n"
        questions.write(question)
        questions.flush()
        child.stdout.readline()
        if busy:
            questions.write(question * 50)
            questions.flush()
        child.stdout.close()
        assert child.wait(timeout=30) == 0
        assert complaints.read() == b""


def test_an_answer_is_given_before_the_next_line_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "disable", lambda: None)
    out = io.BytesIO()
    write_wal(tmp_path / "wal", events(3))

    def lines() -> Iterator[bytes]:
        yield msgspec.json.encode({"wal": str(tmp_path / "wal")})
        assert out.getvalue().count(b"\n") == 1

    serve(lines(), out, tmp_path, LocalDisk())
