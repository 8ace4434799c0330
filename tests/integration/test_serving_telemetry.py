"""The diagnostics of a whole journey, mishaps included, hold nothing of what was sent, asked, or kept secret."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
from tests.installation import make_token, sample, settings
from tests.server_process import ServerProcess, serving

from tallystick.server import open_instance

ACTOR, REASON, WORD, QUERY, GUESS, NOISE = (
    f"marker-{name}" for name in ("actor", "reason", "word", "query", "guess", "noise")
)


def journey(server: ServerProcess, secret: str) -> None:
    """Record, search, export, fail to sign in, and send nonsense."""
    own = {"authorization": f"Bearer {secret}"}
    event = sample(actor={"id": ACTOR, "type": "user", "email": f"{ACTOR}@example.org"}, reason=REASON, message=WORD)
    with httpx.Client(base_url=server.url, headers=own, timeout=30) as http:
        assert http.post("/api/v1/events", json=[event]).status_code == 201
        assert http.get("/api/v1/events", params={"query": f"actor:{ACTOR}"}).json()["events"]
        assert http.get("/api/v1/events", params={"query": f'"{QUERY}'}).status_code == 422
        assert http.get("/api/v1/events", params={NOISE: NOISE}).status_code == 422
        assert http.post("/api/v1/events", json=[{**event, NOISE: NOISE}]).status_code == 422
        assert http.post("/api/v1/events", content=f'{{"{NOISE}'.encode()).status_code == 422
        assert http.get(f"/{NOISE}").status_code == 404
        assert http.get("/api/v1/events", headers={"authorization": f"Bearer {GUESS}"}).status_code == 401
        assert http.get("/api/v1/events", headers={"host": f"{NOISE}.example.org"}).status_code == 400
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(f"{NOISE} {secret}\r\nauthorization: {GUESS}\r\n\r\n".encode())
        assert line.recv(64).startswith(b"HTTP/1.1 400 ")


def test_no_diagnostic_repeats_an_event_a_query_or_a_secret(tmp_path: Path) -> None:
    with open_instance(settings(tmp_path)) as instance:
        secret = make_token(instance).secret
    with serving(tmp_path) as server:
        journey(server, secret)
        assert server.terminate() == 0
        said = server.said()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {"listening", "stopping"} <= {line["event"] for line in lines}
    assert all({"event", "level", "timestamp", "logger"} <= set(line) for line in lines)
    for kept in (secret, ACTOR, REASON, WORD, QUERY, GUESS, NOISE):
        assert kept not in said
