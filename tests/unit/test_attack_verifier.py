"""What hostile logs may do to whoever verifies them: not keep her waiting, not fill her memory, not end in a traceback."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from tests.verify_log import SIGNER, SmallLog

from tallystick.event.entry import Entry, format_entry
from tallystick.merkle import entries_path, format_entry_bundle, hash_leaf
from tallystick.note import Checkpoint, Proof, format_proof, sign_checkpoint
from tallystick.verify import proof
from tallystick.verify.anchors import Trust
from tallystick.verify.codes import Code
from tallystick.verify.directory import verify_directory
from tallystick.verify.fetch import NEXT_AFTER
from tallystick.verify.files import read_plain
from tallystick.verify.model import CouldNotCheckError, Report
from tallystick.verify.service import unwatched
from tallystick.verify.url import verify_url

HUGE = sign_checkpoint(Checkpoint(SIGNER.name, 2**62, bytes(32)), SIGNER)


def _verify(answer: Callable[[httpx.Request], httpx.Response]) -> Report:
    return verify_url("https://log.example.org", Trust(), unwatched, transport=httpx.MockTransport(answer))


def _disclosing(log: SmallLog, body: bytes, looked_at: str) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/disclosures"):
            return httpx.Response(200, content=body, headers=[(NEXT_AFTER.encode(), looked_at.encode("latin-1"))])
        data = log.files.get(request.url.path.removeprefix("/api/v1/log/"))
        return httpx.Response(404) if data is None else httpx.Response(200, content=data)

    return answer


def test_of_a_log_that_is_not_there_no_more_is_looked_for_than_shows_it() -> None:
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(200, content=HUGE) if request.url.path.endswith("/checkpoint") else httpx.Response(404)

    report = _verify(answer)
    assert Code.TILE_MISSING in {finding.code for finding in report.findings}
    assert asked < 10_000


def test_a_server_that_shows_the_same_for_ever_is_left() -> None:
    report = _verify(_disclosing(SmallLog(9), b"no disclosure\n" * 10, "-1"))
    assert Code.CONTENT_UNREADABLE in {finding.code for finding in report.findings}


@pytest.mark.parametrize("said", ["", "-", "--1", "+1", "²", "9" * 5000, "1.5"])
def test_a_server_that_does_not_say_how_far_it_looked_is_not_believed(said: str) -> None:
    with pytest.raises(CouldNotCheckError, match="how far its disclosures reach"):
        _verify(_disclosing(SmallLog(9), b"", said))


@pytest.mark.parametrize("encoding", ["gzip", "deflate, gzip", "zstd", "br"])
def test_an_answer_that_would_unfold_is_not_unfolded(encoding: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        return httpx.Response(200, stream=httpx.ByteStream(gzip.compress(HUGE)), headers={"content-encoding": encoding})

    with pytest.raises(CouldNotCheckError, match="compressed"):
        _verify(answer)


def _home(tmp_path: Path, checkpoint: bytes | None = None) -> Path:
    ledger = tmp_path / "ledger" / "main"
    ledger.mkdir(parents=True)
    if checkpoint is not None:
        (ledger / "checkpoint").write_bytes(checkpoint)
    return ledger


def test_a_directory_whose_checkpoint_names_any_size_is_soon_done_with(tmp_path: Path) -> None:
    ledger = _home(tmp_path, HUGE)
    assert verify_directory(tmp_path).findings
    edge = ledger / entries_path(2**54 - 1)
    edge.parent.mkdir(parents=True)
    edge.write_bytes(format_entry_bundle([bytes(48)]))  # as if the end were there
    assert {finding.code for finding in verify_directory(tmp_path).findings} >= {Code.TILE_MISSING}


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "wal/0000000000000000.wal"])
@pytest.mark.parametrize("pipe", [True, False])
def test_a_pipe_or_a_device_in_the_place_of_a_file_is_not_read(tmp_path: Path, name: str, pipe: bool) -> None:
    entry = Entry(1, 0, 1, bytes(32))
    root = hash_leaf(format_entry(entry))
    ledger = _home(tmp_path, sign_checkpoint(Checkpoint(SIGNER.name, 1, root), SIGNER))
    bundle = ledger / entries_path(0, 1)
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(format_entry_bundle([format_entry(entry)]))
    place = ledger / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    if pipe:
        os.mkfifo(place)
    else:
        place.symlink_to("/dev/zero")
    with pytest.raises(CouldNotCheckError, match="no plain file"):
        verify_directory(tmp_path)


def test_a_file_larger_than_it_can_be_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(CouldNotCheckError, match="at most 1000 are expected"):
        read_plain(tmp_path / "large", 1000)


def test_a_time_that_no_calendar_has_is_told_as_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = Entry(1, 1, 2**64 - 1, bytes(32))
    note = sign_checkpoint(Checkpoint(SIGNER.name, 1, hash_leaf(format_entry(entry))), SIGNER)
    file = tmp_path / "event.tlog-proof"
    file.write_bytes(format_proof(Proof(0, (), note, format_entry(entry))))
    assert proof.main([str(file), "--key", SIGNER.vkey]) == 0
    assert f"{2**64 - 1} microseconds after 1970" in capsys.readouterr().out
