"""Checking what a package says of a review, by the review's own events in it (`docs/format/review.md`).

The log holds counts and digests; the package brings the rows. Here both are compared, samples are drawn again, and the
signatures are held against what was marked.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

from tallystick.errors import VerificationError
from tallystick.event.canonical import canonical_json, check_canonical
from tallystick.merkle import ProofError, verify_consistency
from tallystick.note import Checkpoint
from tallystick.verify.review_format import RowRef, digest_items, digest_marks, digest_rows, digest_snapshot, draw

FORMAT: Final = 1
_OPENED: Final = "review.opened"
_LISTED: Final = "review.items_listed"
_MARKS: Final = ("review.section_marked", "review.item_decided")
_SIGNED: Final = "review.signed"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event of the package whose proof holds: its row, and what it says where the product says it of a review."""

    id: bytes
    facts: str
    event: Mapping[str, Any] | None

    @classmethod
    def of(cls, source: int, event_id: bytes, facts: bytes, event: Mapping[str, Any]) -> Self:
        """Return what is kept of an event."""
        is_review = source == 0 and str(event.get("action")).startswith("review.")
        return cls(event_id, sha256(facts).hexdigest(), event if is_review else None)


class _WrongError(VerificationError):
    """What a package says of a review is not what its events say."""

    code = "review-not-proven"
    advice = "Fetch the package again; if it stays so, ask whoever made it."


def format_review(
    review: str, opened: int, consistency: list[bytes], sections: Mapping[str, list[RowRef] | None]
) -> bytes:
    """Return the bytes of review.json: `sections` are the rows of those that are queries, None where they are left out."""
    told = {
        name: None if rows is None else [[row.index, str(uuid.UUID(bytes=row.id)), row.facts] for row in rows]
        for name, rows in sections.items()
    }
    members = {
        "format": FORMAT,
        "review": review,
        "opened": opened,
        "consistency": [each.hex() for each in consistency],
        "sections": told,
    }
    return canonical_json(members)


def check_review(
    data: bytes, shown: Mapping[int, Shown], checkpoint: Checkpoint
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is wrong, and what there is to say besides."""
    try:
        told = _parse(data)
        said = _opened(told, shown)
    except (VerificationError, KeyError, TypeError, ValueError) as error:
        return (f"it cannot be read: {error}",), ()
    wrong: list[str] = []
    remarks: list[str] = []
    _check_seed(said, told, checkpoint, wrong)
    for section in said["sections"]:
        try:
            if section["form"] == "events":
                _check_rows(section, said, told["sections"].get(section["section"]), shown, remarks)
            else:
                _check_items(section, said["review"], shown)
        except (VerificationError, KeyError, TypeError, ValueError) as error:
            wrong.append(f"{section.get('section', '?')}: {error}")
    _check_signatures(said, shown, wrong, remarks)
    return tuple(wrong), tuple(remarks)


def _parse(data: bytes) -> dict[str, Any]:
    check_canonical(data)
    told = json.loads(data)
    if not isinstance(told, dict) or told.get("format") != FORMAT or not isinstance(told.get("sections"), dict):
        raise _WrongError(f"it is not of format {FORMAT}")
    return told


def _opened(told: Mapping[str, Any], shown: Mapping[int, Shown]) -> dict[str, Any]:
    """Return what the event that opened the review says, its snapshot hashed again."""
    found = shown.get(told["opened"])
    if found is None or found.event is None or found.event.get("action") != _OPENED:
        raise _WrongError("the event that opened the review is not in the package")
    said: dict[str, Any] = found.event["metadata"]
    if said["review"] != told["review"]:
        raise _WrongError(f"that event opened {said['review']}")
    if digest_snapshot(said) != said["digest"]:
        raise _WrongError("the digest of the snapshot is another")
    return said


def _check_seed(said: Mapping[str, Any], told: Mapping[str, Any], checkpoint: Checkpoint, wrong: list[str]) -> None:
    try:
        path = [bytes.fromhex(each) for each in told["consistency"]]
        size, root = int(said["seed"]["size"]), bytes.fromhex(said["seed"]["root"])
        verify_consistency(size, checkpoint.size, root, checkpoint.root, path)
        if size != said["size"] + 1:
            raise _WrongError("it is not the first tree after the period")
    except (ProofError, VerificationError, KeyError, TypeError, ValueError) as error:
        wrong.append(f"the tree that draws the samples is not one of this log: {error}")


def _check_rows(
    section: Mapping[str, Any], said: Mapping[str, Any], told: Any, shown: Mapping[int, Shown], remarks: list[str]
) -> None:
    name = section["section"]
    if told is None:
        remarks.append(f"the {section['count']} rows of {name} are left out; only their digest is in the log")
        return
    rows = [RowRef(int(index), uuid.UUID(event_id).bytes, str(facts)) for index, event_id, facts in told]
    if len(rows) != section["count"] or digest_rows(rows) != section["digest"]:
        raise _WrongError("these are not the rows that were there when the review opened")
    if any(row.index >= said["size"] for row in rows):
        raise _WrongError("a row lies beyond the size of the snapshot")
    drawn = section.get("drawn")
    if drawn is not None and list(draw(bytes.fromhex(said["seed"]["root"]), rows, len(drawn))) != list(drawn):
        raise _WrongError("the sample was not drawn by the tree after the period")
    looked_at = rows if drawn is None else [row for row in rows if row.index in set(drawn)]
    withheld = 0
    for row in looked_at:
        found = shown.get(row.index)
        if found is None:
            withheld += 1
        elif (found.id, found.facts) != (row.id, row.facts):
            raise _WrongError(f"event {row.index} is not the one that was there when the review opened")
    if withheld:
        remarks.append(f"{withheld} of {len(looked_at)} events of {name} are not in the package")


def _check_items(section: Mapping[str, Any], review: str, shown: Mapping[int, Shown]) -> None:
    listed = sorted(
        (said["first"], said["items"])
        for _, said in _said(shown, review, (_LISTED,))
        if said["section"] == section["section"]
    )
    items = [item for _, held in listed for item in held]
    if len(items) != section["count"] or digest_items(items) != section["digest"]:
        raise _WrongError("these are not the items that were listed when the review opened")


def _check_signatures(
    said: Mapping[str, Any], shown: Mapping[int, Shown], wrong: list[str], remarks: list[str]
) -> None:
    marks: dict[tuple[str, str, str], list[Any]] = {}
    signatures = 0
    for index, event in sorted(_events(shown, said["review"], (*_MARKS, _SIGNED))):
        facts, person = event["metadata"], event["actor"].get("id") or event["actor"].get("key") or ""
        if facts["digest"] != said["digest"]:
            wrong.append(f"event {index} is about another snapshot")
        if event["action"] != _SIGNED:
            item = facts.get("item", "")
            marks[facts["section"], item, person] = [index, facts["section"], item, person, facts["verdict"]]
            continue
        signatures += 1
        late = ", late" if facts["late"] else ""
        if digest_marks(sorted(marks.values())) == facts["marks"]:
            remarks.append(
                f"event {index} signs the review ({facts['place']} signature{late}) with all that was marked"
            )
        else:
            wrong.append(f"event {index} signs other marks than are in the package")
    if not signatures:
        remarks.append("nobody has signed the review")


def _events(
    shown: Mapping[int, Shown], review: str, actions: tuple[str, ...]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, each in shown.items():
        if each.event is not None and each.event["action"] in actions and each.event["metadata"]["review"] == review:
            yield index, each.event


def _said(shown: Mapping[int, Shown], review: str, actions: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, event in _events(shown, review, actions):
        yield index, event["metadata"]
