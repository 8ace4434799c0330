"""What somebody who manages retention would try: to shorten it alone, and to have her own traces destroyed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.installation import installation
from tests.retention_world import ANA, RetentionWorld, retention_world

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.operator import OPERATOR
from tallystick.follow.commands import Commands
from tallystick.retain.errors import RetentionConflictError
from tallystick.retain.model import Rule, Terms
from tallystick.retain.service import RetentionService


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RetentionWorld]:
    with retention_world(tmp_path) as world:
        yield world


@dataclass
class Overtaken:
    """Commands before which somebody else's comes first, as two requests at once may go."""

    commands: Commands
    first: Callable[[], object]

    def run(self, decide: Any) -> Any:
        self.first()
        return self.commands.run(decide)


def overtaken(world: RetentionWorld, first: Callable[[], object]) -> RetentionService:
    """Return the service as it goes for somebody whom another command overtakes."""
    instance, service = world.here.instance, world.room.service
    commands: Any = Overtaken(instance.commands, first)
    return RetentionService(instance.projection, commands, service._content, service._ports)


def test_longer_terms_that_came_first_are_not_shortened_without_a_second_person(world: RetentionWorld) -> None:
    service = world.room.service
    service.define(ANA, "reports", Terms(500), "reports")
    late = overtaken(world, lambda: service.change(ANA, "reports", Terms(3000), "the auditors ask for it"))
    with pytest.raises(RetentionConflictError):
        late.change(ANA, "reports", Terms(600), "a bit more")
    kept = next(each.kept for each in world.room.reading.standing(ANA).classes if each.kept.name == "reports")
    assert kept.terms.retention_days == 3000


def test_rules_that_came_first_are_not_taken_away_without_a_second_person(world: RetentionWorld) -> None:
    service = world.room.service
    number = service.define(ANA, "reports", Terms(3000), "reports")
    rule = Rule(number, action="report.*")
    late = overtaken(world, lambda: service.assign(ANA, [rule], "reports stay longer"))
    with pytest.raises(RetentionConflictError):
        late.assign(ANA, [], "nothing special")
    assert world.room.reading.standing(ANA).rules == (rule,)


def test_nobody_asks_for_what_names_herself_to_be_destroyed(world: RetentionWorld) -> None:
    eve = replace(ANA, id="p-eve", aliases=frozenset({"eve", "Eve@example.org"}))
    world.send(2, actor={"id": "eve@example.org", "type": "user"})
    world.seal()
    for names in (["eve@example.org"], ["somebody", "EVE@example.org"]):
        with pytest.raises(OwnDecisionError):
            world.room.people.request(eve, names, "she asked")
    change, found = world.room.people.request(ANA, ["eve@example.org"], "she asked")
    assert change
    assert found.events == 2


def test_a_clock_that_is_set_ahead_destroys_nothing_before_somebody_could_look(world: RetentionWorld) -> None:
    world.send(5)
    world.seal()
    world.wait(5 * 365)
    world.send(1, action="user.signed_in")
    world.seal()
    assert world.room.worker.look() is False
    assert world.room.worker.look() is False
    assert len(world.indexes("report.opened")) == 5
    raised = [each.kind for each in world.here.instance.services.alerts.reading.list(OPERATOR).alerts]
    assert raised.count("retention.clock_leapt") == 1
    world.wait(1.1)
    world.send(1, action="user.signed_in")
    world.seal()
    assert world.room.worker.look() is True, "a day later it is believed"
    world.room.runner.run("test")  # the worker of this world is stopped, and leaves the rest to the next run
    assert world.indexes("report.opened") == []
    assert world.verified().findings == ()


@pytest.mark.parametrize("wrong", [{"received_to": ""}, {"received_from": "yesterday evening"}])
def test_a_hold_with_a_time_that_is_none_is_refused_with_its_place(tmp_path: Path, wrong: dict[str, str]) -> None:
    body = {"hold": "case-7", "owner": "legal", "reason": "a case", **wrong}
    with installation(tmp_path) as house:
        answer = house.http.post("/api/v1/retention/holds", json=body, headers=house.token())
    assert (answer.status_code, answer.json()["pointer"]) == (422, f"/{next(iter(wrong))}")
