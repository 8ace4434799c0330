"""Exceptions and systems over a log in memory: real admission, tables and handlers, people who decide, and a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.grants_world import DAY_US, HANDLERS, World

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.follow.alarm import Alarm
from tallystick.govern import handlers as govern_handlers
from tallystick.govern.exceptions.model import Kind, Risk, Wish
from tallystick.govern.exceptions.service import ExceptionService
from tallystick.govern.exceptions.upkeep import ExceptionUpkeep
from tallystick.govern.exceptions.uses import Uses
from tallystick.govern.ports import GovernPorts
from tallystick.settings.model import SETTINGS

WISH = Wish(
    Kind.RULE,
    "mass-download",
    "acme/payments",
    "The nightly copy fetches everything.",
    "The copy's own account is watched.",
    Risk.MEDIUM,
    0,
)


COUNTS = {name: kind.default for name, kind in SETTINGS.items() if type(kind.default) is int}


@dataclass(frozen=True)
class NothingCame:
    """What the search says of a log in which nobody sent anything."""

    all: None = None
    by: dict[str, dict[str, Any]] = field(default_factory=lambda: {"action": {}, "source": {}})
    incomplete: bool = False


class GovernWorld(World):
    """One installation without a disk but for the uses; `alarms` are those that were raised."""

    def __init__(self, folder: Path) -> None:
        super().__init__({**HANDLERS, **govern_handlers.HANDLERS})
        self.alarms: list[Alarm] = []
        self.ports = GovernPorts(
            looked=self.looks.looked,
            raise_alarms=self.raise_alarms,
            now_us=self.now_us,
            count=COUNTS.__getitem__,
            size=lambda: len(self.parts),
            received_at=lambda index: self.parts[index][0],
            read_product=self.read,
            category_of=lambda _size, _action: None,
            arrivals=lambda questions, _first, _size: [NothingCame() for _ in questions],
        )
        self.uses = Uses(folder, "test", self.now_us)
        self.exceptions = ExceptionService(self.projection, self.commands, self.uses, self.ports)
        self.upkeep = self.fresh_upkeep()

    def fresh_upkeep(self) -> ExceptionUpkeep:
        """Return the upkeep as it is after a start: it remembers nothing."""
        return ExceptionUpkeep(self.projection, self.commands, self.uses, self.ports)

    def raise_alarms(self, alarms: Sequence[Alarm], /) -> None:
        """Keep alarms as the book of alerts does: an occasion that is known changes nothing."""
        known = {alarm.occasion for alarm in self.alarms}
        self.alarms += [alarm for alarm in alarms if alarm.occasion not in known]

    def with_role(self, name: str, role: str = "compliance-manager", scope: str = "") -> Caller:
        """Return a new person who was given a role by the first administrator."""
        person = self.person(name)
        self.give(person, role, scope, days=360)
        return self.caller(person)

    def holding(self, name: str, *permissions: Permission, scope: str = "") -> Caller:
        """Return a new person with rights that came from nowhere: for what her rights alone decide."""
        return self.caller(self.person(name), Rights.of((each, scope) for each in permissions))

    def wish(self, days: float = 30, **changes: Any) -> Wish:
        """Return a good wish, which ends in so many days."""
        return replace(WISH, until_us=self.now_us() + int(days * DAY_US), **changes)

    def agreed(self, by: Caller, decider: Caller, wish: Wish) -> str:
        """Return an exception that one person asked for and another one approved."""
        made = self.exceptions.request(by, wish)
        self.exceptions.approve(decider, made, self.exceptions.get(decider, made).digest)
        return made
