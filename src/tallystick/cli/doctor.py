"""What `tallystick doctor` looks at: is this machine fit to keep a log that others will rely on?"""

from __future__ import annotations

import os
import platform
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from tallystick import __version__
from tallystick.health.machine import ClockUnknownError, clock_error_ms

Verdict = Literal["ok", "warning", "problem"]
FREE_BYTES_MIN = 2 << 30
OPEN_FILES_MIN = 1024
SYNC_MS_MAX = 50.0
SYNCS = 20
PACKAGES = ("cryptography", "msgspec", "pyarrow", "duckdb", "litestar", "uvicorn", "sqlalchemy")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what was found, and what to do when it is not well."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine(data: Path | None) -> Iterator[Check]:
    """Yield every check of this machine, and of `data` where it is given; changes nothing that stays."""
    yield _clock()
    yield _open_files()
    yield _versions()
    if data is not None and not data.is_dir():
        yield Check("data", "problem", f"there is no directory {data}", "Give the data directory with --data.")
    elif data is not None:
        yield _space(data)
        yield _sync_time(data)
        yield from _permissions(data)


def _clock() -> Check:
    advice = "Run chrony or systemd-timesyncd; an auditor asks for evidence that clocks are synchronised."
    try:
        error_ms = clock_error_ms()
    except ClockUnknownError as error:
        return Check("clock", "warning", str(error), advice)
    if error_ms is None:
        return Check("clock", "warning", "the kernel says that it is not synchronised", advice)
    return Check("clock", "ok", f"synchronised, error at most {error_ms:.1f} ms")


def _open_files() -> Check:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    verdict: Verdict = "ok" if soft >= OPEN_FILES_MIN else "warning"
    return Check("open files", verdict, f"limit {soft}", "" if verdict == "ok" else f"Raise it to {OPEN_FILES_MIN}.")


def _versions() -> Check:
    found = [f"tallystick {__version__}", f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return Check("versions", "ok", ", ".join(found))


def _space(data: Path) -> Check:
    usage = shutil.disk_usage(data)
    found = f"{usage.free / 1e9:.1f} GB free of {usage.total / 1e9:.1f} GB"
    if usage.free >= FREE_BYTES_MIN:
        return Check("disk space", "ok", found)
    return Check("disk space", "problem", found, "Below the reserve new events are refused (507); free some space.")


def _sync_time(data: Path) -> Check:
    spent = []
    with tempfile.NamedTemporaryFile(dir=data) as probe:
        for _ in range(SYNCS):
            probe.write(b"\0" * 4096)
            probe.flush()
            start = time.perf_counter()
            os.fdatasync(probe.fileno())
            spent.append((time.perf_counter() - start) * 1000)
    spent.sort()
    found = f"fdatasync {spent[SYNCS // 2]:.2f} ms median, {spent[-1]:.2f} ms worst"
    slow = spent[SYNCS // 2] > SYNC_MS_MAX
    return Check(
        "disk sync", "warning" if slow else "ok", found, "Every answer waits for one; use a faster disk." * slow
    )


def _permissions(data: Path) -> Iterator[Check]:
    for path in (data, *sorted((data / "keys").glob("*")), data / "secrets.db"):
        if not path.exists():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        open_to_others = (bool(mode & 0o077) and path != data) or bool(mode & 0o022)
        yield Check(
            "permissions",
            "problem" if open_to_others else "ok",
            f"{mode:04o} {path.relative_to(data.parent)}",
            f"chmod go-rwx {path}" if open_to_others else "",
        )
