"""Coverage of systems, as it stands and as it stood at any place in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.follow.projection import Projection
from tallystick.govern.exceptions.model import ExceptionInForce, Kind
from tallystick.govern.exceptions.service import ExceptionService
from tallystick.govern.ports import GovernPorts
from tallystick.govern.systems.arrivals import Arrivals
from tallystick.govern.systems.coverage import Coverage, Gap, Sender, evaluate
from tallystick.govern.systems.errors import PositionUnknownError, SystemUnknownError
from tallystick.govern.systems.model import System
from tallystick.govern.systems.rows import NoticedGap, load_gaps, load_systems, load_versions
from tallystick.govern.systems.senders import load_senders, senders_at
from tallystick.govern.systems.service import LOOKED, sees
from tallystick.store.tables.systems import COVERAGE_GAP

REVIEW_DAYS: Final = "systems.review_days"
"""The setting of how long an approved declaration stands without being looked at again."""


class CoverageService:
    """Whether what was declared arrives. May be used from any thread."""

    def __init__(
        self, projection: Projection, arrivals: Arrivals, exceptions: ExceptionService, ports: GovernPorts
    ) -> None:
        self._projection = projection
        self._arrivals = arrivals
        self._exceptions = exceptions
        self._ports = ports

    def current(self) -> list[Coverage]:
        """Return how every system stands now, by name; for the product itself."""
        size = self._projection.catch_up()
        with self._projection.engine.connect() as connection:
            systems = load_systems(connection, size)
            senders = load_senders(connection)
            at_us = self._ports.now_us()
            return [
                self._evaluated(connection, each, senders, size, at_us, kept=True)
                for each in systems
                if each.retired_index is None
            ]

    def listed(self, caller: Caller, at: int | None = None) -> list[Coverage]:
        """Return how the systems that the caller sees stand now, or stood after the first `at` events, at the time of
        the last of these; the look is recorded. Raises PositionUnknownError.
        """
        require(caller, Permission.SYSTEMS_READ)
        self._ports.looked(caller, LOOKED, "")
        if at is None:
            return [each for each in self.current() if sees(caller, each.system)]
        at_us = self._time_of(at)
        senders = senders_at(self._ports.read_product, at)
        with self._projection.engine.connect() as connection:
            seen = [each for each in load_systems(connection, at) if each.retired_index is None and sees(caller, each)]
            return [self._evaluated(connection, each, senders, at, at_us, kept=False) for each in seen]

    def get(self, caller: Caller, system: str, at: int | None = None) -> Coverage:
        """Return how one system stands or stood. Raises SystemUnknownError, PositionUnknownError."""
        size = self._projection.catch_up() if at is None else at
        at_us = self._ports.now_us() if at is None else self._time_of(at)
        with self._projection.engine.connect() as connection:
            found = load_systems(connection, size, system[:32])
            if not found or not sees(caller, found[0]):
                raise SystemUnknownError(f"there is no system {system[:40]!r} that you may see there")
            senders = load_senders(connection) if at is None else senders_at(self._ports.read_product, at)
            self._ports.looked(caller, LOOKED, found[0].facts.scopes[0])
            return self._evaluated(connection, found[0], senders, size, at_us, kept=at is None)

    def excepted(self, system: System, gaps: Sequence[Gap], now_us: int) -> Mapping[str, ExceptionInForce]:
        """Return the exceptions that cover gaps now, by the key of the gap: from the system, or from that gap alone."""
        scope = system.facts.scopes[0]
        whole = self._exceptions.in_force(Kind.DECLARATION, system.id, scope, now_us)
        found = {}
        for each in gaps:
            own = self._exceptions.in_force(Kind.DECLARATION, f"{system.id}/{each.key}", scope, now_us)
            if own or whole:
                found[each.key] = (*own, *whole)[0]
        return found

    def noticed(self, system: System) -> list[NoticedGap]:
        """Return the gaps of a system that were put on record, the newest first."""
        with self._projection.engine.connect() as connection:
            return load_gaps(connection, COVERAGE_GAP.c.system == system.id)

    def _evaluated(
        self, connection: Connection, system: System, senders: Sequence[Sender], size: int, at_us: int, *, kept: bool
    ) -> Coverage:
        versions = [each for each in load_versions(connection, system.id) if each.index < size]
        arrived = self._arrivals.up_to(system, size, at_us) if kept else self._arrivals.at(system, size, at_us)
        return evaluate(
            system,
            versions,
            senders,
            arrived,
            size,
            at_us,
            self._ports.count(REVIEW_DAYS),
            partial(self._ports.category_of, size),
        )

    def _time_of(self, at: int) -> int:
        """Return when the last of the first `at` events was received."""
        if not 1 <= at <= self._ports.size():
            raise PositionUnknownError(f"the log has {self._ports.size():,} events; give a place from 1 to that")
        found = self._ports.received_at(at - 1)
        if found is None:
            raise PositionUnknownError("what was received there cannot be read any more; choose a place beside it")
        return found
