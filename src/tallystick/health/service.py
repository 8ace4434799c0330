"""Looks at everything, and says what it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from tallystick.errors import PermissionMissingError
from tallystick.health import ledger_checks, process_checks
from tallystick.health.model import Check, Health, judge
from tallystick.ledger.model import LedgerStatus, Snapshot

READ: Final = "health.read"


class Log(Protocol):
    """The part of a ledger that is looked at."""

    def status(self) -> LedgerStatus: ...
    def snapshot(self) -> Snapshot: ...


class Rights(Protocol):
    """What a caller may do; `access.rights.Rights` is one."""

    def allows(self, permission: Any, scope: str) -> bool: ...


class Caller(Protocol):
    """Who looks; `access.model.Caller` is one."""

    @property
    def rights(self) -> Rights: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked at. `catch_up` brings the tables up to the log or raises; `backed_up_at` is None without a backup on
    record; `failures` are the answers of the last hour that were our fault; `duties` say how each duty does.
    """

    log: Log
    reserve_bytes: int
    witnesses: int
    workers: int
    tls_cert: Path | None
    behind_proxy: bool
    database: str
    catch_up: Callable[[], int]
    quarantined: Callable[[], Mapping[str, str]]
    checked: Callable[[], Mapping[str, int]]
    backed_up_at: Callable[[], int | None]
    failures: Callable[[], int]
    exports_waiting: Callable[[], int]
    duties: Sequence[Callable[[], Check]] = ()


class HealthService:
    """May be used from any thread; holds nothing."""

    def __init__(self, watched: Watched, looked: Callable[[Any, str], None]) -> None:
        self._watched = watched
        self._looked = looked

    def look(self, caller: Caller) -> Health:
        """Return how the installation does; the look is recorded. Raises PermissionMissingError.

        A look that cannot be recorded is shown all the same: it is when the log takes nothing that an operator must see why.
        """
        if not caller.rights.allows(READ, ""):
            raise PermissionMissingError(f"this needs the permission {READ} for /")
        if self._watched.log.status().read_only is None:
            self._looked(caller, "health")
        return judge(list(self._checks()))

    def _checks(self) -> Iterator[Check]:
        watched = self._watched
        status, snapshot = watched.log.status(), watched.log.snapshot()
        yield ledger_checks.takes_events(status)
        yield ledger_checks.committed(status)
        yield ledger_checks.witnessed(status, watched.witnesses)
        yield ledger_checks.sealed(status)
        yield ledger_checks.retried(status)
        yield ledger_checks.disk(status, watched.reserve_bytes)
        yield ledger_checks.segments(snapshot, watched.quarantined(), watched.checked())
        yield ledger_checks.tables(watched.catch_up)
        yield ledger_checks.backup(status.now, watched.backed_up_at())
        yield process_checks.certificate(watched.tls_cert, status.now, behind_proxy=watched.behind_proxy)
        yield process_checks.clock(status.clock_behind_us)
        yield process_checks.failures(watched.failures())
        yield process_checks.exports(watched.exports_waiting())
        yield from (check() for check in watched.duties)
        yield process_checks.memory()
        yield process_checks.open_files()
        yield process_checks.running(watched.workers, watched.database)
