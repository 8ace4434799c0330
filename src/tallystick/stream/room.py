"""Keeps a follower for each destination, as the tables have them, while `running` lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from tallystick.event.occurred import time_of_us
from tallystick.follow.commands import Commands
from tallystick.follow.log_reader import LogReader
from tallystick.follow.projection import Projection
from tallystick.follow.register import Register
from tallystick.store.secrets import Secrets
from tallystick.stream.address import Network
from tallystick.stream.errors import SecretMissingError
from tallystick.stream.follower import Follower, Tools
from tallystick.stream.handlers import ENDED
from tallystick.stream.model import OWN_SCOPE, SECRET_KIND, Destination, Sealed, Standing, State, Version
from tallystick.stream.patience import Patience
from tallystick.stream.ports import StreamPorts
from tallystick.stream.position import Positions
from tallystick.stream.request import Endpoint
from tallystick.stream.rows import all_destinations, find_destination
from tallystick.stream.sender import Sender

STOP_S: Final = 5.0
"""How long the end waits for all followers together; they are told to let go at once."""
STREAMED: Final = "events.streamed"


class StreamRoom:
    """The followers of one installation; may be used from any thread."""

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        secrets: Secrets,
        register: Register,
        reader: LogReader,
        positions: Positions,
        networks: Sequence[Network],
        ports: StreamPorts,
        patience: Patience | None = None,
    ) -> None:
        self.positions = positions
        self.networks = tuple(networks)
        self._projection = projection
        self._commands = commands
        self._secrets = secrets
        self._ports = ports
        self._lock = threading.Lock()
        self._followers: dict[str, Follower] = {}  # guarded by _lock
        self._is_running = False  # guarded by _lock
        self._tools = Tools(
            reader=reader,
            positions=positions,
            register=register,
            endpoint=self.endpoint,
            now_us=ports.now_us,
            refresh=self.refresh,
            record=self._record,
            end=self._end,
            forget=lambda name: secrets.delete(SECRET_KIND, name),
            version=lambda: projection.version,
            patience=patience or Patience(),
        )

    @property
    def size(self) -> int:
        """The acknowledged size of the log."""
        return self._tools.reader.size

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send while the context lasts; at its end nothing of a destination is waited for."""
        with self._lock:
            self._is_running = True
        self.refresh()
        try:
            yield
        finally:
            with self._lock:
                self._is_running = False
                followers = list(self._followers.values())
                self._followers.clear()
            _stop(followers)

    def refresh(self) -> None:
        """Bring every follower up to what the tables say at the end of the log."""
        self._projection.catch_up()
        with self._projection.engine.connect() as connection:
            destinations = {each.id: each for each in all_destinations(connection)}
        with self._lock:
            if not self._is_running:
                return
            gone = [self._followers.pop(name) for name in list(self._followers) if name not in destinations]
            for destination in destinations.values():
                follower = self._followers.get(destination.id)
                if follower is not None:
                    if follower.destination != destination:
                        follower.wake(destination)
                    continue
                follower = self._followers[destination.id] = Follower(destination, self._tools)
                follower.start()
        for follower in gone:
            follower.stop()

    def standing(self, destination: Destination) -> Standing:
        """Return how a destination does; of one that is not followed here, from what was kept last."""
        with self._lock:
            follower = self._followers.get(destination.id)
        return (follower or Follower(destination, self._tools)).standing()

    def wake(self, destination: str) -> None:
        """Let a follower look at once, without waiting out what failed before."""
        with self._lock:
            follower = self._followers.get(destination)
        if follower is not None:
            follower.try_now()

    def endpoint(self, destination: Destination, version: Version) -> Endpoint:
        """Return where a version's events go; the signature is always by the newest secrets. Raises SecretMissingError."""
        sealed = self.unseal(version)
        url = version.url + (f"?{sealed.url_query}" if sealed.url_query else "")
        return Endpoint(Sender(url, self.networks), sealed, self.unseal(destination.now))

    def unseal(self, version: Version) -> Sealed:
        """Return the secrets of a version; raises SecretMissingError unless they are those that the log names."""
        record = self._secrets.find(SECRET_KIND, version.secret)
        if record is None or record.digest != version.digest:
            raise SecretMissingError("the secrets of this destination are missing, or are not those that were set")
        return msgspec.json.decode(record.record, type=Sealed)

    def _record(self, destination: Destination, version: Version, index: int, rows: int) -> None:
        metadata = {
            "destination": destination.id,
            "query": version.query or "",
            "scopes": [version.scope or "/"],
            "after_index": index - 1,
            "rows": rows,
        }
        fields = _event(STREAMED, destination.id, version.scope, metadata, self._ports.now_us())
        fields["actor"] = {"id": destination.id, "type": "service"}
        self._ports.append(fields)

    def _end(self, destination: Destination, undelivered: int) -> None:
        """Record that a deleted destination has what it was due, and forget its secrets and how far it was."""

        def decide(connection: Connection) -> list[dict[str, Any]]:
            found = find_destination(connection, destination.id)
            if found is None or found.state is not State.ENDING:
                return []
            metadata = {"destination": destination.id, "undelivered": undelivered}
            return [_event(ENDED, destination.id, found.now.scope, metadata, self._ports.now_us())]

        self._commands.run(decide)
        # A crash here leaves secrets that nothing refers to, and a position that nobody asks for.
        for version in destination.versions:
            self._secrets.delete(SECRET_KIND, version.secret)
        self.positions.forget(destination.id)


def _event(action: str, destination: str, scope: str, metadata: dict[str, Any], now_us: int) -> dict[str, Any]:
    return {
        "action": action,
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": "destination", "id": destination},
        "scope": scope or OWN_SCOPE,
        "occurred_at": time_of_us(now_us),
        "metadata": metadata,
    }


def _stop(followers: Sequence[Follower]) -> None:
    for follower in followers:
        follower.stop()
    until = time.monotonic() + STOP_S
    for follower in followers:
        follower.join(max(0.0, until - time.monotonic()))
