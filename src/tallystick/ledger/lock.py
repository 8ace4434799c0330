"""One writer: an advisory lock that the kernel releases with the process, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from tallystick.ledger.errors import LedgerLockedError, NotWritableError


class FileLock:
    """An exclusive lock on a file, held from construction until `close`.

    The file stays behind; its content (the holder's process id) is for people only and decides nothing.
    """

    def __init__(self, path: Path, what: str) -> None:
        """Take the lock or raise LedgerLockedError at once."""
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise NotWritableError(f"{path} cannot be written: {error}") from error
        except OSError as error:
            if error.errno == errno.EROFS:
                raise NotWritableError(f"{path} lies on a disk that is mounted read-only") from error
            raise
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise LedgerLockedError(f"{what} is open for writing in process {holder}", holder=holder) from None
        except BaseException:
            os.close(self._descriptor)
            raise
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
