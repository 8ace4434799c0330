from __future__ import annotations

import pytest

from tallystick.note import (
    Checkpoint,
    CosignatureSigner,
    Ed25519Signer,
    NoteError,
    PolicyError,
    PolicyTextError,
    SignatureError,
    check_policy,
    format_checkpoint,
    format_note,
    format_policy,
    parse_policy,
)

LOG = Ed25519Signer("log.example/a", b"L" * 32)
OTHER_LOG = Ed25519Signer("log.example/b", b"M" * 32)
X1, X2, X3, Y1, Y2 = (CosignatureSigner(f"witness.example/{n}", bytes([n]) * 32) for n in range(1, 6))
TEXT = format_checkpoint(Checkpoint(LOG.name, 42, bytes(32)))

TWO_LEVELS = f"""\
# whom we trust
log {LOG.vkey} https://log.example/a/
\tlog {OTHER_LOG.vkey}

witness X1 {X1.vkey} https://w1.example
witness X2 {X2.vkey}
witness X3 {X3.vkey}
group X-witnesses 2 X1 X2 X3
witness Y1 {Y1.vkey}
witness Y2 {Y2.vkey}
group Y-witnesses any Y1 Y2
group X-and-Y all  X-witnesses\tY-witnesses\t
quorum X-and-Y
"""


def _note(*witnesses: CosignatureSigner, time_s: int = 1_700_000_000) -> bytes:
    return format_note(TEXT, [LOG.sign(TEXT), *(witness.cosign(TEXT, time_s) for witness in witnesses)])


@pytest.mark.parametrize(
    ("witnesses", "met"),
    [
        ((), False),
        ((X1, X2, X3), False),
        ((Y1, Y2), False),
        ((X1, Y1), False),
        ((X1, X2, Y1), True),
        ((X2, X3, Y2), True),
        ((X1, X2, X3, Y1, Y2), True),
    ],
)
def test_the_quorum_counts_groups_of_groups(witnesses: tuple[CosignatureSigner, ...], met: bool) -> None:
    verdict = check_policy(_note(*witnesses), parse_policy(TWO_LEVELS.encode()))
    assert verdict.quorum_met is met
    assert verdict.witnessed is met
    assert verdict.log is not None
    assert verdict.log.url == "https://log.example/a/"
    assert verdict.checkpoint.size == 42
    assert len(verdict.cosigned) == len(witnesses)
    assert set(verdict.cosigned.values()) <= {1_700_000_000}
    if met:
        verdict.require()
    else:
        with pytest.raises(PolicyError):
            verdict.require()


def test_a_witness_that_cosigned_twice_counts_once_with_its_latest_time() -> None:
    note = format_note(TEXT, [LOG.sign(TEXT), X1.cosign(TEXT, 20), X1.cosign(TEXT, 10), Y1.cosign(TEXT, 5)])
    verdict = check_policy(note, parse_policy(TWO_LEVELS.encode()))
    assert verdict.cosigned == {"X1": 20, "Y1": 5}
    assert not verdict.quorum_met


def test_a_bad_cosignature_of_a_listed_witness_spoils_the_checkpoint() -> None:
    other = format_checkpoint(Checkpoint(LOG.name, 43, bytes(32)))
    note = format_note(TEXT, [LOG.sign(TEXT), X1.cosign(other, 1)])
    with pytest.raises(SignatureError):
        check_policy(note, parse_policy(TWO_LEVELS.encode()))


def test_a_checkpoint_of_a_log_that_is_not_listed_is_refused() -> None:
    policy = parse_policy(f"log {OTHER_LOG.vkey}\nwitness X1 {X1.vkey}\nquorum X1\n".encode())
    verdict = check_policy(_note(X1), policy)
    assert verdict.quorum_met
    assert verdict.log is None
    with pytest.raises(PolicyError, match=r"log\.example/a"):
        verdict.require()
    with pytest.raises(NoteError):
        check_policy(_note(), policy)


def test_a_listed_log_cannot_speak_for_another_origin() -> None:
    policy = parse_policy(f"log {OTHER_LOG.vkey}\nquorum none\n".encode())
    verdict = check_policy(format_note(TEXT, [OTHER_LOG.sign(TEXT)]), policy)
    assert verdict.log is None


def test_a_quorum_of_none_is_met_and_is_not_called_witnessed() -> None:
    verdict = check_policy(_note(), parse_policy(f"log {LOG.vkey}\nquorum none\n".encode()))
    assert verdict.quorum_met
    assert not verdict.witnessed
    verdict.require()


def test_a_policy_and_its_text_are_inverse() -> None:
    policy = parse_policy(TWO_LEVELS.encode())
    assert parse_policy(format_policy(policy)) == policy
    assert parse_policy(b"quorum none\n").logs == ()


def test_names_are_bytes_that_nobody_interprets() -> None:
    kelvin = f"witness K {X1.vkey}\nwitness \u212a {X2.vkey}\nquorum \u212a\n".encode()
    policy = parse_policy(kelvin)
    assert check_policy(_note(X2), policy).quorum_met
    with pytest.raises(NoteError):
        check_policy(_note(), policy)
    assert not check_policy(_note(X1), policy).quorum_met
    latin = b"witness \xe9 " + X1.vkey.encode() + b"\nquorum \xe9\n"
    assert format_policy(parse_policy(latin)) == latin


def test_thirty_two_of_everything_are_read() -> None:
    lines = [f"log {Ed25519Signer(f'l{n}', bytes([100 + n]) * 32).vkey}" for n in range(32)]
    for n in range(32):
        lines.append(f"witness w{n} {CosignatureSigner(f'w{n}', bytes([n]) * 32).vkey}")
        lines.append(f"group g{n} all w{n}" + (f" g{n - 1}" if n else ""))
    lines.append("quorum g31")
    policy = parse_policy("".join(f"{line}\n" for line in lines).encode())
    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 32)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", None, None),
        ("# nothing\n", None, None),
        ("quorum none", 1, None),
        ("quorum none\nquorum none\n", 2, 1),
        ("quorum nobody\n", 1, 8),
        ("quorum\n", 1, 1),
        ("quorum none extra\n", 1, 1),
        ("Quorum none\n", 1, 1),
        ("quorum none\r\n", 1, 12),
        ("quorum none\x7f\n", 1, 12),
        (f"log {X1.vkey}\nquorum none\n", 1, 5),
        (f"log  {LOG.vkey[:-1]}\nquorum none\n", 1, 6),
        (f"log {LOG.vkey} url more\nquorum none\n", 1, 1),
        (f"log {LOG.vkey}\nlog {LOG.vkey}\nquorum none\n", 2, 5),
        (f"log {LOG.vkey}\nlog {Ed25519Signer('renamed', b'L' * 32).vkey}\nquorum none\n", 2, 5),
        (f"witness X {LOG.vkey}\nquorum none\n", 1, 11),
        (f"witness X {X1.vkey}\nwitness X {X2.vkey}\nquorum X\n", 2, 9),
        (f"witness X {X1.vkey}\nwitness Y {X1.vkey}\nquorum X\n", 2, 11),
        (f"witness none {X1.vkey}\nquorum none\n", 1, 9),
        (f"log {LOG.vkey}\nwitness self {CosignatureSigner('w', b'L' * 32).vkey}\nquorum self\n", 2, 14),
        (f"witness X {X1.vkey}\ngroup G any\nquorum X\n", 2, 1),
        (f"witness X {X1.vkey}\ngroup G 0 X\nquorum X\n", 2, 9),
        (f"witness X {X1.vkey}\ngroup G 2 X\nquorum X\n", 2, 9),
        (f"witness X {X1.vkey}\ngroup G 01 X\nquorum X\n", 2, 9),
        (f"witness X {X1.vkey}\ngroup G most X\nquorum X\n", 2, 9),
        (f"witness X {X1.vkey}\ngroup G any X X\nquorum X\n", 2, 15),
        (f"witness X {X1.vkey}\ngroup G any X\ngroup H any X\nquorum H\n", 3, 13),
        (f"witness X {X1.vkey}\ngroup G any G\nquorum X\n", 2, 13),
        (f"witness X {X1.vkey}\ngroup G any none\nquorum X\n", 2, 13),
        (f"witness X {X1.vkey}\ngroup X any X\nquorum X\n", 2, 7),
        (f"quorum X\nwitness X {X1.vkey}\n", 1, 8),
    ],
)
def test_a_policy_that_breaks_a_rule_is_refused_with_the_place(text: str, line: int | None, column: int | None) -> None:
    with pytest.raises(PolicyTextError) as caught:
        parse_policy(text.encode())
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_policy_of_absurd_size_is_refused() -> None:
    with pytest.raises(PolicyTextError):
        parse_policy(b"\n" * 10_001)
    with pytest.raises(PolicyTextError):
        parse_policy(b"#" * 1_000_001)
