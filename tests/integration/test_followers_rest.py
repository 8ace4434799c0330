"""Two who follow the log, readings included, come to rest: neither is kept reading by the record of the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.installation import installation, sample

from tallystick.testing import ManualClock

ROUNDS = 12
PAST_THE_WINDOW_S = 901


@pytest.mark.parametrize("way", ["/api/v1/events", "/api/v1/disclosures"])
def test_two_collectors_that_read_each_others_readings_do_not_feed_each_other_for_ever(
    tmp_path: Path, way: str
) -> None:
    clock = ManualClock()
    with installation(tmp_path, clock=clock) as house:
        house.post([sample()])
        tokens = {name: house.token("both", source=name) for name in ("one", "two")}
        last = dict.fromkeys(tokens, -1)
        more = {"reading": "true"} if way.endswith("events") else {}

        def poll() -> None:
            for name, headers in tokens.items():
                answer = house.http.get(way, params={"after_index": last[name], **more}, headers=headers)
                assert answer.status_code == 200
                if way.endswith("events"):
                    last[name] = answer.json()["last_index"]
                else:
                    last[name] = int(answer.headers["tallystick-next-after"])

        for _ in range(3):
            poll()
            clock.advance(PAST_THE_WINDOW_S)
        at_rest = house.actions()
        for _ in range(ROUNDS):
            poll()
            clock.advance(PAST_THE_WINDOW_S)
        assert house.actions()[len(at_rest) :] == []
        # They are not deaf: what is new they get, and that they got it is on record.
        house.post([sample()])
        poll()
        assert house.actions()[len(at_rest) :][-2:] == ["events.pulled", "events.pulled"]
