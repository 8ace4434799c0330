"""The events of retention: what each says for ever, and what of it is personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.event.occurred import time_of_us
from tallystick.event.spans import Spans
from tallystick.event.succession import LOG
from tallystick.ledger.decided import Deed, ErasureRecord
from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.genesis import PRODUCT_SCOPE, product_event
from tallystick.retain.model import Change, Hold, Kind, Rule, State, Terms

Event = dict[str, Any]
RANGES_MAX: Final = 10_000
"""Ranges in one event."""
DECIDED: Final = {State.APPROVED: "approved", State.DECLINED: "declined", State.WITHDRAWN: "withdrawn"}


def defined(caller: Caller, number: int, name: str, terms: Terms, reason: str, now_us: int) -> Event:
    """Return the event that makes a class."""
    metadata = {"number": number, "name": name, "keeps_facts": False, **terms.metadata()}
    return act(caller, "class.defined", Target("class", name), metadata, now_us, reason=reason or None)


def changed(caller: Caller, name: str, metadata: Mapping[str, Any], reason: str, now_us: int) -> Event:
    """Return the event that gives a class other terms; `metadata` says them whole."""
    return act(caller, "class.changed", Target("class", name), metadata, now_us, reason=reason or None)


def assigned(caller: Caller, rules: Sequence[Rule], more: Mapping[str, Any], reason: str, now_us: int) -> Event:
    """Return the event that says which classes events go to from now on, all rules in order."""
    metadata = {"rules": [each.metadata() for each in rules], **more}
    target = Target("retention", "assignments")
    return act(caller, "retention.assigned", target, metadata, now_us, reason=reason or None)


def placed(caller: Caller, hold: Hold, now_us: int) -> Event:
    """Return the event that places a hold."""
    reach = {name: getattr(hold, name) for name in ("ranges", "classes", "sources", "received")}
    metadata = {"hold": hold.hold, "owner": hold.owner, **{k: _plain(v) for k, v in reach.items() if v is not None}}
    return act(caller, "hold.placed", Target("hold", hold.hold), metadata, now_us, reason=hold.reason)


def released(caller: Caller, change: Change, reason: str, now_us: int) -> Event:
    """Return the event that ends a hold, as it was proposed."""
    metadata = {"hold": change.subject, "change": change.change, "digest": change.digest}
    return act(caller, "hold.released", Target("hold", change.subject), metadata, now_us, reason=reason or None)


def proposed(
    caller: Caller, change: str, kind: Kind, subject: str, body: Mapping[str, Any], digest: str, reason: str, now_us: int,
) -> Event:  # fmt: skip
    """Return the event that proposes something for another person to decide."""
    metadata = {"change": change, "kind": kind.value, "subject": subject, "digest": digest, "body": dict(body)}
    target = Target("retention_change", change)
    return act(caller, "retention.change_proposed", target, metadata, now_us, reason=reason)


def decided(caller: Caller, change: Change, state: State, reason: str, now_us: int) -> Event:
    """Return the event that says what became of a proposal, bound to exactly what was proposed."""
    metadata = {"change": change.change, "kind": change.kind.value, "subject": change.subject, "digest": change.digest}
    target = Target("retention_change", change.change)
    action = f"retention.change_{DECIDED[state]}"
    return act(caller, action, target, metadata, now_us, reason=reason or None)


def requests(caller: Caller, change: str, digest: str, spans: Spans, now_us: int) -> list[Event]:
    """Return the events that ask for the personal part at these indexes to be destroyed."""
    ranges = [list(each) for each in spans.ranges()]
    metadata = {"part": "personal", "ground": "a person's data", "change": change, "digest": digest}
    target = Target("retention_change", change)
    return [
        act(caller, "erasure.requested", target, {**metadata, "ranges": ranges[at : at + RANGES_MAX]}, now_us)
        for at in range(0, len(ranges), RANGES_MAX)
    ]


def approvals(caller: Caller, change: Change, indexes: Sequence[int], now_us: int) -> list[Event]:
    """Return the events that approve each request of a proposal."""
    metadata = {"change": change.change, "digest": change.digest}
    target = Target("retention_change", change.change)
    return [act(caller, "erasure.approved", target, {**metadata, "request": each}, now_us) for each in indexes]


def restated_request(record: ErasureRecord, spans: Spans, log: str | None, now_us: int) -> Event:
    """Return the event that says again, after a restore, what somebody asked for in a log that has lost it; `log` names
    an earlier log that it is about.
    """
    more = {"ranges": [list(each) for each in spans.ranges()], "part": record.part.value, "ground": "restated"}
    return _restated("erasure.requested", record, record.request, more, log, now_us)


def restated_approval(record: ErasureRecord, deed: Deed, request: int, log: str | None, now_us: int) -> Event:
    """Return the event that says again that somebody approved it; `request` is where it was restated."""
    return _restated("erasure.approved", record, deed, {"request": request}, log, now_us)


def erased_elsewhere(order: ErasureOrder, log: str, now_us: int) -> Event:
    """Return the event that accounts for what was destroyed in an earlier log."""
    return product_event("content.erased", ("ledger", log), {**order.metadata(), LOG: log}, now_us)


def _restated(
    action: str, record: ErasureRecord, deed: Deed, more: Mapping[str, Any], log: str | None, now_us: int
) -> Event:
    said = {"change": deed.change, "digest": deed.digest, LOG: log}
    origin = {"origin": record.origin, "index": deed.index, "at": deed.at, "record": record.name}
    return {
        "action": action,
        "actor": {"id": deed.person, "type": deed.type},
        "target": {"type": "retention_change", "id": deed.change or record.name},
        "scope": PRODUCT_SCOPE,
        "occurred_at": time_of_us(now_us),
        "metadata": {**more, **{name: value for name, value in said.items() if value is not None}, "restated": origin},
    }


def ran(by: str, events: int, erasures: int, took_ms: int, code: str | None, now_us: int) -> Event:
    """Return the event that sums a run up, or says that it failed."""
    metadata: dict[str, Any] = {"by": by, "events": events, "erasures": erasures, "took_ms": took_ms}
    if code is not None:
        metadata["code"] = code
    return {
        "action": "retention.ran" if code is None else "retention.run_failed",
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": "retention", "id": "run"},
        "scope": "tallystick",
        "occurred_at": time_of_us(now_us),
        "outcome": "success" if code is None else "failure",
        "metadata": metadata,
    }


def _plain(value: Any) -> Any:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
