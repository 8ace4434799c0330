from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.verify_log import POLICY, SIGNER, WITNESS, SmallLog

from tallystick.errors import VerificationError
from tallystick.event.disclosure import format_disclosure
from tallystick.event.entry import format_entry
from tallystick.note import (
    Ed25519Signer,
    PolicyError,
    Proof,
    ProofFormatError,
    format_policy,
    format_proof,
    parse_proof,
)
from tallystick.verify.proof import main, policy_of_keys, verify_proof

KEYS = policy_of_keys([SIGNER.vkey])


@pytest.fixture
def log() -> SmallLog:
    return SmallLog(9)


def altered(proof: bytes, **changes: object) -> bytes:
    return format_proof(dataclasses.replace(parse_proof(proof), **changes))  # type: ignore[arg-type]


def test_a_proof_shows_the_event_to_whoever_trusts_the_key(log: SmallLog) -> None:
    verdict = verify_proof(log.proof(4), KEYS)
    assert (verdict.index, verdict.checkpoint.size, verdict.witnessed) == (4, 9, False)
    assert verdict.event is not None
    assert verdict.event["actor"] == {"id": "user-5", "name": "Ana 5", "type": "user"}
    assert "vouched for by the log alone" in verdict.sentence


def test_a_quorum_of_witnesses_is_demanded_where_the_policy_asks_for_one(log: SmallLog) -> None:
    with pytest.raises(PolicyError):
        verify_proof(log.proof(4), POLICY)
    verdict = verify_proof(log.proof(4, cosigned=True), POLICY)
    assert verdict.witnessed
    assert verdict.cosigned == {"one": 1_800_000_000}


def test_a_proof_without_the_personal_part_shows_the_facts(log: SmallLog) -> None:
    verdict = verify_proof(log.proof(4, personal=False), KEYS)
    assert verdict.event is not None
    assert verdict.event["actor"] == {"id": "user-5", "type": "user"}


def test_the_bare_entry_can_be_proven_where_the_content_is_gone(log: SmallLog) -> None:
    verdict = verify_proof(altered(log.proof(4), extra=format_entry(log.rows[4].entry())), KEYS)
    assert verdict.event is None
    assert verdict.entry == log.rows[4].entry()


def test_another_key_proves_nothing(log: SmallLog) -> None:
    with pytest.raises(VerificationError):
        verify_proof(log.proof(4), policy_of_keys([Ed25519Signer(SIGNER.name, bytes(32)).vkey]))


@pytest.mark.parametrize("member", ["id", "facts", "personal", "salt1", "salt2", "received_at", "source"])
def test_no_part_of_the_event_can_be_changed(log: SmallLog, member: str) -> None:
    row = log.rows[4]
    other = log.rows[5]
    change = {member: getattr(other, member) if member not in {"received_at", "source"} else 7}
    forged = format_disclosure(dataclasses.replace(row, **change))  # type: ignore[arg-type]
    with pytest.raises(VerificationError):
        verify_proof(altered(log.proof(4), extra=forged), KEYS)


def test_an_event_cannot_be_passed_off_as_another(log: SmallLog) -> None:
    proof = log.proof(4)
    with pytest.raises(VerificationError):
        verify_proof(altered(proof, index=5), KEYS)
    with pytest.raises(VerificationError, match="says index 5"):
        verify_proof(altered(proof, extra=format_disclosure(log.rows[5])), KEYS)
    with pytest.raises(VerificationError):
        verify_proof(altered(proof, path=parse_proof(proof).path[:-1]), KEYS)


def test_a_proof_that_shows_nothing_is_refused(log: SmallLog) -> None:
    with pytest.raises(VerificationError, match="nothing to be proven"):
        verify_proof(altered(log.proof(4), extra=b""), KEYS)
    facts_gone = dataclasses.replace(log.rows[4], salt1=None, facts=None)
    with pytest.raises(VerificationError, match="too little"):
        verify_proof(altered(log.proof(4), extra=format_disclosure(facts_gone)), KEYS)


def test_bytes_that_two_readers_read_in_two_ways_are_refused_though_the_commitment_fits() -> None:
    double = b'{"action":"a","action":"b"}'
    log = SmallLog(3, facts={1: double})
    with pytest.raises(VerificationError, match="canonical"):
        verify_proof(log.proof(1), KEYS)


@pytest.mark.parametrize("data", [b"", b"c2sp.org/tlog-proof@v1\n", b"\xff\xfe", b"x" * 5_000_000])
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(ProofFormatError):
        verify_proof(data, KEYS)


def test_the_command_says_what_it_found(log: SmallLog, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof, policy, broken = tmp_path / "p.tlog-proof", tmp_path / "policy", tmp_path / "broken"
    proof.write_bytes(log.proof(4, cosigned=True))
    policy.write_bytes(format_policy(POLICY))
    broken.write_bytes(altered(log.proof(4), index=5))
    assert main([str(proof), "--key", SIGNER.vkey]) == 0
    assert capsys.readouterr().out.startswith("HOLDS: release.updated is at index 4 of example.org/log")
    assert main([str(proof), "--policy", str(policy), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["holds"], told["tier"], told["index"]) == (True, "witnessed", 4)
    assert main([str(broken), "--key", SIGNER.vkey, "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["holds"] is False
    assert captured.err.startswith("DOES NOT HOLD: ")
    assert main([str(tmp_path / "nothing"), "--key", SIGNER.vkey]) == 2
    capsys.readouterr()
    assert main([str(proof), "--key", "nonsense"]) == 2
    assert "Copy it again from where it was published." in capsys.readouterr().err, "what to do stands beside it"
    assert main([str(proof)]) == 2
    assert main([str(proof), "--key", SIGNER.vkey, "--policy", str(policy)]) == 2


def test_hostile_text_in_a_proof_reaches_no_terminal() -> None:
    facts = json.dumps(
        {"action": "\u001b[31mred", "actor": {"id": "a", "type": "user"}}, separators=(",", ":")
    ).encode()
    verdict = verify_proof(SmallLog(3, facts={1: facts}).proof(1), KEYS)
    assert "\x1b" not in verdict.sentence


def test_checking_a_proof_needs_nothing_but_cryptography(log: SmallLog, tmp_path: Path) -> None:
    proof = tmp_path / "p.tlog-proof"
    proof.write_bytes(log.proof(4))
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
class OnlyCryptography:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {{"tallystick", "cryptography", "cffi", "_cffi_backend"}}:
            raise ModuleNotFoundError(f"{{name}} is not installed here", name=name)
sys.meta_path.insert(0, OnlyCryptography())
from tallystick.verify.proof import main
status = main([{str(proof)!r}, "--key", {SIGNER.vkey!r}])
foreign = {{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names)
print(*sorted(name for name in foreign if not name.startswith("_")))
sys.exit(status)
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("HOLDS: ")
    assert set(done.stdout.splitlines()[-1].split()) <= {"cryptography", "tallystick", "cffi"}


def test_a_witness_cannot_stand_in_for_the_log(log: SmallLog) -> None:
    parsed = parse_proof(log.proof(4, cosigned=True))
    text, _, _ = parsed.checkpoint_note.partition(b"\n\n")
    alone = text + b"\n\n" + log.cosignature()
    with pytest.raises(VerificationError):
        verify_proof(format_proof(Proof(4, parsed.path, alone, parsed.extra)), POLICY)
    assert WITNESS.name in log.cosignature().decode()
