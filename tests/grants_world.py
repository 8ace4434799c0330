"""Roles and grants over a log in memory: real admission, real tables, real handlers, and people who exist."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from tallystick.access.grants import handlers as grant_handlers
from tallystick.access.grants.history import History, rights_from
from tallystick.access.grants.model import Subject
from tallystick.access.grants.roles import RoleService
from tallystick.access.grants.service import GrantService
from tallystick.access.model import Caller
from tallystick.access.people import handlers as people_handlers
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.sources import handlers as source_handlers
from tallystick.event.admission import Admission
from tallystick.event.canonical import canonical_json
from tallystick.event.catalogue import load_shipped
from tallystick.event.limits import Limits
from tallystick.event.merge import merge
from tallystick.event.occurred import time_of_us
from tallystick.event.pseudonym import Pseudonyms
from tallystick.follow.commands import Commands
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, Projection
from tallystick.ledger.genesis import PRODUCT
from tallystick.store.tables import METADATA
from tallystick.testing import ManualClock

HANDLERS = {**grant_handlers.HANDLERS, **people_handlers.HANDLERS, **source_handlers.HANDLERS}
DAY_US = 86_400_000_000
ADMISSION = Admission(load_shipped(), Pseudonyms(b"k" * 32), Limits())
EVERYTHING = Rights.of((permission, "") for permission in Permission)
OPERATOR = Caller("operator", "system", "operator", EVERYTHING, "local", "command-line")


class Looks:
    """Remembers what was looked at."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []

    def looked(self, caller: Caller, what: str, scope: str = "", /) -> None:
        self.seen.append((caller.id, what, scope))


def empty_tables() -> Engine:
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    METADATA.create_all(engine)
    return engine


class World:
    """One installation without a disk; times go by its clock only."""

    def __init__(self, handlers: Mapping[tuple[str, int], Handler] = HANDLERS) -> None:
        self.clock = ManualClock()
        self.parts: list[tuple[int, bytes, bytes]] = []
        self.looks = Looks()
        self.projection = Projection(empty_tables(), "test", handlers, self.read, lambda: len(self.parts))
        self.commands = Commands(self.projection, self.append)
        self.grants = GrantService(
            self.projection, self.commands, self.now_us, self.looks, History(HANDLERS, self.read)
        )
        self.roles = RoleService(self.projection, self.commands, self.now_us, self.looks)
        self.roles.publish_built_in()

    def now_us(self) -> int:
        return max(self.clock.now_us(), self.parts[-1][0] if self.parts else 0)

    def append(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Admit events as the product's own, all or none, each a microsecond after the one before."""
        batch = ADMISSION.admit(canonical_json([dict(event) for event in events]), PRODUCT, now_us=self.now_us())
        assert set(batch.classes) == {1}, "what decides about access is kept for ever"
        for facts, personal in zip(batch.facts, batch.personal, strict=True):
            self.clock.advance(0.000001)
            self.parts.append((self.now_us(), facts, personal))

    def read(self, first: int, *, erased: bool = False) -> Iterable[ProductEvent]:
        for index in range(first, len(self.parts)):
            at, facts, personal = self.parts[index]
            event = merge(facts, None if erased else personal)
            yield ProductEvent(index, at, event["action"], event)

    def note(self, action: str, metadata: dict[str, Any], **more: Any) -> None:
        """Append an event of another room."""
        event = {
            "action": action,
            "actor": {"id": "operator", "type": "system"},
            "target": {"type": "person", "id": metadata.get("person", "x")},
            "scope": "tallystick",
            "occurred_at": time_of_us(self.now_us()),
            "metadata": metadata,
        }
        self.commands.run(lambda _: [{**event, **more}])

    def person(self, name: str, *groups: str) -> str:
        """Make a person of this name and return her id."""
        person = f"p-{name}"
        changes = [{"field": "name", "old": None, "new": name.title()}]
        self.note("access.person_created", {"person": person, "ground": "invited"}, changes=changes)
        if groups:
            self.groups(person, *groups)
        return person

    def groups(self, person: str, *groups: str) -> None:
        self.note("access.groups_changed", {"person": person, "groups": list(groups)})

    def handle(self, person: str, handle: str) -> None:
        changes = [{"field": "handle", "old": None, "new": handle}]
        self.note("access.person_changed", {"person": person}, changes=changes)

    def disable(self, person: str) -> None:
        self.note("access.person_disabled", {"person": person})

    def first(self, name: str = "root") -> str:
        """Make the first administrator."""
        person = self.person(name)
        self.commands.run(lambda _: self.grants.bootstrap_events(person, self.now_us()))
        return person

    def caller(self, person: str, rights: Rights | None = None) -> Caller:
        """Return a person as she comes in now, or with the rights that she had when she came in."""
        if rights is None:
            with self.projection.engine.connect() as connection:
                rights = rights_from(connection, person, self.now_us())
        return Caller(person, "user", person, rights, "192.0.2.1", "page")

    def ask(self, by: Caller, person: str, role: str, scope: str = "", *, days: int = 30, group: bool = False) -> str:
        subject = Subject("group" if group else "person", person)
        until_us = self.now_us() + days * DAY_US
        return self.grants.request(by, subject=subject, role=role, scope=scope, reason="work", until_us=until_us)

    def give(self, person: str, role: str, scope: str = "", *, days: int = 30, group: bool = False) -> str:
        """Give somebody a role by decision of the operator."""
        grant = self.ask(OPERATOR, person, role, scope, days=days, group=group)
        approver = self.caller(self.operator_person)
        self.grants.approve(approver, grant)
        return grant

    @property
    def operator_person(self) -> str:
        """The first administrator, who decides in these tests where nobody in particular does."""
        if not hasattr(self, "_first"):
            self._first = self.first("first")
        return self._first

    def rights(self, person: str, *groups: str) -> Rights:
        return self.grants.rights_of(person, groups, self.now_us())

    def actions(self) -> list[str]:
        return [json.loads(facts)["action"] for _, facts, _ in self.parts]

    def newest(self) -> dict[str, Any]:
        """Return the newest event."""
        _, facts, personal = self.parts[-1]
        return merge(facts, personal)


def rows_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return everything in the tables."""
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in METADATA.sorted_tables
            if table.name != "cursor"
        }
