from __future__ import annotations

import pytest
from tests.verify_log import ORIGIN, POLICY, SIGNER, SmallLog, genesis, product_row

from tallystick.merkle import EMPTY_ROOT, SizedTiles, root_at
from tallystick.note import Checkpoint, Ed25519Signer, parse_checkpoint, parse_note, sign_checkpoint
from tallystick.verify.anchors import Anchor, AnchorCheck, Tree, Trust, check_pinned, check_times, signers
from tallystick.verify.codes import Code
from tallystick.verify.history import LogHistory, ProductEvent, read_history
from tallystick.verify.model import Findings

NEXT = Ed25519Signer(ORIGIN, bytes([7]) * 32)
HOUR = 3600


def history_of(log: SmallLog) -> LogHistory:
    findings = Findings()
    events = [
        ProductEvent(row.index, row.received_at, 1, row.facts) for row in log.rows if row.source == 0 and row.facts
    ]
    history = read_history(events, findings, "log")
    assert not findings
    return history


def tree_of(log: SmallLog) -> Tree:
    checkpoint = parse_checkpoint(parse_note(log.checkpoint).text)
    return Tree(checkpoint, SizedTiles(checkpoint.size, log.files.get))


def compare(log: SmallLog, *notes: bytes, trust: Trust | None = None) -> tuple[AnchorCheck, list[Code]]:
    findings = Findings()
    check = AnchorCheck(tree_of(log), history_of(log), trust or Trust(), findings)
    check.check_all([Anchor(f"kept-{at}", note, outside=True) for at, note in enumerate(notes)], lambda _: None)
    return check, [finding.code for finding in findings.kept]


def whole(size: int) -> SmallLog:
    return SmallLog(size, more=genesis())


def earlier(log: SmallLog, size: int, *signers_: Ed25519Signer) -> bytes:
    """Return the checkpoint that the log had at a smaller size."""
    root = root_at(size, SizedTiles(len(log.rows), log.files.get))
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), *(signers_ or (SIGNER,)))


def test_every_earlier_checkpoint_of_the_log_anchors_it_up_to_the_largest() -> None:
    log = whole(300)
    check, codes = compare(log, *(earlier(log, size) for size in (1, 4, 255, 256, 257, 299)))
    assert codes == []
    assert check.facts.anchored == 299


def test_a_checkpoint_of_another_history_is_found_whatever_its_size() -> None:
    log, other = whole(300), SmallLog(300, more=genesis(), facts={5: b'{"action":"x"}'})
    for size in (6, 200, 256, 299):
        assert compare(log, earlier(other, size))[1] == [Code.ANCHOR_DIFFERS]
    assert compare(log, earlier(other, 5))[1] == [], "up to there the two are the same"


def test_a_larger_checkpoint_means_that_the_log_was_rolled_back() -> None:
    assert compare(whole(20), whole(30).checkpoint)[1] == [Code.ANCHOR_AHEAD]


def test_two_checkpoints_beyond_the_log_that_exclude_each_other_are_both_named() -> None:
    notes = [sign_checkpoint(Checkpoint(ORIGIN, 99, bytes([each]) * 32), SIGNER) for each in (1, 2)]
    assert compare(whole(20), *notes)[1] == [Code.ANCHOR_AHEAD, Code.ANCHOR_DIFFERS]


def test_a_checkpoint_that_the_log_did_not_sign_is_no_anchor() -> None:
    log = whole(20)
    check, codes = compare(log, earlier(log, 9, NEXT))
    assert codes == [Code.ANCHOR_UNSIGNED]
    assert check.facts.anchored == 0
    foreign = Ed25519Signer("example.org/other", bytes(32))
    assert compare(log, sign_checkpoint(Checkpoint(foreign.name, 9, bytes(32)), foreign))[1] == [Code.ANCHOR_UNSIGNED]
    assert compare(log, b"nonsense")[1] == [Code.CHECKPOINT_INVALID]


def test_an_empty_checkpoint_anchors_nothing_and_contradicts_nothing() -> None:
    check, codes = compare(whole(20), sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), SIGNER))
    assert (codes, check.facts.anchored) == ([], 0)


def test_a_policy_is_met_by_any_cosigned_checkpoint_of_the_log_and_by_none_of_another() -> None:
    log = whole(20)
    check, codes = compare(log, log.checkpoint + log.cosignature(77), trust=Trust(policy=POLICY))
    assert (codes, check.facts.witnessed, check.facts.witnessed_at) == ([], 20, 77)
    assert compare(log, log.checkpoint, trust=Trust(policy=POLICY))[1] == [Code.POLICY_NOT_MET]
    fork = SmallLog(20, more=genesis(), facts={9: b"{}"})
    codes = compare(log, fork.checkpoint + fork.cosignature(), trust=Trust(policy=POLICY))[1]
    assert codes == [Code.ANCHOR_DIFFERS, Code.POLICY_NOT_MET]


# -- keys ---------------------------------------------------------------------------------------------------------------


def rotated(size: int = 20, at: int = 10) -> SmallLog:
    change = product_row(at, "key.rotated", {"old": SIGNER.vkey, "new": NEXT.vkey})
    return SmallLog(size, more={**genesis(), at: change})


def test_after_a_change_of_keys_the_new_key_must_have_signed_and_before_it_the_old() -> None:
    log = rotated()
    assert compare(log, earlier(log, 10, SIGNER), earlier(log, 11, NEXT), earlier(log, 15, SIGNER, NEXT))[1] == []
    assert compare(log, earlier(log, 11, SIGNER))[1] == [Code.ANCHOR_UNSIGNED]
    assert compare(log, earlier(log, 10, NEXT))[1] == [Code.ANCHOR_UNSIGNED]


@pytest.mark.parametrize(
    ("bridge", "found"), [((), [Code.KEY_UNTRUSTED]), ((10,), [Code.KEY_UNTRUSTED]), ((11,), []), ((15,), [])]
)
def test_a_new_key_counts_once_the_old_one_signed_a_checkpoint_that_covers_the_change(
    bridge: tuple[int, ...], found: list[Code]
) -> None:
    log = rotated()
    check, codes = compare(log, *(earlier(log, size, SIGNER, NEXT) for size in bridge))
    assert codes == []
    findings = Findings()
    now = sign_checkpoint(tree_of(log).checkpoint, NEXT)
    signed = signers(now, history_of(log).keys_known())
    check_pinned(Trust(keys=(SIGNER.verifier,)), history_of(log), signed, check.signed, findings, "checkpoint")
    assert [finding.code for finding in findings.kept] == found


def test_without_a_pinned_key_there_is_nothing_to_compare() -> None:
    findings = Findings()
    check_pinned(Trust(), history_of(whole(20)), frozenset(), (), findings, "checkpoint")
    assert not findings


# -- times --------------------------------------------------------------------------------------------------------------


def times(stamps_s: list[int], *seen: tuple[int, int]) -> list[tuple[int | None, str]]:
    findings = Findings()
    received = [stamp * 1_000_000 for stamp in stamps_s]
    check_times(seen, lambda index: received[index], len(received), 300, findings, "entries")
    return [(finding.index, finding.message.split(" before ")[0]) for finding in findings.kept]


def test_honest_times_pass_with_clocks_that_differ_a_little() -> None:
    assert times([0, HOUR, 2 * HOUR], (1, 5), (2, HOUR - 299), (3, 2 * HOUR + 9)) == []


def test_an_entry_cannot_come_after_a_witness_signed_it() -> None:
    assert [index for index, _ in times([0, HOUR], (2, HOUR - 301))] == [1]


def test_an_entry_cannot_come_long_before_a_witness_signed_the_log_without_it() -> None:
    daily = [(1, day * 24 * HOUR) for day in range(1, 6)]
    assert [index for index, _ in times([0, 2 * 24 * HOUR], *daily)] == [1]
    assert times([0, 5 * 24 * HOUR - 200], *daily) == []


def test_one_cosignature_after_a_crash_is_no_accusation() -> None:
    # Acknowledged at hour 1, the machine dies, and a day later the old size is signed once before the new one.
    assert times([0, HOUR], (1, 30), (1, 25 * HOUR), (2, 25 * HOUR + 3)) == []


def test_a_year_of_cosignatures_every_minute_is_judged_in_moments() -> None:
    stamps = list(range(0, 60 * 20_000, 60))
    assert times(stamps, *((index + 1, stamp + 5) for index, stamp in enumerate(stamps))) == []
