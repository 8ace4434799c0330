from __future__ import annotations

from base64 import b64encode

import pytest

from tallystick.note import (
    Checkpoint,
    CheckpointError,
    CosignatureSigner,
    Ed25519Signer,
    Ed25519Verifier,
    NoteError,
    NoteKeyError,
    Signature,
    SignatureError,
    cosigned_at,
    format_checkpoint,
    format_note,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_log_vkey,
    parse_note,
    parse_signatures,
    parse_vkey,
    parse_witness_vkey,
    sign_checkpoint,
)

ALICE = Ed25519Signer("alice.example/log", bytes(range(32)))
BOB = Ed25519Signer("bob.example/log", bytes(range(1, 33)))
WITNESS = CosignatureSigner("witness.example/w", bytes(range(2, 34)))
TEXT = b"a text\n\nwith a blank line\n"
ROOT = bytes(range(32))


def _note(*signers: Ed25519Signer, text: bytes = TEXT) -> bytes:
    return format_note(text, [signer.sign(text) for signer in signers])


def test_the_text_ends_at_the_last_blank_line() -> None:
    assert open_note(_note(ALICE), [ALICE.verifier]).text == TEXT


def test_signatures_by_unknown_keys_are_ignored_even_under_a_known_name() -> None:
    impostor = Ed25519Signer(ALICE.name, bytes(32))
    opened = open_note(_note(impostor, BOB, ALICE), [ALICE.verifier])
    assert [key for key, _ in opened.signed] == [ALICE.verifier]
    assert [signature.name for signature in opened.unknown] == [ALICE.name, BOB.name]
    with pytest.raises(NoteError):
        open_note(_note(impostor, BOB), [ALICE.verifier])
    with pytest.raises(NoteError):
        open_note(_note(ALICE), [])


def test_one_bad_signature_of_a_known_key_spoils_the_whole_note() -> None:
    bad = Signature(BOB.name, BOB.key_id, bytes(64))
    note = format_note(TEXT, [ALICE.sign(TEXT), bad])
    assert open_note(note, [ALICE.verifier]).text == TEXT
    with pytest.raises(SignatureError):
        open_note(note, [ALICE.verifier, BOB.verifier])
    short = format_note(TEXT, [Signature(ALICE.name, ALICE.key_id, bytes(63))])
    with pytest.raises(SignatureError):
        open_note(short, [ALICE.verifier])


def test_a_second_signature_of_the_same_key_is_checked_too() -> None:
    forged = format_note(TEXT, [ALICE.sign(TEXT), Signature(ALICE.name, ALICE.key_id, bytes(64))])
    with pytest.raises(SignatureError):
        open_note(forged, [ALICE.verifier])


def test_two_keys_that_answer_to_one_name_and_identifier_are_refused() -> None:
    class Twin(Ed25519Verifier):
        __slots__ = ()

        def __init__(self) -> None:
            super().__init__(ALICE.name, BOB.verifier.public_key)
            self.key_id = ALICE.key_id

    with pytest.raises(NoteKeyError):
        open_note(_note(ALICE), [ALICE.verifier, Twin()])
    again = parse_log_vkey(ALICE.vkey)
    assert open_note(_note(ALICE), [ALICE.verifier, again]).text == TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nno dash\n",
        "text\n\n\u2014 name\n".encode(),
        "text\n\n\u2014 name AAAA\n".encode(),
        "text\n\n\u2014 name AAAAAA=\n".encode(),
        "text\n\n\u2014 name AAAAAAA==\n".encode(),
        "text\n\n\u2014 name AAAAAAA\n".encode(),
        "text\n\n\u2014 name AAAA====\n".encode(),
        "text\n\n\u2014 name AAA=AAAAAA=\n".encode(),
        "text\n\n\u2014 name AAAAAAA=".encode(),
        "text\n\n\u2014 na+me AAAAAAA=\n".encode(),
        "text\n\n\u2014  AAAAAAA=\n".encode(),
        "text\n\n\u2014 na\u00a0me AAAAAAA=\n".encode(),
        "text\n\n\u2014 name AAAAAAA= \n".encode(),
        "text\n\n\u2014 name AAAAAAA=\nmore\n".encode(),
        "te\rxt\n\n\u2014 name AAAAAAA=\n".encode(),
        "te\txt\n\n\u2014 name AAAAAAA=\n".encode(),
        "te\0xt\n\n\u2014 name AAAAAAA=\n".encode(),
        b"te\xffxt\n\n" + "\u2014 name AAAAAAA=\n".encode(),
        b"te\xed\xa0\x80xt\n\n" + "\u2014 name AAAAAAA=\n".encode(),
    ],
)
def test_what_is_not_a_signed_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        parse_note(data)


def test_unused_bits_of_base64_are_ignored_in_signature_lines_and_refused_elsewhere() -> None:
    note = _note(ALICE)
    assert note.endswith(b"=\n")
    last = note[-3:-2]
    spoilt = note[:-3] + bytes([last[0] + 1]) + b"=\n"
    assert open_note(spoilt, [ALICE.verifier]).signed == open_note(note, [ALICE.verifier]).signed
    text = format_checkpoint(Checkpoint(ALICE.name, 7, ROOT))
    with pytest.raises(CheckpointError, match="no encoder writes"):
        parse_checkpoint(text[:-3] + bytes([text[-3] + 1]) + b"=\n")


def test_a_hundred_signature_lines_are_read_and_one_more_is_refused() -> None:
    line = "\u2014 name AAAAAAA=\n".encode()
    assert len(parse_note(TEXT + b"\n" + line * 100).signatures) == 100
    with pytest.raises(NoteError, match="100"):
        parse_note(TEXT + b"\n" + line * 101)
    with pytest.raises(NoteError):
        parse_note(b"x" * 1_000_001)
    with pytest.raises(NoteError):
        parse_signatures(b"")


def test_a_text_without_its_last_newline_cannot_be_written() -> None:
    with pytest.raises(NoteError):
        format_note(b"no newline", [])
    with pytest.raises(NoteError):
        format_note(b"\x07\n", [])


def test_a_verification_key_whose_base64_holds_a_plus_reads_back() -> None:
    keys = (Ed25519Signer("x", number.to_bytes(32, "big")).vkey for number in range(1000))
    text = next(key for key in keys if key.count("+") > 2)
    assert parse_vkey(text).vkey == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "alice+00000000",
        ALICE.vkey.replace("alice", "malice"),
        ALICE.vkey[:-1],
        ALICE.vkey + "\n",
        " " + ALICE.vkey,
        ALICE.vkey.replace("+", "+0", 1),
        ALICE.vkey.rsplit("+", 1)[0] + "+" + b64encode(b"\x06" + bytes(1312)).decode(),
        ALICE.vkey.rsplit("+", 1)[0] + "+" + b64encode(b"\x01" + bytes(31)).decode(),
        ALICE.vkey.rsplit("+", 1)[0] + "+",
        ALICE.vkey.rsplit("+", 1)[0] + "+\u00e9",
        "a\u2003b+00000000+" + b64encode(b"\x01" + bytes(32)).decode(),
    ],
)
def test_a_damaged_verification_key_is_refused(text: str) -> None:
    with pytest.raises(NoteKeyError):
        parse_vkey(text)


def test_a_logs_key_and_a_witnesss_key_do_not_stand_in_for_each_other() -> None:
    assert parse_log_vkey(ALICE.vkey) == ALICE.verifier
    assert parse_witness_vkey(WITNESS.vkey) == WITNESS.verifier
    for parse, text in ((parse_log_vkey, WITNESS.vkey), (parse_witness_vkey, ALICE.vkey)):
        with pytest.raises(NoteKeyError):
            parse(text)
    with pytest.raises(NoteKeyError):
        Ed25519Signer.from_secret(WITNESS.secret)
    with pytest.raises(NoteKeyError):
        CosignatureSigner.from_secret(ALICE.secret)


def test_secret_keys_read_back_and_damaged_ones_are_refused() -> None:
    assert Ed25519Signer.from_secret(ALICE.secret).vkey == ALICE.vkey
    assert CosignatureSigner.from_secret(WITNESS.secret).vkey == WITNESS.vkey
    for text in (ALICE.vkey, ALICE.secret.replace("alice", "malice"), ALICE.secret[:-4]):
        with pytest.raises(NoteKeyError):
            Ed25519Signer.from_secret(text)


def test_a_signer_never_shows_its_seed() -> None:
    for signer in (ALICE, WITNESS):
        seed = signer.secret.rsplit("+", 1)[1]
        assert seed not in repr(signer)
        assert seed not in str(vars(type(signer)))


def test_a_fresh_key_takes_its_seed_from_the_entropy_given() -> None:
    assert Ed25519Signer.generate("x", lambda count: b"\7" * count).vkey == Ed25519Signer("x", b"\7" * 32).vkey
    assert CosignatureSigner.generate("x").vkey != CosignatureSigner.generate("x").vkey
    with pytest.raises(NoteKeyError):
        Ed25519Signer("x", b"short")
    with pytest.raises(NoteKeyError):
        Ed25519Verifier("x", b"short")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"origin\n1\n",
        b"origin\n01\n" + b64encode(ROOT) + b"\n",
        b"origin\n-1\n" + b64encode(ROOT) + b"\n",
        b"origin\n+1\n" + b64encode(ROOT) + b"\n",
        b"origin\n1_0\n" + b64encode(ROOT) + b"\n",
        b"origin\n 1\n" + b64encode(ROOT) + b"\n",
        b"origin\n\n" + b64encode(ROOT) + b"\n",
        b"origin\n9223372036854775808\n" + b64encode(ROOT) + b"\n",
        b"origin\n99999999999999999999999999\n" + b64encode(ROOT) + b"\n",
        b"origin\n1\n" + b64encode(ROOT[:31]) + b"\n",
        b"origin\n1\n" + b64encode(ROOT + b"x") + b"\n",
        b"origin\n1\n" + b64encode(ROOT)[:-1] + b"\n",
        b"origin\n1\n" + b64encode(ROOT),
        b"origin\n1\n" + b64encode(ROOT) + b"\nextension\n",
        b"origin\n1\n" + b64encode(ROOT) + b"\n\n",
        b"\n1\n" + b64encode(ROOT) + b"\n",
        b"or igin\n1\n" + b64encode(ROOT) + b"\n",
        b"or+igin\n1\n" + b64encode(ROOT) + b"\n",
        b"\xff\n1\n" + b64encode(ROOT) + b"\n",
    ],
)
def test_a_checkpoint_that_is_not_three_exact_lines_is_refused(text: bytes) -> None:
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


def test_a_checkpoint_and_its_text_are_inverse() -> None:
    checkpoint = Checkpoint("origin", 2**63 - 1, ROOT)
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


def test_a_checkpoint_opens_only_for_the_key_named_as_its_origin() -> None:
    checkpoint = Checkpoint(ALICE.name, 7, ROOT)
    data = sign_checkpoint(checkpoint, ALICE)
    assert open_checkpoint(data, ALICE.verifier).checkpoint == checkpoint
    with pytest.raises(CheckpointError):
        sign_checkpoint(checkpoint, BOB)
    text = format_checkpoint(checkpoint)
    theirs = format_note(text, [BOB.sign(text)])
    with pytest.raises(CheckpointError):
        open_checkpoint(theirs, BOB.verifier)
    with pytest.raises(CheckpointError):
        open_checkpoint(theirs, [ALICE.verifier, BOB.verifier])


def test_a_witness_alone_does_not_make_a_checkpoint() -> None:
    text = format_checkpoint(Checkpoint(ALICE.name, 7, ROOT))
    data = format_note(text, [WITNESS.cosign(text, 1)])
    with pytest.raises(CheckpointError):
        open_checkpoint(data, ALICE.verifier, [WITNESS.verifier])
    namesake = CosignatureSigner(ALICE.name, bytes(range(32)))
    with pytest.raises(CheckpointError):
        open_checkpoint(format_note(text, [namesake.cosign(text, 1)]), ALICE.verifier, [namesake.verifier])
    both = format_note(text, [ALICE.sign(text), WITNESS.cosign(text, 1_700_000_000)])
    opened = open_checkpoint(both, ALICE.verifier, [WITNESS.verifier])
    assert [key for key, _ in opened.note.signed] == [ALICE.verifier, WITNESS.verifier]


def test_a_cosignature_binds_its_time_and_the_text() -> None:
    text = format_checkpoint(Checkpoint(ALICE.name, 7, ROOT))
    signature = WITNESS.cosign(text, 1_700_000_000)
    WITNESS.verifier.verify(text, signature.value)
    assert cosigned_at(signature.value, "w") == 1_700_000_000
    later = (1_700_000_001).to_bytes(8, "big") + signature.value[8:]
    far = (2**63).to_bytes(8, "big") + signature.value[8:]
    for wrong_text, value in (
        (text, later),
        (text, far),
        (text, signature.value[:-1]),
        (text.replace(b"7", b"8"), signature.value),
    ):
        with pytest.raises(SignatureError):
            WITNESS.verifier.verify(wrong_text, value)
    for time_s in (-1, 2**63):
        with pytest.raises(ValueError, match="time"):
            WITNESS.cosign(text, time_s)


def test_a_plain_signature_of_a_witness_key_is_no_cosignature() -> None:
    text = format_checkpoint(Checkpoint(ALICE.name, 7, ROOT))
    log_of_same_key = Ed25519Signer(WITNESS.name, bytes(range(2, 34)))
    plain = log_of_same_key.sign(text)
    with pytest.raises(SignatureError):
        WITNESS.verifier.verify(text, bytes(8) + plain.value)
