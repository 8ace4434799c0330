from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.verify_log import POLICY, SIGNER, SmallLog, decided_erasure, genesis

from tallystick.event.canonical import canonical_json
from tallystick.event.entry import format_entry
from tallystick.note import Ed25519Signer, format_proof, parse_proof
from tallystick.verify.anchors import Anchor, Trust
from tallystick.verify.codes import Code
from tallystick.verify.model import CouldNotCheckError, ExitStatus, Report, Tier
from tallystick.verify.package import verify_package
from tallystick.verify.package_format import Evidence, format_package
from tallystick.verify.service import unwatched, verify_target

PINNED = Trust(keys=(SIGNER.verifier,))
CREATED = "2027-01-15T08:00:00Z"


def package(
    log: SmallLog,
    indexes: list[int],
    *,
    complete: tuple[tuple[int, int], ...] = (),
    cosigned: bool = False,
    bare: tuple[int, ...] = (),
    masked: tuple[int, ...] = (),
) -> bytes:
    proofs = []
    for index in indexes:
        proof = log.proof(index, cosigned=cosigned, personal=index not in masked)
        if index in bare:
            proof = format_proof(dataclasses.replace(parse_proof(proof), extra=format_entry(log.rows[index].entry())))
        proofs.append((index, proof))
    note = log.checkpoint + (log.cosignature() if cosigned else b"")
    return format_package(Evidence(note, (SIGNER.vkey,), proofs, CREATED, complete, {"query": "actor:ana"}))


def check(tmp_path: Path, data: bytes, trust: Trust = PINNED) -> Report:
    path = tmp_path / "evidence.zip"
    path.write_bytes(data)
    return verify_package(path, trust, unwatched)


def repacked(data: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """Return the package with its files changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


def test_a_package_shows_its_events_and_says_how_far_it_is_complete(tmp_path: Path) -> None:
    report = check(tmp_path, package(SmallLog(9), [2, 3, 4, 8], complete=((2, 3),)))
    assert report.exit_status is ExitStatus.HOLDS, report.sentence
    assert (report.checked, report.withheld, report.size, report.tier) == (4, 0, 9, Tier.SELF_CONSISTENT)
    assert "complete for 1 ranges" in report.sentence
    assert report.details["about"] == {"query": "actor:ana"}


def test_the_same_evidence_gives_the_same_bytes() -> None:
    assert package(SmallLog(9), [1, 2]) == package(SmallLog(9), [1, 2])


def test_witnesses_make_a_package_witnessed(tmp_path: Path) -> None:
    report = check(tmp_path, package(SmallLog(9), [1], cosigned=True), Trust(policy=POLICY))
    assert (report.exit_status, report.tier) == (ExitStatus.HOLDS, Tier.WITNESSED)
    alone = check(tmp_path, package(SmallLog(9), [1]), Trust(policy=POLICY))
    assert alone.findings[0].code is Code.POLICY_NOT_MET


def test_kept_checkpoints_are_compared_as_far_as_a_package_allows(tmp_path: Path) -> None:
    log = SmallLog(9)
    fork = SmallLog(9, facts={2: b"{}"})
    keys = PINNED.keys

    def against(note: bytes) -> Report:
        return check(tmp_path, package(log, [1]), Trust(keys=keys, against=(Anchor("kept", note, outside=True),)))

    same = against(log.checkpoint)
    assert (same.exit_status, same.tier, same.tier_size) == (ExitStatus.HOLDS, Tier.ANCHORED, 9)
    assert against(fork.checkpoint).findings[0].code is Code.ANCHOR_DIFFERS
    smaller = against(SmallLog(7).checkpoint)
    assert (smaller.exit_status, smaller.tier) == (ExitStatus.HOLDS, Tier.SELF_CONSISTENT)
    assert "only the log itself" in smaller.remarks[0]
    assert against(b"nonsense").findings[0].code is Code.ANCHOR_UNSIGNED


def test_a_package_judged_by_the_key_it_brings_says_so(tmp_path: Path) -> None:
    report = check(tmp_path, package(SmallLog(9), [1]), Trust())
    assert report.exit_status is ExitStatus.HOLDS
    assert "the key that it brings itself" in report.remarks[0]


def test_a_package_of_another_log_is_not_believed(tmp_path: Path) -> None:
    other = Trust(keys=(Ed25519Signer("example.org/log", bytes(32)).verifier,))
    assert check(tmp_path, package(SmallLog(9), [1]), other).exit_status is ExitStatus.FINDING


def test_masked_personal_parts_count_as_withheld(tmp_path: Path) -> None:
    report = check(tmp_path, package(SmallLog(9), [1, 2], masked=(2,)))
    assert (report.exit_status, report.checked, report.withheld) == (ExitStatus.WITHHELD, 2, 1)
    assert "checked 2, withheld 1" in report.sentence


def test_a_range_called_complete_has_every_event(tmp_path: Path) -> None:
    report = check(tmp_path, package(SmallLog(9), [2, 4], complete=((2, 3),)))
    assert [(each.code, each.index) for each in report.findings] == [(Code.CONTENT_MISSING, 3)]


def erased_log(approver: str = "ben") -> SmallLog:
    return SmallLog(12, more={**genesis(), **decided_erasure(9, [[5, 2]], "all", approver=approver)})


def test_an_erasure_in_the_package_accounts_for_what_is_gone(tmp_path: Path) -> None:
    data = package(erased_log(), list(range(12)), complete=((0, 12),), bare=(5, 6))
    report = check(tmp_path, data)
    assert report.exit_status is ExitStatus.HOLDS, report.sentence
    assert (report.checked, report.erased, report.withheld) == (10, 2, 0)
    assert "hold" in report.remarks[-1]


def test_an_erasure_without_a_second_person_accounts_for_nothing(tmp_path: Path) -> None:
    data = package(erased_log(approver="ana"), list(range(12)), complete=((0, 12),), bare=(5, 6))
    report = check(tmp_path, data)
    assert report.findings[0].code is Code.CONTENT_MISSING
    assert "fewer than two people" in report.findings[0].message


def test_a_forged_product_event_is_found(tmp_path: Path) -> None:
    rows = decided_erasure(4, [[1, 1]], "all")
    rows[6] = dataclasses.replace(rows[6], source=1)
    report = check(tmp_path, package(SmallLog(9, more=rows), [6]))
    assert report.findings[0].code is Code.PRODUCT_FORGED


def _exchange(files: dict[str, bytes]) -> None:
    one, other = "events/2.tlog-proof", "events/3.tlog-proof"
    files[one], files[other] = files[other], files[one]


def _relist(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["package.json"])
    manifest["events"] = manifest["events"][1:]
    files["package.json"] = canonical_json(manifest)


def _lie_about_the_size(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["package.json"])
    manifest["size"] = 8
    files["package.json"] = canonical_json(manifest)


def _other_checkpoint(files: dict[str, bytes]) -> None:
    files["checkpoint"] = SmallLog(7).checkpoint


@pytest.mark.parametrize(
    "change",
    [
        _exchange,
        _relist,
        _lie_about_the_size,
        _other_checkpoint,
        lambda files: files.pop("events/2.tlog-proof"),
        lambda files: files.pop("checkpoint"),
        lambda files: files.pop("package.json"),
        lambda files: files.update({"readme.txt": b"hello"}),
        lambda files: files.update({"package.json": files["package.json"] + b" "}),
        lambda files: files.update({"package.json": b"[]"}),
        lambda files: files.update({"package.json": b'{"format":2}'}),
        lambda files: files.update({"events/2.tlog-proof": files["events/2.tlog-proof"] + b"\n"}),
    ],
)
def test_no_file_of_a_package_can_be_changed(change: Callable[[dict[str, bytes]], object], tmp_path: Path) -> None:
    data = repacked(package(SmallLog(9), [2, 3]), change)
    assert check(tmp_path, data).exit_status is ExitStatus.FINDING


def test_what_is_no_zip_is_a_finding_and_what_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    report = check(tmp_path, b"hello")
    assert report.findings[0].code is Code.PACKAGE_WRONG
    assert "hello" not in report.sentence
    with pytest.raises(CouldNotCheckError):
        verify_target(str(tmp_path / "nothing.zip"), PINNED)


def test_a_damaged_zip_never_holds(tmp_path: Path) -> None:
    data = package(SmallLog(9), [2, 3])
    for at in range(0, len(data), 37):
        broken = bytearray(data)
        broken[at] ^= 0x55
        report = check(tmp_path, bytes(broken))
        assert report.findings or report.checked == 2, at
