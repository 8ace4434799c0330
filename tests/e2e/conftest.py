"""The product as a user runs it: its own process, its own terminal output, its own exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
TIMEOUT_S = 120


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for one user: data directories below it, state beside them."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def tallystick(home: Path) -> Run:
    """Return a function that runs one command to its end; `check` False allows a failure."""

    def run(
        *words: str | Path, check: bool = True, stdin: str = "", folder: Path | None = None, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "XDG_STATE_HOME": str(home / "state"), "COLUMNS": "120", **settings}
        for name in ("TALLYSTICK_DATA", "TALLYSTICK_STATE", "TALLYSTICK_URL", "TALLYSTICK_TOKEN"):
            if name not in settings:
                environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-m", "tallystick.cli", *map(str, words)],
            capture_output=True,
            text=True,
            input=stdin,
            env=environment,
            cwd=folder,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run
