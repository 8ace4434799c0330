"""kill -9 of a real process under load: nothing it acknowledged may be missing or different afterwards."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.crash.ledger_story import Witnessed, check_ledger

from tallystick.ledger import Ledger, LedgerOptions
from tallystick.ledger.errors import LedgerLockedError
from tallystick.merkle import hash_leaf
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.note import parse_note
from tallystick.testing import BatchMaker

OPTIONS = LedgerOptions(background=False, reserve_bytes=0)
CHILD = Path(__file__).with_name("ledger_child.py")


def start(data: Path, state: Path, seed: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(CHILD), str(data), str(state), str(seed)], stdout=subprocess.PIPE)


def acknowledged(output: bytes) -> dict[int, bytes]:
    """Return leaf by index from the lines that came out whole."""
    leaves: dict[int, bytes] = {}
    for line in output.split(b"\n")[:-1]:
        first, count, joined = line.split(b" ")
        row = bytes.fromhex(joined.decode())
        for at in range(int(count)):
            assert int(first) + at not in leaves, "an index was given twice"
            leaves[int(first) + at] = row[at * 32 : at * 32 + 32]
    return leaves


def kill_while_it_writes(tmp_path: Path, rounds: int) -> None:
    data, state = tmp_path / "data", tmp_path / "state"
    Ledger.create(data, state, admission=BatchMaker(0).admit_product, options=OPTIONS).close()
    witnessed = Witnessed()
    for number in range(rounds):
        child = start(data, state, number)
        assert child.stdout is not None
        first_line = child.stdout.readline()
        assert first_line, "the child did not start"
        reader = _Reader(child)
        time.sleep(random.uniform(0.05, 1.2))
        child.send_signal(signal.SIGKILL)
        leaves = acknowledged(first_line + reader.rest())
        child.wait()
        assert leaves
        witnessed.look(data)
        with Ledger.open(data, state, options=OPTIONS) as ledger:
            ledger.advance()
            check_ledger(ledger, data, witnessed)
            entries = [
                entry for at in range(-(-ledger.status().committed.size // 256)) for entry in ledger.read_entries(at)
            ]
            assert all(hash_leaf(entries[index]) == leaf for index, leaf in leaves.items())
            assert parse_checkpoint(parse_note(ledger.checkpoint()).text).size == len(entries)


class _Reader:
    """Drains the child's output, so that it never blocks on the pipe."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._drain)
        self._thread.start()

    def rest(self) -> bytes:
        self._thread.join()
        return b"".join(self._parts)

    def _drain(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as stdout:
            self._parts.extend(iter(lambda: stdout.read(65536), b""))


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    kill_while_it_writes(tmp_path, 2)


@pytest.mark.slow
def test_kill_9_again_and_again_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    kill_while_it_writes(tmp_path, 40)


def test_a_running_process_keeps_others_out(tmp_path: Path) -> None:
    data, state = tmp_path / "data", tmp_path / "state"
    Ledger.create(data, state, admission=BatchMaker(0).admit_product, options=OPTIONS).close()
    child = start(data, state, 1)
    assert child.stdout is not None
    assert child.stdout.readline()
    reader = _Reader(child)
    try:
        with pytest.raises(LedgerLockedError, match=str(child.pid)):
            Ledger.open(data, state, options=OPTIONS)
    finally:
        child.kill()
        reader.rest()
        child.wait()
