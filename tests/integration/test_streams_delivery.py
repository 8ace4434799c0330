"""Delivery to a real receiving process: complete, in order, at least once, whatever is killed."""

from __future__ import annotations

import json
import random
import threading
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec
import pytest
from tests.installation import installation
from tests.stream_world import LOOPBACK, StreamWorld, receiving, streaming, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.follow.product_log import LEDGER_CLASS
from tallystick.segment.manifest import CONTENT
from tallystick.server import segments_of
from tallystick.stream.model import Letter, State
from tallystick.stream.position import Positions
from tallystick.testing import ManualClock

SEED = 20_261_121


def sent_ids(world: StreamWorld, way: str = "ok") -> list[str]:
    """Return the ids of the events that tests sent, in order of their first arrival."""
    seen = [each["id"] for each in world.receiver.events(way) if each["event"]["action"] == "user.signed_in"]
    return list(dict.fromkeys(seen))


def _got_on(world: StreamWorld, before: int, done: threading.Event) -> bool:
    return len(world.receiver.taken()) > before or done.is_set()


def test_events_arrive_in_order_and_once_while_nothing_fails(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        world.create()
        sent = [event_id for _ in range(5) for event_id in world.send(7)]
        wait_until(lambda: len(sent_ids(world)) >= len(sent))
        arrived = world.receiver.events()
        assert [each["id"] for each in arrived if each["event"]["action"] == "user.signed_in"] == sent
        assert [each["index"] for each in arrived] == sorted(each["index"] for each in arrived)


@pytest.mark.parametrize("batch", [1, 50])
def test_a_receiver_that_is_killed_again_and_again_gets_every_event_in_order(tmp_path: Path, batch: int) -> None:
    dice = random.Random(SEED + batch)
    with streaming(tmp_path) as world:
        world.create(batch=batch)
        sent: list[str] = []
        done = threading.Event()

        def flow() -> None:
            for _ in range(40):
                sent.extend(world.send(dice.randint(1, 30)))
            done.set()

        sending = threading.Thread(target=flow)
        sending.start()
        kills = 0
        while not done.is_set() or kills < 3:
            before = len(world.receiver.taken())
            wait_until(partial(_got_on, world, before, done))
            world.receiver.kill()
            kills += 1
            world.receiver.start()
        sending.join()
        wait_until(lambda: len(sent_ids(world)) >= len(sent))
        assert sent_ids(world) == sent, "in order by first arrival, none missing"


def test_a_server_that_ends_goes_on_where_it_was(tmp_path: Path) -> None:
    with receiving(tmp_path / "receiver") as receiver:
        with installation(tmp_path, stream_networks=LOOPBACK) as house, house.instance.services.streams.running():
            world = StreamWorld(house, receiver)
            destination = world.create()
            first = world.send(20)
            wait_until(lambda: len(sent_ids(world)) == 20)
        count = len(receiver.events())
        with installation(tmp_path, stream_networks=LOOPBACK) as house:
            world = StreamWorld(house, receiver)
            second = world.send(20)  # while nothing is sent
            with house.instance.services.streams.running():
                wait_until(lambda: len(sent_ids(world)) == 40)
            assert sent_ids(world) == first + second
            again = [each["id"] for each in receiver.events()[count:]]
            assert not set(again) & set(first), "an orderly end repeats nothing"
            assert world.standing(destination).lag == 0


def test_making_the_tables_again_sends_nothing_twice(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(query="outcome:success", scope="acme")
        world.send(10)
        wait_until(lambda: len(sent_ids(world)) == 10)
        before, arrived = world.find(destination), world.receiver.ids()
        world.house.instance.rebuild()
        assert world.find(destination) == before
        more = world.send(3)
        wait_until(lambda: len(sent_ids(world)) == 13)
        assert world.receiver.ids() == arrived + more


def test_sealed_events_of_every_class_are_sent_in_order_of_index(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        sent = world.send(30)
        for _ in range(3):  # readings have a class of their own, and segments
            world.house.get("/api/v1/events", query=f'"{random.random()}"')
            sent += world.send(10)
        ledger = world.house.instance.ledger
        ledger.rotate()
        wait_until(lambda: ledger.snapshot().sealed_size > 30)
        sent += world.send(5)
        world.create(from_index=0, reading=True)
        wait_until(lambda: len(sent_ids(world)) == len(sent))
        arrived = [each["index"] for each in world.receiver.events()]
        assert arrived == sorted(arrived)
        assert arrived[0] == 0
        assert world.receiver.actions().count("events.searched") == 3
        assert sent_ids(world) == sent


def test_a_file_of_the_log_that_is_gone_is_waited_for_with_a_word_and_sent_once_it_is_back(tmp_path: Path) -> None:
    with streaming(tmp_path, clock=ManualClock()) as world:  # it stands still: nothing is ever idle, or set aside
        sent = world.send(20)
        ledger = world.house.instance.ledger
        ledger.rotate()
        wait_until(lambda: ledger.snapshot().sealed_size > 20)
        folder = segments_of(world.house.instance.settings)
        entries = [each for each in ledger.snapshot().segments if each.class_number != LEDGER_CLASS]
        contents = [folder / each.path / CONTENT for each in entries]
        for content in contents:
            content.rename(content.with_suffix(".away"))
        destination = world.create(from_index=0, query="action:user.signed_in")
        wait_until(lambda: world.standing(destination).position.failures >= 2)
        assert "is gone" in world.standing(destination).position.error
        assert sent_ids(world) == []
        for content in contents:
            content.with_suffix(".away").rename(content)
        wait_until(lambda: len(sent_ids(world)) == len(sent))
        assert sent_ids(world) == sent


def test_a_pause_loses_nothing_and_its_event_is_the_last_that_is_sent(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create()
        first = world.send(5)
        world.streams.pause(OPERATOR, destination)
        second = world.send(5)
        wait_until(lambda: "stream.paused" in world.receiver.actions())
        world.streams.pause(OPERATOR, destination)
        wait_until(lambda: world.standing(destination).position.last_success > 0)
        time.sleep(1)
        assert world.receiver.actions()[-1] == "stream.paused"
        assert sent_ids(world) == first
        world.streams.resume(OPERATOR, destination)
        wait_until(lambda: len(sent_ids(world)) == 10)
        assert sent_ids(world) == first + second


def test_a_refused_event_is_set_aside_with_its_reason_and_replayed_by_one_call(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        world.receiver.refuse("poisoned")
        destination = world.create(batch=20)
        before = world.send(15)
        bad = world.send(1, target={"id": "poisoned", "type": "application"})
        after = world.send(15)
        wait_until(lambda: len(sent_ids(world)) == 30)
        assert sent_ids(world) == before + after, "one refusal holds up nothing but itself"
        letters = world.streams.letters(OPERATOR, destination)
        assert [(each.event_id, each.status) for each in letters] == [(bad[0], 422)]
        assert "not this one" in letters[0].reason
        world.receiver.refuse(None)
        assert world.streams.replay(OPERATOR, destination) == 1
        wait_until(lambda: bad[0] in sent_ids(world))
        wait_until(lambda: world.streams.letters(OPERATOR, destination) == [])
        assert "stream.letters_replayed" in world.house.actions()


def test_everything_that_was_set_aside_can_be_replayed_not_only_what_a_page_shows(tmp_path: Path) -> None:
    with receiving(tmp_path / "receiver") as receiver, installation(tmp_path, stream_networks=LOOPBACK) as house:
        world = StreamWorld(house, receiver)
        destination = world.create()
        with closing(Positions(tmp_path / "data", house.instance.ledger.origin)) as positions:
            letter = Letter(index=0, event_id="", at=1, status=422, reason="answered 422", tries=5)
            positions.put(destination, [msgspec.structs.replace(letter, index=place) for place in range(300)])
        assert len(world.streams.letters(OPERATOR, destination)) == 200
        assert world.streams.replay(OPERATOR, destination, 299) == 1
        assert world.streams.replay(OPERATOR, destination, 300) == 0
        assert world.streams.replay(OPERATOR, destination) == 300


def test_a_backfill_sends_again_from_an_index_with_the_same_ids(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        world.send(10)
        destination = world.create(batch=5)
        world.send(10)
        wait_until(lambda: len(sent_ids(world)) == 10)
        first = len(world.receiver.events())
        world.streams.backfill(OPERATOR, destination, 0)
        wait_until(lambda: len(sent_ids(world)) == 20)
        wait_until(lambda: world.standing(destination).lag == 0)
        again = world.receiver.events()[first + 1 :]  # after the event that asked for it
        assert again[0]["index"] == 0
        assert [each["index"] for each in again] == sorted(each["index"] for each in again)
        ids = {each["headers"]["webhook-id"]: each["body"] for each in world.receiver.taken()}
        assert all(json.loads(body) for body in ids.values())


def test_a_change_reaches_the_old_address_and_what_follows_the_new_one_under_new_settings(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create("ok")
        first = world.send(3)
        world.streams.change(
            OPERATOR,
            destination,
            lambda old: msgspec.structs.replace(old, url=world.receiver.url("other"), scope="acme/payments"),
        )
        world.send(3)
        second = world.send(3, scope="acme/payments")
        wait_until(lambda: len(sent_ids(world, "other")) == 3)
        assert sent_ids(world) == first
        assert world.receiver.actions()[-1] == "stream.changed"
        assert sent_ids(world, "other") == second


def test_the_secrets_of_settings_that_are_over_are_destroyed(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(headers={"X-Key": "the-first-of-all-keys"})
        before = world.find(destination).now.secret
        wanted = {"X-Key": "the-second-key"}
        world.streams.change(
            OPERATOR, destination, lambda old: msgspec.structs.replace(old, headers=wanted), headers=True
        )
        after = world.find(destination).now.secret
        sent = world.send(1)
        wait_until(lambda: sent[0] in world.receiver.ids())
        assert world.receiver.taken()[-1]["headers"]["X-Key"] == "the-second-key"
        secrets = tmp_path / "data" / "secrets.db"
        wait_until(lambda: b"the-first-of-all-keys" not in secrets.read_bytes())
        assert before.encode() not in secrets.read_bytes()
        assert after.encode() in secrets.read_bytes()


def test_a_lost_position_sends_everything_again_where_it_goes_now(tmp_path: Path) -> None:
    with receiving(tmp_path / "receiver") as receiver:
        with installation(tmp_path, stream_networks=LOOPBACK) as house, house.instance.services.streams.running():
            world = StreamWorld(house, receiver)
            destination = world.create("old")
            first = world.send(3)
            world.streams.change(
                OPERATOR, destination, lambda old: msgspec.structs.replace(old, url=receiver.url("new?key=1"))
            )
            world.send(1)
            wait_until(lambda: len(sent_ids(world, "new")) == 1)
            wait_until(lambda: world.standing(destination).lag == 0)
        for place in (tmp_path / "data" / "followers").glob("streams.db*"):
            place.unlink()
        with installation(tmp_path, stream_networks=LOOPBACK) as house, house.instance.services.streams.running():
            world = StreamWorld(house, receiver)
            wait_until(lambda: set(first) <= set(receiver.ids("new")))


def test_a_deleted_destination_gets_what_it_was_due_and_is_forgotten_with_its_secrets(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create()
        secret = world.find(destination).now.secret
        sent = world.send(50)
        world.streams.delete(OPERATOR, destination)
        world.send(5)
        wait_until(lambda: "stream.ended" in world.house.actions())
        assert sent_ids(world) == sent
        assert world.receiver.actions()[-1] == "stream.deleted"
        assert world.all() == []
        secrets = tmp_path / "data" / "secrets.db"
        wait_until(lambda: secret.encode() not in secrets.read_bytes())


def test_an_address_that_was_replaced_because_it_is_dead_is_given_up(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create("status/404")
        sent = world.send(3)
        wait_until(lambda: world.standing(destination).position.failures > 0)
        world.streams.change(
            OPERATOR, destination, lambda old: msgspec.structs.replace(old, url=world.receiver.url("ok"))
        )
        wait_until(lambda: len(sent_ids(world)) == 3)
        assert sent_ids(world) == sent
        assert world.find(destination).state is State.ACTIVE
