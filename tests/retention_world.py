"""A whole installation whose content ends: real ledger, real server, a clock that only moves when told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.installation import Installation, installation, sample

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.event.disclosure import Disclosure
from tallystick.event.occurred import time_of_us
from tallystick.follow.log_reader import LogReader
from tallystick.ledger import Ledger
from tallystick.retain import RetentionRoom
from tallystick.retain.model import Terms
from tallystick.testing import ManualClock
from tallystick.verify.service import load_trust, verify_target

DAY_S = 86_400
RIGHTS = (Permission.RETENTION_READ, Permission.RETENTION_MANAGE, Permission.RETENTION_APPROVE)
ANA = Caller("p-ana", "user", "Ana", Rights.of((each, "") for each in RIGHTS), "192.0.2.5", "page", session="s-ana")
SHORT = Terms(90, 30, guarded=False)


class RetentionWorld:
    """An open installation; `ana` proposes, the operator decides."""

    def __init__(self, here: Installation, clock: ManualClock, root: Path) -> None:
        self.here, self.clock, self.root = here, clock, root

    @property
    def room(self) -> RetentionRoom:
        return self.here.instance.services.retention

    @property
    def data(self) -> Path:
        return self.root / "data"

    def wait(self, days: float) -> None:
        """Let days pass and the log notice."""
        self.clock.advance(days * DAY_S)

    def send(self, count: int, *, source: str = "tester", **changes: Any) -> None:
        """Send events that happen now."""
        now = time_of_us(self.clock.now_us())
        events = [sample(occurred_at=now, **{"action": "report.opened", **changes}) for _ in range(count)]
        answer = self.here.post(events, headers=self.here.token(source=source))
        assert answer.status_code < 300, answer.text

    def seal(self) -> None:
        """Seal everything, integrated before."""
        seal(self.here.instance.ledger)

    def rows(self) -> dict[int, Disclosure]:
        """Return everything that the log still has, by index."""
        ledger = self.here.instance.ledger
        reader = LogReader(ledger.snapshot, self.segments, frozenset)
        return {row.index: row for rows, _ in reader.chunks(0, None) for row in rows}

    @property
    def segments(self) -> Path:
        return next(path for path in (self.data / "segments").iterdir() if path.is_dir())

    def indexes(self, action: str) -> list[int]:
        """Return where the events of an action are, as far as their facts are there."""
        return [row.index for row in self.rows().values() if row.facts and json.loads(row.facts)["action"] == action]

    def approved(self, change: str) -> None:
        """Have the operator approve what somebody else proposed."""
        found, _ = self.room.reading.change(OPERATOR, change)
        self.room.service.approve(OPERATOR, change, found.digest)

    def approved_by(self, caller: Caller, change: str) -> None:
        """Have somebody approve a proposal."""
        found, _ = self.room.reading.change(caller, change)
        self.room.service.approve(caller, change, found.digest)

    def verified(self) -> Any:
        """Return the report of a verification of the directory as it lies there."""
        ledger = self.here.instance.ledger
        ledger.wait_committed(ledger.snapshot().size, 60)
        return verify_target(str(self.data), load_trust())


@contextmanager
def retention_world(root: Path, clock: ManualClock | None = None, **changes: Any) -> Iterator[RetentionWorld]:
    """Yield an installation in `root`."""
    clock = clock or ManualClock()
    with installation(root, clock=clock, **changes) as here:
        world = RetentionWorld(here, clock, root)
        world.room.worker.stop()  # runs are asked for, so that none comes between two steps
        yield world


def seal(ledger: Ledger) -> None:
    """Return when everything is sealed."""
    size = ledger.snapshot().size
    ledger.wait_committed(size, 60)
    ledger.rotate()
    deadline = time.monotonic() + 120
    while ledger.snapshot().sealed_size < size:
        assert time.monotonic() < deadline, "the sealer never came to it"
        time.sleep(0.02)


def facts(row: Disclosure) -> Mapping[str, Any]:
    """Return the facts of a row."""
    assert row.facts is not None
    found: Mapping[str, Any] = json.loads(row.facts)
    return found
