"""Whatever people do to exceptions in whatever order: what holds at any time is what the events say, and needs no job."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.govern_world import GovernWorld
from tests.grants_world import OPERATOR, rows_of

from tallystick.access.model import Caller
from tallystick.errors import TallystickError
from tallystick.govern.exceptions.model import Kind, Risk

SUBJECTS = ("one", "two")
SCOPES = ("", "acme", "acme/pay")
who = st.integers(min_value=0, max_value=2)
pick = st.integers(min_value=0, max_value=50)
days = st.floats(min_value=0.5, max_value=40)


class Lives(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = GovernWorld(Path(self.folder.name))
        self.people = [self.world.with_role(name) for name in ("ana", "bo", "cy")]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.world.uses.close()
            self.folder.cleanup()

    def _some(self, number: int) -> str:
        found = self.world.exceptions.list(OPERATOR)
        return found[number % len(found)].id if found else "x-none"

    @rule(by=who, subject=st.sampled_from(SUBJECTS), scope=st.sampled_from(SCOPES), days=days, ahead=st.booleans())
    def ask(self, by: int, subject: str, scope: str, days: float, *, ahead: bool) -> None:
        start = self.world.now_us() + 3 * 86_400_000_000 if ahead else None
        wish = self.world.wish(days, kind=Kind.POLICY, subject=subject, scope=scope, start_us=start)
        with suppress(TallystickError):
            self.world.exceptions.request(self.people[by], wish)

    @rule(by=who, number=pick)
    def approve(self, by: int, number: int) -> None:
        caller = self.people[by]
        with suppress(TallystickError):
            asked = self.world.exceptions.get(caller, self._some(number))
            self.world.exceptions.approve(caller, asked.id, asked.digest)
            assert asked.requester != caller.id

    @rule(by=who, number=pick, how=st.sampled_from(("reject", "revoke")))
    def end(self, by: int, number: int, how: str) -> None:
        with suppress(TallystickError):
            getattr(self.world.exceptions, how)(self.people[by], self._some(number), reason="no")

    @rule(by=who, number=pick)
    def withdraw(self, by: int, number: int) -> None:
        with suppress(TallystickError):
            self.world.exceptions.withdraw(self.people[by], self._some(number))

    @rule(by=who, number=pick, days=days)
    def extend(self, by: int, number: int, days: float) -> None:
        until_us = self.world.now_us() + int(days * 86_400_000_000)
        caller: Caller = self.people[by]
        with suppress(TallystickError):
            self.world.exceptions.extend(
                caller, self._some(number), until_us=until_us, justification="more", control="same", risk=Risk.LOW
            )

    @rule(hours=st.sampled_from([1, 20, 100, 400]))
    def wait(self, hours: int) -> None:
        self.world.clock.advance(hours * 3600)

    @rule()
    def notice(self) -> None:
        self.world.upkeep.once()

    @invariant()
    def what_holds_is_approved_begun_and_neither_over_nor_revoked(self) -> None:
        if not hasattr(self, "world"):
            return
        events = list(self.world.read(0))
        moments = {event.received_at for event in events} | {self.world.now_us()}
        asked = {e.metadata["exception"]: e for e in events if e.action == "exception.requested"}
        approved = {e.metadata["exception"]: e.received_at for e in events if e.action == "exception.approved"}
        revoked = {e.metadata["exception"]: e.received_at for e in events if e.action == "exception.revoked"}
        records = {each.id: each for each in self.world.exceptions.list(OPERATOR)}
        for at in moments:
            told = {
                exception
                for exception, since in approved.items()
                if since <= at
                and asked[exception].metadata["start"] <= at < asked[exception].metadata["until"]
                and not revoked.get(exception, at + 1) <= at
            }
            assert {each.id for each in records.values() if each.in_force(at)} == told
        now = self.world.now_us()
        holding = {
            each.id
            for subject in SUBJECTS
            for scope in (*SCOPES, "acme/pay/api")
            for each in self.world.exceptions.in_force(Kind.POLICY, subject, scope, now)
        }
        assert holding == {each.id for each in records.values() if each.in_force(now)}

    @invariant()
    def replay_says_the_same(self) -> None:
        if not hasattr(self, "world") or len(self.world.parts) % 7:
            return
        before = rows_of(self.world.projection.engine)
        self.world.projection.rebuild()
        assert rows_of(self.world.projection.engine) == before


Lives.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestLives = Lives.TestCase
