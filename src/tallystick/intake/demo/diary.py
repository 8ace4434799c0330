"""The pen and the clock of the demo: makes moments that look like work, and events at those moments."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick.intake.demo.company import ROOT, Office, Person

Event = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# How busy each hour of an office's day is.
HOURS: Mapping[str, tuple[int, ...]] = {
    "morning": (0, 0, 0, 0, 0, 0, 2, 14, 34, 22, 8, 4, 3, 6, 3, 2, 1, 1, 0, 0, 1, 1, 0, 0),
    "office": (0, 0, 0, 0, 0, 0, 1, 5, 12, 16, 17, 14, 7, 12, 16, 15, 11, 6, 2, 1, 2, 2, 1, 0),
    "evening": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 3, 12, 30, 26, 9, 3, 3, 2, 1, 0),
    "night": (8, 16, 22, 18, 9, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 6),
    "always": (4,) * 24,
}
_WEEKEND_SHARE = {"morning": 0.06, "office": 0.05, "evening": 0.06, "night": 0.9, "always": 1.0}
_BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
)


class Diary:
    """Holds the events written so far. All chance comes from one seeded generator."""

    def __init__(self, seed: int, end_us: int, days: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable chance is the point
        self.days = days
        self.end = _EPOCH + timedelta(microseconds=end_us)
        self.begin = (self.end - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.events: list[tuple[datetime, Event]] = []

    def day(self, days_before_end: int) -> int:
        """Return the number of the day that lies so many days before the end."""
        return max(0, self.days - days_before_end)

    def workday(self, day: int) -> int:
        """Return `day`, or the last day before it that is no weekend."""
        while day > 0 and (self.begin + timedelta(days=day)).weekday() >= 5:
            day -= 1
        return day

    def moment(self, day: int, hour: float, office: Office) -> datetime:
        """Return that hour of the office's clock on that day, in UTC, not to the second."""
        local = self.begin + timedelta(days=day, hours=hour, seconds=self.chance.uniform(0, 59))
        return local - timedelta(minutes=office.utc_offset_min)

    def some_day(self, rhythm: str) -> int:
        """Return a day, a weekend far less often where people do the work."""
        while True:
            day = self.chance.randrange(self.days + 1)
            weekend = (self.begin + timedelta(days=day)).weekday() >= 5
            if not weekend or self.chance.random() < _WEEKEND_SHARE[rhythm]:
                return day

    def some_moment(self, day: int, rhythm: str, office: Office) -> datetime:
        """Return a moment of that day as busy as the rhythm says."""
        hour = self.chance.choices(range(24), weights=HOURS[rhythm])[0]
        return self.moment(day, hour + self.chance.random(), office)

    def later(self, moment: datetime, low_s: float, high_s: float) -> datetime:
        return moment + timedelta(seconds=self.chance.uniform(low_s, high_s))

    def address(self, office: Office) -> str:
        return f"{office.network}.{self.chance.randrange(10, 200)}"

    def context(self, person: Person, **more: Any) -> Event:
        """Return where a person works from: the same few addresses and one browser each."""
        own = random.Random(person.id)  # noqa: S311 - a person's habits, the same in every run
        addresses = [f"{person.office.network}.{own.randrange(10, 200)}" for _ in range(3)]
        return {"ip": self.chance.choice(addresses), "user_agent": own.choice(_BROWSERS), **more}

    def write(
        self,
        moment: datetime,
        action: str,
        actor: Person | Event,
        target: Event | list[Event],
        scope: str,
        **members: Any,
    ) -> None:
        """Write one event; members without a value are left out."""
        event: Event = {
            "action": action,
            "actor": actor_of(actor) if isinstance(actor, Person) else actor,
            "targets": target if isinstance(target, list) else [target],
            "scope": scope,
        }
        if isinstance(actor, Person) and "context" not in members:
            members["context"] = self.context(actor)
        event.update({name: value for name, value in members.items() if value not in (None, {}, [])})
        self.events.append((moment, event))


def actor_of(person: Person) -> Event:
    return {"id": person.id, "type": "user", "name": person.name, "email": person.email}


def target_of(person: Person) -> Event:
    return {"id": person.id, "type": "user", "name": person.name}


def thing(kind: str, name: str) -> Event:
    """Return a target that is called what it is."""
    return {"id": name, "type": kind, "name": name}


def scoped(*parts: str) -> str:
    return "/".join((ROOT, *parts))
