"""Making the snapshot of a review: every section counted, digested and, where it is sampled, drawn.

What queries find depends on nothing but the log up to the end of the period, so that it is the same whenever it is made
and may be made again by anybody. What is listed is as it was when the review opened, which its event tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tallystick.review.found import boundary, count_rows, root_with, rows_of
from tallystick.review.model import Document, Duty, FollowUp, Section
from tallystick.review.periods import Period
from tallystick.review.ports import ReviewPorts
from tallystick.review.sections import FOLLOW_UPS, SAMPLE, SectionType, query_of, sections_of
from tallystick.verify.review_format import digest_items

DISMISSED_SAMPLE: int = 10
_COMMIT_S: float = 10.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a review holds. `seed` is the root of the tree of `size` + 1 entries: the first that reaches past the end."""

    size: int
    seed: bytes
    checkpoint: bytes
    sections: tuple[Section, ...]
    items: Mapping[str, Sequence[Mapping[str, Any]]]


def make_snapshot(ports: ReviewPorts, duty: Duty, period: Period, follow_ups: Sequence[FollowUp]) -> Snapshot | None:
    """Return the snapshot of a period, or None while the log holds nothing that was received after its end."""
    ledger = ports.ledger
    ledger.wait_committed(ledger.status().acknowledged.size, _COMMIT_S)
    size = boundary(ledger, period.end)
    if size is None:
        return None
    seed, now_us = root_with(ledger, size), ports.now_us()
    sections: list[Section] = []
    items: dict[str, Sequence[Mapping[str, Any]]] = {}
    for name, made in sections_of(duty.terms.kind).items():
        if made.form == "events":
            sections.append(_events(ports, duty, period, name, made, size, seed))
            continue
        listed = _listed(ports, duty, name, follow_ups, now_us)
        if listed is None:
            continue
        items[name] = listed
        sections.append(Section(section=name, form=made.form, count=len(listed), digest=digest_items(listed)))
    return Snapshot(size, seed, ledger.checkpoint(), tuple(sections), items)


def _events(
    ports: ReviewPorts, duty: Duty, period: Period, name: str, made: SectionType, size: int, seed: bytes
) -> Section:
    query, scope = query_of(made, period, size), duty.terms.scope
    sample = 0 if not made.sampled else duty.terms.sample if name == SAMPLE else DISMISSED_SAMPLE
    counted = count_rows(rows_of(ports.search, query, scope, reading=made.reading), seed, sample)
    return Section(
        section=name,
        form="events",
        count=counted.count,
        digest=counted.digest,
        query=query,
        reading=made.reading,
        drawn=counted.drawn if made.sampled else None,
    )


def _listed(
    ports: ReviewPorts, duty: Duty, name: str, follow_ups: Sequence[FollowUp], now_us: int
) -> Sequence[Mapping[str, Any]] | None:
    """Return what a section lists; None where no room of this installation knows of such things."""
    if name == FOLLOW_UPS:
        return [_follow_up(each) for each in follow_ups]
    if name == "documents":
        return [_document(place, each) for place, each in enumerate(duty.terms.documents)]
    listing = ports.listings.get(name)
    return None if listing is None else list(listing(duty.terms.scope, now_us))


def _follow_up(each: FollowUp) -> dict[str, Any]:
    told = {"item": each.id, "review": each.review, "section": each.section, "owner": each.owner}
    return {**told, "due_us": each.due, "opened_index": each.opened_index}


def _document(place: int, each: Document) -> dict[str, Any]:
    told = {"item": f"document-{place + 1}", "name": each.name, "link": each.link, "sha256": each.sha256}
    return {**told, "owner": each.owner, "people": [each.owner] if each.owner else []}
