"""The real server process, as `tallystick serve` starts it, for tests that stop or kill it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

START_S_MAX = 60
_LISTENS = re.compile(rb" listens on (https?://\S+)\s*$")


@dataclass
class ServerProcess:
    """One running server below `root`; everything it wrote to standard error is in `errors`."""

    root: Path
    child: subprocess.Popen[bytes]
    url: str
    errors: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def said(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it as `kill -9` does: it learns nothing of it."""
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def terminate(self) -> int:
        """Ask it to stop, wait until it has, and return its exit status."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=START_S_MAX)


def words(root: Path, *more: str | Path, port: int = 0) -> list[str]:
    """Return the command line of a server below `root`."""
    place = ("--data", root / "data", "--state-dir", root / "state")
    return [sys.executable, "-m", "tallystick.cli", "serve", *map(str, (*place, "--port", str(port), *more))]


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a command, without the settings of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    return {**own, "COLUMNS": "200", **settings}


@contextmanager
def serving(root: Path, *more: str | Path, port: int = 0, **settings: str) -> Iterator[ServerProcess]:
    """Yield a server that takes connections, on any free port for 0; killed afterwards when it still runs."""
    with tempfile.NamedTemporaryFile(dir=root, prefix="errors-", delete=False) as errors:
        child = subprocess.Popen(
            words(root, *more, port=port),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment(**settings),
            start_new_session=True,
        )
    try:
        with Path(errors.name).open("rb") as lines:
            url = _wait_for_address(child, lines)
        yield ServerProcess(root, child, url, Path(errors.name))
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        child.wait()


def _wait_for_address(child: subprocess.Popen[bytes], lines: IO[bytes]) -> str:
    """Return the address from the line that says where it listens."""
    import time

    said = b""
    start = time.monotonic()
    while time.monotonic() - start < START_S_MAX:
        said += lines.read()
        for line in said.split(b"\n")[:-1]:
            if found := _LISTENS.search(line):
                return found[1].decode()
        assert child.poll() is None, f"the server ended: {said.decode(errors='replace')}"
        time.sleep(0.02)
    raise AssertionError(f"the server does not start: {said.decode(errors='replace')}")
