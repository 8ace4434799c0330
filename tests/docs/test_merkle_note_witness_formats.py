"""The worked examples in docs/format are what the code makes, byte for byte."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from tests.paths import ROOT

from tallystick.merkle import (
    Frontier,
    SizedTiles,
    consistency_path,
    entries_path,
    format_entry_bundle,
    hash_leaf,
    hash_leaves,
    inclusion_path,
    new_tiles,
    tile_path,
    verify_inclusion,
)
from tallystick.note import (
    Checkpoint,
    CosignatureSigner,
    Ed25519Signer,
    Proof,
    check_policy,
    format_checkpoint,
    format_proof,
    format_signature,
    parse_policy,
    parse_proof,
    sign_checkpoint,
)
from tallystick.witness.rules import REQUEST_BYTES_MAX, StaleSizeError, check_progress, logs_by_origin, read_submission
from tallystick.witness.server import REQUEST_S
from tallystick.witness.service import open_witness

ENTRIES = [b"one", b"two", b"three", b"four", b"five"]
LOG = Ed25519Signer("example.com/ledger", b"\1" * 32)
WITNESS = CosignatureSigner("witness.example/one", b"\2" * 32)
TIME_S = 1_700_000_000

GROWN, TILES = Frontier().grow(hash_leaves(ENTRIES))
READER = SizedTiles(5, {tile.path: tile.hashes for tile in TILES}.get)
TEXT = format_checkpoint(Checkpoint(LOG.name, 5, GROWN.root))
NOTE = sign_checkpoint(Checkpoint(LOG.name, 5, GROWN.root), LOG)
COSIGNED = NOTE + format_signature(WITNESS.cosign(TEXT, TIME_S))


def _examples(page: str) -> dict[str, str]:
    text = (ROOT / "docs" / "format" / page).read_text(encoding="utf-8")
    return dict(re.findall(r"^```text (\S+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def _lines(*values: str) -> str:
    return "".join(f"{value}\n" for value in values)


def test_the_tree_page_shows_what_the_tree_is() -> None:
    roots = [Frontier().grow(hash_leaves(ENTRIES[:size]))[0].root.hex() for size in range(6)]
    assert _examples("tree.md") == {
        "leaf": _lines(hash_leaf(b"one").hex()),
        "roots": _lines(*roots),
        "inclusion": _lines(*(step.hex() for step in inclusion_path(2, 5, READER))),
        "consistency": _lines(*(step.hex() for step in consistency_path(3, 5, READER))),
        "files": _lines(*(tile.path for tile in TILES), entries_path(0, 5)),
        "bundle": _lines(format_entry_bundle(ENTRIES).hex()),
        "growth": _lines(*(tile_path(tile.level, tile.index, tile.width) for tile in new_tiles(250, 520))),
    }


def test_the_checkpoint_page_shows_what_is_signed() -> None:
    assert _examples("checkpoint.md") == {
        "ledger-keys": _lines(LOG.vkey, LOG.secret),
        "witness-key": _lines(WITNESS.vkey),
        "checkpoint": NOTE.decode(),
        "cosigned-text": f"cosignature/v1\ntime {TIME_S}\n{TEXT.decode()}",
        "cosigned-checkpoint": COSIGNED.decode(),
    }


def test_the_proof_page_shows_a_proof_that_verifies() -> None:
    path = tuple(inclusion_path(2, 5, READER))
    shown = _examples("proof.md")["proof"].encode()
    assert shown == format_proof(Proof(2, path, COSIGNED, b"three"))
    proof = parse_proof(shown)
    policy = parse_policy(_examples("policy.md")["policy"].encode())
    verdict = check_policy(proof.checkpoint_note, policy)
    verdict.require()
    checkpoint = verdict.checkpoint
    verify_inclusion(proof.index, checkpoint.size, hash_leaf(proof.extra), proof.path, checkpoint.root)


def test_the_policy_page_shows_the_verdict_that_its_policy_gives() -> None:
    examples = _examples("policy.md")
    verdict = check_policy(COSIGNED, parse_policy(examples["policy"].encode()))
    assert verdict.log is not None
    said = [f"log {verdict.log.key.name}", *(f"{name} {time_s}" for name, time_s in verdict.cosigned.items())]
    assert examples["verdict"] == _lines(*said, "quorum met" if verdict.quorum_met else "quorum not met")


class _Stopped:
    def now_us(self) -> int:
        return TIME_S * 1_000_000 + 999_999

    def monotonic_s(self) -> float:
        return 0.0


def test_the_witness_page_shows_what_a_witness_answers(tmp_path: Path) -> None:
    examples = _examples("witness.md")
    request = examples["request"].encode()
    recorded = Checkpoint(LOG.name, 3, Frontier().grow(hash_leaves(ENTRIES[:3]))[0].root)
    submission = read_submission(request, logs_by_origin([LOG.verifier]))
    check_progress(submission, recorded)
    assert examples["answer"].encode() == format_signature(WITNESS.cosign(submission.note.text, TIME_S))

    (tmp_path / "w").mkdir()
    witness = open_witness(tmp_path / "w", WITNESS.name, [LOG.verifier], _Stopped())
    witness.add_checkpoint(b"old 0\n\n" + sign_checkpoint(recorded, LOG))
    witness.add_checkpoint(request)
    with pytest.raises(StaleSizeError) as caught:
        witness.add_checkpoint(request)
    assert examples["conflict"] == _lines(str(caught.value.size))
    origin_hash = sha256(LOG.name.encode()).hexdigest()
    assert examples["monitoring"] == f"/{origin_hash}/checkpoint\n"
    assert witness.find_checkpoint(origin_hash) is not None
    witness.close()


def test_the_witness_page_states_the_limits_that_hold() -> None:
    text = (ROOT / "docs" / "format" / "witness.md").read_text(encoding="utf-8")
    assert f"413 above {REQUEST_BYTES_MAX // 1024} KiB" in text
    assert f"after {REQUEST_S:.0f} seconds" in text
