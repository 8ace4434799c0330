"""kill -9 of the real server under load: whatever it answered for is there afterwards, once, where it said."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.installation import make_token, sample, settings
from tests.server_process import ServerProcess, serving

from tallystick.event.disclosure import Disclosure, parse_disclosure
from tallystick.event.entry import format_entry
from tallystick.merkle import SizedTiles, consistency_path, hash_leaf, verify_consistency
from tallystick.note import Checkpoint, parse_checkpoint, parse_note
from tallystick.server import open_instance
from tallystick.verify.directory import verify_directory

CLIENTS = 4
FILLER = "x" * 12_000  # large events fill a write-ahead file within a round or two, so that kills meet sealing as well


@dataclass
class Sender:
    """One client: sends batches whose events carry their ids, and keeps what the server answered for.

    A batch that got no answer is sent again to the next server: it may have been recorded or not, but never twice.
    """

    number: int
    token: str
    receipts: dict[str, tuple[int, str]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    open_batch: list[dict[str, Any]] = field(default_factory=list)
    repeated: int = 0

    def run(self, url: str) -> None:
        """Send until the server is gone."""
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {self.token}"}, timeout=60) as http:
            while True:
                self.open_batch = self.open_batch or self._batch()
                try:
                    answer = http.post("/api/v1/events", content=json.dumps(self.open_batch).encode())
                except httpx.TransportError:
                    return
                if answer.status_code == 503:  # sealing lags behind on this machine; nothing was taken
                    time.sleep(0.05)
                    continue
                assert answer.status_code == 201, answer.text
                self._keep(answer.json()["events"])

    def _batch(self) -> list[dict[str, Any]]:
        made = [
            sample(id=str(uuid.uuid4()), actor={"id": f"sender-{self.number}", "type": "service"}, reason=FILLER)
            for _ in range(random.choice((1, 3, 40, 120)))
        ]
        self.sent.update(event["id"] for event in made)
        return made

    def _keep(self, receipts: list[dict[str, Any]]) -> None:
        assert [each["id"] for each in receipts] == [event["id"] for event in self.open_batch]
        for each in receipts:
            assert each["id"] not in self.receipts
            self.receipts[each["id"]] = (each["index"], each["leaf"])
            self.repeated += bool(each.get("repeated"))
        self.open_batch = []


def _checkpoint(http: httpx.Client) -> Checkpoint:
    return parse_checkpoint(parse_note(http.get("/api/v1/log/checkpoint").content).text)


def _tiles(http: httpx.Client, size: int) -> SizedTiles:
    def read(path: str) -> bytes | None:
        answer = http.get(f"/api/v1/log/{path}")
        assert answer.status_code in {200, 404}, answer.text
        return answer.content if answer.status_code == 200 else None

    return SizedTiles(size, read)


def _require_consistent(http: httpx.Client, old: Checkpoint) -> None:
    new = _checkpoint(http)
    assert new.origin == old.origin
    assert new.size >= old.size
    path = consistency_path(old.size, new.size, _tiles(http, new.size))
    verify_consistency(old.size, new.size, old.root, new.root, path)


def _round(server: ServerProcess, senders: list[Sender], load_s: float) -> Checkpoint:
    """Load the server until it answered everybody and `load_s` longer, kill it, and return the last checkpoint that anybody read from it."""
    threads = [threading.Thread(target=sender.run, args=(server.url,)) for sender in senders]
    with httpx.Client(base_url=server.url, timeout=60) as http:
        before = [len(sender.receipts) for sender in senders]
        for thread in threads:
            thread.start()
        while any(len(each.receipts) == had for each, had in zip(senders, before, strict=True)):
            assert server.child.poll() is None, server.said()
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.01)
        time.sleep(load_s)
        seen = _checkpoint(http)
        server.kill()
    for thread in threads:
        thread.join()
    return seen


def _disclosures(http: httpx.Client) -> dict[int, Disclosure]:
    found: dict[int, Disclosure] = {}
    after = -1
    while True:
        answer = http.get("/api/v1/disclosures", params={"after_index": after, "limit": 2000})
        assert answer.status_code == 200, answer.text
        for each in map(parse_disclosure, answer.content.splitlines()):
            assert each.index not in found
            found[each.index] = each
        if int(answer.headers["tallystick-next-after"]) == after:
            return found
        after = int(answer.headers["tallystick-next-after"])


def _check_all(http: httpx.Client, senders: list[Sender]) -> None:
    found = _disclosures(http)
    places: dict[str, list[int]] = {}
    for each in found.values():
        places.setdefault(str(uuid.UUID(bytes=each.id)), []).append(each.index)
    for sender in senders:
        assert sender.receipts
        for event_id, (index, leaf) in sender.receipts.items():
            assert places[event_id] == [index]
            assert hash_leaf(format_entry(found[index].entry())).hex() == leaf
        for event_id in sender.sent - set(sender.receipts):
            assert len(places.get(event_id, [])) <= 1


def _kill_again_and_again(root: Path, rounds: int, *more: str) -> None:
    with open_instance(settings(root)) as instance:
        tokens = [make_token(instance, "write", source=f"sender-{number}").secret for number in range(CLIENTS)]
        reader = make_token(instance, "read", source="reader").secret
    senders = [Sender(number, token) for number, token in enumerate(tokens)]
    seen: list[Checkpoint] = []
    for _ in range(rounds):
        with serving(root, *more) as server:
            with httpx.Client(base_url=server.url, timeout=60) as http:
                for old in seen:
                    _require_consistent(http, old)
            seen.append(_round(server, senders, random.uniform(0.2, 1.0)))
            assert "Traceback" not in server.said()
    report = verify_directory(root / "data")  # as the last kill left it, before anything mends it
    assert not report.findings, report.sentence
    with serving(root, *more) as server:
        with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {reader}"}, timeout=60) as http:
            for old in seen:
                _require_consistent(http, old)
            _check_all(http, senders)
        assert server.terminate() == 0
        assert "Traceback" not in server.said()


def test_nothing_answered_for_is_lost_or_doubled_when_the_server_is_killed_under_load(tmp_path: Path) -> None:
    _kill_again_and_again(tmp_path, 4)


def test_nothing_is_lost_with_admission_in_processes_of_its_own(tmp_path: Path) -> None:
    _kill_again_and_again(tmp_path, 1, "--workers", "1")


@pytest.mark.slow
def test_killed_thirty_times_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    _kill_again_and_again(tmp_path, 30)
