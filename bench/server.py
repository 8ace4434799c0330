"""A real server process on a fresh directory, for benchmarks that go through HTTP."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from bench import measure

ANSWER_S_MAX = 120


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, what it keeps, and a token that may do everything."""

    port: int
    data: Path
    state: Path
    token: str
    process: subprocess.Popen[bytes]

    def pids(self) -> list[int]:
        """Return the server's process and all its children."""
        return measure.family(self.process.pid)

    def ask(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_S_MAX)
        with closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def sizes(self) -> dict[str, int]:
        """Return how far each stage has got: `acknowledged`, `committed`, `sealed`."""
        health = json.loads(self.ask("/readyz")[1])
        return {name: health[name]["size"] for name in ("acknowledged", "committed", "sealed")}

    def wait_until_ready(self) -> None:
        """Return when the server says that it takes events: connections are accepted before that, and wait."""
        end = time.perf_counter() + ANSWER_S_MAX
        while time.perf_counter() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server left with status {self.process.returncode}")
            try:
                if self.ask("/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("the server does not answer")

    def stop(self) -> None:
        """End the server in order, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=120)


@contextmanager
def home(data: Path | None = None) -> Iterator[Path]:
    """Yield `data`, or a new folder that is removed afterwards, below TALLYSTICK_BENCH_DIR where that is set."""
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    folder = tempfile.mkdtemp(prefix="tallystick-bench-", dir=os.environ.get("TALLYSTICK_BENCH_DIR"))
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(*options: str, data: Path | None = None) -> Iterator[Server]:
    """Yield a server that takes events; what it keeps in `data` stays, otherwise it is removed afterwards."""
    with home(data) as folder:
        server = start(folder, make_token(folder), *options)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()


def start(folder: Path, token: str, *options: str) -> Server:
    """Start a server and return at once."""
    port = free_port()
    process = subprocess.Popen(
        command("serve", *_where(folder), "--port", str(port), *options), stderr=subprocess.DEVNULL
    )
    return Server(port, folder / "data", folder / "state", token, process)


def make_token(folder: Path) -> str:
    """Return a new token for everything."""
    words = command("token", "create", *_where(folder), "--source", "bench", "--scope", "/", "--can", "both")
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def command(*words: str | Path) -> list[str]:
    """Return the command line of the product with this interpreter."""
    return [sys.executable, "-m", "tallystick.cli", *map(str, words)]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _where(folder: Path) -> tuple[str | Path, ...]:
    return "--data", folder / "data", "--state-dir", folder / "state"
