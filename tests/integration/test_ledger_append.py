from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger_home import Home, product_facts

from tallystick.errors import StorageFullError
from tallystick.event.batch import Batch
from tallystick.ledger import Rotation
from tallystick.ledger.errors import (
    IdConflictError,
    LedgerClosedError,
    LedgerLockedError,
    NotCommittedError,
    UnsealedBacklogError,
    WriteFailedError,
)
from tallystick.merkle import hash_leaf, verify_consistency, verify_inclusion
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.note import parse_note
from tallystick.testing import Fault, FaultyDisk, Plan

SOURCE = 4


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end()


def again(home: Home, batch: Batch, facts: tuple[bytes, ...] | None = None) -> Batch:
    """The same events sent once more: same ids, fresh salts."""
    return home.maker.assemble(facts or batch.facts, batch.personal, batch.classes, given=True, ids=batch.ids)


def test_a_new_ledger_begins_with_its_identity_and_its_classes(home: Home) -> None:
    ledger = home.create()
    facts = product_facts(ledger)
    assert [each["action"] for each in facts] == ["ledger.created"] + ["class.defined"] * 3
    created = facts[0]["metadata"]
    assert (created["origin"], created["key"]) == (ledger.origin, ledger.vkeys[0])
    assert ledger.status().committed.size == 4


def test_a_receipt_gives_index_and_leaf_of_every_event(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(300)
    receipt = ledger.append(batch, SOURCE)
    assert receipt.indexes == range(4, 304)
    ledger.advance()
    checkpoint = parse_checkpoint(parse_note(ledger.checkpoint()).text)
    for at in (0, 150, 299):
        leaf = receipt.leaves[at * 32 : at * 32 + 32]
        path = ledger.prove_inclusion(receipt.indexes[at], checkpoint.size)
        verify_inclusion(receipt.indexes[at], checkpoint.size, leaf, path, checkpoint.root)
    assert hash_leaf(ledger.read_entries(0)[4]) == receipt.leaves[:32]


def test_every_checkpoint_continues_the_one_before(home: Home) -> None:
    ledger = home.create()
    earlier = []
    for count in (1, 251, 1, 700, 3):
        ledger.append(home.maker.batch(count), SOURCE)
        ledger.advance()
        earlier.append(parse_checkpoint(parse_note(ledger.checkpoint()).text))
    for old in earlier:
        new = earlier[-1]
        verify_consistency(old.size, new.size, old.root, new.root, ledger.prove_consistency(old.size, new.size))


def test_proofs_are_given_only_for_committed_sizes(home: Home) -> None:
    ledger = home.create()
    ledger.append(home.maker.batch(1), SOURCE)
    with pytest.raises(NotCommittedError):
        ledger.prove_inclusion(4, 5)


def test_the_same_event_sent_again_gets_its_first_answer(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(3, given=True)
    first = ledger.append(batch, SOURCE)
    home.clock.advance(60)
    second = ledger.append(again(home, batch), SOURCE)
    assert (tuple(second.indexes), second.leaves) == (tuple(first.indexes), first.leaves)
    assert second.repeated == {0, 1, 2}
    assert ledger.status().acknowledged.size == 7


def test_a_batch_may_mix_repeats_and_new_events(home: Home) -> None:
    ledger = home.create()
    old = home.maker.batch(1, given=True)
    first = ledger.append(old, SOURCE)
    new = home.maker.batch(2, given=True)
    mixed = home.maker.assemble(
        (new.facts[0], old.facts[0], new.facts[1], new.facts[0]),
        (new.personal[0], old.personal[0], new.personal[1], new.personal[0]),
        [2] * 4,
        given=True,
        ids=new.ids[:16] + old.ids + new.ids[16:] + new.ids[:16],
    )
    receipt = ledger.append(mixed, SOURCE)
    assert tuple(receipt.indexes) == (5, first.indexes[0], 6, 5)
    assert receipt.repeated == {1, 3}
    assert receipt.leaves[32:64] == first.leaves
    assert receipt.leaves[:32] == receipt.leaves[96:]
    ledger.advance()
    assert hash_leaf(ledger.read_entries(0)[6]) == receipt.leaves[64:96]


def test_an_id_used_again_for_another_event_refuses_the_whole_batch(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(2, given=True)
    ledger.append(batch, SOURCE)
    changed = again(home, batch, (batch.facts[0], batch.facts[0]))
    with pytest.raises(IdConflictError) as caught:
        ledger.append(changed, SOURCE)
    assert (caught.value.item, caught.value.index) == (1, 5)
    assert ledger.status().acknowledged.size == 6


def test_ids_are_unique_per_source_only(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(1, given=True)
    assert ledger.append(batch, 4).indexes == range(4, 5)
    assert ledger.append(again(home, batch), 5).indexes == range(5, 6)


@pytest.mark.parametrize("sealed", [False, True], ids=["unsealed", "sealed"])
@pytest.mark.parametrize("count", [2, 100], ids=["few", "many"])
def test_repeats_are_recognised_after_a_restart(home: Home, count: int, *, sealed: bool) -> None:
    ledger = home.create()
    batch = home.maker.batch(count, given=True)
    first = ledger.append(batch, SOURCE)
    if sealed:
        ledger.rotate()
        ledger.advance()
        assert ledger.snapshot().sealed_size == 4 + count
    ledger.close()
    ledger = home.open()
    second = ledger.append(again(home, batch), SOURCE)
    assert tuple(second.indexes) == tuple(first.indexes)
    assert second.leaves == first.leaves
    with pytest.raises(IdConflictError):
        ledger.append(again(home, batch, batch.facts[::-1]), SOURCE)


def test_an_id_may_be_used_again_after_the_window(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(1, given=True)
    ledger.append(batch, SOURCE)
    ledger.rotate()
    ledger.advance()
    home.clock.advance(8 * 86_400)
    assert ledger.append(again(home, batch), SOURCE).indexes == range(5, 6)


def test_times_never_decrease_though_the_clock_is_set_back(home: Home) -> None:
    ledger = home.create()
    first = ledger.append(home.maker.batch(1), SOURCE)
    home.clock.step(-3600)
    second = ledger.append(home.maker.batch(1), SOURCE)
    assert second.received_at == first.received_at
    assert ledger.status().clock_behind_us == 3600 * 1_000_000
    ledger.close()
    third = home.open().append(home.maker.batch(1), SOURCE)
    assert third.received_at == first.received_at


def test_below_the_reserve_only_the_product_may_write(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "disk")
    home = Home(disk.root, disk)
    home.configure(reserve_bytes=1000)
    ledger = home.create()
    disk.free = 999
    home.clock.advance(2)
    with pytest.raises(StorageFullError):
        ledger.append(home.maker.batch(1), SOURCE)
    assert ledger.append(home.maker.batch(1), 0).indexes == range(4, 5)
    disk.free = 1001
    home.clock.advance(2)
    assert ledger.append(home.maker.batch(1), SOURCE).indexes == range(5, 6)
    home.end()


@pytest.mark.parametrize("fault", list(Fault))
def test_a_full_disk_is_said_so_and_overcome(tmp_path: Path, fault: Fault) -> None:
    disk = FaultyDisk(tmp_path / "disk")
    home = Home(disk.root, disk)
    ledger = home.create()
    first = ledger.append(home.maker.batch(1), SOURCE)
    disk.plan(Plan(0, fault, error=errno.ENOSPC))
    with pytest.raises(StorageFullError):
        ledger.append(home.maker.batch(1), SOURCE)
    assert "write" in ledger.status().trouble
    assert ledger.append(home.maker.batch(1), SOURCE).indexes[0] == first.indexes[-1] + 1
    assert ledger.status().trouble == {}
    home.end()


def test_a_disk_that_turns_read_only_refuses_events_and_keeps_answering(tmp_path: Path) -> None:
    disk = FaultyDisk(tmp_path / "disk")
    home = Home(disk.root, disk)
    ledger = home.create()
    for _ in range(3):
        disk.plan(Plan(0, Fault.BEFORE, error=errno.EROFS))
        with pytest.raises(WriteFailedError):
            ledger.append(home.maker.batch(1), SOURCE)
    assert ledger.status().acknowledged.size == 4
    assert len(ledger.prove_inclusion(0, 4)) == 2
    home.end()


def test_senders_wait_while_too_many_files_are_unsealed(home: Home) -> None:
    home.configure(rotation=Rotation(events=1), unsealed_files_max=2)
    ledger = home.create()
    for _ in range(3):
        ledger.append(home.maker.batch(1), SOURCE)
    assert ledger.append(home.maker.batch(1), 0).indexes == range(7, 8)
    with pytest.raises(UnsealedBacklogError) as caught:
        ledger.append(home.maker.batch(1), SOURCE)
    assert caught.value.retry_after_s > 0
    ledger.advance()
    assert ledger.append(home.maker.batch(1), SOURCE).indexes == range(8, 9)


def test_a_second_writer_is_refused_with_the_way_out(home: Home) -> None:
    home.create()
    with pytest.raises(LedgerLockedError) as caught:
        home.open()
    assert "--url" in caught.value.advice


def test_a_copy_may_not_run_beside_the_original(home: Home, tmp_path: Path) -> None:
    import shutil

    home.create()
    shutil.copytree(home.data, tmp_path / "copy")
    home.data = tmp_path / "copy"
    with pytest.raises(LedgerLockedError):
        home.open()


def test_a_closed_ledger_takes_nothing(home: Home) -> None:
    ledger = home.create()
    ledger.close()
    with pytest.raises(LedgerClosedError):
        ledger.append(home.maker.batch(1), SOURCE)


def test_a_snapshot_keeps_what_it_saw_while_files_are_sealed_away(home: Home) -> None:
    ledger = home.create()
    batch = home.maker.batch(10)
    ledger.append(batch, SOURCE)
    before = ledger.snapshot()
    ledger.rotate()
    ledger.append(home.maker.batch(5), SOURCE)
    ledger.advance()
    after = ledger.snapshot()
    assert (before.sealed_size, before.size, after.sealed_size, after.size) == (0, 14, 14, 19)
    assert [ref.count for ref in before.frames] == [4, 10]
    assert before.frames[1].read().facts_at(9) == batch.facts[9]
    assert [ref.first_index for ref in after.frames] == [14]
    ref = before.frames.holding(7)
    assert ref is not None
    assert ref.first_index == 4
    assert before.frames.holding(14) is None


def test_tiles_served_by_path_are_the_files_and_nothing_else(home: Home) -> None:
    from tallystick.merkle import TilePathError

    ledger = home.create()
    ledger.append(home.maker.batch(600), SOURCE)
    ledger.advance()
    full = ledger.find_tile("tile/0/000")
    assert full is not None
    assert len(full) == 8192
    assert ledger.find_tile("tile/0/000.p/4") is None, "removed once the full tile was published"
    assert ledger.find_tile("tile/0/007") is None
    with pytest.raises(TilePathError):
        ledger.find_tile("tile/0/../../checkpoint")


def test_many_threads_append_and_every_event_gets_its_own_index(home: Home) -> None:
    home.configure(background=True, rotation=Rotation(events=500), integrate_every_s=0.02)
    ledger = home.create()
    batches = [[home.maker.batch(1 + at % 7, given=at % 2 == 0) for at in range(25)] for _ in range(8)]
    found: list[tuple[int, bytes]] = []

    def send(mine: list[Batch]) -> None:
        for batch in mine:
            receipt = ledger.append(batch, SOURCE)
            found.extend((index, receipt.leaves[at * 32 : at * 32 + 32]) for at, index in enumerate(receipt.indexes))

    threads = [threading.Thread(target=send, args=(mine,)) for mine in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    size = 4 + sum(len(batch) for mine in batches for batch in mine)
    assert sorted(index for index, _ in found) == list(range(4, size))
    ledger.wait_committed(size, 30)
    entries = [entry for bundle in range(-(-size // 256)) for entry in ledger.read_entries(bundle)]
    assert all(hash_leaf(entries[index]) == leaf for index, leaf in found)
    ledger.rotate()
    with ledger._state.changed:
        assert ledger._state.changed.wait_for(lambda: ledger._state.sealed.size == size, 30), ledger.status()
    ledger.close()
    assert home.open().snapshot().sealed_size == size
