"""Taking a review away: pages to print, tables, JSON, and a package that verifies without this server.

Rows are shown by the right of whoever asks; that they are taken is on record before the first byte is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.disclosure import Disclosure, format_disclosure
from tallystick.event.occurred import time_of_us
from tallystick.evidence.package import choose_checkpoint
from tallystick.evidence.prove import size_of
from tallystick.follow.commands import Commands
from tallystick.note.proof import Proof, format_proof
from tallystick.review import events
from tallystick.review.errors import ReviewInvalidError, ReviewTooLargeError
from tallystick.review.found import rows_of
from tallystick.review.looking import Detail, Looking, search_of
from tallystick.review.ports import ReviewPorts
from tallystick.review.printing import print_review
from tallystick.review.sections import sections_of
from tallystick.search.export import neutralised, start_disclosures
from tallystick.search.model import Row, Search
from tallystick.verify.package_format import Evidence, format_package
from tallystick.verify.package_review import format_review
from tallystick.verify.review_format import RowRef

FORMATS: Final[Mapping[str, tuple[str, str]]] = {
    "html": ("html", "text/html; charset=utf-8"),
    "csv": ("csv", "text/csv; charset=utf-8"),
    "json": ("json", "application/json"),
    "package": ("zip", "application/zip"),
}
PRINTED_ROWS: Final = 200
PACKAGE_EVENTS_MAX: Final = 20_000
POPULATION_MAX: Final = 200_000
"""Rows of one section that a package lists; of more it says only that they are left out."""


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """A review as a file."""

    name: str
    media_type: str
    data: bytes


class ReviewFiles:
    """Makes files of reviews; may be used from any thread."""

    def __init__(self, commands: Commands, looking: Looking, ports: ReviewPorts) -> None:
        self._commands = commands
        self._looking = looking
        self._ports = ports

    def make(self, caller: Caller, review_id: str, format_name: str) -> ReviewFile:
        """Return a review as a file, on record with its SHA-256.

        Raises ReviewNotFoundError, ReviewInvalidError for an unknown format, PermissionMissingError for a package without
        the right to export and prove events in its scope, ReviewTooLargeError.
        """
        if format_name not in FORMATS:
            raise ReviewInvalidError(
                f"there is no format {format_name[:20]!r}: {', '.join(FORMATS)}", pointer="/format"
            )
        detail = self._looking.get(caller, review_id)
        if format_name == "package":
            require(caller, Permission.EVENTS_EXPORT, detail.review.scope)
            require(caller, Permission.PROOFS_READ, detail.review.scope)
            data, count = self._package(caller, detail)
        else:
            rows = self._rows(caller, detail)
            count = sum(len(each) for each in rows.values())
            data = _WRITERS[format_name](detail, rows, self._ports.now_us())
        suffix, media_type = FORMATS[format_name]
        digest = sha256(data).hexdigest()
        self._commands.run(
            lambda _: [
                events.exported(caller, detail.review, format_name, digest, len(data), count, self._ports.now_us())
            ]
        )
        return ReviewFile(f"review-{detail.review.id}.{suffix}", media_type, data)

    def _rows(self, caller: Caller, detail: Detail) -> dict[str, tuple[Row, ...]]:
        """Return the rows of each section that the caller sees, as many as are printed."""
        if not (caller.read_scopes or caller.own_scopes):
            return {}
        found: dict[str, tuple[Row, ...]] = {}
        for section in detail.review.sections:
            asked = search_of(section, detail.review.scope) if section.form == "events" else None
            if asked is not None:
                found[section.section] = self._ports.search.search(asked, caller, limit=PRINTED_ROWS).rows
        return found

    def _package(self, caller: Caller, detail: Detail) -> tuple[bytes, int]:
        review, ledger, search = detail.review, self._ports.ledger, self._ports.search
        held: dict[int, Disclosure] = {}
        told: dict[str, list[RowRef] | None] = {}
        size = 0
        asked = [Search(text=f"metadata.review:{review.id}", scope=review.scope or None)]
        for section in review.sections:
            if section.form != "events":
                continue
            told[section.section] = (
                None
                if section.count > POPULATION_MAX
                else list(rows_of(search, section.query, review.scope, reading=section.reading))
            )
            shown = search_of(section, review.scope)
            asked += [] if shown is None else [shown]
        for each in asked:
            count, reach, disclosures = start_disclosures(search, each, caller, "review")
            size = max(size, reach)
            if len(held) + count > PACKAGE_EVENTS_MAX:
                raise ReviewTooLargeError(f"a package holds at most {PACKAGE_EVENTS_MAX:,} events")
            held.update((one.index, one) for one in disclosures)
        checkpoint = choose_checkpoint(ledger, size)
        reach = size_of(checkpoint)
        consistency = ledger.prove_consistency(review.size + 1, reach)
        evidence = Evidence(
            checkpoint,
            ledger.vkeys,
            self._proofs(held, checkpoint, reach),
            time_of_us(self._ports.now_us()),
            about={"review": review.id, "period": review.period, "scope": review.scope or "/", "made_for": caller.id},
            review=format_review(review.id, review.opened_index, consistency, told),
        )
        return format_package(evidence), len(held)

    def _proofs(self, held: Mapping[int, Disclosure], checkpoint: bytes, size: int) -> Iterator[tuple[int, bytes]]:
        for index, each in sorted(held.items()):
            path = tuple(self._ports.ledger.prove_inclusion(index, size))
            yield index, format_proof(Proof(index, path, checkpoint, format_disclosure(each)))


def review_fields(detail: Detail) -> dict[str, Any]:
    """Return a review as plain JSON values: what was frozen, what was marked, who signed, what is left to do."""
    review = detail.review
    titles = sections_of(review.kind)
    return {
        "review": review.id,
        "duty": {"id": detail.duty.id, "title": detail.duty.title},
        "kind": review.kind.value,
        "scope": review.scope or "/",
        "period": {"name": review.period, "from": time_of_us(review.start), "to": time_of_us(review.end)},
        "state": detail.state.value,
        "due": time_of_us(review.due),
        "opened": {"index": review.opened_index, "at": time_of_us(review.opened_at)},
        "closed_at": None if review.closed_at is None else time_of_us(review.closed_at),
        "exception": review.exception,
        "size": review.size,
        "seed": {"size": review.size + 1, "root": review.seed},
        "digest": review.digest,
        "sections": [
            {
                "section": each.section,
                "title": titles[each.section].title,
                "form": each.form,
                "query": each.query,
                "reading": each.reading,
                "count": each.count,
                "digest": each.digest,
                "drawn": None if each.drawn is None else list(each.drawn),
                "waiting": detail.standings[each.section].waiting,
                "items": [one.facts for one in detail.items if one.section == each.section],
                "marks": [
                    {**asdict(mark), "own": list(mark.own), "at": time_of_us(mark.at)}
                    for mark in detail.marks
                    if mark.section == each.section
                ],
            }
            for each in review.sections
        ],
        "signatures": [{**asdict(each), "at": time_of_us(each.at)} for each in detail.signatures],
        "follow_ups": [
            {
                **asdict(each),
                "due": time_of_us(each.due),
                "opened_at": time_of_us(each.opened_at),
                "done_at": None if each.done_at is None else time_of_us(each.done_at),
            }
            for each in detail.follow_ups
        ],
    }


def row_fields(row: Row) -> dict[str, Any]:
    """Return a row of a section as exports show it."""
    event = row.event
    actor = event.get("actor") or {}
    targets = event.get("targets") or [{}]
    return {
        "index": row.index,
        "id": row.id,
        "received_at": time_of_us(row.received_at),
        "source": row.source,
        "action": event.get("action"),
        "actor": actor.get("id") or actor.get("key"),
        "target": targets[0].get("id") or targets[0].get("key"),
        "scope": event.get("scope"),
        "outcome": event.get("outcome"),
        "severity": event.get("severity"),
        "message": row.message,
    }


def _write_json(detail: Detail, rows: Mapping[str, tuple[Row, ...]], now_us: int) -> bytes:
    told = review_fields(detail)
    for section in told["sections"]:
        section["rows"] = [row_fields(each) for each in rows.get(section["section"], ())]
    told["made_at"] = time_of_us(now_us)
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def _write_csv(detail: Detail, rows: Mapping[str, tuple[Row, ...]], now_us: int) -> bytes:
    """Return one line for each section, then for each item, row, signature and follow-up: `what` tells them apart."""
    review, titles = detail.review, sections_of(detail.review.kind)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("what", "section", "id", "count", "digest", "verdict", "by", "at", "text"))

    def write(*cells: Any) -> None:
        writer.writerow([neutralised("" if each is None else each) for each in cells])

    write("review", "", review.id, "", review.digest, detail.state.value, "", time_of_us(now_us), detail.duty.title)
    for each in review.sections:
        name = each.section
        write("section", name, "", each.count, each.digest, "", "", "", each.query or titles[name].title)
        for item in detail.items:
            if item.section == name:
                write("item", name, item.item, "", "", "", "", "", json.dumps(item.facts, ensure_ascii=False))
        for mark in detail.marks:
            if mark.section == name:
                write("mark", name, mark.item, "", "", mark.verdict, mark.person, time_of_us(mark.at), mark.note)
        for row in rows.get(name, ()):
            told = row_fields(row)
            write("event", name, row.index, "", "", told["action"], told["actor"], told["received_at"], row.message)
    for signature in detail.signatures:
        verdict = "late" if signature.late else "in time"
        write(
            "signature",
            "",
            signature.place,
            "",
            "",
            verdict,
            signature.person,
            time_of_us(signature.at),
            signature.reason,
        )
    for left in detail.follow_ups:
        state = "open" if left.done_at is None else "done"
        write("follow-up", left.section, left.id, "", "", state, left.owner, time_of_us(left.due), left.text)
    return text.getvalue().encode()


def _write_html(detail: Detail, rows: Mapping[str, tuple[Row, ...]], now_us: int) -> bytes:
    shown = {name: [row_fields(each) for each in found] for name, found in rows.items()}
    return print_review(review_fields(detail), shown, time_of_us(now_us), PRINTED_ROWS)


_WRITERS: Final = {"json": _write_json, "csv": _write_csv, "html": _write_html}
