"""The events of duties and reviews, in the words of the catalogue. Facts name people by id; words are personal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.event.occurred import time_of_us
from tallystick.review.found import PRODUCT
from tallystick.review.model import Duty, FollowUp, Review, Section, Terms
from tallystick.review.periods import Period
from tallystick.verify.review_format import digest_snapshot

DUTY_CREATED: Final = "duty.created"
DUTY_CHANGED: Final = "duty.changed"
DUTY_RETIRED: Final = "duty.retired"
PERIOD_ENDED: Final = "review.period_ended"
OPENED: Final = "review.opened"
LISTED: Final = "review.items_listed"
WAIVED: Final = "review.waived"
STARTED: Final = "review.started"
MARKED: Final = "review.section_marked"
DECIDED: Final = "review.item_decided"
FOLLOW_UP_OPENED: Final = "review.follow_up_opened"
FOLLOW_UP_DONE: Final = "review.follow_up_done"
SIGNED: Final = "review.signed"
EXPORTED: Final = "review.exported"
ITEMS_AT_ONCE: Final = 100
_NAMES: Final = uuid.UUID("6e1c3f0b-3a54-5d0e-9f57-0d4f6c6a2b11")

Event = dict[str, Any]


def review_id(duty: str, period: Period) -> str:
    """Return the id of the one review of a duty for a period."""
    return f"{duty}.{period.name}"


def duty_set(caller: Caller, action: str, duty: str, title: str, terms: Terms, now_us: int) -> Event:
    """Return `duty.created` or `duty.changed`; only the title is personal."""
    metadata = {"duty": duty, "terms": _plain(terms), "via": caller.via}
    return act(caller, action, Target("duty", duty, title), metadata, now_us, scope=terms.scope)


def duty_retired(caller: Caller, duty: Duty, reason: str, now_us: int) -> Event:
    """Return `duty.retired`."""
    metadata = {"duty": duty.id, "via": caller.via}
    return act(
        caller,
        DUTY_RETIRED,
        Target("duty", duty.id, duty.title),
        metadata,
        now_us,
        scope=duty.terms.scope,
        reason=reason,
    )


def period_ended(period: Period, now_us: int) -> Event:
    """Return `review.period_ended`: where nothing else happened since, it is the first event after the period."""
    metadata = {"period": period.name, "ended": time_of_us(period.end)}
    return {
        **act(PRODUCT, PERIOD_ENDED, Target("period", period.name), metadata, now_us),
        "id": _name(f"{PERIOD_ENDED} {period.name}"),
    }


def opened(
    duty: Duty,
    period: Period,
    due_us: int,
    size: int,
    seed: bytes,
    checkpoint: bytes,
    sections: Sequence[Section],
    items: Mapping[str, Sequence[Mapping[str, Any]]],
    now_us: int,
) -> list[Event]:
    """Return `review.opened` with its snapshot, and the events that hold its items. They are one batch."""
    review = review_id(duty.id, period)
    metadata: dict[str, Any] = {
        "review": review,
        "duty": duty.id,
        "kind": duty.terms.kind.value,
        "period": period.name,
        "from": time_of_us(period.start),
        "to": time_of_us(period.end),
        "due": time_of_us(due_us),
        "size": size,
        "seed": {"size": size + 1, "root": seed.hex()},
        "sections": [_plain(each) for each in sections],
    }
    metadata["digest"] = digest_snapshot(metadata)
    metadata["checkpoint"] = checkpoint.decode()
    scope = duty.terms.scope
    made = act(PRODUCT, OPENED, Target("review", review, duty.title), metadata, now_us, scope=scope)
    events = [{**made, "id": _name(f"{OPENED} {review}")}]
    for section, listed in items.items():
        for first in range(0, len(listed), ITEMS_AT_ONCE):
            held = [dict(each) for each in listed[first : first + ITEMS_AT_ONCE]]
            told = {"review": review, "section": section, "first": first, "items": held}
            event = act(PRODUCT, LISTED, Target("review", review), told, now_us, scope=scope)
            events.append({**event, "id": _name(f"{LISTED} {review} {section} {first}")})
    return events


def waived(duty: Duty, period: Period, due_us: int, exception: str, now_us: int) -> Event:
    """Return `review.waived`, which names the exception."""
    review = review_id(duty.id, period)
    metadata = {
        "review": review,
        "duty": duty.id,
        "kind": duty.terms.kind.value,
        "period": period.name,
        "from": time_of_us(period.start),
        "to": time_of_us(period.end),
        "due": time_of_us(due_us),
        "exception": exception,
    }
    made = act(PRODUCT, WAIVED, Target("review", review, duty.title), metadata, now_us, scope=duty.terms.scope)
    return {**made, "id": _name(f"{WAIVED} {review}")}


def started(caller: Caller, review: Review, now_us: int) -> Event:
    """Return `review.started`: somebody who may sign it looked at it for the first time."""
    return _act(caller, STARTED, review, {}, now_us)


def marked(
    caller: Caller, review: Review, section: str, verdict: str, note: str, own: Sequence[int | str], now_us: int
) -> Event:
    """Return `review.section_marked`; `own` are the events or items that the mark says nothing of."""
    metadata = {"section": section, "digest": review.digest, "verdict": verdict, "own": list(own)}
    return _act(caller, MARKED, review, metadata, now_us, note)


def decided(caller: Caller, review: Review, section: str, item: str, verdict: str, note: str, now_us: int) -> Event:
    """Return `review.item_decided`."""
    metadata = {"section": section, "digest": review.digest, "item": item, "verdict": verdict}
    return _act(caller, DECIDED, review, metadata, now_us, note)


def follow_up_opened(
    caller: Caller, review: Review, follow_up: str, section: str, owner: str, text: str, due_us: int, now_us: int
) -> Event:
    """Return `review.follow_up_opened`; its text is personal."""
    metadata = {
        "review": review.id,
        "duty": review.duty,
        "follow_up": follow_up,
        "section": section,
        "owner": owner,
        "due": time_of_us(due_us),
        "via": caller.via,
    }
    target = Target("follow_up", follow_up)
    changes = [Change("text", None, text)]
    return act(caller, FOLLOW_UP_OPENED, target, metadata, now_us, scope=review.scope, changes=changes)


def follow_up_done(caller: Caller, follow_up: FollowUp, outcome: str, now_us: int) -> Event:
    """Return `review.follow_up_done`."""
    metadata = {"review": follow_up.review, "duty": follow_up.duty, "follow_up": follow_up.id, "via": caller.via}
    target = Target("follow_up", follow_up.id)
    return act(caller, FOLLOW_UP_DONE, target, metadata, now_us, scope=follow_up.scope, reason=outcome)


def signed(
    caller: Caller, review: Review, place: str, marks: str, reason: str, *, last: bool, late: bool, now_us: int
) -> Event:
    """Return `review.signed`: `marks` is the digest of what was marked. Whether it is late, its time of receipt says."""
    metadata = {"place": place, "digest": review.digest, "marks": marks, "last": last, "late": late}
    return _act(caller, SIGNED, review, metadata, now_us, reason)


def exported(caller: Caller, review: Review, format_name: str, digest: str, size: int, rows: int, now_us: int) -> Event:
    """Return `review.exported`; `digest` is the SHA-256 of the file."""
    metadata = {"format": format_name, "sha256": digest, "bytes": size, "rows": rows}
    return _act(caller, EXPORTED, review, metadata, now_us)


def _act(
    caller: Caller, action: str, review: Review, metadata: Mapping[str, Any], now_us: int, reason: str = ""
) -> Event:
    facts = {"review": review.id, "duty": review.duty, **metadata, "via": caller.via}
    target = Target("review", review.id)
    return act(caller, action, target, facts, now_us, scope=review.scope, reason=reason or None)


def _plain(value: Terms | Section) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(value)
    return plain


def _name(text: str) -> str:
    return str(uuid.uuid5(_NAMES, text))


def parse_terms(plain: Mapping[str, Any]) -> Terms:
    """Return what `_plain` made of terms."""
    return msgspec.convert(dict(plain), Terms, strict=False)


def parse_section(plain: Mapping[str, Any]) -> Section:
    """Return what `_plain` made of a section."""
    return msgspec.convert(dict(plain), Section, strict=False)
