"""The catalogue in force: over HTTP, and the operator's own files, which are written into the log."""

from __future__ import annotations

from pathlib import Path

from tests.installation import Installation, installation, sample

from tallystick.config import CATALOGUE_FOLDER

OWN = """\
format: 1
category: application
defaults:
  controls: ["ISO 27001 A.8.15"]
  since: "1.0.0"
actions:
  vault.opened:
    description: A vault was opened.
    severity: high
    message: "Opened vault {target.id}"
    ocsf: [6003, 1]
"""


def published(house: Installation) -> list[str]:
    return [action for action in house.actions() if action == "catalogue.published"]


def test_own_types_are_in_force_published_once_and_taken_back_when_their_file_goes(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        before = len(published(house))
    folder = tmp_path / "data" / CATALOGUE_FOLDER
    folder.mkdir()
    (folder / "own.yaml").write_text(OWN, encoding="utf-8")
    for _ in range(2):
        with installation(tmp_path) as house:
            assert len(published(house)) == before + 1
            receipt = house.post(sample(action="vault.opened")).json()["events"][0]
            shown = house.get(f"/api/v1/events/{receipt['id']}").json()
            assert shown["message"] == "Opened vault intranet"
            assert shown["event"]["severity"] == "high"
            assert not shown["undeclared"]
    (folder / "own.yaml").unlink()
    with installation(tmp_path) as house:
        assert len(published(house)) == before + 2
        again = house.get(f"/api/v1/events/{receipt['id']}").json()
        assert again["message"] == "Opened vault intranet"  # rendered as the catalogue stood then
        newer = house.post(sample(action="vault.opened")).json()["events"][0]
        assert house.get(f"/api/v1/events/{newer['id']}").json()["undeclared"]


def test_the_routes_tell_of_every_action_and_of_one_with_an_example(tmp_path: Path) -> None:
    folder = tmp_path / "data" / CATALOGUE_FOLDER
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text(OWN, encoding="utf-8")
    with installation(tmp_path) as house:
        found = house.get("/api/v1/catalogue").json()
        types = house.instance.admission.catalogue.types
        assert [each["name"] for each in found["actions"]] == sorted(types)
        assert found["digest"] == house.instance.admission.catalogue.digest
        one = house.get("/api/v1/catalogue/vault.opened").json()
        assert one in found["actions"]
        assert one["example"]["action"] == "vault.opened"
        assert one["message"] == "Opened vault {target.id}"
        named = [each["name"] for each in house.get("/api/v1/catalogue", q="VAULT was").json()["actions"]]
        assert named == ["vault.opened"]
        kinds = {each["category"] for each in house.get("/api/v1/catalogue", category="network").json()["actions"]}
        assert kinds == {"network"}
        assert house.get("/api/v1/catalogue/no.such").json()["code"] == "action-undeclared"
        page = house.get("/catalogue/vault.opened.json").json()
        assert page["example"] == one["example"]


def test_the_routes_are_for_who_may_read_the_catalogue(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        writer = house.token("write", source="writer")
        for path in ("/api/v1/catalogue", "/api/v1/catalogue/user.signed_in", "/api/v1/catalogue/no.such"):
            assert house.get(path, writer).status_code == 403
            assert house.get(path, {}).status_code == 401
