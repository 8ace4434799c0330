"""Assets, evidence and dossiers: stored by digest, checked when handed out, and each download an event."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.release_world import MANAGE, READ, ROUTE, SCOPE, ReleaseWorld, digest, releasing
from typer.testing import CliRunner

from tallystick.access.permissions import Permission
from tallystick.cli.app import app
from tallystick.event.canonical import canonical_json
from tallystick.releases.model import ASSETS_MAX, FILE_BYTES_MAX

FILE = b"the bytes of a build" * 1000
AUDIT = MANAGE | {Permission.EVENTS_EXPORT, Permission.PROOFS_READ, Permission.EVENTS_READ}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ReleaseWorld]:
    with releasing(tmp_path) as opened:
        yield opened


@pytest.fixture
def path(world: ReleaseWorld) -> str:
    """Return the route of a new release."""
    return f"{ROUTE}/{world.create(milestones=['M1'], create_milestones=True)['id']}"


def put(world: ReleaseWorld, path: str, name: str, data: bytes = FILE, **more: str) -> Any:
    asked = {"sha256": digest(data), **more}
    return world.ask("PUT", f"{path}/assets/{name}", data, params=asked)


def test_a_file_is_stored_by_its_digest_and_handed_out_whole(world: ReleaseWorld, path: str) -> None:
    answer = put(world, path, "app.tar.gz")
    assert answer.status_code == 201, answer.text
    (asset,) = answer.json()["assets"]
    assert (asset["sha256"], asset["bytes"], asset["kind"]) == (digest(FILE), len(FILE), "file")
    assert (world.house.instance.settings.data / "objects" / digest(FILE)).read_bytes() == FILE
    added = world.events()[-1]
    assert added["message"] == "Added asset app.tar.gz to Release v0.3"
    assert added["event"]["metadata"]["digest"] == digest(FILE)

    got = world.ask("GET", f"{path}/assets/app.tar.gz/file", headers=world.token(READ))
    assert got.content == FILE
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith('attachment; filename="app.tar.gz"')
    fetched = world.events()[-1]
    assert fetched["message"] == "Release artifact downloaded: app.tar.gz"
    assert fetched["event"]["targets"][0]["name"] == "New Release"


def test_bytes_of_another_digest_are_refused_and_not_kept(world: ReleaseWorld, path: str) -> None:
    before = world.actions()
    stored = sorted((world.house.instance.settings.data / "objects").iterdir())
    answer = world.ask("PUT", f"{path}/assets/app.bin", FILE, params={"sha256": digest(b"other bytes")})
    assert (answer.status_code, answer.json()["code"]) == (422, "digest-mismatch")
    assert digest(FILE) in answer.json()["detail"]
    assert world.ask("PUT", f"{path}/assets/app.bin", FILE).status_code == 400, "the digest must be stated"
    assert world.ask("PUT", f"{path}/assets/app.bin", FILE, params={"sha256": "abc"}).status_code == 422
    assert world.actions() == before
    assert sorted((world.house.instance.settings.data / "objects").iterdir()) == stored


def test_a_file_damaged_on_the_disk_is_not_handed_out(world: ReleaseWorld, path: str) -> None:
    put(world, path, "app.bin").raise_for_status()
    (world.house.instance.settings.data / "objects" / digest(FILE)).write_bytes(FILE[:-1] + b"!")
    before = world.actions()
    answer = world.ask("GET", f"{path}/assets/app.bin/file")
    assert (answer.status_code, answer.json()["code"]) == (500, "object-damaged")
    assert FILE[:-1] not in answer.content
    assert world.actions() == before, "what was not handed out was not downloaded"


def test_a_file_beyond_the_limit_is_refused(world: ReleaseWorld, path: str) -> None:
    answer = world.ask(
        "PUT",
        f"{path}/assets/app.bin",
        b"x",
        params={"sha256": digest(b"x")},
        headers={"content-length": str(FILE_BYTES_MAX + 1)},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_one_name_is_one_asset_and_a_removed_one_is_gone(world: ReleaseWorld, path: str) -> None:
    put(world, path, "app.bin").raise_for_status()
    again = put(world, path, "app.bin", b"other")
    assert (again.status_code, again.json()["code"]) == (409, "asset-exists")
    assert world.ask("DELETE", f"{path}/assets/app.bin").status_code == 204
    assert world.events()[-1]["message"] == "Removed asset app.bin from Release v0.3"
    gone = world.ask("GET", f"{path}/assets/app.bin/file")
    assert (gone.status_code, gone.json()["code"]) == (404, "release-artifact-not-found")
    assert world.ask("DELETE", f"{path}/assets/app.bin").status_code == 404
    assert put(world, path, "app.bin", b"other").status_code == 201


def test_a_release_has_at_most_so_many_assets(world: ReleaseWorld, path: str) -> None:
    release, olga = path.rpartition("/")[2], world.caller(world.olga)
    for number in range(ASSETS_MAX):
        world.releases.artifacts.add_link(olga, release, f"link {number}", "https://example.org/")
    answer = put(world, path, "one-more")
    assert (answer.status_code, answer.json()["code"]) == (413, "release-too-large")


def test_a_link_is_shown_and_never_fetched(world: ReleaseWorld, path: str) -> None:
    link = {"name": "notes", "url": "https://example.invalid/notes"}
    assert world.ask("POST", f"{path}/assets", link).json()["assets"][0]["url"] == link["url"]
    answer = world.ask("GET", f"{path}/assets/notes/file")
    assert (answer.status_code, answer.json()["code"]) == (404, "release-artifact-not-found")
    bad = world.ask("POST", f"{path}/assets", {"name": "bad", "url": "http://example.org/"})
    assert (bad.status_code, bad.json()["pointer"]) == (422, "/url")


def test_the_source_archive_is_downloaded_as_a_repository(world: ReleaseWorld, path: str) -> None:
    put(world, path, "app-0.3.tar.gz", source="true").raise_for_status()
    assert world.ask("GET", f"{path}/assets/app-0.3.tar.gz/file").content == FILE
    row = world.events()[-1]
    assert row["message"] == "Repository Download Started"
    target = row["event"]["targets"][0]
    assert (target["type"], target["name"]) == ("repository", SCOPE)


def test_evidence_is_taken_when_a_release_is_made_and_whenever_asked(world: ReleaseWorld, path: str) -> None:
    put(world, path, "app.bin").raise_for_status()
    taken = world.ask("POST", f"{path}/evidence").json()["sha256"]
    newest, first = world.ask("GET", path).json()["evidence"]
    assert (newest["sha256"], newest["trigger"], first["trigger"]) == (taken, "request", "creation")
    row = world.events()[-1]
    assert row["message"] == "Collected evidence for Release v0.3"
    assert row["event"]["metadata"]["digest"] == taken

    got = world.ask("GET", f"{path}/evidence/{taken}", headers=world.token(READ))
    assert digest(got.content) == taken
    snapshot = got.json()
    assert got.content == canonical_json(snapshot)
    assert snapshot["release"]["name"] == "New Release"
    assert snapshot["milestones"] == [{"title": "M1"}]
    assert snapshot["assets"][0]["sha256"] == digest(FILE)
    assert world.events()[-1]["message"] == f"Release artifact downloaded: evidence-{taken[:12]}.json"
    assert world.ask("GET", f"{path}/evidence/{digest(b'never')}").status_code == 404


def test_a_dossier_holds_everything_and_verifies_without_the_server(
    world: ReleaseWorld, path: str, tmp_path: Path
) -> None:
    put(world, path, "app.bin").raise_for_status()
    whole = AUDIT | {Permission.EVENTS_READ_PERSONAL}
    answer = world.ask("GET", f"{path}/dossier", headers=world.token(whole))
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as dossier:
        dossier.extractall(tmp_path / "dossier")
    told = json.loads((tmp_path / "dossier" / "release.json").read_text())
    assert told["release"]["tag"] == "v0.3"
    evidence = list((tmp_path / "dossier" / "evidence").iterdir())
    assert [digest(each.read_bytes()) for each in evidence] == [each.name for each in evidence]
    checked = CliRunner().invoke(app, ["verify", str(tmp_path / "dossier" / "package.zip"), "--json"])
    report = json.loads(checked.stdout)
    assert checked.exit_code == 0, checked.output
    wanted = ["release.created", "release.evidence_collected", "release.asset_added"]
    assert report["checked"] == len(wanted)
    assert world.events()[-1]["message"].startswith("Release artifact downloaded: r-")


def test_a_dossier_needs_the_rights_to_export_and_prove(world: ReleaseWorld, path: str) -> None:
    for missing in (Permission.EVENTS_EXPORT, Permission.PROOFS_READ):
        answer = world.ask("GET", f"{path}/dossier", headers=world.token(AUDIT - {missing}))
        assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing"), missing
    assert "release.artifact_downloaded" not in world.actions()


def test_downloads_are_counted_by_artifact_and_month_for_who_answers_for_the_scope(
    world: ReleaseWorld, path: str
) -> None:
    put(world, path, "app.bin").raise_for_status()
    put(world, path, "app.tar.gz", b"source", source="true").raise_for_status()
    release, artifacts = path.rpartition("/")[2], world.releases.artifacts
    olga, vera = world.caller(world.olga), world.caller(world.vera)
    (evidence,) = world.ask("GET", path).json()["evidence"]
    for caller in (olga, vera, vera):
        artifacts.open_asset(caller, release, "app.bin").file.close()
    artifacts.open_asset(vera, release, "app.tar.gz").file.close()
    artifacts.open_evidence(vera, release, evidence["sha256"]).file.close()
    artifacts.open_dossier(olga, release).file.close()

    assets = {each["name"]: each["downloads"] for each in world.ask("GET", path).json()["assets"]}
    assert assets == {"app.bin": 3, "app.tar.gz": 1}
    usage = world.ask("GET", "/api/v1/release-usage", params={"scope": SCOPE}).json()
    month = usage["months"][0]
    kinds = ("assets", "archives", "evidence", "dossiers", "readers")
    assert {kind: month[kind] for kind in kinds} == {
        "assets": 3, "archives": 1, "evidence": 1, "dossiers": 1, "readers": 3,
    }  # fmt: skip
    assert usage["artifacts"]["app.bin"] == 3
    assert len(usage["months"]) == 12


def test_exports_and_looks_in_the_scope_count_as_use_of_its_history(world: ReleaseWorld, path: str) -> None:
    usage = world.releases.usage
    olga = world.caller(world.olga)
    before = usage.of(olga, SCOPE).months[0]
    vera = world.caller(world.vera)
    world.releases.register.get(vera, path.rpartition("/")[2])
    token = world.token(AUDIT)
    world.house.get("/api/v1/export", token, query="action:release.*", scope=SCOPE).raise_for_status()
    after = usage.of(olga, SCOPE).months[0]
    assert (after.exports - before.exports, after.looks - before.looks) == (1, 1)
    assert after.readers == before.readers + 1, "the builder had looked before, Vera had not"
    assert usage.of(world.caller(world.ned), "acme/other").months[0].readers == 0


def test_release_events_are_in_exports_under_the_rights_of_the_scope(world: ReleaseWorld, path: str) -> None:
    del path
    mine = world.house.get("/api/v1/export", world.token(AUDIT), query="action:release.created")
    assert '"release.created"' in mine.text
    others = world.house.get("/api/v1/export", world.token(AUDIT, "acme/other"), query="action:release.created")
    assert '"release.created"' not in others.text
