"""No two threads can wait for each other for ever: locks are taken in one order, whoever takes them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.lock_order import LockOrder, watched_locks
from tests.retention_world import ANA, RetentionWorld, retention_world

HER = {"id": "zelda.unmistakable@example.org", "type": "user"}


def test_a_circle_is_seen_without_two_threads_that_meet() -> None:
    order = LockOrder({("a", "b"), ("b", "c"), ("x", "a")})
    assert order.circles() == []
    order.pairs.add(("c", "a"))
    assert order.circles() == [("a", "b"), ("b", "c"), ("c", "a")]


def test_everything_that_follows_the_log_takes_locks_in_one_order(tmp_path: Path) -> None:
    with watched_locks() as order, retention_world(tmp_path) as world:
        services = world.here.instance.services
        with services.detection:
            live(world)
            settled(world)
        services.systems.watch.once()
        services.reviews.upkeep.look()
    assert len(order.pairs) > 20, "locks are not seen"
    assert order.circles() == []


def live(world: RetentionWorld) -> None:
    """Let alarms be raised while a person is erased and what expired goes."""
    world.send(3, action="malware.detected", actor=HER)
    world.seal()
    change, _ = world.room.people.request(ANA, [HER["id"]], "she asked")
    world.approved(change)
    world.room.runner.run("test")
    left = world.room.people.find(ANA, [HER["id"]])
    assert left.events == left.unsealed, "but for an alert that was raised after somebody asked"


def settled(world: RetentionWorld) -> None:
    engine, deadline = world.here.instance.services.detection, time.monotonic() + 60
    while engine.standing().lag:
        assert time.monotonic() < deadline, "detection does not get on"
        threading.Event().wait(0.05)
