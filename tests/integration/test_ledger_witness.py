from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger_home import Home

from tallystick.ledger import WitnessAddress
from tallystick.ledger.errors import ForkedError, ReadOnlyError
from tallystick.note.checkpoint import open_checkpoint
from tallystick.note.cosignature import CosignatureSigner
from tallystick.note.vkey import parse_log_vkey, parse_witness_vkey
from tallystick.witness.client import WitnessUnavailableError
from tallystick.witness.server import WitnessServer
from tallystick.witness.service import open_witness

SOURCE = 4


class Outsider:
    """A real witness on a local port."""

    def __init__(self, folder: Path, vkeys: tuple[str, ...], clock: Home) -> None:
        self.witness = open_witness(folder, "witness.example", [parse_log_vkey(each) for each in vkeys], clock.clock)
        self.server = WitnessServer(("127.0.0.1", 0), self.witness)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.address = WitnessAddress(f"http://127.0.0.1:{self.server.port}", self.witness.vkey)

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.witness.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end()


@pytest.fixture
def outsider(home: Home, tmp_path: Path) -> Iterator[Outsider]:
    ledger = home.create()
    outsider = Outsider(tmp_path / "witness", ledger.vkeys, home)
    ledger.close()
    home.configure(witnesses=(outsider.address,))
    yield outsider
    home.end()
    outsider.stop()


def test_checkpoints_come_back_cosigned_and_are_published_beside_the_own_ones(home: Home, outsider: Outsider) -> None:
    ledger = home.open()
    ledger.append(home.maker.batch(300), SOURCE)
    ledger.advance()
    note = ledger.witnessed_checkpoint()
    assert note is not None
    assert note.startswith(ledger.checkpoint())
    key = parse_witness_vkey(outsider.witness.vkey)
    opened = open_checkpoint(note, parse_log_vkey(ledger.vkeys[0]), [key])
    assert any(signer is key for signer, _ in opened.note.signed)
    assert ledger.status().witnessed.size == 304
    assert home.layout.witnessed.read_bytes() == note


def test_the_last_cosigned_checkpoint_of_each_minute_is_kept(home: Home, outsider: Outsider) -> None:
    ledger = home.open()
    kept = []
    for _ in range(3):
        for _ in range(2):
            ledger.append(home.maker.batch(1), SOURCE)
            ledger.advance()
        kept.append(ledger.witnessed_checkpoint())
        home.clock.advance(60)
    files = sorted(path for path in home.layout.cosigned.rglob("*") if path.is_file())
    assert [path.read_bytes() for path in files] == kept


def test_an_idle_ledger_renews_its_cosignature(home: Home, outsider: Outsider) -> None:
    ledger = home.open()
    before = ledger.status().witnessed.at
    home.clock.advance(299)
    ledger.advance()
    assert ledger.status().witnessed.at == before
    home.clock.advance(2)
    ledger.advance()
    assert ledger.status().witnessed.at == before + 301 * 1_000_000


def test_a_witness_that_is_down_delays_nothing_and_is_named(home: Home, outsider: Outsider) -> None:
    home.configure(witnesses=(WitnessAddress("http://127.0.0.1:1", outsider.witness.vkey),))
    ledger = home.open()
    assert ledger.append(home.maker.batch(1), SOURCE).indexes == range(4, 5)
    with pytest.raises(WitnessUnavailableError):
        ledger.advance()
    assert "witness" in ledger.status().trouble
    assert ledger.status().committed.size == 5
    assert ledger.witnessed_checkpoint() is None


def test_a_quorum_of_witnesses_is_enough(home: Home, outsider: Outsider) -> None:
    other = CosignatureSigner("other.example", bytes(32)).verifier.vkey
    down = WitnessAddress("http://127.0.0.1:1", other)
    home.configure(witnesses=(outsider.address, down), witness_quorum=1)
    ledger = home.open()
    assert ledger.status().witnessed.size == 4


def test_a_copy_restored_with_its_record_is_read_only_when_a_witness_saw_more(
    home: Home, outsider: Outsider, tmp_path: Path
) -> None:
    home.open().close()
    for name in ("data", "state"):
        shutil.copytree(tmp_path / name, tmp_path / "backup" / name)
    ledger = home.open()
    ledger.append(home.maker.batch(5), SOURCE)
    ledger.advance()
    ledger.close()
    for name in ("data", "state"):
        shutil.rmtree(tmp_path / name)
        shutil.copytree(tmp_path / "backup" / name, tmp_path / name)
    ledger = home.open()
    assert "ledger-forked" in (ledger.status().read_only or "")
    with pytest.raises(ReadOnlyError):
        ledger.append(home.maker.batch(1), SOURCE)
    assert ledger.status().acknowledged.size == 4


def test_two_histories_of_one_size_are_a_fork(home: Home, outsider: Outsider, tmp_path: Path) -> None:
    home.open().close()
    for name in ("data", "state"):
        shutil.copytree(tmp_path / name, tmp_path / "twin" / name)
    ledger = home.open()
    ledger.append(home.maker.batch(5), SOURCE)
    ledger.advance()
    ledger.close()
    twin = Home(tmp_path / "twin")
    twin.configure(witnesses=(), background=False)
    ledger = twin.open()
    ledger.append(twin.maker.batch(7), SOURCE)
    ledger.advance()
    ledger.close()
    twin.configure(witnesses=(outsider.address,))
    ledger = twin.open()
    assert "ledger-forked" in (ledger.status().read_only or "")
    with pytest.raises(ForkedError):
        ledger.advance()
    twin.end()


def test_what_was_witnessed_is_known_after_a_restart(home: Home, outsider: Outsider) -> None:
    ledger = home.open()
    ledger.append(home.maker.batch(5), SOURCE)
    ledger.advance()
    note = ledger.witnessed_checkpoint()
    ledger.close()
    home.configure(witnesses=(WitnessAddress("http://127.0.0.1:1", outsider.witness.vkey),))
    assert home.open().witnessed_checkpoint() == note


def test_what_was_witnessed_is_offered_also_while_no_witness_is_named(home: Home, outsider: Outsider) -> None:
    ledger = home.open()
    ledger.append(home.maker.batch(5), SOURCE)
    ledger.advance()
    note = ledger.witnessed_checkpoint()
    ledger.close()
    home.configure(witnesses=())
    assert note is not None
    assert home.open().witnessed_checkpoint() == note
