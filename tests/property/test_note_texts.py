from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.errors import TallystickError
from tallystick.note import (
    Checkpoint,
    CosignatureSigner,
    Ed25519Signer,
    NoteError,
    check_policy,
    format_checkpoint,
    format_note,
    open_checkpoint,
    open_note,
    parse_note,
    parse_policy,
    parse_proof,
    parse_vkey,
    sign_checkpoint,
)

LOG = Ed25519Signer("log.example/a", b"L" * 32)
WITNESS = CosignatureSigner("witness.example/w", b"W" * 32)
TEXT = format_checkpoint(Checkpoint(LOG.name, 123456, bytes(range(32))))
SIGNED = format_note(TEXT, [LOG.sign(TEXT), WITNESS.cosign(TEXT, 1_700_000_000)])
POLICY = parse_policy(f"log {LOG.vkey}\nwitness w {WITNESS.vkey}\nquorum w\n".encode())

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32) if c != 10]))


@settings(deadline=None)
@given(texts, st.binary(min_size=32, max_size=32))
def test_any_allowed_text_is_signed_and_opened_unchanged(text: str, seed: bytes) -> None:
    signer, data = Ed25519Signer("any.example", seed), text.encode() + b"\n"
    assert open_note(format_note(data, [signer.sign(data)]), [signer.verifier]).text == data


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_no_flipped_bit_leaves_a_checkpoint_fully_witnessed_with_another_meaning(bit: int) -> None:
    changed = bytearray(SIGNED)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        verdict = check_policy(bytes(changed), POLICY)
    except TallystickError:
        return
    # What survives: a signature line that became some unknown key's, so that one signer is lost, or an unused bit of
    # base64, which changes no signature. The text is the one that was signed.
    note = parse_note(bytes(changed))
    assert note.text == TEXT
    assert verdict.log is None or not verdict.quorum_met or note == parse_note(SIGNED)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_by_name(data: bytes) -> None:
    for refuse in (
        lambda: open_note(data, [LOG.verifier]),
        lambda: parse_proof(data),
        lambda: parse_vkey(data.decode("utf-8", "replace")),
        lambda: parse_policy(b"\0" + data),
    ):
        with pytest.raises(TallystickError):
            refuse()


@settings(deadline=None)
@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_survives_signing(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(LOG.name, size, root)
    assert open_checkpoint(sign_checkpoint(checkpoint, LOG), LOG.verifier).checkpoint == checkpoint


@settings(deadline=None)
@given(st.lists(st.sampled_from(["log", "witness", "sign", "w", "other"]), max_size=12))
def test_signature_lines_are_accepted_in_any_number_and_order(order: list[str]) -> None:
    other = Ed25519Signer("other.example", b"O" * 32)
    made = {
        "log": LOG.sign(TEXT),
        "witness": WITNESS.cosign(TEXT, 5),
        "sign": Ed25519Signer(LOG.name, b"2" * 32).sign(TEXT),
        "w": CosignatureSigner(WITNESS.name, b"3" * 32).cosign(TEXT, 9),
        "other": other.sign(TEXT),
    }
    note = format_note(TEXT, [made[name] for name in order])
    if {"log", "witness"} & set(order):
        verdict = check_policy(note, POLICY)
        assert verdict.quorum_met == ("witness" in order)
        assert (verdict.log is not None) == ("log" in order)
    else:
        with pytest.raises(NoteError):
            check_policy(note, POLICY)
