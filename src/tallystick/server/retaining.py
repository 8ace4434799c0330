"""The room of retention, with what the others do for it: admit by its rules, and let go of what it destroyed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Final

from sqlalchemy import Connection

from tallystick.errors import InvalidInputError
from tallystick.event.assignment import Assignment, Assignments
from tallystick.event.occurred import us_of_time
from tallystick.follow.alarm import RaiseAlarms
from tallystick.govern import ExceptionService
from tallystick.intake.workers import AdmissionWorkers
from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.model import Receipt
from tallystick.ledger.predecessors import open_predecessors
from tallystick.retain import RetentionRoom, open_retention
from tallystick.retain.ports import RetentionPorts
from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading
from tallystick.store.backup_notes import found_notes
from tallystick.store.files import LocalDisk
from tallystick.work.model import Question
from tallystick.work.room import WorkRoom

SKEW_US: Final = 2 * 86_400 * 1_000_000
"""By how much an event may have happened after it was received: more than any limit of admission lets pass."""


def open_retention_room(
    ground: Ground,
    reading: Reading,
    access: Access,
    raise_alarms: RaiseAlarms,
    exceptions: ExceptionService,
    work: WorkRoom,
    workers: AdmissionWorkers | None,
    rules_at_rest: Callable[[], AbstractContextManager[Callable[[Collection[str]], None]]],
) -> AbstractContextManager[RetentionRoom]:
    """Return the room, which is open for as long as the context lasts."""
    ledger, settings = ground.ledger, access.settings

    def assign(rules: Sequence[Assignment], guarded: frozenset[int]) -> None:
        assignments = Assignments(tuple(rules), guarded)
        ground.admission.assign(assignments)
        if workers is not None:
            workers.assignments = assignments

    def excepted(class_name: str, now_us: int, connection: Connection) -> tuple[str, int] | None:
        found = exceptions.in_force("retention", class_name, "", now_us, connection)
        return (found[0].id, found[0].until_us) if found else None

    def erase(order: ErasureOrder) -> Receipt:
        return ledger.erase(order, ground.product.admit)

    ports = RetentionPorts(
        looked=reading.recorder.looked,
        raise_alarms=raise_alarms,
        now_us=ground.book.now_us,
        clock_us=ground.clock.now_us,
        excepted=excepted,
        assign=assign,
        erase=erase,
        append=ground.product.one,
        forget=reading.search.forget_replaced,
        rules_at_rest=rules_at_rest,
        drop_exports=lambda received_to: work.worker.drop(lambda question: _may_hold(question, received_to)),
        actor_keys=ground.register.actor_keys,
        run_hour=lambda: settings.count("retention.run_hour"),
        restored=lambda: any(note.what == "restored" for note in found_notes(ground.settings.data)),
        predecessors=lambda: open_predecessors(LocalDisk(), ground.settings.data, ground.settings.state, ground.clock),
        folder=ground.settings.data / "followers",
    )
    return open_retention(ground.projection, ground.commands, ledger, ground.segments, ports)


def _may_hold(question: Question | None, received_to: int) -> bool:
    """Return whether an answer may hold an event received up to a time, as far as its question tells."""
    if question is None or question.start is None:
        return True
    try:
        return us_of_time(question.start) <= received_to + SKEW_US
    except (InvalidInputError, ValueError):
        return True  # a time relative to the day it was asked: nobody can say any more
