from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger_home import Home
from tests.source_facts import source_facts
from typer.testing import CliRunner, Result

from tallystick.cli.app import app
from tallystick.evidence.prove import prove_event
from tallystick.ledger import Ledger, Rotation
from tallystick.note import CosignatureSigner, Policy, PolicyLog, PolicyWitness, format_policy, parse_log_vkey
from tallystick.segment.content import ContentFile


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    home.configure(rotation=Rotation(events=50))
    yield home
    home.end()


@pytest.fixture
def ledger(home: Home) -> Ledger:
    ledger = home.create()
    metadata = source_facts(1)
    home.record(ledger, home.event("source.registered", metadata))
    ledger.append(home.maker.batch(60), 1)
    ledger.rotate()
    ledger.advance()
    return ledger


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_log_that_holds_ends_with_status_0_and_one_line(home: Home, ledger: Ledger) -> None:
    result = run("verify", home.data, "--quiet")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    assert f"{ledger.origin} holds 65 entries: checked 65; self-consistent" in result.stdout


def test_a_finding_ends_with_status_1_and_says_what_where_and_what_it_means(home: Home, ledger: Ledger) -> None:
    summary = home.data / "segments/main/0-65.c2.g0/summary"
    summary.write_bytes(summary.read_bytes()[:-1])
    result = run("verify", home.data)
    assert result.exit_code == 1
    assert result.stdout.startswith("DOES NOT HOLD: segments/main/0-65.c2.g0/summary: ")
    assert "its content is untouched" in result.stdout
    report = json.loads(run("verify", home.data, "--json").stdout)
    assert (report["holds"], report["exit_status"]) == (False, 1)
    assert report["findings"][0]["code"] == "derived-differs"


def test_what_cannot_be_checked_ends_with_status_2(home: Home, ledger: Ledger, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for arguments in (
        (missing,),
        (home.data, "--against", missing),
        (home.data, "--key", "no key"),
        (home.data, "--ledger", "x"),
    ):
        result = run("verify", *arguments)
        assert result.exit_code == 2, result.output
        assert not result.stdout


def test_a_kept_checkpoint_anchors_and_a_policy_without_its_witness_does_not_hold(
    home: Home, ledger: Ledger, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(ledger.checkpoint())
    ledger.append(home.maker.batch(5), 1)
    ledger.advance()
    anchored = run("verify", home.data, "--against", kept, "--key", ledger.vkeys[0])
    assert (anchored.exit_code, "anchored up to size 65, the newest 5 only self-consistent" in anchored.stdout) == (
        0,
        True,
    )
    witness = CosignatureSigner("witness.example", bytes(32))
    policy = Policy(
        (PolicyLog(parse_log_vkey(ledger.vkeys[0])),), (PolicyWitness("one", witness.verifier),), quorum="one"
    )
    (tmp_path / "policy").write_bytes(format_policy(policy))
    result = run("verify", home.data, "--policy", tmp_path / "policy")
    assert result.exit_code == 1
    assert "witnesses you trust have not vouched" in result.stdout


def test_the_proof_of_an_event_is_checked_with_the_logs_key_and_with_no_other(
    home: Home, ledger: Ledger, tmp_path: Path
) -> None:
    content = ContentFile(home.data / "segments/main/0-65.c2.g0/content.parquet")
    event = next(content.iterate())[7]
    file = tmp_path / "event.tlog-proof"
    file.write_bytes(prove_event(ledger, event))
    good = run("verify-proof", file, "--key", ledger.vkeys[0], "--json")
    assert good.exit_code == 0, good.output
    assert json.loads(good.stdout)["index"] == event.index
    stranger = CosignatureSigner("witness.example", bytes(32))
    assert run("verify-proof", file, "--key", stranger.vkey).exit_code == 2
    file.write_bytes(file.read_bytes().replace(b"index", b"indef", 1))
    assert run("verify-proof", file, "--key", ledger.vkeys[0]).exit_code == 1
    assert run("verify-proof", file).exit_code == 2
