"""The operator's own catalogue: files in the data directory, for every command, written into the log."""

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
