"""What happens by itself: reviews open when a period ends, are waived under an exception, and call when they are due.

Looking again changes nothing: ids follow from the duty and the period, and what is on record is not told twice.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import Connection, select

from tallystick.follow.alarm import Alarm
from tallystick.follow.background import PASSING, Background
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.review import events, rows
from tallystick.review.model import Duty, Review, State
from tallystick.review.periods import DAY_US, Period, parse_period, periods_ended
from tallystick.review.ports import ReviewPorts
from tallystick.review.snapshot import make_snapshot
from tallystick.store.tables.reviews import REVIEW, REVIEW_FOLLOW_UP

FIRST_S: Final = 2.0
"""After the start: a command that is over sooner leaves reviews to the server."""
EVERY_S: Final = 20.0
DUE_SOON: Final = "duty.due_soon"
OVERDUE: Final = "duty.overdue"
_telemetry = structlog.get_logger("tallystick.review")


class ReviewUpkeep(Background):
    """A thread beside the reviews, for as long as the context lasts; `look` does all that is due now."""

    def __init__(self, projection: Projection, commands: Commands, ports: ReviewPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports
        self._looking = threading.Lock()
        self._told: set[str] = set()  # occasions, only to not ask again; the alerts know them too
        super().__init__("review-upkeep")

    def look(self) -> None:
        """Open what is to be opened, waive what is waived, and raise what is due."""
        with self._looking:
            self._open_ended()
            self._waive_open()
            self._call()

    def open(self, duty: Duty, period: Period) -> None:
        """Open the review of a duty for a period that has ended, or waive it; where there is one, nothing changes."""
        due_us = period.end + duty.terms.due_days * DAY_US
        # What held when the review was due counts: nobody is let off afterwards.
        exception = self._ports.in_force(duty.id, duty.terms.scope, min(self._ports.now_us(), due_us))
        if exception is not None:
            self._append_once(duty, period, [events.waived(duty, period, due_us, exception, self._ports.now_us())])
            return
        with self._projection.engine.connect() as connection:
            carried = rows.load_follow_ups(
                connection, REVIEW_FOLLOW_UP.c.duty == duty.id, REVIEW_FOLLOW_UP.c.done_at.is_(None)
            )
        made = make_snapshot(self._ports, duty, period, carried)
        if made is None:
            self._commands.run(lambda _: [events.period_ended(period, self._ports.now_us())])
            made = make_snapshot(self._ports, duty, period, carried)
        if made is None:
            return  # the log's clock stands before the end of the period: the next look finds it past
        # A crash before the append leaves nothing; one after it leaves the whole batch, which the tables catch up with.
        opened = events.opened(
            duty,
            period,
            due_us,
            made.size,
            made.seed,
            made.checkpoint,
            made.sections,
            made.items,
            self._ports.now_us(),
        )
        self._append_once(duty, period, opened)

    def _run(self) -> None:
        pause = FIRST_S
        while not self._stopping.wait(pause):
            pause = EVERY_S
            try:
                self.look()
            except PASSING as error:
                _telemetry.error("reviews are not up to date", error=type(error).__name__, message=str(error))
            except FileNotFoundError:
                _telemetry.info("a segment was replaced while a review was made; it is made again")

    def _open_ended(self) -> None:
        now_us = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            duties = rows.load_duties(connection)
            known = set(connection.scalars(select(REVIEW.c.review)))
        for duty in duties:
            for period in periods_ended(duty.terms.cadence, duty.created_at, now_us):
                is_over = duty.retired_at is not None and duty.retired_at < period.end
                if not is_over and events.review_id(duty.id, period) not in known:
                    if self._stopping.is_set():
                        return
                    self.open(duty, period)

    def _append_once(self, duty: Duty, period: Period, made: Sequence[events.Event]) -> None:
        def decide(connection: Connection) -> Sequence[events.Event]:
            review = rows.find_review(connection, events.review_id(duty.id, period))
            return [] if review is not None else made

        self._commands.run(decide)

    def _waive_open(self) -> None:
        with self._projection.engine.connect() as connection:
            duties = {each.id: each for each in rows.load_duties(connection)}
            waiting = rows.load_reviews(connection, REVIEW.c.closed.is_(None))
        now_us = self._ports.now_us()
        for review in waiting:
            exception = self._ports.in_force(review.duty, review.scope, min(now_us, review.due))
            if exception is not None:
                self._waive(duties[review.duty], review, exception)

    def _waive(self, duty: Duty, review: Review, exception: str) -> None:
        def decide(connection: Connection) -> Sequence[events.Event]:
            found = rows.find_review(connection, review.id)
            if found is None or found.closed is not None:
                return []
            period = parse_period(review.period)
            return [events.waived(duty, period, review.due, exception, self._ports.now_us())]

        self._commands.run(decide)

    def _call(self) -> None:
        """Raise an alarm for every review that is due soon or overdue, and say when that has ended."""
        now_us = self._ports.now_us()
        with self._projection.engine.connect() as connection:
            titles = {each.id: each.title or each.id for each in rows.load_duties(connection)}
            reviews = rows.load_reviews(connection)
        alarms = [
            alarm
            for review in reviews
            for alarm in _alarms(review, titles[review.duty], now_us)
            if alarm.occasion not in self._told
        ]
        if alarms:
            self._ports.raise_alarms(alarms)
            self._told.update(alarm.occasion for alarm in alarms)


def _alarms(review: Review, title: str, now_us: int) -> list[Alarm]:
    state = review.state(now_us)
    if state is State.OVERDUE:
        days = (now_us - review.due) // DAY_US
        sentence = f"The review of {review.period} for {title} was due {days} days ago and is not signed."
        return [_alarm(review, OVERDUE, f"Review of {review.period} is overdue", sentence, now_us)]
    if state is State.DUE_SOON:
        sentence = f"The review of {review.period} for {title} is due soon and is not signed."
        return [_alarm(review, DUE_SOON, f"Review of {review.period} is due soon", sentence, now_us)]
    if review.late and review.closed_at is not None:
        sentence = f"The review of {review.period} for {title} was signed late."
        return [_alarm(review, OVERDUE, f"Review of {review.period} was signed late", sentence, now_us, ended=True)]
    return []


def _alarm(review: Review, kind: str, title: str, sentence: str, now_us: int, *, ended: bool = False) -> Alarm:
    return Alarm(
        kind=kind,
        key=review.id,
        occasion=f"{kind} {review.id}{' ended' if ended else ''}",
        scope=review.scope,
        severity="high" if kind == OVERDUE else "low",
        title=title,
        sentence=sentence,
        at_us=now_us,
        indexes=(review.opened_index,),
        recovered=ended,
    )
