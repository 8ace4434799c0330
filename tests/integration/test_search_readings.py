"""Who read this: the record of reading is asked like the rest of the log, and does not feed on itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.search_world import Reader, World

from tallystick.errors import PermissionMissingError
from tallystick.search.export import export_events
from tallystick.search.model import Page, Search

ANA = Reader(name="p-ana", type="user")
COLLECTOR = Reader(name="siem", aliases=frozenset())
AUDITOR = Reader(name="p-auditor", type="user", session="s-1")


class Recorded(World):
    """A world in which readings stand in the log, as they do in life."""

    def _record(self, fields: Mapping[str, Any]) -> None:
        super()._record(fields)
        self.add([dict(fields)], 0)

    @property
    def size(self) -> int:
        return self.ledger.snapshot().size


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Recorded]:
    made = Recorded(tmp_path)
    made.fill(7, 40)
    yield made
    made.close()


def event(scope: str) -> dict[str, Any]:
    return {
        "action": "release.updated",
        "actor": {"id": "u-1", "type": "user"},
        "targets": [{"id": "r-1", "type": "release"}],
        "scope": scope,
        "occurred_at": "2026-03-01T10:00:00Z",
    }


def readers(page: Page) -> list[tuple[str, str]]:
    return [(row.event["action"], row.event["actor"]["id"]) for row in page.rows]


def test_who_read_names_who_opened_proved_found_and_exported_an_event(world: Recorded) -> None:
    world.service.search(Search(scope="acme/payments"), ANA)
    world.add([event("acme/payments/api"), event("acme/pay")])
    index = world.size - 2
    row = world.service.get(index, ANA)
    world.service.get(index + 1, ANA)
    world.recorder.proof_downloaded(AUDITOR, row)
    world.service.search(Search(text="action:release.updated", scope="acme/payments"), Reader(name="finder"))
    world.service.search(Search(text="action:release.updated", scope="acme/pay"), Reader(name="elsewhere"))
    world.service.search(Search(text="action:never.seen", scope="acme"), Reader(name="found nothing"))
    list(export_events(world.service, world.ledger, Search(), Reader(name="exporter"), "csv"))
    world.service.after_index(Search(), Reader(name="puller", read_scopes=("acme",)), -1)
    world.service.search(Search(), Reader(name="of another scope", read_scopes=("globex",)))
    assert readers(world.service.who_read(index, Reader(name="asks"))) == [
        ("events.pulled", "puller"),
        ("events.exported", "exporter"),
        ("events.searched", "finder"),
        ("proof.downloaded", "p-auditor"),
        ("event.viewed", "p-ana"),
    ]
    assert world.recorded[-1]["actor"]["id"] == "asks"


def test_asking_who_read_needs_the_permission_where_the_event_is(world: Recorded) -> None:
    world.add([event("acme/payments")])
    index = world.size - 1
    world.service.get(index, ANA)
    for scopes in ((), ("globex",), ("acme/payments/api",)):
        with pytest.raises(PermissionMissingError, match=r"reading\.read"):
            world.service.who_read(index, Reader(reading_scopes=scopes))
    assert readers(world.service.who_read(index, Reader(reading_scopes=("acme",)))) == [("event.viewed", "p-ana")]


def test_without_the_permission_only_ones_own_readings_are_seen(world: Recorded) -> None:
    world.service.search(Search(text="one"), ANA)
    world.service.search(Search(text="two"), AUDITOR)
    theirs = world.size - 1
    blind = Reader(name="p-ana", type="user", reading_scopes=())
    found = world.service.search(Search(text="class:reading actor:p-ana"), blind)
    assert readers(found) == [("events.searched", "p-ana")]
    assert readers(world.service.search(Search(text="class:reading actor:p-auditor"), blind)) == []
    shown = world.service.after_index(Search(reading=True), blind, -1).rows
    assert {row.event["actor"]["id"] for row in shown if row.class_name == "reading"} == {"p-ana"}
    disclosed, _ = world.service.disclosures_after(blind, -1, 1000)
    assert theirs not in {each.index for each in disclosed}


@pytest.mark.parametrize("search", [Search(), Search(reading=True), Search(text="class:reading")])
def test_a_collector_that_waits_at_the_end_of_the_log_makes_it_grow_no_more(world: Recorded, search: Search) -> None:
    after = -1
    sizes = []
    for _ in range(12):
        pull = world.service.after_index(search, COLLECTOR, after, session="s")
        after = pull.next_after
        world.clock.advance(1000)
        world.recorder.flush()
        sizes.append((world.size, pull.caught_up))
    assert len(set(sizes[3:])) == 1
    assert sizes[-1][1]


def test_a_verifier_that_asks_for_disclosures_again_and_again_comes_to_an_end(world: Recorded) -> None:
    after = -1
    for _ in range(12):
        found, after = world.service.disclosures_after(COLLECTOR, after, 1000)
        world.clock.advance(1000)
    assert found == []
    assert after == world.size - 1


def test_a_collector_that_gets_something_is_recorded_again_in_the_next_quarter_of_an_hour(world: Recorded) -> None:
    after = world.service.after_index(Search(), COLLECTOR, -1, session="s").next_after
    for _ in range(3):
        world.clock.advance(1000)
        world.add([event("acme")])
        after = world.service.after_index(Search(), COLLECTOR, after, session="s").next_after
    pulls = [fields["metadata"]["rows"] for fields in world.recorded if fields["action"] == "events.pulled"]
    assert pulls[1:] == [1, 1, 1]


def test_a_look_at_what_the_product_keeps_is_on_record_once_in_ten_minutes(world: Recorded) -> None:
    for _ in range(3):
        world.recorder.looked(AUDITOR, "access/people")
    world.recorder.looked(AUDITOR, "access/grants", "acme")
    looks = [fields for fields in world.recorded if fields["action"] == "access.looked"]
    assert [(each["targets"][0]["id"], each["scope"]) for each in looks] == [
        ("access/people", "tallystick"),
        ("access/grants", "acme"),
    ]
    assert looks[0]["context"]["session_id"] == "s-1"
    assert looks[0]["actor"] == {"id": "p-auditor", "type": "user"}
    world.clock.advance(601)
    world.recorder.flush()
    row = world.service.search(Search(text="action:access.looked"), Reader(), limit=1)
    assert row.rows == ()
    row = world.service.search(Search(text="action:access.looked class:reading"), Reader(), limit=1)
    assert row.rows[0].event["metadata"] == {"coalesced": 2}
    assert row.rows[0].message == "Looked at access/people"
