"""An installation with duties, reviewers, and a clock that moves through the weeks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.installation import Installation, installation, sample
from tests.people_world import ADDRESS, PASSWORD, Member, People, settle

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.people.errors import SessionInvalidError
from tallystick.access.people.model import Visit
from tallystick.event.occurred import time_of_us
from tallystick.follow.product_log import ProductEvent, product_events
from tallystick.review import ReviewRoom
from tallystick.review.errors import OwnReviewError
from tallystick.review.model import Kind, Review, Terms
from tallystick.review.periods import DAY_US, Cadence
from tallystick.server import segments_of
from tallystick.testing import ManualClock

MONDAY_US = 1_799_625_600_000_000
"""2027-01-11, a Monday, at midnight UTC."""
WEEK_S = 7 * 86_400
LOG = Terms(kind=Kind.LOG, scope="", cadence=Cadence.WEEK, sample=5)


@dataclass
class World:
    """An installation whose clock stands in the first week at Wednesday noon, with three who may sign."""

    house: Installation
    clock: ManualClock
    people: People
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def room(self) -> ReviewRoom:
        return self.house.instance.services.reviews

    def caller(self, handle: str, *grants: tuple[str, str]) -> Caller:
        """Return somebody in a session, with the roles of her first call; a security lead of everything without any."""
        return self.people.caller(self.member(handle, *grants))

    def member(self, handle: str, *grants: tuple[str, str]) -> Member:
        """Return somebody with a session that is in force: sessions end while the clock moves."""
        self.people.first = self._signed_in(self.people.first)
        known = self.members.get(handle)
        joined = self.people.join(handle, *(grants or (("security-lead", ""),))) if known is None else known
        self.members[handle] = self._signed_in(joined)
        return self.members[handle]

    def _signed_in(self, member: Member) -> Member:
        services = self.house.instance.services
        try:
            services.sessions.authenticate(member.cookie, ADDRESS)
        except SessionInvalidError:
            step = services.signin.password(member.handle, PASSWORD, Visit(ADDRESS, "tests"))
            assert step.signed_in is not None
            return replace(member, cookie=step.signed_in.cookie, session=step.signed_in.session)
        return member

    def duty(self, terms: Terms = LOG, title: str = "Weekly log review") -> str:
        """Return a new duty of the operator's."""
        return self.room.duties.create(OPERATOR, title, terms)

    def week_later(self) -> None:
        """Let a week pass, and look once."""
        self.clock.advance(WEEK_S)
        self.room.upkeep.look()

    def open_review(self, terms: Terms = LOG) -> Review:
        """Return the review of a new duty, a period later."""
        duty = self.duty(terms)
        days = {Cadence.WEEK: 7, Cadence.QUARTER: 92, Cadence.YEAR: 366}[terms.cadence]
        self.clock.advance(days * 86_400)
        self.room.upkeep.look()
        return self.reviews(duty)[0]

    def reviews(self, duty: str) -> list[Review]:
        """Return the reviews of a duty, the newest period first."""
        return [each.review for each in self.room.looking.list(OPERATOR, duty=duty)]

    def mark_all(self, review: Review, *callers: Caller) -> None:
        """Have every section marked by each of some people, but for what is all about one of them."""
        for section in review.sections:
            for caller in callers:
                if section.form == "decisions":
                    continue
                try:
                    self.room.reviewing.mark(caller, review.id, section.section, review.digest, "no finding")
                except OwnReviewError:
                    continue

    def send(self, *events: dict[str, Any]) -> None:
        """Record events of a sender, now."""
        now = time_of_us(self.clock.now_us())
        answer = self.house.post([sample(**{"occurred_at": now, **each}) for each in events])
        assert answer.status_code == 201, answer.text

    def product(self, action: str) -> list[ProductEvent]:
        """Return the product's events of an action, oldest first."""
        found = product_events(self.house.instance.ledger.snapshot(), segments_of(self.house.instance.settings), 0)
        return [event for event in found if event.action == action]


@contextmanager
def review_world(root: Path, **changes: Any) -> Iterator[World]:
    """Yield a new world below `root`."""
    clock = ManualClock(MONDAY_US + 2 * DAY_US + DAY_US // 2)
    with installation(root, clock=clock, **changes) as house:
        yield World(house, clock, settle(house.instance))
