"""Exports from the command line, against a running server and on the data directory itself."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.e2e.conftest import Run
from tests.installation import sample
from tests.server_process import serving

PERMISSIONS = ("events.read", "events.read_personal", "events.export", "proofs.read")


@pytest.fixture(scope="module")
def server(home: Path, tallystick: Run) -> Iterator[dict[str, str]]:
    """Yield what a command needs in its environment to reach a server that holds three events."""
    root = home / "exports"
    root.mkdir()
    place = ("--data", root / "data", "--state-dir", root / "state")
    lines = "\n".join(json.dumps(sample(scope=f"acme/{number}")) for number in range(3))
    (root / "events.jsonl").write_text(lines + "\n", encoding="utf-8")
    tallystick("import", *place, "--format", "native", root / "events.jsonl")
    allowed = [word for each in PERMISSIONS for word in ("--permission", each)]
    made = tallystick("token", "create", *place, "--service", "collector", "--scope", "/", *allowed)
    with serving(root) as running:
        yield {"TALLYSTICK_URL": running.url, "TALLYSTICK_TOKEN": made.stdout.strip()}


@pytest.mark.parametrize("file_format", ["jsonl", "csv", "parquet", "package"])
def test_an_export_is_started_fetched_and_listed(
    tmp_path: Path, server: dict[str, str], tallystick: Run, file_format: str
) -> None:
    words = ("exports", "start", "action:user.signed_in", "--scope", "acme/1", "--format", file_format)
    export = tallystick(*words, **server).stdout.strip()
    file = tmp_path / "file"
    assert "1 event, " in tallystick("exports", "fetch", export, "-o", file, **server).stderr
    if file_format == "package":
        assert zipfile.is_zipfile(file)
    if file_format == "jsonl":
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert [row["event"]["scope"] for row in rows if "event" in row] == ["acme/1"]
    listed = [json.loads(line) for line in tallystick("exports", "list", "--json", **server).stdout.splitlines()]
    assert next(each["state"] for each in listed if each["export"] == export) == "finished"
    assert export in tallystick("exports", "list", **server).stdout
    assert file.stat().st_size == next(each["bytes"] for each in listed if each["export"] == export)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("exports", "fetch", "x-none", "-o", "@/new"), "export-not-found"),
        (("exports", "fetch", "x-none", "-o", "@/there"), "output-exists"),
        (("exports", "start", "--format", "docx"), "export-format-unknown"),
        (("exports", "start", "actr:ana"), "query"),
        (("exports", "list", "--everyone"), "permission-missing"),
    ],
)
def test_a_mistake_is_answered_with_a_code_and_leaves_no_file(
    tmp_path: Path, server: dict[str, str], tallystick: Run, words: tuple[str, ...], code: str
) -> None:
    (tmp_path / "there").write_text("mine")
    done = tallystick(*(word.replace("@", str(tmp_path)) for word in words), check=False, **server)
    assert (done.returncode, done.stdout) == (1, "")
    assert code in done.stderr
    assert "to do:" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_an_export_whose_file_is_gone_is_not_waited_for(
    tmp_path: Path, server: dict[str, str], tallystick: Run
) -> None:
    export = tallystick("exports", "start", **server).stdout.strip()
    tallystick("exports", "fetch", export, "-o", tmp_path / "first", **server)
    headers = {"authorization": f"Bearer {server['TALLYSTICK_TOKEN']}"}
    httpx.delete(f"{server['TALLYSTICK_URL']}/api/v1/exports/{export}", headers=headers).raise_for_status()
    done = tallystick("exports", "fetch", export, "-o", tmp_path / "second", check=False, **server)
    assert done.returncode == 1
    assert f"export {export} is deleted" in done.stderr
    assert "export-ended" in done.stderr


def test_a_file_that_is_not_what_was_made_is_not_kept(
    tmp_path: Path, home: Path, server: dict[str, str], tallystick: Run
) -> None:
    export = tallystick("exports", "start", **server).stdout.strip()
    tallystick("exports", "fetch", export, "-o", tmp_path / "good", **server)
    (kept,) = (home / "exports" / "data" / "exports").glob(f"{export}*")
    kept.write_bytes(kept.read_bytes()[:-1] + b" ")
    done = tallystick("exports", "fetch", export, "-o", tmp_path / "bad", check=False, **server)
    assert done.returncode == 1
    assert "export-damaged" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["good"]


def test_an_export_of_a_data_directory_is_made_while_the_command_waits(
    tmp_path: Path, home: Path, tallystick: Run
) -> None:
    place = ("--data", home / "alone", "--state-dir", home / "alone-state")
    tallystick("init", *place)
    export = tallystick("exports", "start", *place).stdout.strip()
    tallystick("exports", "fetch", export, *place, "-o", tmp_path / "file")
    assert (tmp_path / "file").stat().st_size
