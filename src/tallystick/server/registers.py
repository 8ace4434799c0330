"""The registers that are kept in the log, and the streams that follow it, each with the ports that it names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from tallystick.access.sources.model import Source
from tallystick.access.sources.rows import find_source
from tallystick.event.catalogue import render_message
from tallystick.follow.projection import Projection
from tallystick.follow.register import Register
from tallystick.policies import open_policies
from tallystick.policies.ports import PolicyPorts
from tallystick.policies.room import PolicyRoom
from tallystick.releases import open_releases
from tallystick.releases.ports import ReleasePorts
from tallystick.releases.room import Releases
from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading
from tallystick.settings.model import reaches
from tallystick.stream import Log, Streams, open_streams
from tallystick.stream.ports import StreamPorts

#: Beyond the reserve of the ledger: files of people stop before recording has to.
LEAVE_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class Registers:
    """Releases, security policies, and where events are streamed to."""

    releases: Releases
    policies: PolicyRoom
    streaming: Streams


def open_registers(ground: Ground, reading: Reading, access: Access, held: ExitStack) -> Registers:
    """Return the registers, entered into `held`."""
    settings, projection, commands, now = ground.settings, ground.projection, ground.commands, ground.book.now_us
    looked, kept, ledger = reading.recorder.looked, access.settings, ground.ledger
    releases = ReleasePorts(
        search=reading.search,
        ledger=ledger,
        message=partial(message_of, ground.register),
        now_us=now,
        folder=settings.data / "objects",
        room_bytes=settings.reserve_bytes + LEAVE_BYTES,
    )
    policies = PolicyPorts(looked, lambda scope: reaches(kept.get("security_policy_events"), scope), now)
    streams = StreamPorts(
        ground.product.one,
        looked,
        access.require_fresh,
        now,
        settings.stream_networks,
        partial(_find_source, projection),
        access.grants.lasting,
    )
    log = Log(ledger.origin, ledger.snapshot, ground.segments, settings.data)
    return Registers(
        open_releases(projection, commands, releases),
        held.enter_context(open_policies(projection, commands, ground.clock, settings.data / "policies", policies)),
        held.enter_context(open_streams(projection, commands, ground.secrets, ground.register, log, streams)),
    )


def _find_source(projection: Projection, name: str) -> Source | None:
    with projection.engine.connect() as connection:
        return find_source(connection, name)


def message_of(register: Register, index: int, event: Mapping[str, Any]) -> str:
    """Return the message of an event, by the catalogue as it stood at its index."""
    return render_message(register.catalogue_at(index).get(event["action"]), event)
