"""Admission in processes of its own says the same as admission in the server's process, and may die."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation, sample

from tallystick.api.record import HERE_BYTES_MAX

PADDING = {"reason": "x" * 200}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house"), workers=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("single")) as opened:
        yield opened


def many(*others: dict[str, Any]) -> list[dict[str, Any]]:
    """Return more events than are admitted in the server's process."""
    events = [sample(**PADDING) for _ in range(100)]
    assert len(str(events)) > HERE_BYTES_MAX
    return [*events, *others]


def test_a_large_batch_is_taken_by_a_worker(house: Installation) -> None:
    answer = house.post(many())
    assert answer.status_code == 201
    assert len(answer.json()["events"]) == 100


REFUSED = [
    sample(occurred_at="2026-03-01T12:00:00"),
    sample(scope="a//b"),
    sample(action="token.created"),
    sample(metadata={"n": 2**60}),
    sample(id="0b7c38a6-3a29-4cc4-9b6a-222222222222"),
    sample(unknown=1),
    sample(actor={"id": "ana", "type": "wizard"}),
    sample(reason="x" * 300_000),
]


@pytest.mark.parametrize("event", REFUSED, ids=range(len(REFUSED)))
@pytest.mark.parametrize("partial", [False, True])
def test_a_refusal_by_a_worker_reads_like_any_other(
    house: Installation, single: Installation, event: dict[str, Any], partial: bool
) -> None:
    batch = many(event, event)
    theirs, ours = (each.post(batch, params={"partial": str(partial).lower()}) for each in (house, single))
    assert theirs.status_code == ours.status_code
    for answer in (theirs, ours):
        assert partial or "code" in answer.json()
    if partial:
        assert theirs.json()["refused"] == ours.json()["refused"]
    else:
        assert theirs.json() == ours.json()


def test_a_worker_that_is_killed_costs_one_answer_and_no_event(house: Installation) -> None:
    assert house.post(many()).status_code == 201
    before = house.instance.ledger.status().acknowledged.size
    for worker in multiprocessing.active_children():
        worker.kill()
    answer = house.post(many())
    if answer.status_code != 201:
        assert (answer.status_code, answer.json()["code"]) == (503, "admission-worker-died")
        assert "retry-after" in answer.headers
        assert house.instance.ledger.status().acknowledged.size == before
        assert house.post(many()).status_code == 201
    assert house.instance.ledger.status().acknowledged.size == before + 100


def test_workers_end_with_the_server_even_when_it_is_killed() -> None:
    script = (
        "import multiprocessing, time\n"
        "from pathlib import Path\n"
        "from tallystick.event.limits import Limits\n"
        "from tallystick.intake.workers import AdmissionWorkers\n"
        "if __name__ == '__main__':\n"
        "    workers = AdmissionWorkers(2, bytes(32), (), Limits())\n"
        "    while len(multiprocessing.active_children()) < 2: time.sleep(0.01)\n"
        "    print(*(child.pid for child in multiprocessing.active_children()), flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        workers = [int(text) for text in parent.stdout.readline().split()]
        assert len(workers) == 2
        parent.kill()
    for worker in workers:
        wait_until_gone(worker)


def wait_until_gone(process: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)
    raise AssertionError(f"process {process} still runs")
