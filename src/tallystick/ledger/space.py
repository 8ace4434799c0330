"""Room on the disk: new events stop while there is still enough to integrate, seal and record what the product does."""

from __future__ import annotations

import threading
from pathlib import Path

from tallystick.clock import Clock
from tallystick.errors import StorageFullError
from tallystick.store.files import Disk

LOOK_EVERY_S = 1.0


class SpaceGuard:
    """Watches the free bytes of one disk; thread-safe. Recovers by itself as soon as there is room again."""

    def __init__(self, disk: Disk, path: Path, clock: Clock, reserve_bytes: int) -> None:
        self._disk = disk
        self._path = path
        self._clock = clock
        self._reserve_bytes = reserve_bytes
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._free_bytes: int | None = None

    def free_bytes(self) -> int | None:
        """Return the free bytes, at most a second old; None while the disk does not say."""
        with self._lock:
            now = self._clock.monotonic_s()
            if now - self._looked_at >= LOOK_EVERY_S:
                self._looked_at = now
                try:
                    self._free_bytes = self._disk.free_bytes(self._path)
                except OSError:
                    self._free_bytes = None
            return self._free_bytes

    def is_low(self) -> bool:
        """Return whether less than the reserve is free, as far as the disk says."""
        free = self.free_bytes()
        return free is not None and free < self._reserve_bytes

    def require(self) -> None:
        """Raise StorageFullError while less than the reserve is free."""
        free = self.free_bytes()
        if free is not None and free < self._reserve_bytes:
            raise StorageFullError(
                f"only {free} bytes are free; {self._reserve_bytes} are kept in reserve", free_bytes=free
            )
