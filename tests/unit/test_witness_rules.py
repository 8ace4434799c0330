from __future__ import annotations

import pytest

from tallystick.merkle import EMPTY_ROOT, Frontier, SizedTiles, consistency_path, hash_leaf
from tallystick.note import Checkpoint, Ed25519Signer, format_checkpoint, format_note, sign_checkpoint
from tallystick.note.text import format_base64
from tallystick.witness.rules import (
    InconsistentCheckpointError,
    MalformedRequestError,
    StaleSizeError,
    UnknownLogError,
    UntrustedCheckpointError,
    check_progress,
    format_request,
    logs_by_origin,
    read_submission,
)

LOG = Ed25519Signer("log.example/a", b"L" * 32)
NEXT_KEY = Ed25519Signer("log.example/a", b"N" * 32)
LOGS = logs_by_origin([LOG.verifier])
GROWN, TILES = Frontier().grow(b"".join(hash_leaf(b"%d" % n) for n in range(20)))
READER = SizedTiles(20, {tile.path: tile.hashes for tile in TILES}.get)


def _checkpoint(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, Frontier().grow(b"".join(hash_leaf(b"%d" % n) for n in range(size)))[0].root)


def _request(old: int, new: int, path: list[bytes] | None = None) -> bytes:
    proof = path if path is not None else consistency_path(old, new, READER) if 0 < old <= new else []
    return format_request(old, proof, sign_checkpoint(_checkpoint(new), LOG))


def _judge(body: bytes, recorded: Checkpoint | None) -> None:
    check_progress(read_submission(body, LOGS), recorded)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 20), (1, 1), (7, 7), (1, 20), (8, 20), (13, 14)])
def test_growth_and_repetition_are_accepted(old: int, new: int) -> None:
    _judge(_request(old, new), _checkpoint(old))
    if old == 0:
        _judge(_request(old, new), None)


def test_every_step_between_small_sizes_is_accepted_and_no_step_back_is() -> None:
    for old in range(1, 21):
        for new in range(1, 21):
            if new >= old:
                _judge(_request(old, new), _checkpoint(old))
            else:
                with pytest.raises(StaleSizeError):
                    _judge(_request(new, new), _checkpoint(old))


def test_an_old_size_beyond_the_checkpoint_is_malformed() -> None:
    with pytest.raises(MalformedRequestError):
        _judge(_request(8, 7, []), _checkpoint(8))


def test_the_recorded_size_is_told_to_one_who_starts_elsewhere() -> None:
    for old in (0, 6, 8):
        with pytest.raises(StaleSizeError) as caught:
            _judge(_request(old, 20), _checkpoint(7))
        assert caught.value.size == 7


def test_a_proof_from_nothing_must_be_empty() -> None:
    with pytest.raises(InconsistentCheckpointError):
        _judge(_request(0, 5, [bytes(32)]), None)
    with pytest.raises(InconsistentCheckpointError):
        _judge(_request(5, 5, [bytes(32)]), _checkpoint(5))


def test_another_root_at_the_recorded_size_is_a_fork() -> None:
    forked = sign_checkpoint(Checkpoint(LOG.name, 5, bytes(32)), LOG)
    with pytest.raises(InconsistentCheckpointError) as caught:
        _judge(format_request(5, [], forked), _checkpoint(5))
    assert caught.value.fork


def test_size_zero_has_only_the_empty_root() -> None:
    body = format_request(0, [], sign_checkpoint(Checkpoint(LOG.name, 0, bytes(32)), LOG))
    for recorded in (None, Checkpoint(LOG.name, 0, EMPTY_ROOT)):
        with pytest.raises(InconsistentCheckpointError):
            _judge(body, recorded)


def test_unknown_origins_come_before_signatures() -> None:
    other = Ed25519Signer("log.example/b", b"L" * 32)
    text = format_checkpoint(Checkpoint("log.example/b", 1, bytes(32)))
    with pytest.raises(UnknownLogError):
        _judge(format_request(0, [], format_note(text, [other.sign(text), LOG.sign(text)])), None)


def test_a_checkpoint_without_a_trusted_signature_is_forbidden() -> None:
    text = format_checkpoint(_checkpoint(5))
    with pytest.raises(UntrustedCheckpointError):
        _judge(format_request(0, [], format_note(text, [NEXT_KEY.sign(text)])), None)
    spoilt = format_note(text, [LOG.sign(b"other\n")])
    with pytest.raises(UntrustedCheckpointError):
        _judge(format_request(0, [], spoilt), None)


def test_a_log_may_have_two_keys_while_it_changes_them() -> None:
    both = logs_by_origin([LOG.verifier, NEXT_KEY.verifier])
    text = format_checkpoint(_checkpoint(5))
    for signers in ([LOG], [NEXT_KEY], [LOG, NEXT_KEY]):
        note = format_note(text, [signer.sign(text) for signer in signers])
        assert len(read_submission(format_request(0, [], note), both).note.signed) == len(signers)


def test_extension_lines_are_malformed() -> None:
    text = format_checkpoint(_checkpoint(5)) + b"time 1\n"
    with pytest.raises(MalformedRequestError):
        _judge(format_request(0, [], format_note(text, [LOG.sign(text)])), None)


NOTE = sign_checkpoint(_checkpoint(5), LOG)
HASH = format_base64(bytes(32)) + b"\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"old 0\n" + NOTE,
        b"old 00\n\n" + NOTE,
        b"old -1\n\n" + NOTE,
        b"old  0\n\n" + NOTE,
        b"Old 0\n\n" + NOTE,
        b"old 0\r\n\n" + NOTE,
        b"old 9223372036854775808\n\n" + NOTE,
        b"\nold 0\n\n" + NOTE,
        b"old 1\nAAAA\n\n" + NOTE,
        b"old 1\n" + HASH.rstrip(b"=\n") + b"\n\n" + NOTE,
        b"old 1\n" + HASH * 64 + b"\n" + NOTE,
        b"old 0\n\n" + NOTE[:-1],
        b"old 0\n\n\n" + NOTE,
        b"old 0\n\n" + NOTE + b"\n",
    ],
)
def test_a_request_with_anything_out_of_place_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        _judge(body, None)


def test_sixty_three_proof_lines_are_read() -> None:
    submission = read_submission(b"old 1\n" + HASH * 63 + b"\n" + NOTE, LOGS)
    assert len(submission.path) == 63
