"""One person's data ends ahead of time: found everywhere, decided by two, destroyed with every trace, proven offline."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.retention_world import ANA, RetentionWorld, retention_world

from tallystick.access.operator import OPERATOR
from tallystick.retain.errors import RetentionConflictError, RetentionInvalidError
from tallystick.retain.model import Hold, Terms
from tallystick.verify.service import load_trust, verify_target

SECRET = "zelda.unmistakable@example.org"
NAME = "Zelda Unmistakable"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RetentionWorld]:
    with retention_world(tmp_path) as world:
        yield world


def fill(world: RetentionWorld) -> None:
    """Name her as an actor, a target, a principal and in text, among others; in classes of others and our own."""
    her = {"id": SECRET, "type": "user", "name": NAME, "email": SECRET}
    world.send(5)
    world.send(3, actor=her)
    world.send(2, target={"id": "u-7", "type": "user", "name": SECRET})
    world.send(1, on_behalf_of=her)
    world.send(1, message=f"mail to {SECRET.upper()} bounced")
    world.room.service.define(ANA, "odd", Terms(500, None), f"asked by {SECRET}")


def salts(world: RetentionWorld, indexes: list[int]) -> list[bytes]:
    rows = world.rows()
    return [salt for index in indexes if (salt := rows[index].salt2) is not None]


def everywhere(root: Path) -> Iterator[tuple[Path, bytes]]:
    for path in root.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def test_no_byte_of_an_erased_person_is_left_anywhere(world: RetentionWorld) -> None:
    fill(world)
    asked = world.here.get("/api/v1/events", query=f'"{NAME}"', limit=50)
    assert asked.json()["events"], "she can be searched for before"
    world.seal()
    found = world.room.people.find(ANA, [SECRET, NAME])
    assert found.events == 9, "eight events, and the search that asked for her"
    gone = salts(world, [index for first, end in found.spans for index in range(first, end)])
    assert len(gone) == 9
    change, _ = world.room.people.request(ANA, [SECRET, NAME], "she asked")
    with pytest.raises(RetentionConflictError):
        world.room.proofs.make(ANA, change)
    world.approved(change)
    world.room.runner.run("test")
    assert world.room.people.find(ANA, [SECRET, NAME]).events == 0
    assert world.verified().findings == ()
    for path, data in everywhere(world.root):
        assert not any(trace in data for trace in (*gone, SECRET.encode(), NAME.encode())), path


def test_rules_of_detection_forget_an_erased_person_and_nobody_else(world: RetentionWorld) -> None:
    her, other = ({"id": each, "type": "user"} for each in (SECRET, "ana.kept@example.org"))
    for actor in (her, other):
        world.send(1, action="repository.download_started", actor=actor)
    engine = world.here.instance.services.detection

    def remembered() -> bytes:
        while engine.step() == 0.0:
            pass
        with engine.at_rest() as forget:
            forget(())  # saves what it has in memory
        return b"".join(path.read_bytes() for path in (world.data / "followers").glob("detect.db*"))

    before = remembered()
    assert SECRET.encode() in before
    assert b"ana.kept" in before
    world.seal()
    change, _ = world.room.people.request(ANA, [SECRET], "she asked")
    world.approved(change)
    world.room.runner.run("test")
    after = remembered()
    assert SECRET.encode() not in after
    assert b"ana.kept" in after, "what the others did is known still"


def test_a_rule_that_raises_an_alarm_and_an_erasure_do_not_wait_for_each_other(world: RetentionWorld) -> None:
    fill(world)
    world.seal()
    change, _ = world.room.people.request(ANA, [SECRET], "she asked")
    world.approved(change)
    instance = world.here.instance
    judging, run = threading.Event(), threading.Thread(target=world.room.runner.run, args=("test",), daemon=True)

    def judge() -> None:
        with instance.services.detection.at_rest():  # as the engine does while it judges
            judging.set()
            threading.Event().wait(0.5)  # the erasure gets as far as it can
            instance.commands.run(lambda _: ())

    alarm = threading.Thread(target=judge, daemon=True)
    alarm.start()
    judging.wait()
    run.start()
    for thread in (alarm, run):
        thread.join(60)
        assert not thread.is_alive(), "each waits for what the other holds"
    assert world.room.people.find(ANA, [SECRET]).events == 0


def test_what_stays_under_a_hold_is_said_and_goes_with_its_release(world: RetentionWorld) -> None:
    fill(world)
    world.seal()
    first = next(iter(world.room.people.find(ANA, [SECRET]).spans))[0]
    world.room.service.place(ANA, Hold("case-7", "legal", "court", None, 0, 0, ranges=((first, 1),)))
    change, found = world.room.people.request(ANA, [SECRET], "she asked")
    assert [(each.hold, each.events) for each in found.held] == [("case-7", 1)]
    world.approved(change)
    world.room.runner.run("test")
    _, staying = world.room.reading.change(OPERATOR, change)
    assert [(each.hold, each.events) for each in staying] == [("case-7", 1)]
    assert world.rows()[first].personal is not None
    assert world.verified().findings == ()
    world.approved(world.room.service.release(ANA, "case-7", "over"))
    world.room.runner.run("test")
    assert world.room.reading.change(OPERATOR, change)[1] == ()
    assert world.rows()[first].personal is None
    assert world.verified().findings == ()


def test_the_proof_of_a_deletion_verifies_offline_and_names_nobody(world: RetentionWorld, tmp_path: Path) -> None:
    fill(world)
    world.seal()
    change, _ = world.room.people.request(ANA, [SECRET], "she asked")
    world.approved(change)
    world.room.runner.run("test")
    package = tmp_path / "proof.zip"
    package.write_bytes(world.room.proofs.make(ANA, change))
    report = verify_target(str(package), load_trust())
    assert report.findings == ()
    assert sorted(each.covers for each in report.erasures) == [1, 7], (
        "the class that she asked for, and what others sent"
    )
    assert SECRET.encode() not in package.read_bytes()


def test_nobody_is_found_without_a_name_or_asked_for_in_vain(world: RetentionWorld) -> None:
    fill(world)
    with pytest.raises(RetentionInvalidError):
        world.room.people.find(ANA, ["  "])
    with pytest.raises(RetentionInvalidError, match="no event"):
        world.room.people.request(ANA, ["nobody-at-all"], "why")
    assert world.room.people.find(ANA, [SECRET]).unsealed == 8


def test_tables_lose_the_personal_text_of_erased_events(world: RetentionWorld) -> None:
    fill(world)
    world.room.service.place(ANA, Hold("case-1", "legal", f"letter from {SECRET}", None, 0, 0, classes=(3,)))
    world.seal()
    change, _ = world.room.people.request(ANA, [SECRET], "she asked")
    world.approved(change)
    world.room.runner.run("test")
    [hold] = world.room.reading.standing(OPERATOR).holds
    assert (hold.hold, hold.reason) == ("case-1", None)
