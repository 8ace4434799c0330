"""Puts the register of releases together."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.releases.artifacts import ArtifactService
from tallystick.releases.objects import Objects
from tallystick.releases.ports import ReleasePorts
from tallystick.releases.readership import UsageService
from tallystick.releases.service import ReleaseService


@dataclass(frozen=True, slots=True)
class Releases:
    """The services of this room."""

    register: ReleaseService
    artifacts: ArtifactService
    usage: UsageService


def open_releases(projection: Projection, commands: Commands, ports: ReleasePorts) -> Releases:
    """Return the room; its folder is made."""
    objects = Objects(ports.folder, ports.room_bytes)
    register = ReleaseService(projection, commands, objects, ports)
    artifacts = ArtifactService(projection, commands, objects, register, ports)
    return Releases(register, artifacts, UsageService(projection, ports.search, ports.now_us))
