"""What the machine says about itself: clock, memory, open files, certificate. None where it does not say."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

STA_UNSYNC: Final = 0x0040


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


class ClockUnknownError(Exception):
    """The system does not say whether its clock is synchronised."""


def clock_error_ms() -> float | None:
    """Return by how much the clock may be wrong at most, as the kernel knows it; None when it is not synchronised.

    Raises ClockUnknownError.
    """
    if platform.system() != "Linux":
        raise ClockUnknownError("synchronisation cannot be asked on this system")
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        raise ClockUnknownError(f"the kernel does not say ({os.strerror(ctypes.get_errno())})")
    return None if timex.status & STA_UNSYNC else timex.maxerror / 1000


def memory_bytes() -> int | None:
    """Return the memory that this process holds now."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize()


def open_files() -> tuple[int | None, int]:
    """Return how many files and connections are open, and how many may be."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir()), limit
    except OSError:
        return None, limit


def certificate_ends(path: Path) -> datetime | None:
    """Return when the first certificate of a PEM file ends; None when it cannot be read."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0].not_valid_after_utc.astimezone(UTC)
    except (OSError, ValueError, IndexError):
        return None
