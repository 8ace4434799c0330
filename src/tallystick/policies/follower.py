"""Looks at every repository again and again; what cannot be read is tried more and more seldom, and holds nobody up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from tallystick.clock import Clock
from tallystick.errors import TallystickError
from tallystick.follow.background import Background
from tallystick.policies.git import GitStoppedError
from tallystick.policies.model import Project, State
from tallystick.policies.sync import Sync

LOOK_EVERY_S: Final = 3.0
TICK_S: Final = 0.5
WAIT_S_MAX: Final = 60.0
READERS: Final = 4
_telemetry = structlog.get_logger("tallystick.policies")


class PolicyFollower(Background):
    """A thread that has repositories read, by a few others, for as long as the context lasts."""

    def __init__(self, sync: Sync, projects: Callable[[], list[Project]], clock: Clock) -> None:
        super().__init__("policies")
        self._sync = sync
        self._projects = projects
        self._clock = clock
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="policies")
        self._due: dict[str, float] = {}  # these three belong to the thread
        self._failures: dict[str, int] = {}
        self._under_way: dict[str, Future[None]] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._sync.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self._look()
            except TallystickError as error:
                _telemetry.error("policies wait", code=error.code)
            except SQLAlchemyError as error:
                # The tables are being made again, or the database is away: the next look finds them.
                _telemetry.warning("policies wait for their tables", kind=type(error).__name__)

    def _look(self) -> None:
        now = self._clock.monotonic_s()
        projects = [
            each for each in self._projects() if each.settings.kept == "git" and each.state is not State.RETIRED
        ]
        for project in projects:
            name = project.project
            done = self._under_way.get(name)
            if done is not None:
                if not done.done():
                    continue
                del self._under_way[name]
                self._due[name] = now + self._wait_s(project)
            if now >= self._due.get(name, 0.0):
                self._under_way[name] = self._pool.submit(self._read, name)

    def _wait_s(self, project: Project) -> float:
        """Return how long to leave a repository alone: longer and longer while it cannot be read."""
        failures = self._failures.get(project.project, 0) + 1 if project.state is State.UNREACHABLE else 0
        self._failures[project.project] = failures
        return min(LOOK_EVERY_S * 2 ** min(failures, 8), WAIT_S_MAX) if failures > 2 else LOOK_EVERY_S

    def _read(self, project: str) -> None:
        try:
            self._sync.project(project)
        except GitStoppedError:
            pass
        except TallystickError as error:
            # The log takes nothing now: what the repository says is read again later.
            _telemetry.error("a policy project waits", project=project, code=error.code)
        except Exception:  # noqa: BLE001 - one project waits, with a word; the others go on
            _telemetry.exception("a policy project cannot be synced", project=project)
