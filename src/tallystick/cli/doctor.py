"""What `tallystick doctor` looks at: is this machine fit to keep a log that others will rely on?"""

from __future__ import annotations

import ctypes
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

Verdict = Literal["ok", "warning", "problem"]
STA_UNSYNC = 0x0040
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


class _Timex(ctypes.Structure):
    """struct timex of Linux (adjtimex(2)); only the fields up to `status` are read, the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 256),
    )


def _clock() -> Check:
    advice = "Run chrony or systemd-timesyncd; an auditor asks for evidence that clocks are synchronised."
    if platform.system() != "Linux":
        return Check("clock", "warning", "synchronisation cannot be asked on this system", advice)
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        return Check("clock", "warning", f"the kernel does not say ({os.strerror(ctypes.get_errno())})", advice)
    if timex.status & STA_UNSYNC:
        return Check("clock", "warning", "the kernel says it is not synchronised", advice)
    return Check("clock", "ok", f"synchronised, error at most {timex.maxerror / 1000:.1f} ms")


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
