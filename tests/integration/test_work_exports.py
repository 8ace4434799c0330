"""Exports in the background: what they hold, who gets them, and what a crash, a full disk or an end of rights does."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from tests.work_world import DAY_S, READS, WorkWorld, person, work_world

from tallystick.access.permissions import Permission
from tallystick.errors import PermissionMissingError, StorageFullError
from tallystick.exporting import EventFiles
from tallystick.note.vkey import parse_log_vkey
from tallystick.query.errors import PersonalWithheldError, QueryError
from tallystick.search.export import UnknownFormatError, export_events
from tallystick.search.model import Search
from tallystick.verify.anchors import Trust
from tallystick.verify.package import verify_package
from tallystick.work.errors import ExportNotFoundError, ExportNotReadyError, ExportsWaitingError
from tallystick.work.model import Progress, Question, State
from tallystick.work.ports import Prepared

ANA, BO = person("ana"), person("bo")
MANAGER = person("cy", may=[*READS, Permission.EXPORTS_MANAGE])
EVERYTHING = Question(reading=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WorkWorld]:
    with work_world(tmp_path) as made:
        yield made


def fetched(world: WorkWorld, export_id: str, caller: Any = ANA) -> bytes:
    with world.exports.open(caller, export_id).file as file:
        return file.read()


@pytest.mark.parametrize("format_name", ["csv", "jsonl"])
def test_a_file_holds_what_an_export_through_the_api_would(world: WorkWorld, format_name: str) -> None:
    question = Question(text="outcome:failure", scope="acme")
    expected = b"".join(
        export_events(world.service, world.ledger, Search(text="outcome:failure", scope="acme"), ANA, format_name)
    )
    export_id = world.exports.request(ANA, question, format_name)
    assert world.exports.get(ANA, export_id).state is State.REQUESTED
    world.make()
    data = fetched(world, export_id)
    rows = [line for line in data.splitlines() if b"checkpoint" not in line]
    assert rows == [line for line in expected.splitlines() if b"checkpoint" not in line]
    export = world.exports.get(ANA, export_id)
    assert (export.state, export.bytes, export.sha256) == (
        State.FINISHED,
        len(data),
        hashlib.sha256(data).hexdigest(),
    )
    assert export.events == len(rows) - (2 if format_name == "jsonl" else 1) + (format_name == "jsonl")
    world.projection.rebuild()
    assert world.exports.get(ANA, export_id) == export


def test_a_package_is_verified_without_the_server(world: WorkWorld, tmp_path: Path) -> None:
    world.ledger.advance()
    export_id = world.exports.request(ANA, Question(text="outcome:failure"), "package")
    world.make()
    file = tmp_path / "evidence.zip"
    file.write_bytes(fetched(world, export_id))
    report = verify_package(file, Trust(keys=tuple(map(parse_log_vkey, world.ledger.vkeys))), lambda *_: None)
    assert not report.findings
    assert report.checked == world.exports.get(ANA, export_id).events
    assert json.loads(zipfile.ZipFile(file).read("package.json"))["about"]["query"] == "outcome:failure"


def test_a_package_of_who_may_not_see_personal_data_withholds_it(world: WorkWorld, tmp_path: Path) -> None:
    world.ledger.advance()
    masked = person("ana", may=[Permission.EVENTS_READ, Permission.EVENTS_EXPORT, Permission.PROOFS_READ])
    export_id = world.exports.request(masked, Question(), "package")
    world.make()
    file = tmp_path / "evidence.zip"
    file.write_bytes(fetched(world, export_id, masked))
    report = verify_package(file, Trust(keys=tuple(map(parse_log_vkey, world.ledger.vkeys))), lambda *_: None)
    assert report.withheld
    with zipfile.ZipFile(file) as archive:
        assert b"Ana Lima" not in b"".join(archive.read(name) for name in archive.namelist())


def test_what_may_not_be_exported_is_refused_before_it_is_requested(world: WorkWorld) -> None:
    viewer = person("ana", may=[Permission.EVENTS_READ])
    masked = person("ana", may=[Permission.EVENTS_READ, Permission.EVENTS_EXPORT])
    for caller, question, format_name, error in (
        (viewer, Question(), "csv", PermissionMissingError),
        (masked, Question(), "package", PermissionMissingError),
        (masked, Question(text="ip:10.0.0.1"), "csv", PersonalWithheldError),
        (ANA, Question(text="("), "csv", QueryError),
        (ANA, Question(), "xlsx", UnknownFormatError),
    ):
        with pytest.raises(error):
            world.exports.request(caller, question, format_name)
    assert world.actions() == []


def test_nobody_else_sees_cancels_deletes_or_fetches_an_export(world: WorkWorld) -> None:
    export_id = world.exports.request(ANA, Question(), "csv")
    service = person("ana")
    others = (BO, person("cy", "acme", may=[*READS, Permission.EXPORTS_MANAGE]))
    for _ in range(2):
        for caller in others:
            assert world.exports.listed(caller) == []
            for ask in (world.exports.get, world.exports.cancel, world.exports.delete, world.exports.open):
                with pytest.raises(ExportNotFoundError):
                    ask(caller, export_id)
        world.make()
    assert [each.export for each in world.exports.listed(service)] == [export_id]
    for guessed in ("", "x-", export_id[:-1], f"{export_id}0", "../secrets.db", export_id.upper()):
        with pytest.raises(ExportNotFoundError):
            world.exports.open(ANA, guessed)


def test_who_manages_exports_sees_and_deletes_those_of_others_and_is_on_record(world: WorkWorld) -> None:
    export_id = world.exports.request(ANA, Question(), "csv")
    world.make()
    with pytest.raises(PermissionMissingError):
        world.exports.listed(BO, everyone=True)
    assert [each.export for each in world.exports.listed(MANAGER, everyone=True)] == [export_id]
    assert world.looks == ["exports"]
    assert world.exports.listed(MANAGER) == []
    world.exports.delete(MANAGER, export_id)
    assert world.files() == []
    assert world.exports.get(ANA, export_id).state is State.DELETED


def test_a_download_needs_the_rights_of_the_request_still_and_each_is_on_record(world: WorkWorld) -> None:
    export_id = world.exports.request(ANA, Question(scope="acme"), "csv")
    world.make()
    world.recorded.clear()
    fetched(world, export_id)
    fetched(world, export_id, person("ana", "acme"))
    assert [fields["action"] for fields in world.recorded] == ["export.downloaded"] * 2
    assert world.recorded[0]["metadata"]["sha256"] == world.exports.get(ANA, export_id).sha256
    for lesser in (
        person("ana", "acme/payments"),
        person("ana", "acme", may=[Permission.EVENTS_READ, Permission.EVENTS_EXPORT]),
        person("ana", may=()),
        person("cy", "globex", more=[(Permission.EXPORTS_MANAGE, "")]),
    ):
        with pytest.raises(PermissionMissingError):
            world.exports.open(lesser, export_id)
    assert len(world.recorded) == 2


def test_an_export_with_own_events_is_for_its_owner_alone(world: WorkWorld) -> None:
    own = [(Permission.EVENTS_READ_OWN, "acme")]
    ana = person("ana", "acme", may=[Permission.EVENTS_READ, Permission.EVENTS_EXPORT], more=own)
    manager = person("cy", may=[*READS, Permission.EXPORTS_MANAGE, Permission.EVENTS_READ_OWN])
    export_id = world.exports.request(ana, Question(scope="acme"), "jsonl")
    world.make()
    rows = [json.loads(line) for line in fetched(world, export_id, ana).splitlines()[1:-1]]
    mine = [row for row in rows if not row["withheld"] and "ip" in row["event"].get("context", {})]
    assert mine
    assert {row["event"]["actor"]["id"] for row in mine} <= {"ana", "ana@example.org"}
    with pytest.raises(PermissionMissingError, match=r"read_own"):
        world.exports.open(manager, export_id)


def test_a_file_is_gone_after_seven_days_even_before_it_is_deleted(world: WorkWorld) -> None:
    export_id = world.exports.request(ANA, Question(), "csv")
    world.make()
    world.clock.advance(7 * DAY_S - 60)
    fetched(world, export_id)
    world.worker.expire()
    assert len(world.files()) == 1
    world.clock.advance(120)
    with pytest.raises(ExportNotReadyError):
        world.exports.open(ANA, export_id)
    world.worker.expire()
    world.worker.expire()
    assert world.files() == []
    assert world.exports.get(ANA, export_id).state is State.EXPIRED
    assert world.actions() == ["export.requested", "export.finished", "export.deleted"]


def test_a_cancelled_export_is_not_made(world: WorkWorld) -> None:
    first, second = (world.exports.request(ANA, Question(), "csv") for _ in range(2))
    world.exports.cancel(ANA, first)
    world.make()
    assert world.exports.get(ANA, first).state is State.CANCELLED
    assert world.exports.get(ANA, second).state is State.FINISHED
    for export_id in (first, second):
        with pytest.raises(ExportNotReadyError):
            world.exports.cancel(ANA, export_id)


def test_ten_exports_may_wait(world: WorkWorld) -> None:
    waiting = [world.exports.request(ANA, Question(), "csv") for _ in range(10)]
    with pytest.raises(ExportsWaitingError):
        world.exports.request(ANA, Question(), "csv")
    world.exports.request(BO, Question(), "csv")
    world.exports.cancel(ANA, waiting[0])
    world.exports.request(ANA, Question(), "csv")


class Meddling(EventFiles):
    """Makes exports, and lets something happen in the middle of one."""

    def __init__(self, world: WorkWorld, meanwhile: Callable[[], object]) -> None:
        super().__init__(world.service, world.ledger, world.clock)
        self._meanwhile = meanwhile

    def prepare(self, question: Question, caller: Any, format_name: str) -> Prepared:
        events, write = super().prepare(question, caller, format_name)

        def interrupted(sink: BinaryIO, count: Callable[[int], None]) -> None:
            sink.write(b"half a file")
            self._meanwhile()
            count(1)
            write(sink, count)

        return Prepared(events, interrupted)


def test_progress_is_told_and_a_cancelled_export_stops_midway(world: WorkWorld) -> None:
    seen: list[Progress | None] = []

    def meanwhile() -> None:
        seen.append(world.exports.get(ANA, export_id).progress)
        world.exports.cancel(ANA, export_id)

    world.open(Meddling(world, meanwhile))
    export_id = world.exports.request(ANA, Question(), "csv")
    assert world.exports.get(ANA, export_id).progress is None
    world.make()
    total = world.recorded[-1]["metadata"]["rows"]
    assert total > 50
    assert seen == [Progress(0, total, 0)]
    assert world.files() == []
    assert world.actions()[-1] == "export.cancelled"


def test_a_full_disk_fails_the_export_and_leaves_nothing_of_it(world: WorkWorld) -> None:
    full: list[Exception] = [StorageFullError("no room"), OSError(28, "No space left on device")]

    def meanwhile() -> None:
        raise full.pop()

    world.open(Meddling(world, meanwhile))
    for _ in range(2):
        export_id = world.exports.request(ANA, Question(), "csv")
        world.make()
        export = world.exports.get(ANA, export_id)
        assert (export.state, export.code) == (State.FAILED, "storage-full")
        assert world.files() == []
        with pytest.raises(ExportNotReadyError):
            world.exports.open(ANA, export_id)


def test_a_fault_of_ours_fails_one_export_and_the_next_is_made(world: WorkWorld) -> None:
    faults: list[Callable[[], object]] = [lambda: None, lambda: 1 // 0]
    world.open(Meddling(world, lambda: faults.pop()()))  # noqa: PLW0108 - a later one each time
    first, second = (world.exports.request(ANA, Question(), "csv") for _ in range(2))
    world.make()
    assert (world.exports.get(ANA, first).state, world.exports.get(ANA, first).code) == (State.FAILED, "unexpected")
    assert world.exports.get(ANA, second).state is State.FINISHED


class Killed(BaseException):
    """The process ends here."""


def test_an_export_that_a_crash_interrupted_is_made_again_with_the_rights_it_was_asked_with(world: WorkWorld) -> None:
    def die() -> None:
        raise Killed

    masked = person("ana", "acme", may=[Permission.EVENTS_READ, Permission.EVENTS_EXPORT])
    world.open(Meddling(world, die))
    export_id = world.exports.request(masked, EVERYTHING, "jsonl")
    part = world.exports_folder / f"{export_id}.jsonl.part"
    with pytest.raises(Killed):
        world.worker.make_next()
    part.write_bytes(b"torn")  # a killed process removes nothing
    (world.exports_folder / "x-unknown.csv").write_bytes(b"of a request that never was")
    world.open()
    assert world.files() == []
    world.make()
    rows = [json.loads(line) for line in fetched(world, export_id, masked).splitlines()[1:-1]]
    assert rows
    assert all(row["event"]["scope"].split("/")[0] == "acme" for row in rows)
    assert all("ip" not in row["event"].get("context", {}) for row in rows)
    assert world.recorded[-2]["action"] == "events.exported"
    assert world.recorded[-2]["actor"] == {"id": "ana", "type": "user"}
    assert world.recorded[-2]["context"]["session_id"] == "s-ana"


def test_a_crash_between_file_and_event_makes_the_export_again(
    world: WorkWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = world.exports.request(ANA, Question(), "csv")
    append = world.append

    def die(events: Any) -> None:
        raise Killed

    monkeypatch.setattr(world.exports.commands, "_append", die)
    with pytest.raises(Killed):
        world.worker.make_next()
    assert world.files() == [f"{export_id}.csv"]
    world.append = append  # type: ignore[method-assign]
    world.open()
    assert world.files() == []
    world.make()
    assert world.files() == [f"{export_id}.csv"]
    assert world.exports.get(ANA, export_id).state is State.FINISHED


def test_an_export_whose_question_was_erased_fails_and_stays_in_the_list(world: WorkWorld) -> None:
    export_id = world.exports.request(ANA, Question(text="actor:ana"), "csv")
    world.forget_personal()
    world.make()
    export = world.exports.get(ANA, export_id)
    assert (export.state, export.code, export.question) == (State.FAILED, "question-erased", None)


def test_files_are_for_the_server_alone(world: WorkWorld) -> None:
    world.exports.request(ANA, Question(), "csv")
    world.make()
    assert world.exports_folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in world.exports_folder.iterdir()} == {0o600}


def test_facts_of_an_export_name_no_question_and_no_address(world: WorkWorld) -> None:
    world.exports.request(ANA, Question(text="actor:ana"), "csv")
    facts = b"".join(each.facts or b"" for each in world.disclosures() if each.class_number == 1)
    assert b"export.requested" in facts
    for personal in (b"actor:ana", b"ana@example.org", b"192.0.2.5"):
        assert personal not in facts


def test_the_worker_makes_what_is_asked_for_while_it_runs_and_stops(world: WorkWorld) -> None:
    with world.worker:
        export_id = world.exports.request(ANA, Question(), "csv")
        world.wait_until(lambda: world.exports.get(ANA, export_id).state is State.FINISHED)
    world.exports.request(ANA, Question(), "csv")
    assert len(world.files()) == 1
