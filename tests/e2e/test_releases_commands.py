"""A pipeline's way: a release from its first word to its dossier, by commands alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.conftest import Run
from tests.installation import settings
from tests.server_process import serving

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.server import open_instance

Command = Callable[..., subprocess.CompletedProcess[str]]
CAN: Final = (
    *(Permission.RELEASES_MANAGE, Permission.EVENTS_READ, Permission.EVENTS_READ_PERSONAL),
    *(Permission.EVENTS_EXPORT, Permission.PROOFS_READ),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tallystick: Run) -> Iterator[Command]:
    """Yield what runs a command of releases against a server, with the token of a pipeline."""
    root = tmp_path_factory.mktemp("pipeline")
    with open_instance(settings(root)) as instance:
        allowed = TokenSettings(close(CAN), ("acme",))
        token = instance.services.tokens.create(OPERATOR, Owner(OwnerKind.SERVICE, "pipeline"), allowed).secret
    with serving(root) as server:

        def run(*words: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
            return tallystick("releases", *words, "--url", server.url, check=check, TALLYSTICK_TOKEN=token)

        yield run


def test_a_release_is_made_changed_and_taken_home(home: Path, run: Command, tallystick: Run) -> None:
    notes = home / "NOTES.md"
    notes.write_text("What is new\n- all of it\n", encoding="utf-8")
    made = run(
        "create", "v0.3", "--scope", "acme/app", "--name", "New Release", "--description-file", notes,
        "--milestone", "M1", "--milestone", "M2", "--create-milestones",
    )  # fmt: skip
    release = made.stdout.strip()
    assert "Created Release v0.3 with milestones M1, M2" in made.stderr

    edited = run("edit", release, "--name", "Newer")
    assert edited.stderr.strip() == "Updated Release v0.3"
    changed = run("milestones", release, "--milestone", "M2")
    assert changed.stderr.strip() == "Milestones associated with release changed to M2"
    assert "nothing was different" in run("edit", release, "--name", "Newer").stderr
    late = run("edit", release, "--name", "Newest", "--version", "1", check=False)
    assert (late.returncode, "release-changed" in late.stderr) == (1, True)

    build = home / "app 0.3.bin"
    build.write_bytes(b"a build" * 1000)
    digest = hashlib.sha256(build.read_bytes()).hexdigest()
    assert run("asset", "add", release, build).stdout.strip() == digest
    run("asset", "add", release, "--link", "https://example.org/notes", "--name", "notes")
    run("asset", "remove", release, "notes")
    assert run("asset", "add", release, check=False).returncode == 2
    run("download", release, build.name, "-o", home / "fetched.bin")
    assert (home / "fetched.bin").read_bytes() == build.read_bytes()
    again = run("download", release, build.name, "-o", home / "fetched.bin", check=False)
    assert "output-exists" in again.stderr

    taken = run("evidence", release).stdout.strip()
    run("download", release, taken, "-o", home / "evidence.json")
    assert hashlib.sha256((home / "evidence.json").read_bytes()).hexdigest() == taken
    run("dossier", release, "-o", home / "dossier.zip")
    with zipfile.ZipFile(home / "dossier.zip") as dossier:
        dossier.extract("package.zip", home)
    tallystick("verify", home / "package.zip")

    shown = json.loads(run("show", release, "--json").stdout)
    assert shown["assets"][0]["downloads"] == 1
    assert shown["release"]["released_by"]["id"] == "pipeline"
    assert "Newer" in run("show", release).stdout
    month = json.loads(run("usage", "--scope", "acme/app", "--json").stdout)["months"][0]
    assert (month["assets"], month["evidence"], month["dossiers"]) == (1, 1, 1)

    run("delete", release)
    assert run("list", "--scope", "acme/app", "--json").stdout == ""
    assert json.loads(run("list", "--scope", "acme/app", "--deleted", "--json").stdout)["id"] == release


def test_a_description_that_is_no_text_is_refused_with_its_place(home: Path, run: Command) -> None:
    notes = home / "notes.bin"
    notes.write_bytes(b"new\xff")
    refused = run("create", "v9", "--scope", "acme/app", "--description-file", notes, check=False)
    assert refused.returncode == 1
    assert "[file-not-text]" in refused.stderr
    assert "byte 3" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_milestone_is_made_for_a_scope_and_those_below(run: Command) -> None:
    assert run("milestone", "Winter", "--scope", "acme/web").stdout.split() == ["Winter"]
    run("create", "v1", "--scope", "acme/web/shop", "--milestone", "Winter")
    refused = run("create", "v2", "--scope", "acme/web/shop", "--milestone", "Never", check=False)
    assert "it knows: Winter" in refused.stderr
    assert "milestone-unknown" in refused.stderr
