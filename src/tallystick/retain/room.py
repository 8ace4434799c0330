"""Puts retention together, with the thread of its daily run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from tallystick.errors import UnavailableError
from tallystick.event.occurred import time_of_us
from tallystick.follow.alarm import Alarm
from tallystick.follow.commands import Commands
from tallystick.follow.log_reader import LogReader
from tallystick.follow.projection import Projection
from tallystick.health.model import Check
from tallystick.ledger.ledger import Ledger
from tallystick.retain.content import Content
from tallystick.retain.looking import RetentionReading
from tallystick.retain.person import PersonErasure
from tallystick.retain.plan import decided_due
from tallystick.retain.ports import RetentionPorts
from tallystick.retain.proof import Proofs
from tallystick.retain.repeat import Repeater, Staying, staying
from tallystick.retain.rows import load_runs
from tallystick.retain.runner import Runner
from tallystick.retain.service import RetentionService
from tallystick.retain.worker import RetentionWorker

SEAL_S_MAX: Final = 600.0
ALARM_KIND: Final = "retention.restored_held"
_telemetry = structlog.get_logger("tallystick.retain")


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


def _seal_all(ledger: Ledger) -> None:
    """Seal everything that there is: content that is not sealed cannot be destroyed."""
    size = ledger.snapshot().size
    ledger.wait_committed(size, SEAL_S_MAX)
    ledger.rotate()
    end = time.monotonic() + SEAL_S_MAX
    while ledger.snapshot().sealed_size < size and time.monotonic() < end:
        time.sleep(0.05)
    if ledger.snapshot().sealed_size < size:
        raise UnavailableError("what the backup had unsealed could not be sealed, so erasures cannot be repeated")


def _erase_again(ledger: Ledger, content: Content, commands: Commands, runner: Runner, ports: RetentionPorts) -> None:
    """Destroy again what a backup brought back, before anything of it is served: what is due by the log that it has, what
    two people decided after it was made, and the same in the logs before this one.
    """
    repeater = Repeater(commands, ledger.product_events, ports.now_us)
    found: list[Staying] = []
    records = ledger.erasure_records()
    if records:
        ledger.wait_committed(ledger.snapshot().size, SEAL_S_MAX)
    missing = repeater.missing(ledger, records)
    if ports.restored() or missing:
        _seal_all(ledger)
    if missing:
        repeater.restate(missing)
    if ports.restored() or (records and decided_due(content.ground())):
        runner.run("restore")
    found += staying(ledger.origin, content, missing.values())
    with ports.predecessors() as older:
        for old in older:
            found += repeater.clear(old)
    if found:
        _say_what_stays(found, ports)


def _say_what_stays(found: Sequence[Staying], ports: RetentionPorts) -> None:
    said = "; ".join(f"hold {each.hold} keeps {each.events} events of {each.origin}" for each in found)
    _telemetry.warning("a hold keeps what had been erased", staying=said)
    sentence = f"A backup was restored; of what people had erased since, some stays: {said}."
    title = "Restored content stays under a hold"
    now = ports.clock_us()
    key = found[0].hold
    ports.raise_alarms([Alarm(ALARM_KIND, key, f"{ALARM_KIND} {now}", "tallystick", "high", title, sentence, now)])


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
    _erase_again(ledger, content, commands, runner, ports)
    worker = RetentionWorker(runner, ports.clock_us, ports.run_hour, ran_at)
    service.wake = worker.wake
    reading = RetentionReading(projection, content, runner, worker.next_at, ports)
    people = PersonErasure(projection, service, content, ledger.snapshot, segments, ports)
    proofs = Proofs(projection, ledger, LogReader(ledger.snapshot, segments, frozenset), ports)
    with worker:
        yield RetentionRoom(service, reading, people, proofs, runner, worker)
