"""Puts the room together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.govern.exceptions.service import ExceptionService
from tallystick.govern.exceptions.upkeep import ExceptionUpkeep
from tallystick.govern.exceptions.uses import Uses
from tallystick.govern.ports import GovernPorts
from tallystick.govern.systems.arrivals import Arrivals
from tallystick.govern.systems.looking import CoverageService
from tallystick.govern.systems.service import SystemService
from tallystick.govern.systems.watch import CoverageWatch


@dataclass(frozen=True, slots=True)
class GovernRoom:
    """The services of this room."""

    register: SystemService
    coverage: CoverageService
    exceptions: ExceptionService
    watch: CoverageWatch
    upkeep: ExceptionUpkeep


@contextmanager
def open_govern(
    projection: Projection, commands: Commands, data: Path, origin: str, ports: GovernPorts
) -> Iterator[GovernRoom]:
    """Yield the room; its threads have ended when this is left."""
    uses = Uses(data, origin, ports.now_us)
    exceptions = ExceptionService(projection, commands, uses, ports)
    coverage = CoverageService(projection, Arrivals(ports.arrivals), exceptions, ports)
    upkeep = ExceptionUpkeep(projection, commands, uses, ports)
    watch = CoverageWatch(projection, commands, coverage, exceptions, ports)
    with closing(uses), upkeep, watch:
        yield GovernRoom(SystemService(projection, commands, ports), coverage, exceptions, watch, upkeep)
