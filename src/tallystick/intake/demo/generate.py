"""Puts the half year together and gives it out in order."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from tallystick.intake.demo.diary import Diary
from tallystick.intake.demo.incidents import INCIDENTS
from tallystick.intake.demo.projects import write_people, write_policies, write_releases
from tallystick.intake.demo.routine import ROUTINES
from tallystick.intake.identity import NAMESPACE
from tallystick.intake.times import format_moment

DAYS = 182
EVENTS = 20_000


def generate(seed: int, end_us: int, events: int = EVENTS) -> Iterator[dict[str, Any]]:
    """Yield that many events of the 182 days before `end_us`, in order of `occurred_at`, none after it.

    The same arguments give the same events with the same ids. Fewer events than the ordered history and the incidents
    need (about 700) leave out the routine, not the incidents.
    """
    diary = Diary(seed, end_us, DAYS)
    for incident in INCIDENTS:
        incident.write(diary, diary.day(incident.days_before_end))
    write_people(diary)
    write_policies(diary)
    write_releases(diary)
    past = [written for written in diary.events if written[0] <= diary.end]
    weights = [routine.weight for routine in ROUTINES]
    while len(past) < events:
        diary.events.clear()
        diary.chance.choices(ROUTINES, weights)[0].write(diary)
        past += [written for written in diary.events if diary.begin <= written[0] <= diary.end]
    past = sorted(past[:events], key=lambda written: written[0])
    for number, (moment, event) in enumerate(past):
        event_id = str(uuid.uuid5(NAMESPACE, f"demo\n{seed}\n{end_us}\n{number}"))
        yield {"id": event_id, "occurred_at": format_moment(moment), **event}
