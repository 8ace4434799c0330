"""The real server process: who may listen where, TLS, who else may open the directory, cut uploads, stopping."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.certificates import write_certificate
from tests.installation import make_token, sample, settings
from tests.server_process import ServerProcess, environment, serving, words

from tallystick.config import UnsafeListenError
from tallystick.ledger.genesis import PRODUCT_SOURCE
from tallystick.server import open_instance

STOP_S_MAX = 60


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def token(root: Path) -> str:
    with open_instance(settings(root)) as instance:
        return make_token(instance, "both", source="tester").secret


@pytest.fixture(scope="module")
def server(root: Path, token: str) -> Iterator[ServerProcess]:
    del token  # made first, while nobody else holds the directory
    with serving(root) as running:
        yield running


def _size(server: ServerProcess) -> int:
    size: int = httpx.get(f"{server.url}/readyz").json()["acknowledged"]["size"]
    return size


def _head(token: str, *more: str) -> bytes:
    lines = ["POST /api/v1/events HTTP/1.1", "host: localhost", f"authorization: Bearer {token}", *more, "", ""]
    return "\r\n".join(lines).encode()


BODY = json.dumps([sample() for _ in range(50)]).encode()


@pytest.mark.parametrize("chunked", [False, True], ids=["counted", "chunked"])
def test_of_an_upload_that_breaks_off_nothing_is_recorded(server: ServerProcess, token: str, chunked: bool) -> None:
    before = _size(server)
    part = BODY[: len(BODY) // 2]
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            if chunked:
                whole_event = json.dumps(sample()).encode() + b"\n"  # a complete line, and then the end never comes
                line.sendall(_head(token, "transfer-encoding: chunked"))
                line.sendall(f"{len(whole_event):x}\r\n".encode() + whole_event + b"\r\n")
            else:
                line.sendall(_head(token, f"content-length: {len(BODY)}") + part)
            time.sleep(0.05)
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert _size(server) == before
    assert "Traceback" not in server.said()


def test_a_body_that_trickles_in_is_recorded_once_it_is_whole(server: ServerProcess, token: str) -> None:
    def slowly() -> Iterator[bytes]:
        for at in range(0, len(BODY), len(BODY) // 4):
            yield BODY[at : at + len(BODY) // 4]
            time.sleep(0.05)

    answer = httpx.post(
        f"{server.url}/api/v1/events", content=slowly(), headers={"authorization": f"Bearer {token}"}, timeout=30
    )
    assert len(answer.json()["events"]) == 50


@pytest.mark.parametrize(
    "command",
    [["search", "*", "--json"], ["record", "--json"], ["rebuild"], ["token", "list"], ["serve", "--port", "0"]],
    ids=lambda command: command[0],
)
def test_a_second_writer_is_refused_and_told_where_to_turn(server: ServerProcess, command: list[str]) -> None:
    place = ["--data", str(server.root / "data"), "--state-dir", str(server.root / "state")]
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.cli", *command, *place],
        input=json.dumps(sample()),
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "data-in-use" in done.stderr or "ledger-locked" in done.stderr
    assert "--url" in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_needs_no_lock_and_works_beside_the_server(server: ServerProcess) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.cli", "verify", str(server.root / "data"), "--json"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["holds"] is True


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "audit.example.org"])  # noqa: S104
def test_no_server_listens_beyond_this_machine_in_the_clear(tmp_path: Path, host: str) -> None:
    with pytest.raises(UnsafeListenError) as caught:
        settings(tmp_path, host=host).require_safe_listen()
    assert "--tls-cert" in caught.value.advice
    assert "--behind-proxy" in caught.value.advice
    settings(tmp_path, host=host, behind_proxy=True).require_safe_listen()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_on_this_machine_nothing_is_demanded(tmp_path: Path, host: str) -> None:
    settings(tmp_path, host=host).require_safe_listen()


def test_the_command_refuses_before_it_makes_anything(tmp_path: Path) -> None:
    line = words(tmp_path, "--host", "0.0.0.0")  # noqa: S104
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 1
    assert "unsafe-listen" in done.stderr
    assert not (tmp_path / "data").exists()


def test_with_a_certificate_it_speaks_tls_and_nothing_else(tmp_path: Path) -> None:
    cert_file, key_file = write_certificate(tmp_path)
    with serving(tmp_path, "--tls-cert", cert_file, "--tls-key", key_file, "--host", "0.0.0.0") as server:  # noqa: S104
        address = f"https://127.0.0.1:{server.port}"
        trusted = ssl.create_default_context(cafile=str(cert_file))
        assert httpx.get(f"{address}/healthz", verify=trusted).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/healthz")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{server.port}/healthz")


def test_told_to_stop_it_answers_what_is_under_way_takes_nothing_new_and_writes_down_that_it_stopped(
    tmp_path: Path,
) -> None:
    with open_instance(settings(tmp_path)) as instance:
        token = make_token(instance, "both", source="tester").secret
    half = len(BODY) // 2
    with serving(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(_head(token, f"content-length: {len(BODY)}", "connection: close") + BODY[:half])
        time.sleep(0.3)
        stopping = threading.Thread(target=server.terminate)
        stopping.start()
        _wait_until_closed(server.port)
        line.sendall(BODY[half:])
        line.settimeout(STOP_S_MAX)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
        stopping.join()
        assert server.child.returncode == 0
        assert "Traceback" not in server.said()
    assert answer.startswith(b"HTTP/1.1 201")
    assert answer.count(b'"index"') == 50
    own = [action for action in _product_actions(tmp_path) if action.startswith("server.")]
    assert own == ["server.started", "server.stopped"]


def _wait_until_closed(port: int) -> None:
    """Return once new connections are refused, or answered with `draining`."""
    start = time.monotonic()
    while time.monotonic() - start < STOP_S_MAX:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                time.sleep(0.02)
        except OSError:
            return
    raise AssertionError("the server still takes connections")


def _product_actions(root: Path) -> list[str]:
    with open_instance(settings(root)) as instance:
        frames = [ref.read() for ref in instance.ledger.snapshot().frames]
        return [
            json.loads(frame.facts_at(at))["action"]
            for frame in frames
            if frame.source == PRODUCT_SOURCE
            for at in range(frame.count)
        ]
