"""Views and exports over a small real ledger: real search, real files, real tables."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.search_world import HOUR, SOURCES, World

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.work_acts import work_act
from tallystick.event.canonical import canonical_json
from tallystick.exporting import EventFiles
from tallystick.follow.commands import Commands
from tallystick.follow.product_log import ProductEvent, product_events
from tallystick.follow.projection import Projection
from tallystick.store.database import open_database
from tallystick.work.exports import ExportJobs
from tallystick.work.handlers import HANDLERS
from tallystick.work.ports import Exporter, WorkPorts
from tallystick.work.views import ViewService
from tallystick.work.worker import ExportWorker

DAY_S = 24 * HOUR // 1_000_000
P = Permission
READS = (P.EVENTS_READ, P.EVENTS_READ_PERSONAL, P.EVENTS_EXPORT, P.PROOFS_READ, P.READING_READ, P.VIEWS_SHARE)


def person(name: str, *scopes: str, may: Sequence[Permission] = READS, more: Sequence[tuple[P, str]] = ()) -> Caller:
    """Return somebody with some permissions in each of the scopes; everywhere, if none is given."""
    rights = Rights.of([*((permission, scope) for permission in may for scope in scopes or ("",)), *more])
    aliases = frozenset({name, f"{name}@example.org"})
    return Caller(name, "user", name.title(), rights, "192.0.2.5", "page", session=f"s-{name}", aliases=aliases)


class WorkWorld(World):
    """A world whose product events are applied to tables; exports are made when `make` is called."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._writing = threading.Lock()
        self.kept_days = 7
        self.open()

    def open(self, exporter: Exporter | None = None) -> None:
        """Open the room, again after a crash if it was open before."""
        self.database = open_database(self.folder / "data" / "tallystick.db")
        self.projection = Projection(
            self.database,
            self.ledger.origin,
            HANDLERS,
            read=lambda first: product_events(self.ledger.snapshot(), self.segments, first),
            size=lambda: self.ledger.snapshot().size,
        )
        self.projection.start()
        commands = Commands(self.projection, self.append)
        self.exports_folder = self.folder / "data" / "exports"
        self.looks: list[str] = []
        files = exporter or EventFiles(self.service, self.ledger, self.clock)
        ports = WorkPorts(
            files,
            work_act,
            self._record,
            lambda _caller, what, _scope: self.looks.append(what),
            0,
            lambda: self.kept_days,
        )
        self.views = ViewService(self.projection, commands, self.now_us, work_act)
        self.exports = ExportJobs(self.projection, commands, self.now_us, self.exports_folder, ports)
        self.worker = ExportWorker(self.exports, self.require_room)
        self.worker.prepare()

    def require_room(self) -> None:
        """There is always room, unless a test says otherwise."""

    def now_us(self) -> int:
        return self.clock.now_us()

    def append(self, events: Sequence[Mapping[str, Any]]) -> None:
        body = canonical_json([dict(event) for event in events])
        with self._writing:
            self.ledger.append(self.admission.admit(body, SOURCES[0], now_us=self.clock.now_us()), 0)
        self.clock.advance(1)

    def make(self) -> None:
        """Make every export that waits."""
        while self.worker.make_next():
            pass

    def files(self) -> list[str]:
        return sorted(path.name for path in self.exports_folder.iterdir())

    def actions(self) -> list[str]:
        """Return the actions of the room's events, oldest first."""
        found = product_events(self.ledger.snapshot(), self.segments, 0)
        return [event.action for event in found if event.action.startswith(("export.", "view."))]

    def forget_personal(self) -> None:
        """Make the tables again as they are once the personal part of every event was erased."""
        self.projection = Projection(
            self.database,
            self.ledger.origin,
            HANDLERS,
            read=lambda first: (
                ProductEvent(
                    row.index, row.received_at, json.loads(row.facts or b"")["action"], json.loads(row.facts or b"")
                )
                for row in self.disclosures()
                if row.index >= first and row.source == 0 and row.class_number == 1
            ),
            size=lambda: self.ledger.snapshot().size,
        )
        self.projection.rebuild()

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Return once it is so; ten seconds are longer than it ever takes."""
        for _ in range(1000):
            if done():
                return
            time.sleep(0.01)
        raise AssertionError("it never came to be")

    def close(self) -> None:
        self.database.dispose()
        super().close()


@contextmanager
def work_world(folder: Path) -> Iterator[WorkWorld]:
    """Yield a world with some events, sealed and not."""
    made = WorkWorld(folder)
    made.fill(21, 60)
    made.seal()
    made.fill(22, 30)
    yield made
    made.close()
