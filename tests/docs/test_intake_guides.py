"""The guides on sending and mapping show what works."""

from __future__ import annotations

import json
import re

from tests.paths import ROOT

from tallystick.intake.importer import BATCH_EVENTS
from tallystick.intake.mapping_parse import parse_map, shipped_maps
from tallystick.intake.steps import PLAIN_STEPS, STEPS_WITH_TEXT, TESTS
from tallystick.intake.times import FORMS
from tallystick.testing.sink import AdmittingSink

MAPPINGS = (ROOT / "docs/guide/mappings.md").read_text(encoding="utf-8")
SENDING = (ROOT / "docs/guide/sending-events.md").read_text(encoding="utf-8")
NOW_US = 1_790_000_000_000_000


def block(page: str, language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    return str(found)


def test_the_event_in_the_guide_is_accepted_as_it_stands() -> None:
    event = json.loads(block(SENDING, "json"))
    (result,) = AdmittingSink(now_us=NOW_US).send(json.dumps(event).encode() + b"\n")
    assert result.code is None


def test_the_map_in_the_guide_maps() -> None:
    doors = parse_map(block(MAPPINGS, "yaml").encode(), "doors.yaml")
    record = {
        "serial": 7, "ts": 1_767_323_045, "site": "north", "door": "d1", "kind": "refused-late", "result": "no",
        "badge": {"number": 5, "name": "Ana"}, "others": ["bo"], "after_hours": True, "reader_version": "V2",
    }  # fmt: skip
    found = doors.apply(record, json.dumps(record).encode(), source="s", scope="")
    assert found is not None
    assert found.event["action"] == "access.denied"
    assert [target["id"] for target in found.event["targets"]] == ["north-d1", "bo"]
    assert (found.event["outcome"], found.event["severity"]) == ("denied", "medium")
    (result,) = AdmittingSink(now_us=NOW_US).send(json.dumps(found.event).encode() + b"\n")
    assert result.code is None


def test_every_word_of_the_language_is_in_the_guide() -> None:
    for word in [*PLAIN_STEPS, *FORMS]:
        assert f"`{word}`" in MAPPINGS, word
    for word in [*STEPS_WITH_TEXT, *TESTS]:
        assert f"{word}:" in MAPPINGS, word
    for name in shipped_maps():
        assert f"`{name}`" in MAPPINGS, name


def test_the_batches_of_an_import_fit_what_the_guide_allows() -> None:
    assert "10,000 events" in SENDING
    assert BATCH_EVENTS <= 10_000
