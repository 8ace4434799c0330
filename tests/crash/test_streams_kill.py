"""kill -9 of server and receiver at random while events flow: every event arrives, and the cursor holds."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import httpx
from tests.installation import make_token, sample, settings
from tests.server_process import ServerProcess, serving
from tests.stream_world import LOOPBACK, receiving, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.server import open_instance
from tallystick.stream.model import Settings
from tallystick.stream.position import Positions

SEED = 31
ROUNDS = 5


def test_every_event_arrives_in_order_though_server_and_receiver_are_killed_at_random(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    config = tmp_path / "tallystick.toml"
    config.write_text('[stream]\nnetworks = ["127.0.0.0/8"]\n')
    with receiving(tmp_path / "receiver") as receiver:
        with open_instance(settings(tmp_path, stream_networks=LOOPBACK)) as instance:
            token = make_token(instance).secret
            made = instance.services.streams.create(OPERATOR, Settings(name="killed", url=receiver.url(), batch=20))
            origin = instance.ledger.origin
        recorded: list[str] = []
        for _ in range(ROUNDS):
            with serving(tmp_path, "--config", config) as server:
                before = len(receiver.taken())
                for _ in range(dice.randint(2, 10)):
                    recorded += send(server, token, dice.randint(1, 40))
                wait_until(lambda before=before: len(receiver.taken()) > before)  # type: ignore[misc]
                if dice.random() < 0.5:
                    receiver.kill()
                    receiver.start()
                server.kill()
            place = Positions(tmp_path / "data", origin)
            position = place.find(made.id)
            place.close()
            assert position is None or position.next_index <= len(recorded) + 1000
        with serving(tmp_path, "--config", config) as server:
            recorded += send(server, token, 1)
            wait_until(lambda: set(recorded) <= set(receiver.ids()))
            assert server.terminate() == 0
    arrived = [each for each in receiver.ids() if each in set(recorded)]
    assert arrived == recorded, "in order by first arrival"
    indexes = {each["id"]: each["index"] for each in receiver.events()}
    assert len(set(indexes.values())) == len(indexes), "an id has one index, however often it is sent"


def test_a_server_with_hanging_destinations_stops_when_it_is_told_to(tmp_path: Path) -> None:
    config = tmp_path / "tallystick.toml"
    config.write_text('[stream]\nnetworks = ["127.0.0.0/8"]\n')
    with receiving(tmp_path / "receiver") as receiver:
        with open_instance(settings(tmp_path, stream_networks=LOOPBACK)) as instance:
            token = make_token(instance).secret
            for way in ("silent", "slow", "hang"):
                instance.services.streams.create(OPERATOR, Settings(name=way, url=receiver.url(way)))
        with serving(tmp_path, "--config", config) as server:
            send(server, token, 1)
            wait_until(lambda: {each["path"] for each in receiver.taken()} >= {"/silent", "/slow"})
            before = time.monotonic()
            assert server.terminate() == 0
            assert time.monotonic() - before < 15, server.said()


def send(server: ServerProcess, token: str, count: int) -> list[str]:
    """Record some events, and return their ids."""
    headers = {"authorization": f"Bearer {token}"}
    body = json.dumps([sample()] * count)
    answer = httpx.post(f"{server.url}/api/v1/events", content=body, headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    return [each["id"] for each in answer.json()["events"]]
