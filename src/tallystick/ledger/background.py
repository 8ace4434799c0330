"""The ledger's threads: each repeats one step as long as there is something to do, and waits longer after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tallystick.errors import CorruptionError, TallystickError
from tallystick.ledger.state import LedgerState

LOOK_EVERY_S = 1.0
RETRY_FIRST_S = 0.25
RETRY_MAX_S = 15.0


class Background:
    """Runs the steps of one ledger until `stop`."""

    def __init__(self, state: LedgerState) -> None:
        self._state = state
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def start(self, name: str, loop: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._guard, args=(name, loop), name=f"ledger-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def repeat(self, step: Callable[[], object], ready: Callable[[], bool], pause_s: float = 0.0) -> None:
        """Call `step` whenever `ready`, at most once per `pause_s` while it reports that it did something.

        A step that raises is called again later, with growing pauses; a CorruptionError ends the loop, because the
        step has stopped the ledger.
        """
        retry_s = RETRY_FIRST_S
        while not self.stopping:
            if not self._wait_until(ready):
                continue
            try:
                step()
            except CorruptionError:
                return
            except (OSError, TallystickError):
                self._stopping.wait(retry_s)
                retry_s = min(RETRY_MAX_S, retry_s * 2)
                continue
            retry_s = RETRY_FIRST_S
            self._stopping.wait(pause_s)

    def stop(self) -> None:
        """Ask every loop to end and wait for it."""
        self._stopping.set()
        with self._state.changed:
            self._state.changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _wait_until(self, ready: Callable[[], bool]) -> bool:
        with self._state.changed:
            return self._state.changed.wait_for(lambda: self.stopping or ready(), LOOK_EVERY_S) and not self.stopping

    def _guard(self, name: str, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as error:
            self._state.stop_writing(f"the {name} thread failed: {error!r}")
            raise
