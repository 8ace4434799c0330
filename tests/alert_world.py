"""A house with alerts: who handles those of a scope, who only looks, who belongs elsewhere, and a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select
from tests.installation import Installation, installation
from tests.people_world import Member, People, settle

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.alert.room import AlertRoom
from tallystick.follow.alarm import Alarm
from tallystick.store.tables.alerts import ALERT
from tallystick.testing.clock import ManualClock

SCOPE = "acme/app"
ROUTE = "/api/v1/alerts"
READ = frozenset({Permission.ALERTS_READ})
HANDLE = frozenset({Permission.ALERTS_READ, Permission.ALERTS_HANDLE})
PERSONAL = frozenset({*HANDLE, Permission.EVENTS_READ, Permission.EVENTS_READ_PERSONAL})
_OCCASIONS = count()


def alarm(occasion: str | None = None, **changes: Any) -> Alarm:
    """Return an alarm, of an occasion of its own where none is given."""
    told: dict[str, Any] = {
        "kind": "rule-1",
        "key": "ana",
        "occasion": f"occasion {next(_OCCASIONS)}" if occasion is None else occasion,
        "scope": SCOPE,
        "severity": "high",
        "title": "Many failed sign-ins",
        "sentence": "12 failed sign-ins of ana in 5 minutes",
        "at_us": 1_000_000,
    }
    return Alarm(**{**told, **changes})


@dataclass
class AlertWorld:
    """Olga owns the scope, Pia helps her, and Ned owns another one; they come when they are first asked for."""

    house: Installation
    clock: ManualClock

    @cached_property
    def people(self) -> People:
        return settle(self.house.instance)

    @cached_property
    def olga(self) -> Member:
        return self.people.join("olga", ("owner", SCOPE))

    @cached_property
    def pia(self) -> Member:
        return self.people.join("pia", ("analyst", SCOPE))

    @cached_property
    def ned(self) -> Member:
        return self.people.join("ned", ("owner", "acme/other"))

    @property
    def room(self) -> AlertRoom:
        return self.house.instance.services.alerts

    def caller(self, member: Member) -> Caller:
        return self.people.caller(member)

    def opened(self, **changes: Any) -> str:
        """Return the id of a new alert."""
        self.room.book.raise_alarms([alarm(**{"key": f"key {next(_OCCASIONS)}", **changes})])
        return str(self.rows()[-1].alert)

    def rows(self) -> list[Any]:
        """Return the alerts as their table has them, in the order in which they were opened."""
        with self.house.instance.projection.engine.connect() as connection:
            return list(connection.execute(select(ALERT).order_by(ALERT.c.opened_index)))

    def row(self, alert: str) -> Any:
        """Return one alert as the table has it."""
        return next(row for row in self.rows() if row.alert == alert)

    def actions(self) -> list[str]:
        """Return what the log says of alerts, oldest first."""
        return [action for action in self.house.actions() if action.startswith("alert.")]

    def token(self, permissions: frozenset[Permission] = PERSONAL, scope: str = SCOPE) -> dict[str, str]:
        """Return the headers of a service that holds permissions in a scope; the same again for the same arguments."""
        key = ("alerts", scope, ",".join(sorted(permissions)))
        if key not in self.house.made:
            tokens = self.house.instance.services.tokens
            made = tokens.create(OPERATOR, Owner(OwnerKind.SERVICE, "duty"), TokenSettings(permissions, (scope,)))
            self.house.made[key] = {"authorization": f"Bearer {made.secret}"}
        return self.house.made[key]

    def ask(self, method: str, path: str = "", body: Any = None, **more: Any) -> httpx.Response:
        """Ask the API as a service that handles the alerts of the scope, or as `headers` say."""
        headers = more.pop("headers", None) or self.token()
        content = {} if body is None else {"json": body}
        return self.house.http.request(method, f"{ROUTE}{path}", headers=headers, **content, **more)

    def get(self, alert: str) -> dict[str, Any]:
        """Return an alert with everything about it."""
        answer = self.ask("GET", f"/{alert}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def second_person(self) -> None:
        """Let nobody close a grave alert alone."""
        self.house.instance.services.settings.change(OPERATOR, {"alerts.second_person": True})


@contextmanager
def alerting(root: Path) -> Iterator[AlertWorld]:
    """Yield the world in a new installation."""
    clock = ManualClock()
    with installation(root, clock=clock) as house:
        yield AlertWorld(house, clock)
