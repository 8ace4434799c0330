"""The receiver in the guide on streams works as it stands, and the guides name what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.installation import installation
from tests.paths import ROOT
from tests.stream_world import LOOPBACK, free_port, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.stream.follower import BUSY_PER_S, PACED_PER_S, TAKE_OVER_TRIES
from tallystick.stream.gitlab import TOKEN_HEADER, TYPE_HEADER
from tallystick.stream.model import BATCH_MAX, HEADERS_MAX, Settings
from tallystick.stream.patience import FAILING, Patience
from tallystick.stream.sender import ANSWER_BYTES_MAX, TOTAL_S

GUIDE = (ROOT / "docs/guide/streams.md").read_text(encoding="utf-8")


def test_the_receiver_in_the_guide_takes_what_is_signed_prints_each_event_once_and_refuses_the_rest(
    tmp_path: Path,
) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    file, port, printed = tmp_path / "receiver.py", free_port(), tmp_path / "printed"
    file.write_text(script)
    url = f"http://127.0.0.1:{port}/"
    with installation(tmp_path, stream_networks=LOOPBACK) as house:
        streams = house.instance.services.streams
        right = streams.create(OPERATOR, Settings(name="right", url=url))
        streams.create(OPERATOR, Settings(name="signed by another secret", url=url))
        child = None
        with printed.open("wb") as out:
            try:
                environment = {**os.environ, "SIGNING_SECRET": right.signing, "PORT": str(port)}
                child = subprocess.Popen([sys.executable, str(file)], env=environment, stdout=out, stderr=out)
                with streams.running():
                    house.post([{"action": "user.signed_in", "actor": {"id": "ana", "type": "user"},
                                 "target": {"id": "intranet", "type": "application"}, "scope": "acme",
                                 "occurred_at": "2026-03-01T12:00:00Z"}] * 3).raise_for_status()  # fmt: skip
                    wait_until(lambda: printed.read_text().count("Signed in") == 3)
                    wait_until(lambda: "401" in printed.read_text())
                    streams.backfill(OPERATOR, right.id, 0)
                    wait_until(lambda: streams.get(OPERATOR, right.id)[1].lag == 0)
                assert printed.read_text().count("Signed in") == 3
            finally:
                if child is not None:
                    child.kill()
                    child.wait()


def test_the_numbers_in_the_guide_are_those_of_the_code() -> None:
    patience = Patience()
    assert f"up to {BATCH_MAX:,}" in GUIDE
    assert f"up to {HEADERS_MAX}" in GUIDE
    assert f"within {TOTAL_S:g} seconds" in GUIDE
    assert f"{ANSWER_BYTES_MAX >> 10} KiB" in GUIDE
    assert f"after {patience.refusals_max} tries" in GUIDE
    assert f"count so after {patience.failures_max}" in GUIDE
    assert f"{patience.most_s / 60:g} minutes" in GUIDE
    assert patience.first_s == 0.5
    assert "half a second" in GUIDE
    assert f"fails {TAKE_OVER_TRIES} times" in GUIDE
    assert f"more than {BUSY_PER_S:,} events a second" in GUIDE
    assert f"about {PACED_PER_S:,} a second" in GUIDE
    assert {500, 501} == FAILING
    assert TOKEN_HEADER in GUIDE
    assert TYPE_HEADER in GUIDE
