"""The weekly reviews of the demo organisation: three are signed, one of them late, and the newest waits."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from tallystick.cli.demo_month import DAY_US, HOUR_US, MINUTE_US, Month
from tallystick.review.errors import OwnReviewError
from tallystick.review.model import Kind, Review, Terms
from tallystick.review.periods import Cadence, period_at

if TYPE_CHECKING:
    from tallystick.access.model import Caller

REVIEWER: Final = "linnea.sand"
OTHER: Final = "divya.pillai"
ADDRESSES: Final = {REVIEWER: "192.0.2.61", OTHER: "203.0.113.77"}
WEEKS: Final = 4
#: So long after the end of its week each is signed; a week is given.
SIGNED_US: Final = (30 * HOUR_US, 9 * DAY_US + 9 * HOUR_US, 34 * HOUR_US)
#: So long before that somebody first looks at it.
LOOKS_US: Final = (52 * MINUTE_US, 31 * MINUTE_US, 44 * MINUTE_US)
LATE: Final = "I was away, and nobody stood in for me. Divya does from now on."
NOTE: Final = "Each is followed up in its alert."
TO_DO: Final = "Name who stands in for the reviewer when she is away."


class Weeks:
    """Sets the duty up so that four weeks end before the story does."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._duty = ""

    def begin(self) -> None:
        """Plan the duty and its first three reviews."""
        month = self._month
        first_us = month.end_us - WEEKS * 7 * DAY_US
        month.at(first_us, self._create)
        ended = period_at(Cadence.WEEK, first_us).end
        for number, signed_us in enumerate(SIGNED_US):
            at_us = ended + number * 7 * DAY_US + signed_us
            month.at(at_us - LOOKS_US[number], partial(self._look, number))
            month.at(at_us, partial(self._review, number))

    def _create(self) -> None:
        month = self._month
        terms = Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, sample=10)
        duties = month.instance.services.reviews.duties
        self._duty = duties.create(self._reviewer(), "Weekly review of the log", terms)

    def _look(self, number: int) -> Review:
        reviewer, looking = self._reviewer(), self._month.instance.services.reviews.looking
        listed = sorted(looking.list(reviewer, duty=self._duty), key=lambda each: each.review.start)
        return looking.get(reviewer, listed[number].review.id).review

    def _reviewer(self) -> Caller:
        return self._month.person(REVIEWER, ADDRESSES[REVIEWER])

    def _review(self, number: int) -> None:
        month, reviews = self._month, self._month.instance.services.reviews
        reviewer, other = self._reviewer(), month.person(OTHER, ADDRESSES[OTHER])
        review = self._look(number)
        for section in review.sections:
            for who in (reviewer, other):
                verdict, note = ("finding", NOTE) if section.section == "alerts" else ("no finding", "")
                with suppress(OwnReviewError):  # all of it is about her: the other one looks
                    reviews.reviewing.mark(who, review.id, section.section, review.digest, verdict, note)
        is_late = month.clock.now_us() > review.due
        if is_late:
            self._leave_to_do(review)
        reviews.reviewing.sign(reviewer, review.id, review.digest, reason=LATE if is_late else "")

    def _leave_to_do(self, review: Review) -> None:
        """The late review leaves something to do, which is done some days later."""
        month, reviewing, reviewer = self._month, self._month.instance.services.reviews.reviewing, self._reviewer()
        now = month.clock.now_us()
        made = reviewing.open_follow_up(
            reviewer, review.id, section="", owner=reviewer.id, text=TO_DO, due_us=now + 14 * DAY_US
        )
        month.at(
            now + 3 * DAY_US, lambda: reviewing.finish_follow_up(reviewer, made, outcome="Divya stands in from now on.")
        )
