from __future__ import annotations

import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tallystick.merkle import Frontier, SizedTiles, consistency_path, hash_leaf
from tallystick.note import (
    Checkpoint,
    CosignatureSigner,
    Ed25519Signer,
    NoteKeyError,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_witness_vkey,
    sign_checkpoint,
)
from tallystick.witness.record import WitnessRecord, WitnessRecordError, WitnessStorageError
from tallystick.witness.rules import REQUEST_BYTES_MAX, format_request
from tallystick.witness.server import CONNECTIONS_MAX, WitnessServer, make_server, serve
from tallystick.witness.service import open_witness

LOG = Ed25519Signer("log.example/a", b"L" * 32)
OTHER_LOG = Ed25519Signer("log.example/b", b"M" * 32)
NAME = "witness.example/w"
LEAVES = b"".join(hash_leaf(b"%d" % n) for n in range(300))
READER = SizedTiles(300, {tile.path: tile.hashes for tile in Frontier().grow(LEAVES)[1]}.get)


def _note(size: int, log: Ed25519Signer = LOG) -> bytes:
    return sign_checkpoint(Checkpoint(log.name, size, Frontier().grow(LEAVES[: 32 * size])[0].root), log)


def _request(old: int, new: int, log: Ed25519Signer = LOG) -> bytes:
    return format_request(old, consistency_path(old, new, READER) if old else [], _note(new, log))


@contextmanager
def _running(data_dir: Path, *, request_s: float = 20.0) -> Iterator[WitnessServer]:
    witness = open_witness(data_dir, NAME, [LOG.verifier, OTHER_LOG.verifier])
    server = WitnessServer(("127.0.0.1", 0), witness, request_s=request_s)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.witness.close()


@contextmanager
def _client(server: WitnessServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", trust_env=False, timeout=10) as http:
        yield http


def _push(http: httpx.Client, old: int, new: int, log: Ed25519Signer = LOG) -> httpx.Response:
    return http.post("/add-checkpoint", content=_request(old, new, log))


def _monitored(http: httpx.Client, origin: str) -> httpx.Response:
    return http.get(f"/{sha256(origin.encode()).hexdigest()}/checkpoint")


def test_the_answer_is_one_verifying_line_of_this_witness(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        before = int(time.time())
        answer = _push(http, 0, 5)
        assert answer.status_code == 200
        key = parse_witness_vkey(server.witness.vkey)
        opened = open_note(_note(5) + answer.content, [key])
        assert answer.content.count(b"\n") == 1
        stamp = int.from_bytes(opened.signed[0][1].value[:8], "big")
        assert before <= stamp <= int(time.time())


def test_the_monitoring_call_shows_the_last_checkpoint_with_both_signatures(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        assert _monitored(http, LOG.name).status_code == 404
        _push(http, 0, 5)
        _push(http, 5, 9)
        shown = _monitored(http, LOG.name)
        assert shown.headers["content-type"] == "text/plain; charset=utf-8"
        key = parse_witness_vkey(server.witness.vkey)
        opened = open_checkpoint(shown.content, LOG.verifier, [key])
        assert opened.checkpoint.size == 9
        assert len(opened.note.signed) == 2
        assert _monitored(http, OTHER_LOG.name).status_code == 404
        for path in ("/", "/checkpoint", f"/{sha256(LOG.name.encode()).hexdigest().upper()}/checkpoint", "/x/../y"):
            assert http.get(path).status_code == 404


def test_logs_are_recorded_apart(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        assert _push(http, 0, 5).status_code == 200
        assert _push(http, 0, 3, OTHER_LOG).status_code == 200
        assert _push(http, 5, 6).status_code == 200
        assert _push(http, 5, 6, OTHER_LOG).text == "3\n"


def test_a_restart_keeps_key_and_record(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        vkey = server.witness.vkey
        assert _push(http, 0, 200).status_code == 200
    with _running(tmp_path) as server, _client(server) as http:
        assert server.witness.vkey == vkey
        assert _push(http, 0, 5).text == "200\n"
        assert _push(http, 200, 300).status_code == 200


def test_of_many_racing_updates_the_record_only_ever_grows(tmp_path: Path) -> None:
    with _running(tmp_path) as server:
        with _client(server) as http:
            _push(http, 0, 1)

        def push(new: int) -> tuple[int, int]:
            with _client(server) as own:
                return new, _push(own, 1, new).status_code

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(push, range(2, 42)))
        accepted = [new for new, status in answers if status == 200]
        assert len(accepted) == 1, "after the first success every other proof from size 1 is stale"
        assert all(status in (200, 409) for _, status in answers)
        with _client(server) as http:
            shown = parse_checkpoint(_monitored(http, LOG.name).content.partition(b"\n\n")[0] + b"\n")
            assert shown.size == accepted[0]


def test_two_processes_on_one_directory_do_not_both_accept(tmp_path: Path) -> None:
    first = open_witness(tmp_path, NAME, [LOG.verifier])
    second = open_witness(tmp_path, NAME, [LOG.verifier])
    assert first.vkey == second.vkey
    first.add_checkpoint(_request(0, 5))
    barrier = threading.Barrier(2)

    def push(witness_and_size: tuple[Callable[[bytes], bytes], int]) -> bool:
        barrier.wait()
        try:
            witness_and_size[0](_request(5, witness_and_size[1]))
        except Exception:  # noqa: BLE001 - the claim is about who succeeds
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(push, [(first.add_checkpoint, 6), (second.add_checkpoint, 7)]))
    assert sorted(done) == [False, True]
    first.close()
    second.close()


def test_nothing_is_answered_when_the_record_cannot_be_written(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        _push(http, 0, 5)
        blocker = sqlite3.connect(tmp_path / "witness.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        server.witness._record._connection.execute("PRAGMA busy_timeout = 10")
        assert _push(http, 5, 9).status_code == 503
        blocker.execute("ROLLBACK")
        blocker.close()
        assert _push(http, 5, 9).status_code == 200


def test_a_refused_checkpoint_leaves_the_record_as_it_was(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        _push(http, 0, 5)
        before = _monitored(http, LOG.name).content
        forked = sign_checkpoint(Checkpoint(LOG.name, 5, bytes(32)), LOG)
        assert http.post("/add-checkpoint", content=format_request(5, [], forked)).status_code == 422
        assert _monitored(http, LOG.name).content == before


def test_a_fork_that_a_log_signed_is_kept_in_the_telemetry(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    witness = open_witness(tmp_path, NAME, [LOG.verifier])
    witness.add_checkpoint(_request(0, 5))
    forked = sign_checkpoint(Checkpoint(LOG.name, 5, bytes(32)), LOG)
    with pytest.raises(Exception, match="another root"):
        witness.add_checkpoint(format_request(5, [], forked))
    witness.close()
    assert any(record.levelname == "ERROR" and LOG.name in record.getMessage() for record in caplog.records)


def test_requests_that_are_too_long_or_without_length_are_not_read(tmp_path: Path) -> None:
    with _running(tmp_path) as server, _client(server) as http:
        assert http.post("/add-checkpoint", content=b"x" * (REQUEST_BYTES_MAX + 1)).status_code == 413
        assert http.post("/add-checkpoint", content=iter([b"old 0\n"])).status_code == 411
        for length in (b"-1", b"1e3", b"+5", b"", b"9" * 30):
            answer = _raw(server, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: %b\r\n\r\n" % length)
            assert answer.startswith(b"HTTP/1.1 400"), length
        assert http.post("/elsewhere", content=b"").status_code == 404
        assert http.put("/add-checkpoint", content=b"").status_code == 501
        assert _push(http, 0, 5).status_code == 200


def _raw(server: WitnessServer, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        return connection.recv(1000)


@pytest.mark.parametrize(
    "start",
    [b"", b"POST /add-checkpoint HTTP/1.1\r\n", b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold"],
)
def test_a_client_that_sends_slowly_is_cut_off_whole(tmp_path: Path, start: bytes) -> None:
    with _running(tmp_path, request_s=0.2) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(start)
            try:
                for _ in range(500):  # each byte arrives well within any pause that is allowed between bytes
                    connection.sendall(b"x")
                    connection.settimeout(0.02)
                    try:
                        if connection.recv(1) == b"":
                            break
                    except TimeoutError:
                        continue
                else:
                    pytest.fail("the connection was kept")
            except ConnectionError:
                pass
        with _client(server) as http:
            assert _push(http, 0, 5).status_code == 200


def test_more_connections_than_allowed_are_closed_at_once(tmp_path: Path) -> None:
    with _running(tmp_path) as server:
        held = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(CONNECTIONS_MAX)]
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as refused:
            assert refused.recv(1) == b""
        for connection in held:
            connection.close()


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "witness"
    first = open_witness(data_dir, NAME, [])
    key = data_dir / "witness.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert CosignatureSigner.from_secret(key.read_text().strip()).vkey == first.vkey
    assert {path.name for path in data_dir.iterdir()} <= {
        "witness.key",
        "witness.db",
        "witness.db-wal",
        "witness.db-shm",
    }
    first.close()
    again = open_witness(data_dir, None, [])
    assert again.vkey == first.vkey
    again.close()


def test_a_witness_does_not_start_where_its_memory_or_key_is_not_its_own(tmp_path: Path) -> None:
    with pytest.raises(WitnessRecordError, match="no name"):
        open_witness(tmp_path, None, [])
    open_witness(tmp_path, NAME, []).close()
    with pytest.raises(WitnessRecordError, match="is named"):
        open_witness(tmp_path, "another.example/w", [])
    key, database = tmp_path / "witness.key", tmp_path / "witness.db"
    key.chmod(0o640)
    with pytest.raises(WitnessRecordError, match="read by others"):
        open_witness(tmp_path, NAME, [])
    key.chmod(0o600)
    kept = database.read_bytes()
    database.write_bytes(b"")
    with pytest.raises(WitnessRecordError, match="emptied"):
        open_witness(tmp_path, NAME, [])
    database.unlink()
    with pytest.raises(WitnessRecordError, match="was lost"):
        open_witness(tmp_path, NAME, [])
    database.write_bytes(kept)
    key.write_text("PRIVATE+KEY+damaged")
    with pytest.raises(NoteKeyError):
        open_witness(tmp_path, NAME, [])


def test_a_crash_between_record_and_key_is_finished_by_the_next_start(tmp_path: Path) -> None:
    WitnessRecord(tmp_path / "witness.db", create=True).close()
    (tmp_path / "witness.key.1.tmp").write_text("half a k")
    open_witness(tmp_path, NAME, []).close()


def test_a_failed_decision_changes_nothing(tmp_path: Path) -> None:
    record = WitnessRecord(tmp_path / "witness.db", create=True)

    def fail(recorded: Checkpoint | None) -> tuple[Checkpoint, bytes]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record.replace("x", fail)
    assert record.find_note(sha256(b"x").hexdigest()) is None
    record.replace("x", lambda recorded: (Checkpoint("x", 1, bytes(32)), b"note"))
    assert record.find_note(sha256(b"x").hexdigest()) == b"note"
    record.close()
    with pytest.raises(WitnessStorageError):
        record.find_note("x")


def test_serve_runs_until_it_is_interrupted(tmp_path: Path) -> None:
    answers: list[int] = []

    def ready(server: WitnessServer) -> None:
        def use_then_stop() -> None:
            with _client(server) as http:
                answers.append(_push(http, 0, 5).status_code)
            server.shutdown()

        threading.Thread(target=use_then_stop).start()

    serve("127.0.0.1", 0, tmp_path, NAME, [LOG.vkey], ready=ready)
    assert answers == [200]


def test_an_address_of_six_bytes_is_bound_too(tmp_path: Path) -> None:
    try:
        server = make_server("::1", 0, tmp_path, NAME, [LOG.verifier])
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert server.server_address[0] == "::1"
    server.server_close()
    server.witness.close()
