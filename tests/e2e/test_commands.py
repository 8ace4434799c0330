"""The commands that scripts rely on, end to end on one data directory."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyrage
import pytest
from tests.e2e.conftest import Run
from tests.installation import sample
from tests.server_process import serving

EVENTS = 25
DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def data(home: Path, tallystick: Run) -> Path:
    """Return a directory into which a native file was imported; nothing made it beforehand."""
    lines = [json.dumps(sample(id=f"00000000-0000-4000-8000-{number:012d}")) for number in range(EVENTS)]
    lines.insert(3, '{"action": "broken"')
    lines.insert(9, json.dumps(sample(occurred_at="yesterday")))
    file = home / "events.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    target = home / "audit"
    done = tallystick("import", "--data", target, "--format", "native", file)
    assert f"{file}:4:" in done.stdout
    assert f"{file}:10:" in done.stdout
    assert f"{EVENTS} new" in done.stderr
    return target


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_importing_again_repeats_nothing(home: Path, data: Path, tallystick: Run) -> None:
    done = tallystick("import", "--data", data, "--format", "native", "--json", home / "events.jsonl")
    assert json.loads(done.stdout)["accepted"] == 0


def test_search_prints_one_event_a_line_newest_first(data: Path, tallystick: Run) -> None:
    rows = _lines(tallystick("search", "actor:ana", "--data", data, "--json", "--limit", "7").stdout)
    assert len(rows) == 7
    assert [row["index"] for row in rows] == sorted((row["index"] for row in rows), reverse=True)
    assert {row["event"]["actor"]["id"] for row in rows} == {"ana"}


def test_show_and_prove_take_an_id_and_the_proof_checks_elsewhere(home: Path, data: Path, tallystick: Run) -> None:
    vkey = _vkey(data)
    event_id = "00000000-0000-4000-8000-000000000004"
    assert json.loads(tallystick("show", event_id, "--data", data, "--json").stdout)["id"] == event_id
    proof = home / "event.tlog-proof"
    tallystick("prove", event_id, "--data", data, "-o", proof)
    tallystick("verify-proof", proof, "--key", vkey)
    text = proof.read_text(encoding="utf-8")
    proof.write_text(text.replace("index ", "index 1", 1), encoding="utf-8")
    assert tallystick("verify-proof", proof, "--key", vkey, check=False).returncode == 1


def test_verify_says_in_one_line_what_holds_and_fails_when_a_byte_changes(
    home: Path, data: Path, tallystick: Run
) -> None:
    import shutil

    done = tallystick("verify", data)
    assert "self-consistent" in done.stdout
    copy = home / "copy"
    shutil.copytree(data, copy)
    tile = next((copy / "ledger" / "main" / "tile" / "0").rglob("000.p/*"))
    tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
    assert tallystick("verify", copy, check=False).returncode == 1


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
def test_export_writes_every_row(home: Path, data: Path, tallystick: Run, file_format: str) -> None:
    file = home / f"out.{file_format}"
    tallystick("export", "actor:ana", "--format", file_format, "-o", file, "--data", data)
    if file_format == "csv":
        text = file.read_text(encoding="utf-8").splitlines()
        rows = [row for row in csv.reader(text) if not row[0].startswith("#")]
        assert len(rows) == EVENTS + 1
    elif file_format == "jsonl":
        assert sum("event" in row for row in _lines(file.read_text(encoding="utf-8"))) == EVENTS
    else:
        import pyarrow.parquet as pq

        assert pq.read_table(file).num_rows == EVENTS
    assert tallystick("export", "-o", file, "--data", data, check=False).returncode == 1


def test_record_takes_options_or_json_and_answers_with_id_and_index(data: Path, tallystick: Run) -> None:
    words = ("--action", "record.viewed", "--actor", "bo", "--target", "invoice:7", "--scope", "acme/billing")
    receipt = json.loads(tallystick("record", "--data", data, "--json", *words).stdout)
    found = _lines(tallystick("search", "actor:bo", "--data", data, "--json").stdout)
    assert [row["id"] for row in found] == [receipt["id"]]
    done = tallystick("record", "--data", data, stdin=json.dumps(sample(scope="bad scope")), check=False)
    assert done.returncode == 1
    assert "/scope" in done.stderr


def test_a_token_stands_alone_on_standard_output_and_is_listed_without_its_secret(data: Path, tallystick: Run) -> None:
    made = tallystick("token", "create", "--data", data, "--source", "app", "--scope", "/", "--can", "write")
    secret = made.stdout.strip()
    assert made.stdout == f"{secret}\n"
    listed = tallystick("token", "list", "--data", data, "--json").stdout
    assert secret not in listed
    name = next(row["token"] for row in _lines(listed) if row["owner"] == {"kind": "source", "id": "app"})
    tallystick("token", "revoke", name, "--data", data)
    assert "revoked" in tallystick("token", "list", "--data", data).stdout


def test_rebuild_doctor_checkpoint_and_catalogue_work(data: Path, tallystick: Run) -> None:
    assert "sources" in tallystick("rebuild", "--data", data).stdout
    names = {row["name"] for row in _lines(tallystick("doctor", "--data", data, "--json", check=False).stdout)}
    assert {"clock", "disk space", "disk sync", "open files", "versions"} <= names
    assert tallystick("checkpoint", "--data", data).stdout.count("\n") == 5
    assert len(tallystick("catalogue", "list", "--json").stdout.splitlines()) > 100
    assert "Signed in" in tallystick("catalogue", "show", "user.signed_in").stdout
    tallystick("catalogue", "check")


def test_a_backup_restores_and_verifies(home: Path, data: Path, tallystick: Run) -> None:
    identity = pyrage.x25519.Identity.generate()
    key = home / "identity.txt"
    key.write_text(f"{identity}\n", encoding="utf-8")
    file = home / "backup.age"
    tallystick("backup", "--data", data, "-o", file, "--to", str(identity.to_public()))
    back = home / "back"
    tallystick("restore", file, "--identity", key, "--data", back)
    tallystick("verify", back)
    assert not list((back / "keys").glob("*.signing-key"))


def test_a_backup_is_on_record_whether_a_server_runs_or_not(home: Path, tallystick: Run) -> None:
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    root = home / "recorded"
    place = ("--data", root / "data", "--state-dir", root / "state")
    tallystick("init", *place)
    alone, beside = home / "alone.age", home / "beside.age"
    tallystick("backup", *place, "-o", alone, "--to", recipient)
    with serving(root):
        tallystick("backup", *place, "-o", beside, "--to", recipient)
        notes = root / "data" / "backups"
        start = time.monotonic()
        while any(notes.iterdir()):
            assert time.monotonic() - start < DEADLINE_S
            time.sleep(0.05)
    rows = _lines(tallystick("search", "action:backup.created", *place, "--json").stdout)
    said = [(row["event"]["metadata"]["name"], row["event"]["metadata"]["sha256"]) for row in rows]
    assert said == [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in (beside, alone)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("search", "x"), "nowhere-to-go"),
        (("search", "x", "--data", "/nonexistent/dir"), "data-missing"),
        (("show", "nothing", "--data", "@"), "event-not-found"),
        (("search", "actr:ana", "--data", "@"), "query"),
        (("catalogue", "show", "no.such"), "action-unknown"),
        (("search", "x", "--url", "http://127.0.0.1:1"), "server-unreachable"),
        (("search", "x", "--url", "127.0.0.1:1"), "address-invalid"),
        (("catalogue", "list", "--category", "no.such"), "category-unknown"),
        (("prove", "6", "--data", "@", "-o", "/nonexistent/proof"), "file-unusable"),
        (("export", "--data", "@", "-o", "/nonexistent/rows"), "file-unusable"),
        (("import", "x", "--data", "@", "--format", "native", "--map", "/nonexistent/map"), "file-unusable"),
    ],
)
def test_mistakes_are_answered_with_a_code_and_what_to_do(
    data: Path, tallystick: Run, words: tuple[str, ...], code: str
) -> None:
    done = tallystick(*(str(data) if word == "@" else word for word in words), check=False)
    assert done.returncode == 1
    assert code in done.stderr
    assert "to do:" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "words",
    [
        ("search",),
        ("serve",),
        ("token", "create", "--source", "app", "--scope", "/", "--can", "read"),
        ("record", "--action", "a.b", "--actor", "bo", "--target", "x", "--scope", "acme"),
    ],
)
def test_no_command_makes_a_log_among_other_files(tmp_path: Path, tallystick: Run, words: tuple[str, ...]) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    done = tallystick(*words, "--data", tmp_path, check=False)
    assert done.returncode == 1
    assert "not-a-data-directory" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_mistake_in_an_option_of_record_names_the_option(data: Path, tallystick: Run) -> None:
    words = ("--action", "record.viewed", "--actor", "person:bo", "--target", "invoice:7", "--scope", "acme")
    done = tallystick("record", "--data", data, *words, check=False)
    assert "at --actor" in done.stderr
    assert "column" not in done.stderr


def test_a_file_that_is_there_is_not_written_over(home: Path, data: Path, tallystick: Run) -> None:
    file = home / "kept"
    file.write_text("kept")
    index = next(row["index"] for row in _lines(tallystick("search", "--data", data, "--json", "-n", "1").stdout))
    for words in (("prove", str(index)), ("export",), ("backup", "--to", "age1")):
        done = tallystick(*words, "--data", data, "-o", file, check=False)
        assert done.returncode == 1
    assert file.read_text() == "kept"


def test_a_narrow_terminal_cuts_nothing_off_and_a_pipe_shortens_nothing(data: Path, tallystick: Run) -> None:
    scope = "acme/a-rather-long-name/of-something/below-it/that-goes-on"
    words = ("--action", "record.viewed", "--actor", "cleo", "--target", "invoice:8", "--scope", scope)
    tallystick("record", "--data", data, *words)
    narrow = tallystick("search", "actor:cleo", "--data", data, COLUMNS="80").stdout
    assert max(map(len, narrow.splitlines())) <= 80
    piped = tallystick("search", "actor:cleo", "--data", data, COLUMNS="").stdout
    assert piped.splitlines()[1].endswith(scope)
    shown = tallystick("show", "00000000-0000-4000-8000-000000000004", "--data", data, COLUMNS="80").stdout
    assert max(map(len, shown.splitlines())) <= 80


def test_the_light_commands_start_without_the_server_packages() -> None:
    heavy = ("duckdb", "litestar", "pyarrow", "sqlalchemy", "uvicorn", "numpy")
    script = f"import sys, tallystick.cli.app; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def _vkey(data: Path) -> str:
    from tallystick.note import Ed25519Signer

    secret = next((data / "keys").glob("*.signing-key")).read_text(encoding="utf-8").strip()
    return Ed25519Signer.from_secret(secret).vkey


def test_json_answers_are_one_object_and_nothing_else(home: Path, tallystick: Run) -> None:
    target = home / "json"
    made = json.loads(tallystick("init", "--data", target, "--json").stdout)
    assert made["vkeys"][0].startswith(made["origin"])
    created = json.loads(
        tallystick(
            "token", "create", "--data", target, "--source", "s", "--scope", "/", "--can", "read", "--json"
        ).stdout
    )
    assert created["secret"].startswith("tsk_")
    assert json.loads(tallystick("rebuild", "--data", target, "--json").stdout)["tokens"] == 1
    note = json.loads(tallystick("checkpoint", "--data", target, "--json").stdout)
    assert (note["origin"], note["note"].split("\n")[1]) == (made["origin"], str(note["size"]))
    rotated = json.loads(tallystick("ledger", "rotate-key", "--reason", "test", "--data", target, "--json").stdout)
    assert len(rotated["vkeys"]) == 2
    assert json.loads(tallystick("verify", target, "--json").stdout)


def test_an_address_that_is_typed_wins_over_a_directory_in_the_environment(
    home: Path, data: Path, tallystick: Run
) -> None:
    done = tallystick("search", "--url", "http://127.0.0.1:9", check=False, TALLYSTICK_DATA=str(data))
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr


def test_an_import_of_which_nothing_could_be_taken_fails(home: Path, tallystick: Run) -> None:
    file = home / "useless.jsonl"
    file.write_text('{"no": "event"}\n{"not": "one"}\n', encoding="utf-8")
    done = tallystick("import", "--data", home / "useless", "--format", "native", file, check=False)
    assert done.returncode == 1
    assert "2 refused" in done.stderr


def test_an_import_of_a_file_that_is_not_there_makes_no_log(home: Path, tallystick: Run) -> None:
    missing = home / "not-made"
    done = tallystick("import", "--data", missing, "--format", "native", home / "no-such.jsonl", check=False)
    assert (done.returncode, "import-file" in done.stderr) == (1, True), done.stderr
    assert not missing.exists()


def test_what_commands_write_is_their_owners_alone(home: Path, data: Path, tallystick: Run) -> None:
    file = home / "private.csv"
    tallystick("export", "actor:ana", "--format", "csv", "-o", file, "--data", data)
    made = [file, *(path for path in data.rglob("*") if path.is_file())]
    assert [path for path in made if path.stat().st_mode & 0o077] == []
    assert data.stat().st_mode & 0o077 == 0
