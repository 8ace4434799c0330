"""The page of one event: what is shown to whom, and the proof beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.installation import Installation, installation, sample
from tests.people_world import Member, People, settle

from tallystick.merkle.proof import verify_inclusion
from tallystick.verify.proof import policy_of_keys, verify_proof

COUNT = 37
CHANGED = sample(
    action="release.updated",
    scope="acme/payments",
    target={"id": "r-9", "type": "release", "name": "Release 1.2"},
    changes=[
        {"field": "reviewers", "old": ["ana", "ben"], "new": ["ben", "cem"]},
        {"field": "title", "old": "same", "new": "same"},
        {"field": "policy", "old": {"days": 1, "who": "all"}, "new": {"days": 2, "who": "all"}},
    ],
)
HOSTILE = sample(
    scope="acme/payments",
    target={"id": "t", "type": "thing", "name": "<script>alert(1)</script>\u202eevil"},
    metadata={"note": '"><img src=x onerror=alert(1)>', "ctl": "a\u0000b\u200b"},
    raw='{"vendor": "<svg onload=alert(1)>"}',
)


@dataclass
class World:
    house: Installation
    people: People
    index: int
    ids: dict[str, str]
    members: dict[str, Member]

    def page(self, path: str, who: str = "ada") -> Any:
        return self.house.http.get(path, headers=self.members[who].headers)

    def event(self, name: str, who: str = "auditor", show: str = "") -> Any:
        return self.page(f"/events/{self.ids[name]}{f'?show={show}' if show else ''}", who)

    def view(self, name: str, who: str = "auditor") -> dict[str, Any]:
        answer = self.page(f"/events/{self.ids[name]}.json", who)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        people = settle(house.instance)
        members = {
            "ada": people.first,
            "auditor": people.join("auditor", ("auditor", "")),
            "viewer": people.join("viewer", ("viewer", "acme/payments")),
            "stranger": people.join("stranger"),
        }
        sent = house.post([CHANGED, HOSTILE, *[sample()] * COUNT]).json()["events"]
        ids = {"changed": sent[0]["id"], "hostile": sent[1]["id"], "elsewhere": sent[2]["id"]}
        ledger = house.instance.ledger
        ledger.wait_committed(ledger.status().acknowledged.size, 20)
        yield World(house, people, sent[0]["index"], ids, members)


def test_the_panel_leads_from_the_entry_to_the_root(world: World) -> None:
    panel = world.view("changed")["panel"]
    assert (panel["committed"], panel["tier"], panel["index"]) == (True, "self-consistent", world.index)
    checkpoint = panel["checkpoint"]
    path = [bytes.fromhex(step["sibling"]) for step in panel["steps"]]
    verify_inclusion(
        panel["index"],
        checkpoint["size"],
        bytes.fromhex(panel["entry"]["leaf"]),
        path,
        bytes.fromhex(checkpoint["root"]),
    )
    assert panel["steps"][-1]["node"] == checkpoint["root"]
    assert (panel["steps"][-1]["node_first"], panel["steps"][-1]["node_size"]) == (0, checkpoint["size"])


def test_the_drawing_has_every_hash_of_the_path(world: World) -> None:
    view = world.view("changed")
    drawn = {box["hash"] for box in view["drawing"]["boxes"]}
    steps = view["panel"]["steps"]
    hashes = [view["panel"]["entry"]["leaf"], *(step[name] for step in steps for name in ("sibling", "node"))]
    assert drawn == {text[:10] for text in hashes}
    assert all(0 < box["y"] < view["drawing"]["height"] for box in view["drawing"]["boxes"])


def test_the_proof_verifies_with_the_key_of_the_log_and_is_recorded(world: World) -> None:
    answer = world.page(f"/events/{world.ids['changed']}/proof", "auditor")
    verdict = verify_proof(answer.content, policy_of_keys([world.house.instance.ledger.vkeys[0]]))
    assert verdict.index == world.index
    assert answer.headers["content-disposition"].endswith(f'{world.ids["changed"]}.tlog-proof"')
    assert answer.headers["cache-control"] == "no-store"
    assert "proof.downloaded" in world.house.actions()


def test_the_proof_needs_its_permission_and_the_page_says_so(world: World) -> None:
    refused = world.page(f"/events/{world.ids['changed']}/proof", "viewer")
    assert refused.status_code == 403
    page = world.event("changed", "viewer").text
    assert "proofs.read" in page
    assert "verify/page.js" not in page
    assert "verify/page.js" in world.event("changed").text


def test_opening_an_event_is_recorded(world: World) -> None:
    before = world.house.actions().count("event.viewed")
    world.event("changed")
    assert world.house.actions().count("event.viewed") == before + 1


def test_changes_are_shown_element_by_element_and_the_unchanged_put_aside(world: World) -> None:
    diff = world.view("changed")["diff"]
    assert [(row["path"], row["kind"], row["old"], row["new"]) for row in diff["rows"]] == [
        ("reviewers[]", "removed", "ana", None),
        ("reviewers[]", "added", None, "cem"),
        ("policy.days", "changed", "1", "2"),
    ]
    assert [row["path"] for row in diff["same"]] == ["reviewers[]", "title", "policy.who"]


def test_who_may_not_read_the_personal_part_is_told_so_and_gets_none_of_it(world: World) -> None:
    view = world.view("changed", "viewer")
    assert (view["withheld"], view["personal"]) == (True, None)
    assert {field["part"] for field in view["fields"]} == {"facts", "log"}
    assert {row["kind"] for row in view["diff"]["rows"]} == {"withheld"}
    for show in ("changes", "fields", "json", "bytes", "raw"):
        text = world.event("changed", "viewer", show).text
        assert "events.read_personal" in text
        assert "ana@example.org" not in text
        assert "192.0.2.7" not in text


def test_personal_fields_and_facts_are_told_apart(world: World) -> None:
    parts = {each["field"]["path"]: each["part"] for each in world.view("changed")["fields"]}
    assert (parts["actor.email"], parts["context.ip"]) == ("personal", "personal")
    assert (parts["action"], parts["targets[0].id"], parts["context.request_id"]) == ("facts", "facts", "facts")
    assert parts["index"] == "log"


def test_canonical_bytes_are_those_that_were_committed_to(world: World) -> None:
    view = world.view("changed")
    disclosure, _ = world.house.instance.services.search.open(
        world.index, world.people.caller(world.members["auditor"])
    )
    assert disclosure.facts is not None
    assert disclosure.personal is not None
    assert (view["facts"].encode(), view["personal"].encode()) == (disclosure.facts, disclosure.personal)


@pytest.mark.parametrize("show", ["changes", "fields", "json", "bytes", "raw", "nonsense"])
def test_hostile_values_are_text_on_every_view(world: World, show: str) -> None:
    answer = world.event("hostile", show=show)
    assert answer.status_code == 200
    text = answer.text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<svg onload" not in text
    assert not re.search("[\u202e\u200b\x00]", re.sub(r'data-copy="[^"]*"', "", text))


@pytest.mark.parametrize("who", ["viewer", "stranger"])
def test_an_event_elsewhere_is_as_unknown_as_one_that_is_not_there(world: World, who: str) -> None:
    there = world.page(f"/events/{world.ids['elsewhere']}", who)
    nowhere = world.page("/events/00000000-0000-7000-8000-000000000000", who)
    assert there.status_code == nowhere.status_code
    assert there.status_code in {403, 404}
    swapped = there.text.replace(world.ids["elsewhere"], "00000000-0000-7000-8000-000000000000")
    assert swapped == nowhere.text


def test_an_event_is_found_by_its_index_too(world: World) -> None:
    assert world.page(f"/events/{world.index}.json", "auditor").json()["id"] == world.ids["changed"]


def test_who_may_see_readings_is_led_to_who_read_this(world: World) -> None:
    href = world.view("changed")["readers"]
    rows = world.page(href.replace("/events?", "/events.json?"), "auditor").json()["rows"]
    assert rows
    assert world.view("changed", "viewer")["readers"] == ""


def test_a_visitor_without_a_session_is_led_to_sign_in(world: World) -> None:
    answer = world.house.http.get(
        f"/events/{world.ids['changed']}", headers={"accept": "text/html"}, follow_redirects=False
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")
