from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest
from tests.verify_log import POLICY, SIGNER, SmallLog, decided_erasure, genesis, without_personal

from tallystick.event.disclosure import Disclosure, format_disclosure
from tallystick.merkle import entries_path, format_entry_bundle
from tallystick.note import Ed25519Signer
from tallystick.verify import fetch
from tallystick.verify.anchors import Anchor, Trust
from tallystick.verify.codes import Code
from tallystick.verify.model import CouldNotCheckError, ExitStatus, Report, Tier
from tallystick.verify.service import unwatched
from tallystick.verify.url import verify_url

SIZE = 300


@dataclass
class Server:
    """Serves a log as the product does, or as somebody who lies would: `disclosed` maps each row to what is shown."""

    log: SmallLog
    entries: bool = True
    content: bool = True
    disclosed: Callable[[Disclosure], Disclosure | None] = lambda row: row
    page: int = 7
    override: Callable[[str, int], bytes | None] = lambda path, times: None
    asked: dict[str, int] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v1/")
        if self.statuses:
            return httpx.Response(self.statuses.pop(0))
        if path == "disclosures":
            return self._disclosures(int(request.url.params["after_index"]))
        path = path.removeprefix("log/")
        self.asked[path] = self.asked.get(path, 0) + 1
        if path.startswith("tile/entries/") and not self.entries:
            return httpx.Response(403)
        data = self.override(path, self.asked[path])
        data = self.log.files.get(path) if data is None else data
        return httpx.Response(404) if data is None else httpx.Response(200, content=data)

    def _disclosures(self, after: int) -> httpx.Response:
        if not self.content:
            return httpx.Response(401)
        rows = self.log.rows[after + 1 : after + 1 + self.page]
        shown = [row for row in map(self.disclosed, rows) if row is not None]
        body = b"".join(format_disclosure(row) + b"\n" for row in shown)
        looked_at = rows[-1].index if rows else after
        return httpx.Response(200, content=body, headers={fetch.NEXT_AFTER: str(looked_at)})


def check(server: Server, trust: Trust | None = None) -> Report:
    transport = httpx.MockTransport(server.answer)
    return verify_url("https://log.example.org/", trust or Trust(), unwatched, token="t", transport=transport)


def whole() -> SmallLog:
    return SmallLog(SIZE, more=genesis())


def test_a_log_that_is_shown_whole_holds() -> None:
    report = check(Server(whole()))
    assert report.exit_status is ExitStatus.HOLDS, report.sentence
    assert (report.checked, report.withheld, report.size, report.tier) == (SIZE, 0, SIZE, Tier.SELF_CONSISTENT)


def test_anchors_and_witnesses_count_as_in_a_directory() -> None:
    log = whole()
    older = SmallLog(100, more=genesis())
    kept = Anchor("kept", older.checkpoint, outside=True)
    log.files["checkpoint.witnessed"] = log.checkpoint + log.cosignature(1_800_000_600)
    report = check(Server(log), Trust(against=(kept,)))
    assert (report.exit_status, report.tier, report.tier_size) == (ExitStatus.FINDING, Tier.SELF_CONSISTENT, 0)
    assert report.findings[0].code is Code.ANCHOR_DIFFERS, "a log of other events is another history"
    report = check(Server(log), Trust(policy=POLICY))
    assert (report.exit_status, report.tier, report.tier_size) == (ExitStatus.HOLDS, Tier.WITNESSED, SIZE)


def test_a_reader_of_part_of_the_log_is_told_how_much_was_withheld() -> None:
    server = Server(whole(), entries=False, disclosed=lambda row: row if row.index % 3 == 0 else None)
    report = check(server)
    assert report.exit_status is ExitStatus.WITHHELD
    assert (report.checked, report.withheld) == (100, 200)
    assert "checked 100, withheld 200" in report.sentence


def test_a_reader_without_the_right_to_personal_data_still_checks_the_facts() -> None:
    report = check(Server(whole(), disclosed=without_personal))
    assert (report.exit_status, report.checked, report.withheld) == (ExitStatus.WITHHELD, SIZE, SIZE)


def test_a_reader_without_a_token_checks_the_tree_and_must_know_the_key() -> None:
    server = Server(whole(), entries=False, content=False)
    with pytest.raises(CouldNotCheckError, match="which names its key"):
        check(server)
    report = check(server, Trust(keys=(SIGNER.verifier,)))
    assert (report.exit_status, report.checked, report.withheld) == (ExitStatus.WITHHELD, 0, SIZE)
    other = Trust(keys=(Ed25519Signer(SIGNER.name, bytes(32)).verifier,))
    assert check(server, other).exit_status is ExitStatus.FINDING


def test_what_an_erasure_accounts_for_is_not_withheld() -> None:
    log = SmallLog(SIZE, more={**genesis(), **decided_erasure(200, [[50, 5]], "all")})
    report = check(Server(log, disclosed=lambda row: None if 50 <= row.index < 55 else row))
    assert (report.exit_status, report.erased, report.withheld) == (ExitStatus.HOLDS, 5, 0)
    assert report.erasures[0].covers == 5
    hidden = check(Server(log, disclosed=lambda row: None if 50 <= row.index < 56 else row))
    assert (hidden.exit_status, hidden.erased, hidden.withheld) == (ExitStatus.WITHHELD, 5, 1)


@pytest.mark.parametrize("member", ["facts", "personal", "salt1", "id", "received_at", "source", "class_number"])
def test_a_server_cannot_show_another_event_than_the_log_has(member: str) -> None:
    log = whole()
    changed = {member: 9 if isinstance(getattr(log.rows[7], member), int) else getattr(log.rows[8], member)}
    report = check(
        Server(log, disclosed=lambda row: dataclasses.replace(row, **changed) if row.index == 7 else row)  # type: ignore[arg-type]
    )
    assert (report.findings[0].code, report.findings[0].index) == (Code.CONTENT_DIFFERS, 7)


def test_a_server_cannot_show_one_event_twice() -> None:
    log = whole()
    report = check(Server(log, disclosed=lambda row: log.rows[3] if row.index == 7 else row))
    assert report.findings[0].code is Code.CONTENT_TWICE


def test_a_missing_or_changed_tile_is_found() -> None:
    log = whole()
    for path, code in (("tile/1/000.p/1", Code.TILE_MISSING), (entries_path(1, 44), Code.BUNDLE_MISSING)):
        broken = whole()
        del broken.files[path]
        assert check(Server(broken)).findings[0].code is code
    log.files["tile/0/000"] = bytes(32) + log.files["tile/0/000"][32:]
    assert check(Server(log)).findings[0].code is Code.TILE_DIFFERS
    assert check(Server(log, entries=False)).findings[0].code in (Code.TILE_DIFFERS, Code.ROOT_DIFFERS)


def test_a_server_that_answers_otherwise_the_second_time_gains_nothing() -> None:
    log = whole()
    fork = SmallLog(SIZE, more=genesis(), facts={7: b'{"action":"another"}'})
    kept = Anchor("kept", SmallLog(100, more=genesis(), facts={7: b'{"action":"another"}'}).checkpoint, outside=True)

    def second_face(path: str, times: int) -> bytes | None:
        return fork.files.get(path) if times > 1 and not path.startswith(("checkpoint", "tile/entries")) else None

    report = check(Server(log, override=second_face), Trust(against=(kept,)))
    assert report.findings[0].code is Code.ANCHOR_DIFFERS


def test_entries_from_a_second_answer_do_not_date_an_event() -> None:
    log = SmallLog(SIZE, more={**genesis(), **decided_erasure(200, [[50, 5]], "all")})
    lie = format_entry_bundle([b"\x01" + entry[1:8] + bytes(8) + entry[16:] for entry in log.entries[:256]])

    def second_face(path: str, times: int) -> bytes | None:
        return lie if path == entries_path(0) and times > 2 else None

    report = check(Server(log, override=second_face, disclosed=lambda row: None if 50 <= row.index < 55 else row))
    assert report.exit_status in (ExitStatus.HOLDS, ExitStatus.WITHHELD)


def test_a_forged_product_event_and_an_id_used_twice_are_found() -> None:
    rows = decided_erasure(200, [[50, 5]], "all")
    rows[202] = dataclasses.replace(rows[202], source=1)
    assert check(Server(SmallLog(SIZE, more={**genesis(), **rows}))).findings[0].code is Code.PRODUCT_FORGED
    log = whole()
    log.rows[9] = dataclasses.replace(log.rows[9], id=log.rows[8].id)
    log.build()
    assert check(Server(log)).findings[0].code is Code.ID_TWICE


def test_an_unregistered_source_is_found() -> None:
    beginning = genesis()
    del beginning[3]
    assert check(Server(SmallLog(SIZE, more=beginning))).findings[0].code is Code.SOURCE_UNDEFINED


def test_a_server_without_a_checkpoint_or_with_a_false_one_is_a_finding() -> None:
    log = whole()
    log.files["checkpoint"] = b"hello"
    assert check(Server(log)).findings[0].code is Code.CHECKPOINT_INVALID
    del log.files["checkpoint"]
    assert check(Server(log)).findings[0].code is Code.CHECKPOINT_MISSING


def test_a_server_that_is_busy_is_asked_again_and_one_that_fails_cannot_be_checked() -> None:
    assert check(Server(whole(), statuses=[503, 503])).exit_status is ExitStatus.HOLDS
    with pytest.raises(CouldNotCheckError, match="500"):
        check(Server(whole(), statuses=[500]))
    with pytest.raises(CouldNotCheckError, match="302"):
        check(Server(whole(), statuses=[302]))


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "ANSWER_BYTES_MAX", 10)
    with pytest.raises(CouldNotCheckError, match="larger than 10 bytes"):
        check(Server(whole()))


def test_what_does_not_answer_cannot_be_checked() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    with pytest.raises(CouldNotCheckError, match="nobody there"):
        verify_url("https://log.example.org", Trust(), unwatched, transport=httpx.MockTransport(refuse))
