"""An installation that streams to a real receiving process, which tests kill and start again."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.installation import Installation, installation

from tallystick.access.operator import OPERATOR
from tallystick.stream.model import Destination, Settings, Standing
from tallystick.stream.service import Made

LOOPBACK = ("127.0.0.0/8",)
DEADLINE_S = 60
_SCRIPT = Path(__file__).with_name("stream_receiver.py")


@dataclass
class ReceiverProcess:
    """The receiver below `folder`; it keeps its port when it is started again."""

    folder: Path
    port: int = 0
    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it takes connections."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "port").unlink(missing_ok=True)
        self.child = subprocess.Popen([sys.executable, str(_SCRIPT), str(self.port), str(self.folder)])
        wait_until(lambda: (self.folder / "port").exists() and bool((self.folder / "port").read_text()))
        self.port = int((self.folder / "port").read_text())

    def kill(self) -> None:
        """End it as `kill -9` does."""
        assert self.child is not None
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.child = None

    def url(self, way: str = "ok") -> str:
        return f"http://127.0.0.1:{self.port}/{way}"

    def refuse(self, text: str | None) -> None:
        """Refuse from now on what holds a text, or nothing any more."""
        place = self.folder / "refuse"
        place.unlink(missing_ok=True)
        if text is not None:
            place.write_text(text)

    def taken(self) -> list[dict[str, Any]]:
        """Return every request taken, in order; a line that a kill cut short was never answered."""
        place = self.folder / "taken.jsonl"
        lines = place.read_bytes().split(b"\n") if place.exists() else []
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return found

    def events(self, way: str = "ok") -> list[dict[str, Any]]:
        """Return the events of every request to a path, in order, repeats and all."""
        found: list[dict[str, Any]] = []
        for request in self.taken():
            if request["path"].partition("?")[0] == f"/{way}":
                body = json.loads(request["body"])
                found += [each for each in (body if isinstance(body, list) else [body]) if "data" in each]
        return [each["data"] for each in found if "event" in each["data"]]

    def ids(self, way: str = "ok") -> list[str]:
        """Return the ids of the events at a path in order of their first arrival."""
        return list(dict.fromkeys(each["id"] for each in self.events(way)))

    def actions(self, way: str = "ok") -> list[str]:
        return [each["event"]["action"] for each in self.events(way)]


@dataclass
class StreamWorld:
    """An installation with a receiver beside it."""

    house: Installation
    receiver: ReceiverProcess
    made: dict[str, Made] = field(default_factory=dict)

    @property
    def streams(self) -> Any:
        return self.house.instance.services.streams

    def create(self, way: str = "ok", **changes: Any) -> str:
        """Set up a destination at a path of the receiver, or at the `url` given, and return its id."""
        more = {name: changes.pop(name) for name in ("token", "from_index") if name in changes}
        settings = Settings(**{"name": way[:40], "url": self.receiver.url(way), **changes})
        made = self.streams.create(OPERATOR, settings, **more)
        self.made[made.id] = made
        return str(made.id)

    def standing(self, destination: str) -> Standing:
        return dict(self.all())[destination]

    def all(self) -> list[tuple[str, Standing]]:
        return [(each.id, standing) for each, standing in self.streams.standings(OPERATOR)]

    def find(self, destination: str) -> Destination:
        found: Destination = next(each for each, _ in self.streams.standings(OPERATOR) if each.id == destination)
        return found

    def send(self, count: int = 1, **changes: Any) -> list[str]:
        """Record some events, and return their ids."""
        event = {
            "action": "user.signed_in",
            "actor": {"id": "ana", "type": "user", "email": "ana@example.org"},
            "target": {"id": "intranet", "type": "application"},
            "scope": "acme/intranet",
            "occurred_at": "2026-03-01T12:00:00Z",
            "context": {"ip": "192.0.2.7"},
            **changes,
        }
        answer = self.house.post([event] * count)
        assert answer.status_code == 201, answer.text
        return [each["id"] for each in answer.json()["events"]]


def wait_until(done: Callable[[], Any], deadline_s: float = DEADLINE_S) -> None:
    """Return once it is so."""
    until = time.monotonic() + deadline_s
    while not done():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def receiving(folder: Path) -> Iterator[ReceiverProcess]:
    """Yield a receiver that runs; ended afterwards, if it still does."""
    receiver = ReceiverProcess(folder)
    receiver.start()
    try:
        yield receiver
    finally:
        if receiver.child is not None:
            receiver.kill()


@contextmanager
def streaming(root: Path, **changes: Any) -> Iterator[StreamWorld]:
    """Yield a world in which events are sent."""
    with (
        receiving(root / "receiver") as receiver,
        installation(root, **{"stream_networks": LOOPBACK, **changes}) as house,
        house.instance.services.streams.running(),
    ):
        yield StreamWorld(house, receiver)
