"""Damage at rest is found, named in the log, and left out of searches that say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Installation, installation, sample

from tallystick.clock import SystemClock
from tallystick.follow.commands import Commands
from tallystick.follow.self_check import SelfCheck
from tallystick.segment.manifest import COLUMNS, CONTENT
from tallystick.server import segments_of


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as opened:
        opened.post([sample() for _ in range(30)])
        ledger = opened.instance.ledger
        ledger.rotate()
        opened.post(sample(scope="acme/later"))
        ledger.wait_committed(ledger.status().acknowledged.size, 20)
        assert _until_sealed(opened)
        yield opened


def _until_sealed(house: Installation) -> bool:
    import time

    for _ in range(400):
        if house.instance.ledger.snapshot().segments:
            return True
        time.sleep(0.05)
    return False


def _self_check(house: Installation) -> SelfCheck:
    instance = house.instance
    commands = Commands(instance.projection, instance.product.all)
    return SelfCheck(instance.ledger, segments_of(instance.settings), instance.register, commands, SystemClock())


def test_whole_segments_pass_and_are_looked_at_once(house: Installation) -> None:
    checking = _self_check(house)
    count = len(house.instance.ledger.snapshot().segments)
    assert [checking.check_next() for _ in range(count + 1)] == [True] * count + [False]
    assert house.instance.register.quarantined() == {}


@pytest.mark.parametrize("name", [COLUMNS, CONTENT])
def test_a_damaged_segment_is_named_in_the_log_and_left_out_of_searches(house: Installation, name: str) -> None:
    segments = segments_of(house.instance.settings)
    entry = next(each for each in house.instance.ledger.snapshot().segments if each.class_number == 2)
    file = segments / entry.path / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    checking = _self_check(house)
    while checking.check_next():
        pass

    assert set(house.instance.register.quarantined()) == {entry.path}
    page = house.get("/api/v1/events", query="scope:acme", limit=100).json()
    assert {row["event"]["scope"] for row in page["events"]} == {"acme/later"}
    assert entry.path in page["incomplete"][0]["reason"]
    named = house.get("/api/v1/events", query="action:segment.quarantined").json()["events"]
    assert [row["event"]["targets"][0]["id"] for row in named] == [entry.path]
    while checking.check_next():
        pass
    assert len(house.get("/api/v1/events", query="action:segment.quarantined").json()["events"]) == 1


def test_rebuilding_makes_damaged_columns_whole_and_readmits_the_segment(house: Installation) -> None:
    segments = segments_of(house.instance.settings)
    entry = next(each for each in house.instance.ledger.snapshot().segments if each.class_number == 2)
    file = segments / entry.path / COLUMNS
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    checking = _self_check(house)
    while checking.check_next():
        pass
    assert set(house.instance.register.quarantined()) == {entry.path}

    house.instance.rebuild()

    assert file.read_bytes() == whole
    assert house.instance.register.quarantined() == {}
    scopes = {row["event"]["scope"] for row in house.get("/api/v1/events", query="scope:acme").json()["events"]}
    assert "acme/intranet" in scopes
