"""The register of releases through its API: each change is one event in the words of the catalogue, or none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.grants_world import rows_of
from tests.release_world import NEW, READ, ROUTE, SCOPE, ReleaseWorld, releasing
from tests.web_pages import HTML, parse

from tallystick.releases.errors import ReleaseChangedError
from tallystick.releases.model import Draft, Edit


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ReleaseWorld]:
    with releasing(tmp_path) as opened:
        yield opened


def said(row: dict[str, Any]) -> tuple[str, str, str]:
    """Return what an event says: message, target and who."""
    event = row["event"]
    return row["message"], event["targets"][0]["name"], event["actor"]["id"]


def test_creating_one_without_milestones_is_said_so(world: ReleaseWorld) -> None:
    world.create()
    assert said(world.events("action:release.created")[0]) == ("Created Release v0.3", "New Release", "builder")


def test_creating_one_with_milestones_names_them(world: ReleaseWorld) -> None:
    world.create(milestones=["M1", "M2"], create_milestones=True)
    row = world.events("action:release.created")[0]
    assert said(row) == ("Created Release v0.3 with milestones M1, M2", "New Release", "builder")
    assert world.actions() == [
        "milestone.created",
        "milestone.created",
        "release.created",
        "release.evidence_collected",
    ]


@pytest.mark.parametrize(
    ("changes", "recorded"),
    [
        ({"name": "Newer"}, [{"field": "name", "old": "New Release", "new": "Newer"}]),
        ({"description": "b"}, [{"field": "description", "old": "a", "new": "b"}]),
        (
            {"name": "Newer", "description": ""},
            [
                {"field": "name", "old": "New Release", "new": "Newer"},
                {"field": "description", "old": "a", "new": ""},
            ],
        ),
    ],
)
def test_an_edit_of_name_or_description_holds_what_was_edited(
    world: ReleaseWorld, changes: dict[str, str], recorded: list[dict[str, str]]
) -> None:
    release = world.create(description="a")
    assert world.edit(release, **changes).status_code == 200
    (row,) = world.events("action:release.updated")
    assert said(row) == ("Updated Release v0.3", changes.get("name", "New Release"), "builder")
    assert row["event"]["changes"] == recorded


def test_changed_milestones_are_listed_as_they_are_now(world: ReleaseWorld) -> None:
    release = world.create(milestones=["M1"], create_milestones=True)
    changed = world.edit(release, milestones=["M1", "M2", "M3"], create_milestones=True).json()["release"]
    (row,) = world.events("action:release.milestones_changed")
    assert said(row) == ("Milestones associated with release changed to M1, M2, M3", "New Release", "builder")
    assert row["event"]["metadata"]["added"] == ["M2", "M3"]
    assert world.edit(changed, milestones=[]).status_code == 200
    assert world.events("action:release.milestones_changed")[-1]["message"].endswith("changed to (none)")


def test_an_edit_that_changes_milestones_too_is_two_events_milestones_last(world: ReleaseWorld) -> None:
    release = world.create(milestones=["M1"], create_milestones=True)
    before = len(world.actions())
    world.edit(release, name="Newer", description="b", milestones=[])
    assert world.actions()[before:] == ["release.updated", "release.milestones_changed"]
    assert said(world.events()[-1])[1] == "Newer", "the second speaks of the name that the first gave"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": "New Release"},
        {"description": "a"},
        {"milestones": ["M1", "M2"]},
        {"milestones": ["M2", "M1"]},
        {"name": "New Release", "description": "a", "milestones": ["M1", "M2"]},
    ],
)
def test_an_edit_that_changes_nothing_is_no_event(world: ReleaseWorld, changes: dict[str, Any]) -> None:
    release = world.create(description="a", milestones=["M1", "M2"], create_milestones=True)
    before = world.actions()
    answer = world.edit(release, **changes)
    assert (answer.status_code, answer.json()["release"]["version"]) == (200, release["version"])
    assert world.actions() == before


def test_a_deleted_release_keeps_history_and_evidence_and_frees_its_tag(world: ReleaseWorld) -> None:
    release = world.create()
    headers = {"if-match": f'"{release["version"]}"'}
    assert world.ask("POST", f"{ROUTE}/{release['id']}/delete", headers=headers).status_code == 204
    assert said(world.events()[-1])[0] == "Deleted Release v0.3"
    found = world.get(release)
    assert found["release"]["deleted_at"]
    assert world.ask("GET", f"{ROUTE}/{release['id']}/evidence/{found['evidence'][0]['sha256']}").status_code == 200
    assert world.edit(found["release"], name="Again").json()["code"] == "release-deleted"
    assert world.ask("GET", ROUTE).json()["releases"] == []
    assert len(world.ask("GET", ROUTE, params={"deleted": "true"}).json()["releases"]) == 1
    assert world.create()["id"] != release["id"]


def test_who_released_when_from_where_and_by_which_door_is_told(world: ReleaseWorld) -> None:
    release = world.create()
    step = world.get(release)["history"][-1]
    assert step["by"]["id"] == "builder"
    assert step["by"]["via"] == "api"
    found = world.releases.register.get(world.caller(world.olga), release["id"])
    assert (found.created_by.via, found.created_by.address) == ("api", "testclient")
    event = world.events("action:release.created")[0]["event"]
    assert event["metadata"]["via"] == "api"
    assert event["context"]["ip"] == "testclient"


def test_the_page_of_an_event_leads_to_its_release(world: ReleaseWorld) -> None:
    release = world.create()
    index = world.events("action:release.created")[0]["index"]
    page = parse(world.house.http.get(f"/events/{index}", headers={**world.olga.headers, **HTML}))
    assert f"/releases/{release['id']}" in page.hrefs()


def test_names_and_addresses_are_withheld_from_who_may_not_see_them(world: ReleaseWorld) -> None:
    release = world.releases.register.create(world.caller(world.olga), _draft())
    seen = world.releases.register.get(world.caller(world.vera), release)
    assert (seen.created_by.id, seen.created_by.name, seen.created_by.address) == (world.olga.id, None, None)
    own = world.releases.register.get(world.caller(world.olga), release)
    assert own.created_by.name == "Olga Lind"


def test_an_unknown_milestone_is_refused_with_those_that_are_known(world: ReleaseWorld) -> None:
    world.ask("POST", "/api/v1/milestones", {"scope": SCOPE, "title": "M1"}).raise_for_status()
    before = world.actions()
    answer = world.ask("POST", ROUTE, {**NEW, "milestones": ["M1", "M9"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "milestone-unknown")
    assert "'M9'; it knows: M1" in answer.json()["detail"]
    assert world.actions() == before
    release = world.create(milestones=["M1"])
    assert world.edit(release, milestones=["M9"]).json()["code"] == "milestone-unknown"


def test_the_milestones_of_a_scope_are_known_below_it_and_not_beside_it(world: ReleaseWorld) -> None:
    register, olga = world.releases.register, world.caller(world.olga)
    register.create_milestone(olga, SCOPE, "M1")
    assert register.milestones(olga, f"{SCOPE}/below") == ["M1"]
    assert register.milestones(world.caller(world.ned), "acme/other") == []
    again = world.ask("POST", "/api/v1/milestones", {"scope": f"{SCOPE}/below", "title": "M1"})
    assert (again.status_code, again.json()["code"]) == (409, "milestone-exists")


def test_a_tag_names_one_release_of_a_scope(world: ReleaseWorld) -> None:
    world.create()
    answer = world.ask("POST", ROUTE, NEW)
    assert (answer.status_code, answer.json()["code"]) == (409, "release-exists")


def test_an_edit_names_the_version_that_it_was_made_from(world: ReleaseWorld) -> None:
    release = world.create()
    path = f"{ROUTE}/{release['id']}"
    assert world.ask("GET", path).headers["etag"] == f'"{release["version"]}"'
    for missing in ({}, {"if-match": ""}, {"if-match": "*"}, {"if-match": 'W/"1"'}, {"if-match": '"-1"'}):
        answer = world.ask("PATCH", path, {"name": "Newer"}, headers=missing)
        assert (answer.status_code, answer.json()["code"]) == (422, "version-missing"), missing


def test_of_two_who_edit_at_once_the_second_is_told(world: ReleaseWorld) -> None:
    release = world.create()
    assert world.edit(release, description="mine").status_code == 200
    answer = world.edit(release, description="yours")
    assert (answer.status_code, answer.json()["code"]) == (409, "release-changed")
    assert world.get(release)["release"]["description"] == "mine"


def test_of_many_who_edit_in_the_same_moment_one_wins(world: ReleaseWorld) -> None:
    release, olga = world.create(), world.caller(world.olga)

    def edit(number: int) -> bool:
        try:
            world.releases.register.edit(
                olga, release["id"], Edit(description=f"text {number}"), version=release["version"]
            )
        except ReleaseChangedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(edit, range(8)))
    assert sum(won) == 1
    assert world.get(release)["release"]["description"] == f"text {won.index(True)}"
    assert world.actions().count("release.updated") == 1


def test_a_huge_description_is_refused_with_the_limit_and_leaves_nothing(world: ReleaseWorld) -> None:
    before = world.actions()
    answer = world.ask("POST", ROUTE, {**NEW, "description": "x" * 70_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "release-too-large")
    assert "65,536 bytes" in answer.json()["detail"]
    assert world.actions() == before
    largest = "ü" * 32_767
    release = world.create(description=largest)
    assert world.edit(release, description=largest[:-1] + "ö").status_code == 200, "old and new text fit one event"


def test_the_list_goes_page_by_page_newest_first_within_what_may_be_seen(world: ReleaseWorld) -> None:
    for number in range(5):
        world.create(tag=f"v{number}")
    world.releases.register.create(world.caller(world.ned), _draft("acme/other"))
    tags: list[str] = []
    before: int | None = None
    while True:
        asked = {"limit": "2"} | ({} if before is None else {"before": str(before)})
        page = world.ask("GET", ROUTE, headers=world.token(READ), params=asked).json()
        tags += [each["tag"] for each in page["releases"]]
        before = page["before"]
        if before is None:
            break
    assert tags == ["v4", "v3", "v2", "v1", "v0"]
    found = world.ask("GET", ROUTE, params={"tag": "v3", "scope": "acme"}).json()["releases"]
    assert [each["tag"] for each in found] == ["v3"]


def test_replaying_the_log_makes_the_same_register(world: ReleaseWorld) -> None:
    release = world.create(description="a", milestones=["M1", "M2"], create_milestones=True)
    path = f"{ROUTE}/{release['id']}"
    changed = world.edit(release, name="Newer", description="b", milestones=["M2"]).json()["release"]
    world.ask("POST", f"{path}/assets", {"name": "notes", "url": "https://example.org/notes"}).raise_for_status()
    world.ask("DELETE", f"{path}/assets/notes").raise_for_status()
    world.ask("POST", f"{path}/evidence").raise_for_status()
    gone = world.create(tag="v0.4")
    headers = {"if-match": f'"{gone["version"]}"'}
    world.ask("POST", f"{ROUTE}/{gone['id']}/delete", headers=headers).raise_for_status()
    projection = world.house.instance.projection
    projection.catch_up()
    before, seen = rows_of(projection.engine), world.get(changed)
    world.house.instance.rebuild()
    assert rows_of(projection.engine) == before
    assert world.get(changed) == seen


def _draft(scope: str = SCOPE) -> Draft:
    return Draft(scope, "v9", "Nine")
