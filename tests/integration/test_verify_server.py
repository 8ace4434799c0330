from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from tests.installation import Installation, installation, sample

from tallystick.verify.anchors import Anchor, Trust
from tallystick.verify.model import ExitStatus, Tier
from tallystick.verify.proof import policy_of_keys, verify_proof
from tallystick.verify.service import load_trust, unwatched, verify_target
from tallystick.verify.url import verify_url


def running_server(running: Installation) -> Callable[[httpx.Request], httpx.Response]:
    """Return what hands requests on to the server in this process."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = running.http.request(request.method, str(request.url), headers=dict(request.headers))
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    return answer


def test_a_real_server_is_verified_through_its_own_interface(tmp_path: Path) -> None:
    with installation(tmp_path) as running:
        running.post([sample(scope=f"acme/{team}") for team in ("a", "b") for _ in range(20)])
        ledger = running.instance.ledger
        ledger.wait_committed(ledger.status().acknowledged.size, 10)
        kept = Anchor("kept", ledger.checkpoint(), outside=True)
        reader = running.token("read", "/", "reader")["authorization"].removeprefix("Bearer ")
        partial = running.token("read", "acme/a", "partial")["authorization"].removeprefix("Bearer ")
        key, transport = ledger.vkeys[0], httpx.MockTransport(running_server(running))

        whole = verify_url(
            "http://testserver.local", Trust(against=(kept,)), unwatched, token=reader, transport=transport
        )
        assert whole.exit_status is ExitStatus.HOLDS, whole.sentence
        assert whole.tier is Tier.ANCHORED
        assert whole.checked == whole.size > 40

        trust = load_trust(keys=[key])
        part = verify_url("http://testserver.local", trust, unwatched, token=partial, transport=transport)
        assert part.exit_status is ExitStatus.WITHHELD, part.sentence
        # The scope's own twenty, and the records of this very reading that were committed in the meantime.
        assert 20 <= part.checked < part.size <= part.checked + part.withheld

        found = running.get("/api/v1/events", query="scope:acme/a", limit=1).json()["events"][0]
        proof = running.get(f"/api/v1/events/{found['id']}/proof").content
        verdict = verify_proof(proof, policy_of_keys([key]))
        assert verdict.index == found["index"]

        # A directory is read along with the server that writes to it.
        assert verify_target(str(tmp_path / "data"), trust).exit_status is ExitStatus.HOLDS
    assert verify_target(str(tmp_path / "data"), trust).exit_status is ExitStatus.HOLDS
