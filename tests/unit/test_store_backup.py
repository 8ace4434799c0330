"""Backups: encrypted, without the signing key, and restored byte for byte."""

from __future__ import annotations

import io
import sqlite3
import stat
import tarfile
from pathlib import Path

import pyrage
import pytest

from tallystick.store.backup import (
    BackupUnreadableError,
    RecipientInvalidError,
    RestoreTargetError,
    load_identities,
    parse_recipient,
    restore_backup,
    save_backup,
)


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    files = {
        "ledger/main/checkpoint": b"a checkpoint",
        "ledger/main/tile/0/000": bytes(range(256)) * 32,
        "ledger/main/wal/0.wal": b"frames of events",
        "ledger/main/lock": b"",
        "keys/main.signing-key": b"PRIVATE+KEY+secret",
        "keys/pseudonym.key": b"k" * 32,
        "segments/main/manifest.json": b"{}",
        "tmp/spill": b"temporary",
        "followers/sources.json": b"{}",
        "backups/0.json": b"{}",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with sqlite3.connect(root / "secrets.db") as database:
        database.execute("create table token (digest text)")
        database.execute("insert into token values ('abc')")
    database.close()
    return root


def test_a_backup_restores_the_log_and_never_holds_the_signing_key(
    data: Path, tmp_path: Path, identity: pyrage.x25519.Identity
) -> None:
    sealed = tmp_path / "copy.age"
    saved = save_backup(data, sealed, [identity.to_public()])
    back = tmp_path / "back"
    restored = restore_backup(sealed, back, [identity])

    assert restored == saved
    for name in ("ledger/main/checkpoint", "ledger/main/tile/0/000", "ledger/main/wal/0.wal", "keys/pseudonym.key"):
        assert (back / name).read_bytes() == (data / name).read_bytes()
    assert not (back / "keys/main.signing-key").exists()
    assert {path.name for path in back.iterdir()} == {"keys", "ledger", "secrets.db", "segments"}
    with sqlite3.connect(back / "secrets.db") as database:
        assert database.execute("select digest from token").fetchall() == [("abc",)]
    database.close()


def test_a_backup_shows_nothing_of_its_content_and_is_its_owners_alone(
    data: Path, tmp_path: Path, identity: pyrage.x25519.Identity
) -> None:
    sealed = tmp_path / "copy.age"
    save_backup(data, sealed, [identity.to_public()])
    assert sealed.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert b"frames of events" not in sealed.read_bytes()
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600


def test_another_identity_cannot_open_a_backup(data: Path, tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    sealed = tmp_path / "copy.age"
    save_backup(data, sealed, [identity.to_public()])
    with pytest.raises(BackupUnreadableError):
        restore_backup(sealed, tmp_path / "back", [pyrage.x25519.Identity.generate()])


def test_a_backup_that_is_not_there_makes_no_directory(tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    with pytest.raises(FileNotFoundError):
        restore_backup(tmp_path / "missing.age", tmp_path / "back", [identity])
    assert not (tmp_path / "back").exists()


def test_a_cut_backup_is_refused(data: Path, tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    sealed = tmp_path / "copy.age"
    save_backup(data, sealed, [identity.to_public()])
    sealed.write_bytes(sealed.read_bytes()[:-100])
    with pytest.raises(BackupUnreadableError):
        restore_backup(sealed, tmp_path / "back", [identity])


def test_restoring_over_something_is_refused(data: Path, tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    sealed = tmp_path / "copy.age"
    save_backup(data, sealed, [identity.to_public()])
    with pytest.raises(RestoreTargetError):
        restore_backup(sealed, data, [identity])


@pytest.mark.parametrize("name", ["../outside", "/absolute", "a/../../b", "followers/sources.json", "backups/0.json"])
def test_a_hostile_archive_cannot_write_outside_the_target(
    name: str, tmp_path: Path, identity: pyrage.x25519.Identity
) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    sealed = tmp_path / "hostile.age"
    sealed.write_bytes(pyrage.encrypt(plain.getvalue(), [identity.to_public()]))
    with pytest.raises(BackupUnreadableError):
        restore_backup(sealed, tmp_path / "back", [identity])


def test_an_identity_file_names_the_line_that_is_not_an_identity(tmp_path: Path) -> None:
    file = tmp_path / "identity.txt"
    file.write_text("# mine\nnot an identity\n", encoding="utf-8")
    with pytest.raises(RecipientInvalidError) as caught:
        load_identities(file)
    assert caught.value.line == 2


def test_a_recipient_that_is_none_is_refused() -> None:
    with pytest.raises(RecipientInvalidError):
        parse_recipient("age1nonsense")


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["a", "a"], id="a file twice"),
        pytest.param(["a", "a/b"], id="a file below a file"),
        pytest.param(["."], id="the directory itself"),
        pytest.param(["a\0b"], id="a name with NUL"),
        pytest.param(["x" * 300], id="a name that no disk takes"),
        pytest.param(["keys/main.signing-key"], id="a signing key"),
        pytest.param(["tallystick.db"], id="what is made again"),
    ],
)
def test_what_no_backup_of_ours_holds_is_refused_and_not_a_traceback(tmp_path: Path, names: list[str]) -> None:
    members = [tarfile.TarInfo("plain") for _ in names]
    for member, name in zip(members, names, strict=True):
        member.pax_headers = {"path": name}
    _refused(tmp_path, members)


def test_a_file_with_holes_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    member = tarfile.TarInfo("sparse")
    sizes = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 50)}
    member.pax_headers = {"GNU.sparse.name": "sparse", **sizes}
    _refused(tmp_path, [member], b"1\n0\n1\n".ljust(512, b"\0") + b"x")


def _refused(tmp_path: Path, members: list[tarfile.TarInfo], content: bytes = b"x") -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    identity = pyrage.x25519.Identity.generate()
    sealed = tmp_path / "hostile.age"
    sealed.write_bytes(pyrage.encrypt(plain.getvalue(), [identity.to_public()]))
    with pytest.raises(BackupUnreadableError, match="the backup holds"):
        restore_backup(sealed, tmp_path / "restored", [identity])
