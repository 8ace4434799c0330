"""An installation with a system in it, people who answer for it, and a clock that moves when told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.installation import Installation, installation, sample
from tests.people_world import Member, People, settle

from tallystick.access.model import Caller
from tallystick.govern import GovernRoom
from tallystick.govern.systems.model import DataClass, Environment, Facts
from tallystick.testing import ManualClock

SCOPE = "acme/intranet"
NOT_APPLICABLE = {name: {"not_applicable": "elsewhere"} for name in ("system", "network", "application", "security")}


def pattern(name: str = "sign-ins", action: str = "user.signed_in", minutes: int = 60) -> dict[str, Any]:
    return {
        "name": name,
        "query": f"action:{action}",
        "why": "Who comes in.",
        "silence_minutes": minutes,
        "sources": [],
    }


def document(*patterns: dict[str, Any]) -> dict[str, Any]:
    return {"categories": {"authentication": {"patterns": list(patterns or (pattern(),))}, **NOT_APPLICABLE}}


@dataclass
class GovernHome:
    """Olga owns the system, Lea manages systems, Dora decides."""

    house: Installation
    clock: ManualClock
    people: People
    olga: Member
    lea: Member
    dora: Member
    system: str
    callers: dict[str, Caller] = field(default_factory=dict)

    @property
    def room(self) -> GovernRoom:
        return self.house.instance.services.systems

    def caller(self, member: Member) -> Caller:
        """Return a member as she came in first: her session may have ended since, by a clock that leaps."""
        if member.id not in self.callers:
            self.callers[member.id] = self.people.caller(member)
        return self.callers[member.id]

    def declare(self, said: dict[str, Any]) -> str:
        """Put a declaration in force: proposed by the owner, approved by another."""
        register, olga, dora = self.room.register, self.caller(self.olga), self.caller(self.dora)
        before = register.get(olga, self.system).system.in_force
        based_on = None if before is None else before.declaration
        made = register.propose(olga, self.system, said, based_on=based_on, reason="so it is")
        register.approve(dora, self.system, made, register.get(dora, self.system).proposals[0].digest)
        return made

    def came(self, *actions: str, source: str = "tester", scope: str = SCOPE) -> None:
        """Record an event for each action."""
        events = [sample(action=action, scope=scope) for action in actions]
        if not events:
            return
        deadline = time.monotonic() + 120
        while True:  # a clock that leaps over days closes a file each time, which the sealer has to catch up with
            answer = self.house.post(events, headers=self.house.token(source=source))
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        assert answer.status_code == 201, answer.text

    def gaps(self, at: int | None = None) -> set[str]:
        """Return the gaps of the system, by their keys."""
        return {each.key for each in self.room.coverage.get(self.caller(self.olga), self.system, at).gaps}

    def actions(self, begins: str) -> list[str]:
        return [action for action in self.house.actions() if action.startswith(begins)]


@contextmanager
def govern_home(root: Path, **changes: Any) -> Iterator[GovernHome]:
    """Yield the installation; every source in it has an owner by the time the system is registered."""
    clock = ManualClock()
    with installation(root, clock=clock, **changes) as house:
        people = settle(house.instance)
        lea, dora = people.join("lea", ("security-lead", "")), people.join("dora", ("compliance-manager", ""))
        olga = people.join("olga")
        house.token(), house.token(source="other")
        facts = Facts("Intranet", (SCOPE,), Environment.PRODUCTION, DataClass.INTERNAL, "olga", endpoints=("=cmd()",))
        system = house.instance.services.systems.register.register(people.caller(lea), facts)
        home = GovernHome(house, clock, people, olga, lea, dora, system)
        for member in (olga, lea, dora):
            home.caller(member)
        yield home
