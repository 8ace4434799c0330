"""The page of settings: seen by some, changed by fewer, and never by a page of another site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests import postgresql
from tests.installation import Installation, installation
from tests.people_world import Member, settle

from tallystick.access.permissions import Permission

SAME = {"sec-fetch-site": "same-origin"}
IDLE = "session.idle_minutes"


@dataclass
class World:
    house: Installation
    members: dict[str, Member]

    def get(self, path: str, who: str = "ada") -> Any:
        return self.house.http.get(path, headers=self.members[who].headers)

    def post(self, fields: dict[str, str], who: str = "ada", headers: dict[str, str] | None = None) -> Any:
        sent = {**self.members[who].headers, **(SAME if headers is None else headers)}
        return self.house.http.post("/settings", data=fields, headers=sent, follow_redirects=False)

    def setting(self, name: str = IDLE) -> dict[str, Any]:
        settings = self.get("/settings.json").json()["settings"]
        found: dict[str, Any] = next(each["setting"] for each in settings if each["setting"]["name"] == name)
        return found


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        people = settle(house.instance)
        looker = people.join("looker", (people.role([Permission.SETTINGS_READ]), ""))
        yield World(house, {"ada": people.first, "looker": looker, "nobody": people.join("nobody")})


def test_a_change_is_made_by_form_and_leads_back_with_its_event(world: World) -> None:
    answer = world.post({"setting": IDLE, "value": "15"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings")
    setting = world.setting()
    assert (setting["value"], setting["default"], setting["changed_by"]) == (15, 30, world.members["ada"].id)
    assert f'/events/{setting["changed_index"]}"' in world.get("/settings").text
    assert "setting.changed" in world.house.actions()


def test_a_value_that_cannot_be_is_refused_beside_its_field_and_kept_as_typed(world: World) -> None:
    answer = world.post({"setting": IDLE, "value": '0"><b>'})
    assert answer.status_code == 422
    assert "setting-value-invalid" in answer.text
    assert 'value="0&#34;&gt;&lt;b&gt;"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert world.setting()["value"] == 30


def test_who_may_only_look_finds_no_form_and_changes_nothing(world: World) -> None:
    assert '<form method="post" action="/settings"' not in world.get("/settings", "looker").text
    assert world.post({"setting": IDLE, "value": "15"}, "looker").status_code == 403
    assert world.get("/settings", "nobody").status_code == 403
    assert world.setting()["value"] == 30


def test_a_page_of_another_site_cannot_change_a_setting(world: World) -> None:
    answer = world.post({"setting": IDLE, "value": "15"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert world.setting()["value"] == 30


def test_a_field_that_the_form_does_not_have_is_refused(world: World) -> None:
    assert world.post({"setting": IDLE, "value": "15", "default": "1"}).status_code == 422
    assert world.post({"setting": "made.up", "value": "15"}).status_code == 404
    assert world.setting()["value"] == 30


def test_the_limit_of_a_session_is_the_one_that_is_set(world: World) -> None:
    sessions = world.house.instance.services.sessions
    assert sessions._limits().idle_s == 30 * 60
    world.post({"setting": IDLE, "value": "15"})
    assert sessions._limits().idle_s == 15 * 60


def test_the_organisation_stands_on_every_page_of_who_is_signed_in(world: World) -> None:
    world.post({"setting": "organisation.name", "value": "Wrenfield <b>"})
    assert "Wrenfield &lt;b&gt;" in world.get("/settings").text


def test_the_configuration_is_shown_without_secrets(world: World) -> None:
    configured = {each["name"]: each for each in world.get("/settings.json").json()["configured"]}
    assert configured["host"]["value"] == "127.0.0.1"
    where = "postgresql+psycopg://local socket/" if postgresql.wanted() else "SQLite in the data directory"
    assert configured["database.url"]["value"].startswith(where)
    assert not {"oidc.client_secret_file", "database.url_file"} & configured.keys()
