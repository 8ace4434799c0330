"""The verifier that runs in the browser, run in Node over proofs made here: it must judge as `verify-proof` does."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import uuid
from base64 import b64decode, b64encode
from typing import Any

import pytest
from tests.absent import required
from tests.paths import ROOT
from tests.verify_log import SIGNER, WITNESS, SmallLog

from tallystick.errors import VerificationError
from tallystick.event.commitment import facts_digest
from tallystick.event.disclosure import format_disclosure
from tallystick.event.entry import format_entry
from tallystick.merkle.hashing import hash_leaf
from tallystick.note import Ed25519Signer, format_proof, parse_proof
from tallystick.verify.proof import policy_of_keys, verify_proof

NODE = shutil.which("node")
VERIFIER = ROOT / "src" / "tallystick" / "web" / "static" / "verify"
STEPS = ["file", "content", "entry", "leaf", "path", "root", "signature"]
OTHER = Ed25519Signer(SIGNER.name, bytes(range(32)))

pytestmark = pytest.mark.skipif(
    NODE is None and not required(), reason="Node is not installed: the browser's verifier is not run"
)


def run(*cases: dict[str, Any]) -> list[dict[str, Any]]:
    assert NODE is not None
    question = json.dumps({"folder": str(VERIFIER), "cases": cases}).encode()
    done = subprocess.run([NODE, ROOT / "tests" / "web_verifier.mjs"], input=question, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def case(proof: bytes, keys: str = SIGNER.vkey, expected: str | None = None, **more: Any) -> dict[str, Any]:
    return {"proof": b64encode(proof).decode(), "keys": keys, "expected": expected, **more}


def values(answer: dict[str, Any]) -> dict[str, str]:
    return {name: value for step in answer["steps"] for name, value in step["values"]}


def failed(answer: dict[str, Any]) -> str:
    """Return the code of the step that failed, which must be the only one and leave the later ones alone."""
    states = [step["state"] for step in answer["steps"]]
    at = states.index("failed")
    assert states == ["passed"] * at + ["failed"] + ["not checked"] * (len(STEPS) - at - 1)
    assert not answer["holds"]
    return str(answer["steps"][at]["code"])


def altered(proof: bytes, **changes: Any) -> bytes:
    return format_proof(dataclasses.replace(parse_proof(proof), **changes))


@pytest.fixture(scope="module")
def log() -> SmallLog:
    return SmallLog(9)


def test_the_browser_computes_the_values_that_this_side_computes(log: SmallLog) -> None:
    row = log.rows[4]
    (answer,) = run(case(log.proof(4), expected=str(uuid.UUID(bytes=row.id))))
    assert answer["holds"]
    assert [step["code"] for step in answer["steps"]] == STEPS
    entry = row.entry()
    found = values(answer)
    assert row.salt1 is not None
    assert row.facts is not None
    assert found["facts digest"] == facts_digest(row.salt1, row.facts).hex()
    assert found["content"] == entry.content.hex()
    assert found["entry"] == format_entry(entry).hex()
    assert found["leaf"] == hash_leaf(format_entry(entry)).hex()
    assert found["root"] == verify_proof(log.proof(4), policy_of_keys([SIGNER.vkey])).checkpoint.root.hex()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33])
def test_every_event_of_a_log_of_any_shape_is_proven(size: int) -> None:
    small = SmallLog(size)
    answers = run(*(case(small.proof(index)) for index in range(size)))
    assert [answer["holds"] for answer in answers] == [True] * size


def test_no_changed_byte_is_overlooked_that_the_command_would_notice(log: SmallLog) -> None:
    """Where both accept a changed byte, it is one of the bits of a signature line that stand for nothing."""
    proof, policy = log.proof(4), policy_of_keys([SIGNER.vkey])
    masks = [0x01, 0x20, 0x80]
    (answer,) = run(case(proof, masks=masks))
    expected = []
    for mask in masks:
        for at in range(len(proof)):
            changed = bytearray(proof)
            changed[at] ^= mask
            try:
                verify_proof(bytes(changed), policy)
            except VerificationError:
                expected.append(False)
            else:
                expected.append(True)
                assert _meaning(bytes(changed)) == _meaning(proof)
    assert answer["holds"] == expected


def _meaning(proof: bytes) -> tuple[bytes, bytes]:
    head, _, last = proof.rpartition(b" ")
    return head, b64decode(last.strip())


def test_without_the_personal_part_its_digest_stands_in(log: SmallLog) -> None:
    (answer,) = run(case(log.proof(4, personal=False)))
    assert answer["holds"]
    assert values(answer)["personal part"] == "digest only; the personal part is not in the proof"


def test_the_key_is_the_readers_and_another_one_proves_nothing(log: SmallLog) -> None:
    (answer,) = run(case(log.proof(4), keys=OTHER.vkey))
    assert failed(answer) == "signature"


def test_without_a_key_nothing_is_proven(log: SmallLog) -> None:
    (answer,) = run(case(log.proof(4), keys=""))
    assert failed(answer) == "signature"


def test_a_key_with_a_wrong_letter_is_refused_before_anything_is_checked(log: SmallLog) -> None:
    name, identifier, rest = SIGNER.vkey.split("+", 2)
    (answer,) = run(case(log.proof(4), keys=f"{name}+{identifier[:-1]}{'0' if identifier[-1] != '0' else '1'}+{rest}"))
    assert "identifier" in answer["refused"]


def test_a_witness_whose_key_was_given_must_have_cosigned(log: SmallLog) -> None:
    keys = f"{SIGNER.vkey}\n{WITNESS.vkey}\n"
    without, with_it = run(case(log.proof(4), keys=keys), case(log.proof(4, cosigned=True), keys=keys))
    assert failed(without) == "signature"
    assert with_it["holds"]
    assert any(" cosigned at 2027-" in value for value in values(with_it).values())


def test_a_forged_cosignature_spoils_the_checkpoint(log: SmallLog) -> None:
    proof = log.proof(4, cosigned=True)
    head, _, last = proof.rpartition(b" ")
    line = bytearray(b64decode(last))
    line[-1] ^= 1
    (answer,) = run(case(head + b" " + b64encode(line) + b"\n", keys=f"{SIGNER.vkey} {WITNESS.vkey}"))
    assert failed(answer) == "signature"


@pytest.mark.parametrize("member", ["id", "facts", "personal", "salt1", "salt2", "received_at", "source"])
def test_no_part_of_the_event_can_be_changed(log: SmallLog, member: str) -> None:
    row = log.rows[4]
    change: dict[str, Any] = {member: getattr(log.rows[5], member) if member not in {"received_at", "source"} else 7}
    forged = format_disclosure(dataclasses.replace(row, **change))
    (answer,) = run(case(altered(log.proof(4), extra=forged)))
    assert failed(answer) == "root"


def test_the_proof_of_another_event_is_not_the_one_asked_for(log: SmallLog) -> None:
    (answer,) = run(case(log.proof(4), expected=str(uuid.UUID(bytes=log.rows[5].id))))
    assert failed(answer) == "content"


def test_a_bare_entry_proves_that_an_entry_is_there_and_no_event(log: SmallLog) -> None:
    bare = altered(log.proof(4), extra=format_entry(log.rows[4].entry()))
    any_event, this_event = run(case(bare), case(bare, expected=str(uuid.UUID(bytes=log.rows[4].id))))
    assert any_event["holds"]
    assert failed(this_event) == "content"


@pytest.mark.parametrize(
    "personal",
    [
        b'{"/actor/type":"robot"}',
        b'{"/nowhere/at":1}',
        b'{"/actor":1}',
        b'{"/targets/0":1}',
        b'{"/metadata":1,"/metadata/note":2}',
        b'{"actor":1}',
        b"[]",
        b'{"/actor/name": "spaced"}',
        b'{"/actor/name":1,"/actor/name":2}',
        b'{"/actor/name":1e999}',
        b'{"/actor/name":"\\ud800"}',
    ],
)
def test_a_personal_part_that_changes_a_fact_or_tells_two_stories_is_refused(log: SmallLog, personal: bytes) -> None:
    forged = SmallLog(9, more={4: dataclasses.replace(log.rows[4], personal=personal)}).proof(4)
    with pytest.raises(VerificationError):
        verify_proof(forged, policy_of_keys([SIGNER.vkey]))
    (answer,) = run(case(forged))
    assert failed(answer) == "content"
