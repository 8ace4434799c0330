"""kill -9 of a real server at random while it watches: every alert is there, once, with every firing counted once."""

from __future__ import annotations

import contextlib
import json
import random
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select
from tests.installation import make_token, settings
from tests.server_process import ServerProcess, serving
from tests.stream_world import wait_until

from tallystick.detect.state import States
from tallystick.server import Instance, open_instance
from tallystick.store.tables.alerts import ALERT

SEED = 17
ROUNDS = 6


def malware(host: str) -> dict[str, Any]:
    return {
        "action": "malware.detected",
        "actor": {"id": host, "type": "system"},
        "target": {"id": "/tmp/x", "type": "file"},
        "scope": "acme/hosts",
        "occurred_at": "2026-03-01T12:00:00Z",
    }


def sign_in(actor: str, action: str) -> dict[str, Any]:
    return {**malware(actor), "action": action, "actor": {"id": actor, "type": "user"}}


def test_every_alert_is_there_once_though_the_server_is_killed_at_random(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    with open_instance(settings(tmp_path)) as instance:
        token = make_token(instance).secret
        origin = instance.ledger.origin
    hosts, people = list[str](), list[str]()
    for number in range(ROUNDS):
        with serving(tmp_path) as server:
            for _ in range(dice.randint(3, 8)):
                host, person = f"host-{len(hosts)}", f"person-{len(people)}"
                hosts.append(host)
                people.append(person)
                send(server, token, [malware(host)])
                attempts = [sign_in(person, "user.sign_in_failed")] * 6
                cut = dice.randint(0, 6)
                sent = send(server, token, attempts[:cut])  # the rest may be judged by another process
                if dice.random() < 0.3:
                    wait_until(partial(has_judged, tmp_path, origin, sent))
                send(server, token, [*attempts[cut:], sign_in(person, "user.signed_in")])
            if number < ROUNDS - 1:
                server.kill()
            else:
                wait_until(partial(has_judged, tmp_path, origin, send(server, token, [malware("the-last")])))
                assert server.terminate() == 0
    hosts.append("the-last")
    with open_instance(settings(tmp_path)) as instance:
        assert counts(instance, "malware-seen") == {f"actor.id={host}": 1 for host in hosts}
        assert counts(instance, "sign-in-after-failures") == {f"actor.id={person}": 1 for person in people}
        own = [kind for kind in kinds(instance) if kind.startswith("detection.")]
        assert own == [], "the watcher had no trouble"


def send(server: ServerProcess, token: str, events: list[dict[str, Any]]) -> int:
    """Record events, and return the index of the last."""
    if not events:
        return -1
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx.post(f"{server.url}/api/v1/events", content=json.dumps(events), headers=headers, timeout=60)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["events"][-1]["index"])


def has_judged(root: Path, origin: str, index: int) -> bool:
    """Return whether the engine is beyond an event, by its own file."""
    with contextlib.closing(States(root / "data", origin)) as states:
        found = states.find()
    return found is not None and found.next_index > index


def counts(instance: Instance, kind: str) -> dict[str, int]:
    """Return what each alert of a kind is about, and how many firings it stands for."""
    query = select(ALERT.c.about, func.sum(ALERT.c.count)).where(ALERT.c.kind == kind).group_by(ALERT.c.about)
    with instance.projection.engine.connect() as connection:
        return {row[0]: int(row[1]) for row in connection.execute(query)}


def kinds(instance: Instance) -> list[str]:
    with instance.projection.engine.connect() as connection:
        return list(connection.scalars(select(ALERT.c.kind)))
