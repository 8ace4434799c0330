from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.ledger_home import ORIGIN, Home, product_facts

from tallystick.ledger import adopt, succeed
from tallystick.ledger.errors import (
    EntryDamagedError,
    KeyExposedError,
    KeyMissingError,
    LastSignedChangedError,
    LastSignedMissingError,
    LedgerExistsError,
    NoLedgerError,
    PublishedAheadError,
    ReadOnlyError,
    RolledBackError,
    TilesDamagedError,
    WalDamagedError,
)
from tallystick.note.checkpoint import open_checkpoint, parse_checkpoint
from tallystick.note.ed25519 import Ed25519Signer
from tallystick.note.note import parse_note
from tallystick.note.vkey import parse_log_vkey

SOURCE = 4


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end()


def fill(home: Home, count: int = 20) -> None:
    """A closed ledger of 4 + count events, all committed."""
    ledger = home.create()
    ledger.append(home.maker.batch(count), SOURCE)
    ledger.advance()
    ledger.close()


def grow(home: Home, count: int = 5) -> None:
    ledger = home.open()
    ledger.append(home.maker.batch(count), SOURCE)
    ledger.close()


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_what_was_integrated_and_acknowledged_is_there_again(home: Home) -> None:
    fill(home)
    ledger = home.open()
    assert ledger.status().acknowledged.size == ledger.status().committed.size == 24
    assert ledger.recovery.torn_bytes == ledger.recovery.kept_events == 0


def test_a_torn_end_is_cut_off_and_written_down(home: Home) -> None:
    fill(home)
    wal = home.layout.wal_file(0)
    wal.write_bytes(wal.read_bytes() + wal.read_bytes()[:60])
    ledger = home.open()
    assert ledger.recovery.torn_bytes == 60
    assert product_facts(ledger)[-1]["action"] == "ledger.recovered"
    assert ledger.append(home.maker.batch(1), SOURCE).indexes == range(25, 26)


def test_an_empty_directory_is_no_ledger(home: Home) -> None:
    with pytest.raises(NoLedgerError):
        home.open()


def test_a_ledger_is_not_created_over_another(home: Home) -> None:
    fill(home)
    with pytest.raises(LedgerExistsError):
        home.create()


def test_an_origin_is_never_used_with_a_second_key(home: Home) -> None:
    fill(home)
    shutil.rmtree(home.data)
    with pytest.raises(LedgerExistsError, match="another key"):
        home.create()


def test_without_its_last_signed_record_a_ledger_does_not_open(home: Home) -> None:
    fill(home)
    shutil.rmtree(home.state)
    with pytest.raises(LastSignedMissingError) as caught:
        home.open()
    assert "adopt" in caught.value.advice


def test_adopting_records_the_published_checkpoint_and_says_so(home: Home) -> None:
    fill(home)
    shutil.rmtree(home.state)
    ledger = home.keep(adopt(home.data, home.state, reason="new machine", **home.surroundings()))
    metadata = product_facts(ledger)[-1]["metadata"]
    assert (metadata["size"], metadata["reason"]) == (24, "new machine")
    ledger.close()
    assert home.open().status().acknowledged.size == 25


def test_a_ledger_with_its_record_is_not_adopted(home: Home) -> None:
    fill(home)
    with pytest.raises(LedgerExistsError):
        adopt(home.data, home.state, reason="impatience", **home.surroundings())


def test_a_restored_older_copy_does_not_open(home: Home, tmp_path: Path) -> None:
    fill(home)
    shutil.copytree(home.data, tmp_path / "backup")
    grow(home)
    shutil.rmtree(home.data)
    shutil.copytree(tmp_path / "backup", home.data)
    with pytest.raises(RolledBackError) as caught:
        home.open()
    assert "succeed" in caught.value.advice


def test_an_older_record_beside_newer_data_does_not_open(home: Home, tmp_path: Path) -> None:
    fill(home)
    shutil.copytree(home.state, tmp_path / "old-state")
    grow(home)
    shutil.rmtree(home.state)
    shutil.copytree(tmp_path / "old-state", home.state)
    with pytest.raises(PublishedAheadError):
        home.open()


def test_a_checkpoint_signed_by_someone_else_does_not_open(home: Home) -> None:
    fill(home)
    path = home.layout.checkpoint
    text = parse_note(path.read_bytes()).text
    from tallystick.note.note import format_note

    path.write_bytes(format_note(text, [Ed25519Signer(ORIGIN, bytes(32)).sign(text)]))
    with pytest.raises(PublishedAheadError):
        home.open()


def test_signed_events_that_are_gone_from_the_log_are_missed(home: Home) -> None:
    fill(home)
    home.layout.wal_file(0).unlink()
    with pytest.raises(WalDamagedError):
        home.open()


def test_a_damaged_frame_before_an_intact_one_is_never_repaired(home: Home) -> None:
    ledger = home.create()
    for _ in range(3):
        ledger.append(home.maker.batch(5), SOURCE)
    ledger.close()
    size = home.layout.wal_file(0).stat().st_size
    flip(home.layout.wal_file(0), size // 2)
    before = home.layout.wal_file(0).read_bytes()
    with pytest.raises(WalDamagedError):
        home.open()
    assert home.layout.wal_file(0).read_bytes() == before


def test_a_damaged_last_frame_that_was_signed_is_not_taken_for_a_torn_one(home: Home) -> None:
    fill(home)
    flip(home.layout.wal_file(0), home.layout.wal_file(0).stat().st_size - 10)
    with pytest.raises(WalDamagedError):
        home.open()


@pytest.mark.parametrize("tile", ["tile/0/000.p/24", "tile/entries/000.p/24"])
def test_a_changed_right_edge_does_not_open(home: Home, tile: str) -> None:
    fill(home)
    flip(home.layout.ledger / tile, 40)
    with pytest.raises(TilesDamagedError):
        home.open()


def test_a_full_tile_at_the_edge_is_hashed_again_too(home: Home) -> None:
    fill(home, 256 - 4)
    flip(home.layout.ledger / "tile/entries/000", 40)
    with pytest.raises(TilesDamagedError):
        home.open()


def test_an_event_damaged_before_it_is_signed_is_never_signed(home: Home) -> None:
    ledger = home.create()
    checkpoint = ledger.checkpoint()
    ledger.append(home.maker.batch(5), SOURCE)
    path = home.layout.wal_file(0)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 60)
        file.write(b"\xff")
    with pytest.raises(EntryDamagedError):
        ledger.advance()
    assert ledger.checkpoint() == checkpoint
    with pytest.raises(ReadOnlyError):
        ledger.append(home.maker.batch(1), SOURCE)
    assert ledger.status().read_only is not None


def test_a_record_changed_by_someone_else_stops_the_writer(home: Home) -> None:
    ledger = home.create()
    path = home.layout.last_signed(ORIGIN)
    path.write_bytes(path.read_bytes().replace(b"\\n4\\n", b"\\n5\\n"))
    ledger.append(home.maker.batch(1), SOURCE)
    with pytest.raises(LastSignedChangedError):
        ledger.advance()
    with pytest.raises(ReadOnlyError):
        ledger.append(home.maker.batch(1), SOURCE)


def test_a_key_that_others_can_read_is_refused(home: Home) -> None:
    fill(home)
    (home.layout.keys / "main.signing-key").chmod(0o640)
    with pytest.raises(KeyExposedError) as caught:
        home.open()
    assert "chmod 600" in caught.value.advice


def test_without_its_key_a_ledger_does_not_open(home: Home) -> None:
    fill(home)
    (home.layout.keys / "main.signing-key").unlink()
    with pytest.raises(KeyMissingError):
        home.open()


def test_keys_are_written_for_their_owner_alone(home: Home) -> None:
    home.create()
    assert (home.layout.keys / "main.signing-key").stat().st_mode & 0o777 == 0o600
    assert home.layout.keys.stat().st_mode & 0o777 == 0o700


def signs(note: bytes, vkey: str) -> bool:
    from tallystick.errors import VerificationError

    try:
        open_checkpoint(note, parse_log_vkey(vkey))
    except VerificationError:
        return False
    return True


def test_after_a_rotation_both_keys_sign_until_the_old_one_is_retired(home: Home) -> None:
    ledger = home.create()
    old = ledger.vkeys[0]
    ledger.rotate_key(home.admission, "yearly")
    new = ledger.vkeys[0]
    assert new != old
    metadata = product_facts(ledger)[-1]["metadata"]
    assert (metadata["old"], metadata["new"]) == (old, new)
    ledger.advance()
    assert signs(ledger.checkpoint(), old)
    assert signs(ledger.checkpoint(), new)
    ledger.retire_key(home.admission)
    assert product_facts(ledger)[-1]["metadata"] == {"key": old}
    again = ledger.status().acknowledged.size
    ledger.retire_key(home.admission)
    assert ledger.status().acknowledged.size == again, "there is no older key left to speak of"
    assert not signs(ledger.checkpoint(), old)
    assert signs(ledger.checkpoint(), new)
    ledger.close()
    assert home.open().vkeys == (new,)


def test_a_successor_names_the_ledger_before_it(home: Home) -> None:
    fill(home)
    (home.layout.keys / "main.signing-key").unlink()
    ledger = home.keep(succeed(home.data, home.state, reason="the disk burned", **home.surroundings()))
    facts = product_facts(ledger)
    assert facts[0]["metadata"]["predecessor"]["origin"] == ORIGIN
    assert facts[0]["metadata"]["predecessor"]["size"] == 24
    assert facts[-1]["metadata"]["reason"] == "the disk burned"
    assert ledger.origin != ORIGIN
    origin = ledger.origin
    ledger.close()
    assert home.open().origin == origin
    assert parse_checkpoint(parse_note(home.layout.checkpoint.read_bytes()).text).size == 24


def test_succession_goes_on_after_an_interruption(home: Home) -> None:
    fill(home)
    first = succeed(home.data, home.state, reason="lost", **home.surroundings())
    first.close()
    home.layout.current.unlink()  # as if the crash came before the last step
    second = home.keep(succeed(home.data, home.state, reason="lost", **home.surroundings()))
    assert second.origin == first.origin


def test_the_writer_never_goes_on_with_a_file_that_may_be_sealed_away(home: Home) -> None:
    fill(home)
    home.layout.wal_file(24).write_bytes(b"")  # the crash came after the next file was made, before its first frame
    ledger = home.open()
    ledger.advance()
    assert ledger.snapshot().sealed_size == 0
    receipt = ledger.append(home.maker.batch(3), SOURCE)
    ledger.advance()
    ledger.append(home.maker.batch(3), SOURCE)
    ledger.close()
    assert home.open().status().acknowledged.size == receipt.indexes[-1] + 4


CHANGES: list[Callable[[Path], object]] = [
    lambda path: path.write_bytes(path.read_bytes() + b"\0" * 4096),
    lambda path: path.with_name(path.name + ".new").write_bytes(b"half"),
    lambda path: (path.parent / "0000000000000024.wal").write_bytes(b""),
    lambda path: (path.parent / "0000000000000024.wal").write_bytes(b"\0" * 100),
]


@pytest.mark.parametrize("change", CHANGES, ids=["zeroes", "file-being-made", "empty-next-file", "zeroed-next-file"])
def test_what_an_interruption_may_leave_is_cleared_away(home: Home, change: Callable[[Path], object]) -> None:
    fill(home)
    change(home.layout.wal_file(0))
    ledger = home.open()
    first = ledger.append(home.maker.batch(1), SOURCE).indexes[0]
    assert first >= 24
    ledger.close()
    assert home.open().status().acknowledged.size == first + 1
