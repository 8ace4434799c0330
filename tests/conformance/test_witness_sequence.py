"""The published sequence of add-checkpoint requests, judged by the pure rules and by a real server over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.paths import shared

from tallystick.note import Checkpoint, Ed25519Verifier, open_note, parse_witness_vkey
from tallystick.witness.rules import REFUSALS, check_progress, logs_by_origin, read_submission
from tallystick.witness.server import WitnessServer, make_server

WITNESS_NAME = "example.com/witness"


def _sequence() -> tuple[Ed25519Verifier, list[dict[str, Any]]]:
    published = json.loads(shared("vectors/tlog-witness/add_checkpoint_sequence.json").read_text())
    log = Ed25519Verifier(published["log_origin"], bytes.fromhex(published["log_ed25519_public_key_hex"]))
    assert len(published["cases"]) == 11
    return log, published["cases"]


def test_the_rules_give_the_published_statuses() -> None:
    log, cases = _sequence()
    recorded: Checkpoint | None = None
    for case in cases:
        try:
            submission = read_submission(case["request_body"].encode(), logs_by_origin([log]))
            check_progress(submission, recorded)
            recorded, status = submission.checkpoint, 200
        except REFUSALS as refusal:
            status = refusal.status
        assert status == case["want_status"], case["name"]


@contextmanager
def _running(data_dir: Path, log: Ed25519Verifier) -> Iterator[WitnessServer]:
    server = make_server("127.0.0.1", 0, data_dir, WITNESS_NAME, [log])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.witness.close()


def _ask(server: WitnessServer, case: dict[str, Any]) -> None:
    """Send the request over HTTP and hold the answer against the published one."""
    body = case["request_body"].encode()
    with httpx.Client(trust_env=False) as http:
        answer = http.post(f"http://127.0.0.1:{server.port}/add-checkpoint", content=body)
    assert answer.status_code == case["want_status"], case["name"]
    if answer.status_code == 200:
        assert case["want_body_contains"] in answer.text
        text = body.partition(b"\n\n")[2].rpartition(b"\n\n")[0] + b"\n"
        assert len(open_note(text + b"\n" + answer.content, [parse_witness_vkey(server.witness.vkey)]).signed) == 1
    if answer.status_code == 409:
        assert answer.text == case["want_body_contains"]
        assert answer.headers["content-type"] == "text/x.tlog.size"


def test_a_real_server_gives_the_published_answers(tmp_path: Path) -> None:
    log, cases = _sequence()
    with _running(tmp_path, log) as server:
        for case in cases:
            _ask(server, case)


def test_a_server_that_restarts_before_every_request_gives_the_published_answers(tmp_path: Path) -> None:
    log, cases = _sequence()
    for case in cases:
        with _running(tmp_path, log) as server:
            _ask(server, case)
