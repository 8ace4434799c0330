"""The log's page and routes: how it stands, whether it is consistent; and the health of it all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.installation import Installation, installation, sample
from tests.people_world import Member, settle

from tallystick.merkle.proof import verify_consistency

COUNT = 40
LOOKS = ("/log", "/log.json", "/log/consistency?old=1&new=2", "/health", "/health.json")


@dataclass
class World:
    house: Installation
    members: dict[str, Member]
    size: int


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        people = settle(house.instance)
        members = {
            "ada": people.first,
            "auditor": people.join("auditor", ("auditor", "")),
            "viewer": people.join("viewer", ("viewer", "")),
        }
        house.post([sample()] * COUNT)
        ledger = house.instance.ledger
        size = ledger.status().acknowledged.size
        ledger.wait_committed(size, 20)
        yield World(house, members, size)


def test_the_page_and_its_twin_show_stages_checkpoint_and_keys(world: World) -> None:
    ledger = world.house.instance.ledger
    twin = world.house.http.get("/log.json", headers=world.members["auditor"].headers).json()["log"]
    assert [stage["name"] for stage in twin["stages"]] == ["acknowledged", "committed", "witnessed", "sealed"]
    assert twin["stages"][1]["size"] >= world.size
    assert twin["keys"] == list(ledger.vkeys)
    assert twin["checkpoint"]["origin"] == ledger.origin
    text = world.house.http.get("/log", headers=world.members["auditor"].headers).text
    assert "tallystick verify ADDRESS --key KEY" in text
    assert "None is configured" in text


def test_consistency_between_two_sizes_is_proven_and_can_be_checked_elsewhere(world: World) -> None:
    answer = world.house.http.get(f"/log/consistency?old=3&new={world.size}", headers=world.members["auditor"].headers)
    assert answer.headers["content-disposition"].startswith("attachment")
    proof = answer.json()
    roots = bytes.fromhex(proof["old_root"]), bytes.fromhex(proof["new_root"])
    verify_consistency(3, world.size, *roots, [bytes.fromhex(each) for each in proof["path"]])
    page = world.house.http.get(f"/log?old=3&new={world.size}", headers=world.members["auditor"].headers)
    assert proof["old_root"] in page.text


@pytest.mark.parametrize(
    ("old", "new"), [("0", "2"), ("5", "4"), ("1", "99999999"), ("x", "2"), ("", "2"), ("1", "9" * 40), ("-1", "2")]
)
def test_sizes_between_which_nothing_can_be_proven_are_refused_in_words(world: World, old: str, new: str) -> None:
    answer = world.house.http.get(f"/log?old={old}&new={new}", headers=world.members["auditor"].headers)
    assert answer.status_code == 422
    assert "sizes-invalid" in answer.text
    assert 'name="old"' in answer.text


@pytest.mark.parametrize("path", LOOKS)
def test_who_lacks_the_permission_sees_neither_log_nor_health(world: World, path: str) -> None:
    assert world.house.http.get(path, headers=world.members["viewer"].headers).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/log/overview", "/api/v1/health", "/api/v1/settings"])
def test_programs_need_the_permission_too(world: World, path: str) -> None:
    assert world.house.http.get(path, headers=world.house.token("write")).status_code == 403


def test_a_look_at_log_or_health_is_recorded(world: World) -> None:
    world.house.http.get("/health", headers=world.members["ada"].headers)
    world.house.http.get("/log", headers=world.members["auditor"].headers)
    assert world.house.actions().count("access.looked") >= 2


def test_health_gives_one_verdict_and_the_worst_first(world: World) -> None:
    health = world.house.http.get("/health.json", headers=world.members["ada"].headers).json()
    order = ["problem", "attention", "unknown", "good", "off"]
    ranks = [order.index(check["state"]) for check in health["checks"]]
    assert ranks == sorted(ranks)
    named = {check["name"]: check["state"] for check in health["checks"]}
    assert named["Taking events"] == named["Committed"] == named["Tables"] == "good"
    assert named["Witnessed"] == named["Certificate"] == "off"
    page = world.house.http.get("/health", headers=world.members["ada"].headers).text
    assert health["verdict"].replace("'", "&#39;") in page


def test_an_erasure_is_listed_with_its_ground_and_found_by_the_places_that_it_names(world: World) -> None:
    instance = world.house.instance
    event = {
        "action": "content.erased",
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": "ledger", "id": instance.ledger.origin},
        "scope": "tallystick",
        "occurred_at": "2026-03-01T12:00:00Z",
        "metadata": {
            "ranges": [[2, 3], [9, 1]],
            "part": "personal",
            "ground": {"kind": "decision", "request": 1, "approvals": [1]},
        },
    }
    instance.commands.run(lambda _: [event])
    (erasure,) = world.house.http.get("/log.json", headers=world.members["auditor"].headers).json()["log"]["erasures"]
    assert (erasure["part"], erasure["ranges"], erasure["ground"]) == ("personal", [[2, 3], [9, 1]], "decision")
    log = instance.services.log
    found = {index for index in range(12) if log.erasure_of(index) is not None}
    assert found == {2, 3, 4, 9}
    page = world.house.http.get("/log", headers=world.members["auditor"].headers).text
    assert f'/events/{erasure["index"]}"' in page
    instance.projection.rebuild()
    assert log.erasure_of(9) is not None
