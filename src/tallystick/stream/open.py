"""Puts the room together: destinations, their followers, and GitLab's events coming in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.follow.commands import Commands
from tallystick.follow.log_reader import LogReader
from tallystick.follow.projection import Projection
from tallystick.follow.register import Register
from tallystick.ledger.model import Snapshot
from tallystick.store.secrets import Secrets
from tallystick.stream.address import parse_networks
from tallystick.stream.inbound import GitlabService
from tallystick.stream.ports import StreamPorts
from tallystick.stream.position import Positions
from tallystick.stream.room import StreamRoom
from tallystick.stream.service import StreamService


@dataclass(frozen=True, slots=True)
class Streams:
    """The services of this room."""

    streams: StreamService
    gitlab: GitlabService


@dataclass(frozen=True, slots=True)
class Log:
    """The log that is followed: its name, a view of it, the folder of its segments, and the data directory."""

    origin: str
    snapshot: Callable[[], Snapshot]
    segments: Path
    data: Path


@contextmanager
def open_streams(
    projection: Projection, commands: Commands, secrets: Secrets, register: Register, log: Log, ports: StreamPorts
) -> Iterator[Streams]:
    """Yield the room; events are sent only while `StreamService.running` lasts."""
    with contextlib.closing(Positions(log.data, log.origin)) as positions:
        reader = LogReader(log.snapshot, log.segments, register.quarantined)
        networks = parse_networks(ports.networks)
        room = StreamRoom(projection, commands, secrets, register, reader, positions, networks, ports)
        service = StreamService(projection, commands, secrets, register, room, ports)
        yield Streams(service, GitlabService(projection, commands, secrets, ports))
