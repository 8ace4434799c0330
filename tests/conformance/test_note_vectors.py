"""Published signatures, notes and a whole published log, through our own signers and verifiers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.paths import shared

from tallystick.merkle import (
    Frontier,
    SizedTiles,
    entries_path,
    format_entry_bundle,
    hash_leaf,
    hash_leaves,
    inclusion_path,
    verify_inclusion,
)
from tallystick.note import (
    Checkpoint,
    Ed25519Signer,
    Ed25519Verifier,
    NoteError,
    SignatureError,
    cosigned_at,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_log_vkey,
    parse_note,
    sign_checkpoint,
)

TESTLOG_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
TESTLOG_SECRET = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
TESTLOG_ENTRIES = b"one two three four five six seven eit nain ten ileven twelf threeten fourten fivten".split()


def _accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519Verifier("vector", public_key).verify(message, signature)
    except SignatureError:
        return False
    return True


def test_our_verifier_agrees_with_all_of_wycheproof() -> None:
    groups = json.loads(shared("vectors/ed25519/wycheproof_ed25519_test.json").read_text())["testGroups"]
    verdicts: Counter[str] = Counter()
    for group in groups:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            accepted = _accepts(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            assert accepted == (case["result"] == "valid"), case
            verdicts[case["result"]] += 1
    assert verdicts == {"valid": 88, "invalid": 63}


def test_our_verifier_follows_the_common_rule_on_edge_cases() -> None:
    # Lawful implementations differ here; Go and OpenSSL refuse exactly these two flags and accept the rest.
    cases = json.loads(shared("vectors/ed25519/cctv_ed25519vectors.json").read_text())
    accepted = 0
    for case in cases:
        flags = set(case["flags"] or ())
        verdict = _accepts(bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))
        assert verdict == (not flags & {"non_canonical_R", "low_order_residue"}), case
        accepted += verdict
    assert (accepted, len(cases)) == (208, 914)


def test_the_specifications_signed_note_opens() -> None:
    example = json.loads(shared("vectors/c2sp-spec-examples/examples.json").read_text())["signed_note"]
    opened = open_note(example["note"].encode(), [parse_log_vkey(example["vkey"])])
    assert opened.text == b"This is an example message.\n"
    assert parse_log_vkey(example["vkey"]).vkey == example["vkey"]
    with pytest.raises(NoteError):
        open_note(example["note"].encode(), [parse_log_vkey(TESTLOG_VKEY)])


def test_the_specifications_checkpoint_and_cosignature_have_the_printed_shape() -> None:
    example = json.loads(shared("vectors/c2sp-spec-examples/examples.json").read_text())["checkpoint_shape_only"]
    note = parse_note(example["text"].encode())
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert [signature.name for signature in note.signatures] == [checkpoint.origin, "witness.example.com/w1"]
    assert cosigned_at(note.signatures[1].value, "w1") == example["cosignature_timestamp"]
    head = f"cosignature/v1\ntime {example['cosignature_timestamp']}\n"
    assert head + note.text.decode() == example["ed25519_cosigned_message"]


def test_replaying_the_tessera_entries_with_its_key_reproduces_every_file(tmp_path: Path) -> None:
    published = shared("vectors/tessera-testlog/log")
    signer = Ed25519Signer.from_secret(TESTLOG_SECRET)
    assert signer.vkey == TESTLOG_VKEY
    assert signer.secret == TESTLOG_SECRET

    def sign(frontier: Frontier) -> bytes:
        return sign_checkpoint(Checkpoint(signer.name, frontier.size, frontier.root), signer)

    frontier = Frontier()
    files = {"checkpoint.0": sign(frontier)}
    for entry in TESTLOG_ENTRIES:
        frontier, tiles = frontier.grow(hash_leaf(entry))
        files |= {tile.path: tile.hashes for tile in tiles}
        files[entries_path(0, frontier.size)] = format_entry_bundle(TESTLOG_ENTRIES[: frontier.size])
        files[f"checkpoint.{frontier.size}"] = files["checkpoint"] = sign(frontier)
    there = {str(path.relative_to(published)): path.read_bytes() for path in published.rglob("*") if path.is_file()}
    assert files == there


def test_every_entry_of_the_tessera_log_is_proven_under_every_published_checkpoint() -> None:
    published = shared("vectors/tessera-testlog/log")

    def read(path: str) -> bytes | None:
        return (published / path).read_bytes() if (published / path).exists() else None

    key = parse_log_vkey(TESTLOG_VKEY)
    leaves = hash_leaves(TESTLOG_ENTRIES)
    for size in range(16):
        checkpoint = open_checkpoint((published / f"checkpoint.{size}").read_bytes(), key).checkpoint
        assert checkpoint.size == size
        for index in range(size):
            path = inclusion_path(index, size, SizedTiles(15, read))
            verify_inclusion(index, size, leaves[32 * index : 32 * index + 32], path, checkpoint.root)
