"""Reading is on record before it is answered, once, and never on account of recording."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.search_world import Reader, World

from tallystick.event.catalogue import load_shipped
from tallystick.search import recorder
from tallystick.search.model import Row, Search
from tallystick.search.recorder import ReadRecorder
from tallystick.testing.clock import ManualClock

ROW = Row(
    index=5,
    id="019ca945-0a00-715a-816d-19ec4141c8ff",
    received_at=0,
    source="app",
    class_name="standard",
    message="",
    event={"scope": "acme/payments"},
    withheld=False,
    erased=False,
    undeclared=False,
)


class Recorded:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.events: list[dict[str, Any]] = []
        self.recorder = ReadRecorder(lambda fields: self.events.append(dict(fields)), self.clock, "example.org/log")


@pytest.fixture
def made() -> Recorded:
    return Recorded()


def test_equal_searches_within_ten_minutes_coalesce_to_a_count(made: Recorded) -> None:
    for _ in range(4):
        made.recorder.searched(Reader(), Search(text="actor:ana"), 10)
        made.clock.advance(60)
    assert [event["action"] for event in made.events] == ["events.searched"]
    assert made.events[0]["metadata"] == {"query": "actor:ana", "scopes": ["/"], "rows": 10}
    made.clock.advance(600)
    made.recorder.flush()
    assert [event["metadata"].get("coalesced") for event in made.events] == [None, 3]
    assert made.events[1]["metadata"]["rows"] == 30
    made.recorder.searched(Reader(), Search(text="actor:ana"), 1)
    assert len(made.events) == 3


def test_another_caller_query_scope_or_address_is_recorded_by_itself(made: Recorded) -> None:
    made.recorder.searched(Reader(), Search(), 1)
    made.recorder.searched(Reader(name="other"), Search(), 1)
    made.recorder.searched(Reader(address="192.0.2.9"), Search(), 1)
    made.recorder.searched(Reader(), Search(scope="acme"), 1)
    made.recorder.searched(Reader(), Search(start="-7d"), 1)
    assert len(made.events) == 5
    assert made.events[3]["scope"] == "acme"
    assert made.events[4]["metadata"]["query"] == "from:-7d"


def test_another_token_of_the_same_name_is_recorded_by_itself(made: Recorded) -> None:
    made.recorder.searched(Reader(read_scopes=("acme/payments",)), Search(), 1)
    made.recorder.searched(Reader(read_scopes=("",)), Search(), 9)
    made.recorder.pulled(Reader(read_scopes=("acme/payments",)), Search(), "s", 1, -1)
    made.recorder.pulled(Reader(read_scopes=("",)), Search(), "s", 9, -1)
    assert [event["metadata"]["scopes"] for event in made.events] == [["acme/payments"], ["/"]] * 2


@pytest.mark.parametrize("scope", ["globex", "acme", "acme/pay", "acme/payments2", "/globex/", "no scope at all"])
def test_asking_for_another_scope_leaves_nothing_there(made: Recorded, scope: str) -> None:
    made.recorder.searched(Reader(read_scopes=("acme/payments",)), Search(scope=scope), 0)
    made.recorder.searched(Reader(read_scopes=("acme/payments", "acme/web")), Search(scope=scope), 0)
    assert [event["scope"] for event in made.events] == ["acme/payments", "tallystick"]


def test_however_many_questions_are_asked_the_repeats_of_the_oldest_are_not_forgotten(
    made: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "WINDOWS_MAX", 3)
    made.recorder.searched(Reader(), Search(text="first"), 1)
    made.recorder.searched(Reader(), Search(text="first"), 2)
    for number in range(3):
        made.recorder.searched(Reader(), Search(text=f"another {number}"), 1)
    repeated = [event["metadata"] for event in made.events if "coalesced" in event["metadata"]]
    assert [(each["query"], each["rows"], each["coalesced"]) for each in repeated] == [("first", 2, 1)]


def test_a_reader_of_one_scope_is_recorded_in_that_scope(made: Recorded) -> None:
    made.recorder.searched(Reader(read_scopes=("acme/payments",)), Search(), 1)
    made.recorder.viewed(Reader(), ROW)
    assert [event["scope"] for event in made.events] == ["acme/payments", "acme/payments"]


def test_exports_views_and_proofs_are_each_recorded(made: Recorded) -> None:
    for _ in range(2):
        made.recorder.exported(Reader(), Search(text="x"), 17, "csv")
        made.recorder.viewed(Reader(), ROW)
        made.recorder.proof_downloaded(Reader(), ROW)
    assert [event["action"] for event in made.events] == ["events.exported", "event.viewed", "proof.downloaded"] * 2
    assert made.events[0]["metadata"]["rows"] == 17
    assert made.events[0]["metadata"]["format"] == "csv"
    assert made.events[1]["targets"] == [{"id": ROW.id, "type": "event"}]


def test_following_and_pulling_are_recorded_once_a_session_and_quarter_hour(made: Recorded) -> None:
    for _ in range(3):
        made.recorder.tailed(Reader(), Search(), "s1", 1)
        made.recorder.pulled(Reader(), Search(), "s1", 1, 7)
        made.clock.advance(200)
    made.recorder.pulled(Reader(), Search(), "s2", 1, 9)
    assert [event["action"] for event in made.events] == ["events.tailed", "events.pulled", "events.pulled"]
    made.clock.advance(900)
    made.recorder.pulled(Reader(), Search(), "s1", 1, 8)
    assert made.events[-1]["metadata"]["after_index"] == 8


def test_what_cannot_be_recorded_is_not_answered(made: Recorded) -> None:
    def refuse(fields: object) -> None:
        raise OSError("disk")

    recorder = ReadRecorder(refuse, made.clock, "log")
    for _ in range(2):
        with pytest.raises(OSError, match="disk"):
            recorder.searched(Reader(), Search(), 1)


def test_a_repeat_waits_until_the_first_is_durable(made: Recorded) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(fields: object) -> None:
        started.set()
        assert go_on.wait(10)

    recorder = ReadRecorder(slow, made.clock, "log")
    answered: list[str] = []

    def search(name: str) -> None:
        recorder.searched(Reader(), Search(), 1)
        answered.append(name)

    threads = [threading.Thread(target=search, args=(name,)) for name in ("first", "second")]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    threads[1].join(0.1)
    assert answered == []
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert sorted(answered) == ["first", "second"]


def test_closing_flushes_every_count(made: Recorded) -> None:
    for _ in range(2):
        made.recorder.searched(Reader(), Search(), 1)
    made.recorder.flush(everything=True)
    made.recorder.flush(everything=True)
    assert [event["metadata"].get("coalesced") for event in made.events] == [None, 1]


def test_every_reading_is_recorded_by_the_service_and_recording_records_nothing(tmp_path: Any) -> None:
    world = World(tmp_path)
    world.fill(1, 10)
    caller = Reader()
    world.service.search(Search(), caller)
    world.service.facets(Search(text="x"), caller)
    world.service.histogram(Search(text="y"), caller)
    world.service.after_index(Search(), caller, -1, session="a")
    world.service.after_index(Search(), caller, -1, session="a", tail=True)
    world.service.get(5, caller)
    world.service.disclosures_after(caller, -1, 10)
    assert [event["action"] for event in world.recorded] == [
        "events.searched",
        "events.searched",
        "events.searched",
        "events.pulled",
        "events.tailed",
        "event.viewed",
        "events.pulled",
    ]
    world.close()


def test_recorded_readings_pass_admission_with_the_query_personal(tmp_path: Any) -> None:
    world = World(tmp_path)
    world.fill(1, 10)
    world.service.search(Search(text="actor:ana"), Reader())
    world.service.get(5, Reader())
    world.service.after_index(Search(), Reader(), 3)
    world.recorder.exported(Reader(), Search(text="actor:ana"), 5, "csv")
    for fields in list(world.recorded):
        world.add([fields], 0)
        row = world.service.get(world.ledger.snapshot().size - 1, Reader(personal=False))
        assert row.class_name == "reading"
        assert not row.undeclared
        assert "query" not in row.event["metadata"]
        assert load_shipped().get(row.event["action"]) is not None
    world.close()
