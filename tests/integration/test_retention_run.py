"""Content ends when its class says so, and not before: a whole installation, with verification at every step."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.retention_world import ANA, SHORT, RetentionWorld, facts, retention_world

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.errors import TallystickError
from tallystick.event.occurred import time_of_us
from tallystick.govern.exceptions.model import Kind, Risk, Wish
from tallystick.retain.errors import BelowFloorError, RetentionConflictError, SimulationOutdatedError
from tallystick.retain.model import Hold, Rule, State, Terms
from tallystick.work.model import Question


def asking() -> Caller:
    """Return a person who may ask for exceptions."""
    rights = Rights.of([(Permission.EXCEPTIONS_REQUEST, ""), (Permission.EXCEPTIONS_READ, "")])
    return Caller("p-bo", "user", "Bo", rights, "192.0.2.6", "page", session="s-bo")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RetentionWorld]:
    with retention_world(tmp_path) as world:
        yield world


def assigned(world: RetentionWorld, name: str = "short", terms: Terms = SHORT, **rule: object) -> int:
    """Make a class and send reports to it, as two people decide; return its number."""
    number = world.room.service.define(ANA, name, terms, "reports are many")
    change = world.room.service.assign(ANA, [Rule(number, action="report.*", **rule)], "reports")  # type: ignore[arg-type]
    if change is not None:
        world.approved(change)
    return number


def test_a_class_expires_in_two_steps_and_verification_is_clean_at_each(world: RetentionWorld) -> None:
    number = assigned(world)
    world.send(20)
    world.send(5, action="user.signed_in")
    world.seal()
    mine = world.indexes("report.opened")
    assert {world.rows()[index].class_number for index in mine} == {number}
    assert world.room.runner.run("test").erasures == 0
    assert world.verified().findings == ()

    world.wait(31)
    outcome = world.room.runner.run("test")
    assert (outcome.events, outcome.erasures) == (20, 1)
    rows = world.rows()
    assert all(rows[index].personal is None and rows[index].facts is not None for index in mine)
    report = world.verified()
    assert report.findings == ()
    assert [each.covers for each in report.erasures] == [20]

    world.wait(60)
    assert world.room.runner.run("test").events == 20
    assert not set(mine) & set(world.rows())
    assert len(world.indexes("user.signed_in")) == 5
    assert world.verified().findings == ()
    assert world.room.runner.run("test").erasures == 0, "what is gone is not due again"
    runs = world.room.reading.standing(OPERATOR).runs
    assert [(each.events, each.state) for each in runs] == [(20, "finished"), (20, "finished")]


def test_what_is_not_sealed_waits(world: RetentionWorld) -> None:
    assigned(world)
    world.send(3)
    world.wait(100)
    assert world.room.runner.run("test").events == 0
    world.seal()
    assert world.room.runner.run("test").events == 3
    assert world.verified().findings == ()


@pytest.mark.parametrize("reach", ["class", "range", "time", "source"])
def test_a_hold_keeps_what_it_covers_and_lets_the_rest_go(world: RetentionWorld, reach: str) -> None:
    number = assigned(world)
    world.send(4, source="first")
    started = world.clock.now_us()
    world.wait(1)
    world.send(4, source="second")
    world.send(4, source="first")
    world.seal()
    mine = world.indexes("report.opened")
    rows = world.rows()
    source = rows[mine[4]].source
    hold = {
        "class": Hold("case-7", "legal", "court", None, 0, 0, classes=(number,)),
        "range": Hold("case-7", "legal", "court", None, 0, 0, ranges=((mine[2], mine[4] + 1 - mine[2]),)),
        "time": Hold("case-7", "legal", "court", None, 0, 0, received=(started + 1, None)),
        "source": Hold("case-7", "legal", "court", None, 0, 0, sources=(source,)),
    }[reach]
    held = {"class": mine, "range": mine[2:5], "time": mine[4:], "source": mine[4:8]}[reach]
    world.room.service.place(ANA, hold)
    world.wait(100)
    world.room.runner.run("test")
    left = world.rows()
    assert [index for index in mine if index in left] == held
    assert all(left[index].personal is not None for index in held)
    assert world.verified().findings == ()
    assert world.room.runner.run("test").erasures == 0

    change = world.room.service.release(ANA, "case-7", "settled")
    with pytest.raises(OwnDecisionError):
        world.room.service.approve(ANA, change, world.room.reading.change(ANA, change)[0].digest)
    world.approved(change)
    world.room.runner.run("test")
    assert not set(mine) & set(world.rows())
    assert world.verified().findings == ()


def test_a_hold_covers_events_that_come_while_it_lasts(world: RetentionWorld) -> None:
    number = assigned(world)
    world.room.service.place(ANA, Hold("case-8", "legal", "inquiry", None, 0, 0, classes=(number,)))
    world.send(3)
    world.seal()
    world.wait(200)
    assert world.room.runner.run("test").events == 0
    assert len(world.indexes("report.opened")) == 3


def test_a_shortening_needs_its_simulation_another_person_and_thirty_days(world: RetentionWorld) -> None:
    assigned(world)
    world.send(6)
    world.seal()
    shorter = Terms(10, None, guarded=False)
    with pytest.raises(SimulationOutdatedError):
        world.room.service.change(ANA, "short", shorter, "less is more", "0" * 64)
    simulated = world.room.service.simulate(ANA, "short", shorter)
    assert [(each.part, each.events) for each in simulated.would_go] == [("all", 6)]
    assert [(each.part, each.events) for each in simulated.goes_anyway] == [("personal", 6)]
    change = world.room.service.change(ANA, "short", shorter, "less is more", simulated.digest)
    assert change is not None
    with pytest.raises(OwnDecisionError):
        world.approved_by(ANA, change)
    world.approved(change)
    world.wait(29)
    assert world.room.runner.run("test").events == 0
    world.wait(2)
    world.room.runner.run("test")
    assert world.indexes("report.opened") == []
    assert world.verified().findings == ()


def test_a_longer_period_is_in_force_at_once_and_asks_nobody(world: RetentionWorld) -> None:
    assigned(world)
    world.send(6)
    world.seal()
    world.wait(25)
    assert world.room.service.change(ANA, "short", Terms(500, 400, guarded=False), "audit") is None
    world.wait(75)
    assert world.room.runner.run("test").events == 0


def test_no_class_of_security_events_goes_below_a_year_without_an_exception(world: RetentionWorld) -> None:
    with pytest.raises(BelowFloorError):
        world.room.service.define(ANA, "guarded", Terms(90, None))
    with pytest.raises(BelowFloorError):
        world.room.service.simulate(ANA, "standard", Terms(90, None))
    with pytest.raises(BelowFloorError):
        world.room.service.define(ANA, "sox", Terms(2000, None, regulations=(("sox", 7),)))
    assert world.room.service.define(ANA, "sox", Terms(2557, None, regulations=(("sox", 7),)))


def test_security_events_pass_over_a_class_without_floor(world: RetentionWorld) -> None:
    number = world.room.service.define(ANA, "scratch", SHORT)
    change = world.room.service.assign(ANA, [Rule(number, scope="acme/intranet")], "scratch")
    assert change is not None
    world.approved(change)
    world.send(2)
    world.send(2, action="user.signed_in")
    rows = world.rows().values()
    classes = {facts(row)["action"]: row.class_number for row in rows if row.source}
    assert classes == {"report.opened": number, "user.signed_in": 2}


def test_two_decisions_about_one_proposal_have_one_winner(world: RetentionWorld) -> None:
    assigned(world)
    world.room.service.place(ANA, Hold("case-9", "legal", "court", None, 0, 0, classes=(2,)))
    change = world.room.service.release(ANA, "case-9", "over")
    found, _ = world.room.reading.change(OPERATOR, change)
    with pytest.raises(RetentionConflictError):
        world.room.service.approve(OPERATOR, change, "0" * 64)
    world.room.service.approve(OPERATOR, change, found.digest)
    with pytest.raises(RetentionConflictError):
        world.room.service.decline(OPERATOR, change, "late")
    assert world.room.reading.change(OPERATOR, change)[0].state is State.APPROVED


def test_searches_go_on_while_content_ends(world: RetentionWorld) -> None:
    assigned(world)
    world.send(30)
    world.send(10, action="user.signed_in")
    world.seal()
    assert world.here.get("/api/v1/events", limit=100).json()["events"]
    world.wait(100)
    world.room.runner.run("test")
    found = world.here.get("/api/v1/events", query="action:report.opened", limit=100)
    assert found.status_code == 200, found.text
    assert found.json()["events"] == []
    assert len(world.here.get("/api/v1/events", query="action:user.signed_in", limit=100).json()["events"]) == 10


def test_retention_is_read_while_content_ends(world: RetentionWorld) -> None:
    assigned(world)
    for _ in range(3):
        world.send(10)
        world.seal()
    world.wait(100)
    ended, faults = threading.Event(), list[Exception]()

    def look() -> None:
        while not ended.is_set():
            try:
                world.room.reading.standing(OPERATOR)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
                faults.append(error)
                return

    looking = threading.Thread(target=look)
    looking.start()
    world.room.runner.run("test")
    ended.set()
    looking.join()
    assert faults == []


def test_two_people_may_let_a_class_go_below_its_floor_and_only_while_they_said(world: RetentionWorld) -> None:
    service, exceptions = world.room.service, world.here.instance.services.systems.exceptions
    shorter = Terms(90, None)
    with pytest.raises(BelowFloorError):
        service.simulate(ANA, "standard", shorter)
    until = world.clock.now_us() + 60 * 86_400_000_000
    wish = Wish(Kind.RETENTION, "standard", "", "A migration", "The old system has all of it", Risk.LOW, until)
    asked = exceptions.request(asking(), wish)
    exceptions.approve(OPERATOR, asked, exceptions.get(OPERATOR, asked).terms.digest)
    world.send(4, action="user.signed_in")
    world.seal()
    digest = service.simulate(ANA, "standard", shorter).digest
    change = service.change(ANA, "standard", shorter, "migration", digest)
    assert change is not None
    world.approved(change)
    world.wait(61)
    world.room.runner.run("test")
    assert len(world.indexes("user.signed_in")) == 4, "ninety days had not passed when the exception ended"
    world.wait(40)
    assert world.room.runner.run("test").events == 0, "and then the floor is back"
    assert world.verified().findings == ()


def test_the_floor_is_back_once_the_exception_from_it_is_revoked(world: RetentionWorld) -> None:
    service, exceptions = world.room.service, world.here.instance.services.systems.exceptions
    until = world.clock.now_us() + 300 * 86_400_000_000
    wish = Wish(Kind.RETENTION, "standard", "", "A migration", "The old system has all of it", Risk.LOW, until)
    asked = exceptions.request(asking(), wish)
    exceptions.approve(OPERATOR, asked, exceptions.get(OPERATOR, asked).terms.digest)
    world.send(4, action="user.signed_in")
    world.seal()
    shorter = Terms(90, None)
    change = service.change(ANA, "standard", shorter, "migration", service.simulate(ANA, "standard", shorter).digest)
    assert change is not None
    world.approved(change)
    world.wait(80)
    exceptions.revoke(OPERATOR, asked, reason="the old system was switched off")
    world.wait(20)
    assert world.room.runner.run("test").events == 0
    assert len(world.indexes("user.signed_in")) == 4
    assert world.verified().findings == ()


def test_a_run_that_fails_is_on_record_raises_an_alert_and_is_gone_on_with(world: RetentionWorld) -> None:
    assigned(world)
    world.send(5)
    world.seal()
    world.wait(100)
    services = world.here.instance.services
    [segment] = [each for each in services.ledger.snapshot().segments if each.class_number not in {1, 2, 3}]
    folder = world.segments / segment.path
    hidden = folder.with_name("hidden")
    folder.rename(hidden)
    with pytest.raises((OSError, TallystickError)):
        world.room.runner.run("test")
    assert world.room.check().state == "problem"
    assert world.room.reading.standing(OPERATOR).runs[0].state == "failed"
    raised = [each.kind for each in services.alerts.reading.list(OPERATOR).alerts]
    assert "retention.run_failed" in raised
    hidden.rename(folder)
    assert world.room.runner.run("test").events == 5
    assert world.room.check().state == "good"
    assert world.verified().findings == ()


def test_a_run_left_off_anywhere_is_gone_on_with_and_leaves_no_trace_in_the_tables(world: RetentionWorld) -> None:
    assigned(world)
    world.send(5)
    world.seal()
    world.wait(100)
    asked = iter([False, False, True])  # before what was decided, before what expired, and after one of these
    assert world.room.runner.run("test", lambda: next(asked)).erasures == 1
    assert world.room.runner.run("test").erasures == 0
    assert world.verified().findings == ()


def test_exports_that_may_hold_expired_content_end_with_it(world: RetentionWorld) -> None:
    exports = world.here.instance.services.exports
    assigned(world)
    world.send(5)
    world.seal()
    world.wait(89)
    start = time_of_us(world.clock.now_us())
    whole, later = (exports.request(OPERATOR, each, "jsonl") for each in (Question(), Question(start=start)))
    deadline = time.monotonic() + 120
    while exports.waiting():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    files = world.data / "exports"
    assert {path.stem for path in files.iterdir()} == {whole, later}
    world.wait(2)
    world.room.runner.run("test")
    assert {path.stem for path in files.iterdir()} == {later}
