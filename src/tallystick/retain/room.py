"""Puts retention together, with the thread of its daily run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.errors import UnavailableError
from tallystick.event.occurred import time_of_us
from tallystick.follow.commands import Commands
from tallystick.follow.log_reader import LogReader
from tallystick.follow.projection import Projection
from tallystick.health.model import Check
from tallystick.ledger.ledger import Ledger
from tallystick.retain.content import Content
from tallystick.retain.looking import RetentionReading
from tallystick.retain.person import PersonErasure
from tallystick.retain.ports import RetentionPorts
from tallystick.retain.proof import Proofs
from tallystick.retain.rows import load_runs
from tallystick.retain.runner import Runner
from tallystick.retain.service import RetentionService
from tallystick.retain.worker import RetentionWorker

SEAL_S_MAX: Final = 600.0


@dataclass(frozen=True, slots=True)
class RetentionRoom:
    """The services of this room."""

    service: RetentionService
    reading: RetentionReading
    people: PersonErasure
    proofs: Proofs
    runner: Runner
    worker: RetentionWorker

    def check(self) -> Check:
        """Return how the run does, for the page of health."""
        name, meaning = "Retention", "Content whose retention has passed is destroyed once a day."
        if self.runner.failed is not None:
            remedy = "See the page of retention; the next run goes on where this one stopped."
            found = f"the last run failed: {self.runner.failed}"
            return Check(name=name, state="problem", found=found, meaning=meaning, remedy=remedy)
        at = time_of_us(self.worker.next_at())[:16].replace("T", " ")
        return Check(name=name, state="good", found=f"the next run is due at {at} UTC", meaning=meaning)


def _erase_again(ledger: Ledger, runner: Runner) -> None:
    """Destroy again what a backup brought back and is due, before anything of it is served: also what it had unsealed."""
    size = ledger.snapshot().size
    ledger.wait_committed(size, SEAL_S_MAX)
    ledger.rotate()
    end = time.monotonic() + SEAL_S_MAX
    while ledger.snapshot().sealed_size < size and time.monotonic() < end:
        time.sleep(0.05)
    if ledger.snapshot().sealed_size < size:
        raise UnavailableError("what the backup had unsealed could not be sealed, so erasures cannot be repeated")
    runner.run("restore")


@contextmanager
def open_retention(
    projection: Projection, commands: Commands, ledger: Ledger, segments: Path, ports: RetentionPorts
) -> Iterator[RetentionRoom]:
    """Yield the room while its thread runs; the rules of assignment are in force when this returns."""
    content = Content(ledger, segments)
    runner = Runner(projection, commands, content, ports)
    service = RetentionService(projection, commands, content, ports)
    service.apply_rules()

    def ran_at() -> int:
        with projection.engine.connect() as connection:
            return next((each.at for each in load_runs(connection, 1)), 0)

    runner.tidy()  # what a crash left to be done after an erasure, before anything is served
    if ports.restored():
        _erase_again(ledger, runner)
    worker = RetentionWorker(runner, ports.clock_us, ports.run_hour, ran_at)
    service.wake = worker.wake
    reading = RetentionReading(projection, content, runner, worker.next_at, ports)
    people = PersonErasure(projection, service, content, ledger.snapshot, segments, ports)
    proofs = Proofs(projection, ledger, LogReader(ledger.snapshot, segments, frozenset), ports)
    with worker:
        yield RetentionRoom(service, reading, people, proofs, runner, worker)
