from __future__ import annotations

from base64 import b64encode

import pytest

from tallystick.note import (
    Checkpoint,
    Ed25519Signer,
    Proof,
    ProofFormatError,
    format_proof,
    parse_proof,
    sign_checkpoint,
)

LOG = Ed25519Signer("log.example/a", bytes(32))
NOTE = sign_checkpoint(Checkpoint(LOG.name, 109482, bytes(range(32))), LOG)
HASH = b64encode(bytes(32))
FIRST = b"c2sp.org/tlog-proof@v1\n"


@pytest.mark.parametrize("extra", [b"", b"x", bytes(1000)])
@pytest.mark.parametrize("hashes", [0, 1, 63])
def test_a_proof_and_its_file_are_inverse(extra: bytes, hashes: int) -> None:
    proof = Proof(73894, tuple(bytes([n]) * 32 for n in range(hashes)), NOTE, extra)
    data = format_proof(proof)
    assert parse_proof(data) == proof
    assert data.startswith(FIRST)
    assert data.endswith(NOTE)


def test_the_lines_stand_in_the_order_of_the_specification() -> None:
    data = format_proof(Proof(5, (bytes(32),), NOTE, b"hello"))
    assert data == FIRST + b"extra aGVsbG8=\nindex 5\n" + HASH + b"\n\n" + NOTE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        FIRST,
        NOTE,
        FIRST + b"\n" + NOTE,
        FIRST + b"index 5\n" + NOTE,
        b"c2sp.org/tlog-proof@v2\nindex 5\n\n" + NOTE,
        b" " + FIRST + b"index 5\n\n" + NOTE,
        FIRST + b"index 05\n\n" + NOTE,
        FIRST + b"index\n\n" + NOTE,
        FIRST + b"index -5\n\n" + NOTE,
        FIRST + b"index 5 \n\n" + NOTE,
        FIRST + b"index 109482\n\n" + NOTE,
        FIRST + b"extra \nindex 5\n\n" + NOTE,
        FIRST + b"extra aGVsbG9=\nindex 5\n\n" + NOTE,
        FIRST + b"extra aGVsbG8=\n\n" + NOTE,
        FIRST + b"extra aGVsbG8=\nextra aGVsbG8=\nindex 5\n\n" + NOTE,
        FIRST + b"index 5\nextra aGVsbG8=\n\n" + NOTE,
        FIRST + b"index 5\n" + HASH[:-4] + b"\n\n" + NOTE,
        FIRST + b"index 5\n" + (HASH + b"\n") * 64 + b"\n" + NOTE,
        FIRST + b"index 5\n\n" + NOTE[:-1],
        FIRST + b"index 5\n\n\n" + NOTE,
        FIRST.replace(b"\n", b"\r\n") + b"index 5\n\n" + NOTE,
        FIRST + b"index 5\n\n" + NOTE.replace(b"109482", b"0109482"),
        b"x" * (4 * 1024 * 1024 + 1),
    ],
)
def test_a_proof_file_with_anything_out_of_place_is_refused(data: bytes) -> None:
    with pytest.raises(ProofFormatError):
        parse_proof(data)


def test_a_proof_that_could_not_be_read_back_is_not_written() -> None:
    for proof in (Proof(109482, (), NOTE), Proof(0, (b"short",), NOTE), Proof(-1, (), NOTE), Proof(0, (), b"no note")):
        with pytest.raises(ProofFormatError):
            format_proof(proof)
