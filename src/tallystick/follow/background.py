"""Work beside the requests: a thread for as long as a context lasts."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Final, Self

from sqlalchemy.exc import SQLAlchemyError

from tallystick.errors import TallystickError

#: What a thread waits out, saying so: the log takes nothing, the disk or the database does not answer.
PASSING: Final = (TallystickError, OSError, SQLAlchemyError)


class Background(ABC):
    """A thread that begins with the context and has ended when it is left.

    `_run` is what it does: it waits by `_stopping.wait(seconds)` and returns soon once that is set.
    """

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Do the work until `_stopping` is set."""
