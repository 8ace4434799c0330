"""Puts the register of security policies together, with the follower that reads the repositories."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tallystick.clock import Clock
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection
from tallystick.policies.figures import Figures
from tallystick.policies.follower import PolicyFollower
from tallystick.policies.looking import PolicyReading
from tallystick.policies.model import Project
from tallystick.policies.ports import PolicyPorts
from tallystick.policies.reading import Repositories
from tallystick.policies.rows import load_projects
from tallystick.policies.service import PolicyService
from tallystick.policies.sync import Sync


@dataclass(frozen=True, slots=True)
class PolicyRoom:
    """The services of this room."""

    service: PolicyService
    reading: PolicyReading
    figures: Figures


@contextmanager
def open_policies(
    projection: Projection, commands: Commands, clock: Clock, folder: Path, ports: PolicyPorts
) -> Iterator[PolicyRoom]:
    """Yield the room while its follower reads the repositories into copies in `folder`, which is its own."""
    figures = Figures()
    sync = Sync(projection, commands, ports.now_us, Repositories(folder), ports.enabled, figures)
    # Asked for every half second: costs no query until something changes.
    projects: Kept[None, list[Project]] = Kept(projection, lambda connection, _: load_projects(connection))
    with PolicyFollower(sync, partial(projects.get, None), clock):
        service = PolicyService(projection, commands, sync, ports)
        yield PolicyRoom(service, PolicyReading(projection, ports.looked, ports.enabled), figures)
