"""Reviews as files, and the package that verifies without the server: every lie in it is named."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.review_world import World, review_world

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.errors import PermissionMissingError
from tallystick.event.canonical import canonical_json
from tallystick.review.errors import ReviewInvalidError
from tallystick.review.model import Review
from tallystick.verify.anchors import Trust
from tallystick.verify.model import Report
from tallystick.verify.package import verify_package


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with review_world(tmp_path_factory.mktemp("house")) as world:
        world.send(
            {"action": "user.sign_in_failed", "outcome": "denied", "reason": "=1+1"}, {"action": "privilege.elevated"}
        )
        world.caller("lea")
        world.caller("mia")
        world.caller("rea", ("compliance-manager", "acme"))
        yield world


@pytest.fixture(scope="module")
def signed(world: World) -> Review:
    review = world.open_review()
    lea, mia = world.caller("lea"), world.caller("mia")
    world.mark_all(review, lea, mia)
    world.room.reviewing.mark(lea, review.id, "alerts", review.digest, "finding", "<b>odd</b> & \u202e")
    world.room.reviewing.open_follow_up(
        lea, review.id, section="alerts", owner="ops", text="look again", due_us=world.clock.now_us() + 1_000_000
    )
    world.room.reviewing.sign(lea, review.id, review.digest)
    return review


@pytest.fixture(scope="module")
def package(world: World, signed: Review, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "review.zip"
    path.write_bytes(world.room.files.make(OPERATOR, signed.id, "package").data)
    return path


def verified(path: Path) -> Report:
    return verify_package(path, Trust(), lambda *_: None)


def rewritten(package: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Return the package with files changed, and its own list made to fit: only the content can tell."""
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    manifest = json.loads(files["package.json"])
    manifest["review"] = sha256(files["review.json"]).hexdigest()
    manifest["events"] = [each for each in manifest["events"] if f"events/{each['index']}.tlog-proof" in files]
    files["package.json"] = canonical_json(manifest)
    made = tmp_path / "changed.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made


def edited(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    def apply(files: dict[str, bytes]) -> None:
        told = json.loads(files["review.json"])
        change(told)
        files["review.json"] = canonical_json(told)

    return apply


def without(index: int) -> Callable[[dict[str, bytes]], None]:
    """Return what takes the proof of an event out of a package."""

    def apply(files: dict[str, bytes]) -> None:
        del files[f"events/{index}.tlog-proof"]

    return apply


def test_a_signed_review_verifies_without_the_server(world: World, package: Path) -> None:
    report = verified(package)
    assert not report.findings
    assert any("signs the review (first signature)" in each for each in report.remarks)
    assert not any("not in the package" in each for each in report.remarks)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told["sections"]["failed_sign_ins"].clear(), "failed_sign_ins: these are not the rows"),
        (lambda told: told["sections"]["sample"].pop(), "sample: these are not the rows"),
        (lambda told: told["consistency"].reverse(), "not one of this log"),
        (lambda told: told.update(consistency=[]), "not one of this log"),
        (lambda told: told.update(review="d-0.2027-W02"), "that event opened"),
        (lambda told: told.update(opened=0), "is not in the package"),
    ],
    ids=["row left out", "sample shortened", "proof reversed", "no proof", "another review", "another event"],
)
def test_a_package_that_says_something_else_than_the_log_is_found_out(
    world: World, package: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    report = verified(rewritten(package, tmp_path, edited(change)))
    assert [each.code for each in report.findings] == ["review-wrong"]
    assert message in report.findings[0].message


def test_a_mark_left_out_makes_the_signature_one_under_something_else(
    world: World, package: Path, tmp_path: Path
) -> None:
    last = world.product("review.section_marked")[-1].index
    report = verified(rewritten(package, tmp_path, without(last)))
    assert any("signs other marks" in each.message for each in report.findings)


def test_events_left_out_of_a_section_are_counted(world: World, package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        gone = json.loads(archive.read("review.json"))["sections"]["failed_sign_ins"][0][0]
    report = verified(rewritten(package, tmp_path, without(gone)))
    assert "1 of 1 events of failed_sign_ins are not in the package" in report.remarks


def test_a_package_without_its_review_file_is_refused(world: World, package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name != "review.json"}
    made = tmp_path / "without.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert [each.code for each in verified(made).findings] == ["package-wrong"]


def test_the_page_to_print_stands_alone_and_escapes_what_people_wrote(world: World, signed: Review) -> None:
    page = world.room.files.make(OPERATOR, signed.id, "html").data.decode()
    assert "&lt;b&gt;odd&lt;/b&gt; &amp; " in page
    assert "<b>" not in page
    assert "\u202e" not in page
    assert not any(each in page for each in ("<script", "http://", "https://", "<img", "<link"))
    assert signed.digest in page


def test_the_table_neutralises_formulas_and_holds_every_section(world: World, signed: Review) -> None:
    text = world.room.files.make(OPERATOR, signed.id, "csv").data.decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    assert {each["section"] for each in lines if each["what"] == "section"} == {
        each.section for each in signed.sections
    }
    assert not any(cell.startswith(("=", "+", "-", "@")) for each in lines for cell in each.values())
    assert [each["verdict"] for each in lines if each["what"] == "signature"] == ["in time"]


def test_json_holds_the_rows_as_the_reader_may_see_them(world: World, signed: Review) -> None:
    told = json.loads(world.room.files.make(OPERATOR, signed.id, "json").data)
    failed = next(each for each in told["sections"] if each["section"] == "failed_sign_ins")
    assert (failed["count"], len(failed["rows"])) == (1, 1)
    assert told["digest"] == signed.digest


def test_every_export_is_an_event_with_the_digest_of_the_file(world: World, signed: Review) -> None:
    made = world.room.files.make(OPERATOR, signed.id, "csv")
    said = world.product("review.exported")[-1].metadata
    assert (said["format"], said["sha256"], said["bytes"]) == ("csv", sha256(made.data).hexdigest(), len(made.data))


def test_there_is_no_other_format(world: World, signed: Review) -> None:
    with pytest.raises(ReviewInvalidError):
        world.room.files.make(OPERATOR, signed.id, "pdf")


def test_a_package_needs_the_right_to_export_and_to_prove(world: World, signed: Review) -> None:
    rea = reader(world)
    with pytest.raises(PermissionMissingError):
        world.room.files.make(rea, signed.id, "package")


def reader(world: World) -> Caller:
    """Return somebody who may read reviews of everything, and events of one scope."""
    rights = Rights.of([(Permission.REVIEWS_READ, ""), (Permission.EVENTS_READ, "acme/intranet")])
    return replace(world.caller("rea"), rights=rights)


def test_rows_are_shown_by_the_readers_own_rights(world: World, signed: Review) -> None:
    found = world.room.looking.section(reader(world), signed.id, "sample")
    assert found.page is not None
    assert {row.event["scope"] for row in found.page.rows} <= {"acme/intranet"}
    assert len(found.page.rows) < found.section.count
    everything = world.room.looking.section(OPERATOR, signed.id, "sample")
    assert everything.page is not None
    assert len(everything.page.rows) == len(everything.section.drawn or ())
    names = {each.name for each in world.room.looking.get(reader(world), signed.id).marks}
    assert names == {None}
