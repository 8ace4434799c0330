"""Destinations that are slow, dead, lying, redirecting or inside the house hold up nothing but themselves."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import msgspec
import pytest
from tests.installation import installation
from tests.stream_world import LOOPBACK, StreamWorld, free_port, receiving, streaming, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.stream.errors import AddressRefusedError, DestinationInvalidError
from tallystick.stream.model import Settings

WAYS = ["slow", "silent", "hang", "huge", "reset", "redirect", "status/500", "status/302", "status/401", "status/429"]


def test_destinations_that_misbehave_delay_neither_the_log_nor_the_others_nor_the_end(tmp_path: Path) -> None:
    with receiving(tmp_path / "receiver") as receiver:
        with installation(tmp_path, stream_networks=LOOPBACK) as house, house.instance.services.streams.running():
            world = StreamWorld(house, receiver)
            bad = {way: world.create(way) for way in WAYS}
            bad["nobody"] = world.create("nobody", url=f"http://127.0.0.1:{free_port()}/x")
            good = world.create("ok")
            wait_until(
                lambda: all(world.standing(each).position.failures for each in bad.values()) or _under_way(world)
            )
            slowest = 0.0
            sent: list[str] = []
            for _ in range(30):
                before = time.monotonic()
                sent += world.send(5)
                slowest = max(slowest, time.monotonic() - before)
            wait_until(lambda: set(sent) <= set(receiver.ids()))
            assert world.standing(good).position.failures == 0
            assert slowest < 10, "an answer waits for the disk, never for a destination"
            failing = ("reset", "redirect", "status/500", "status/401", "status/429", "nobody")
            wait_until(lambda: all(world.standing(bad[way]).position.failures for way in failing))
            assert all(world.standing(each).position.sent == 0 for each in bad.values() if each != bad["huge"])
            assert receiver.events("elsewhere") == [], "redirects are not followed"
            before = time.monotonic()
        # Threads that wait for an answer are told to let go; the rest of the end is the ledger's own.
        assert time.monotonic() - before < 20


def _under_way(world: StreamWorld) -> bool:
    return len(world.receiver.taken()) > len(WAYS)


def test_an_answer_that_never_ends_is_cut_and_counts_as_the_status_that_it_had(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create("huge")
        world.send(3)
        wait_until(lambda: world.standing(destination).position.sent >= 3)


def test_addresses_inside_the_house_are_refused_when_they_are_set_and_when_they_are_connected_to(
    tmp_path: Path,
) -> None:
    with receiving(tmp_path / "receiver") as receiver:
        with installation(tmp_path, stream_networks=LOOPBACK) as house:
            destination = StreamWorld(house, receiver).create()
        with installation(tmp_path, stream_networks=()) as house, house.instance.services.streams.running():
            world = StreamWorld(house, receiver)
            world.send(2)
            wait_until(lambda: world.standing(destination).position.failures)
            assert "private network" in world.standing(destination).position.error
            assert receiver.taken() == []
            for url in ("https://127.0.0.1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/"):
                with pytest.raises(AddressRefusedError):
                    world.streams.create(OPERATOR, Settings(name="inside", url=url))
            with pytest.raises(DestinationInvalidError, match="https only"):
                world.streams.create(OPERATOR, Settings(name="plain", url="http://93.184.216.34/"))


def test_a_destination_that_was_set_aside_as_paused_stops_trying(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create("status/503")
        world.send(2)
        wait_until(lambda: world.standing(destination).position.failures)
        world.streams.pause(OPERATOR, destination)
        wait_until(lambda: world.find(destination).state == "paused")
        seen = -1
        while seen != len(world.receiver.taken()):  # what was under way when it was paused
            seen = len(world.receiver.taken())
            time.sleep(2)
        world.streams.change(
            OPERATOR, destination, lambda old: msgspec.structs.replace(old, url=world.receiver.url("ok"))
        )
        assert len(world.receiver.taken()) == seen


def test_the_secrets_of_a_destination_must_be_those_that_the_log_names(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(headers={"X-Secret": "swordfish-0123456789"})
        sent = world.send(1)
        wait_until(lambda: sent[0] in world.receiver.ids())
        request = world.receiver.taken()[-1]
        assert request["headers"]["X-Secret"] == "swordfish-0123456789"
        for place in (tmp_path / "data").rglob("*"):
            if place.is_file() and place.name != "secrets.db":
                assert b"swordfish" not in place.read_bytes(), place
        world.streams.pause(OPERATOR, destination)
    with sqlite3.connect(tmp_path / "data" / "secrets.db") as connection:
        connection.execute(
            "update secret set record = cast(replace(cast(record as text), 'swordfish', 'stolen---') as blob) where kind = 'stream'"
        )
    connection.close()
    with streaming(tmp_path) as world:
        world.streams.resume(OPERATOR, destination)
        world.send(1)
        wait_until(lambda: "secret" in world.standing(destination).position.error)
