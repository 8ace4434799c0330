"""The product's own events about the ledger itself, written down by the ledger because nobody else could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from tallystick.event.admission import Admission, SourceRules
from tallystick.event.batch import Batch
from tallystick.ledger.model import Recovery

FORMAT: Final = 1
PRODUCT_SOURCE: Final = 0
PRODUCT_SCOPE: Final = "tallystick"
PRODUCT: Final = SourceRules(PRODUCT_SOURCE, "tallystick", ("",), "opaque", strict=True, product=True)

#: number, name, days of retention (None: for ever), whether facts are kept for ever
CLASSES: Final = ((1, "ledger-access", None, True), (2, "standard", 400, False), (3, "reading", 400, False))
FLOOR_DAYS: Final = 365
"""Each of them may hold events of security and access: nothing in them ends before a year."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ProductAdmission(Protocol):
    """Admits events of source 0: `event.admission.Admission` bound to it."""

    def __call__(self, body: bytes, now_us: int) -> Batch:
        """Return the batch of a JSON array of events, all of them or an InvalidInputError."""
        ...


def genesis_events(
    origin: str, key: str, now_us: int, predecessor: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the events that every ledger begins with; one batch, so that they are stored together or not at all.

    `predecessor` has the origin, the last known checkpoint (size, root) and the reason when this ledger goes on
    from another.
    """
    created: dict[str, Any] = {"origin": origin, "key": key, "format": FORMAT}
    if predecessor is not None:
        created["predecessor"] = {name: predecessor[name] for name in ("origin", "size", "root")}
    events = [product_event("ledger.created", ("ledger", origin), created, now_us)]
    for number, name, days, keeps_facts in CLASSES:
        terms = {"retention_days": days, "floor_days": FLOOR_DAYS, "keeps_facts": keeps_facts}
        metadata = {"number": number, "name": name, **terms}
        events.append(product_event("class.defined", ("class", name), metadata, now_us))
    if predecessor is not None:
        metadata = {"origin": origin, "predecessor": created["predecessor"], "reason": predecessor["reason"]}
        events.append(product_event("ledger.succeeded", ("ledger", origin), metadata, now_us))
    return events


def recovered_event(origin: str, size: int, recovery: Recovery, now_us: int) -> dict[str, Any]:
    """Return the event that says what opening the ledger had to repair."""
    metadata = {
        "size": size,
        "torn_bytes": recovery.torn_bytes,
        "frames": recovery.kept_events,
        "reason": "interrupted",
    }
    return product_event("ledger.recovered", ("ledger", origin), metadata, now_us)


def adopted_event(origin: str, size: int, root: str, reason: str, now_us: int) -> dict[str, Any]:
    """Return the event that says that this ledger goes on without its last-signed record."""
    metadata = {"origin": origin, "size": size, "root": root, "reason": reason}
    return product_event("ledger.adopted", ("ledger", origin), metadata, now_us)


def rotated_event(origin: str, old: str, new: str, reason: str, now_us: int, event_id: str) -> dict[str, Any]:
    """Return the event that names the new key; its id makes an interrupted rotation say it only once."""
    metadata = {"old": old, "new": new, "reason": reason}
    return {**product_event("key.rotated", ("ledger", origin), metadata, now_us), "id": event_id}


def retired_event(origin: str, key: str, now_us: int, event_id: str) -> dict[str, Any]:
    """Return the event that names the key that stops signing; its id makes an interrupted retirement say it only once."""
    return {**product_event("key.retired", ("ledger", origin), {"key": key}, now_us), "id": event_id}


def product_event(action: str, target: tuple[str, str], metadata: Mapping[str, Any], now_us: int) -> dict[str, Any]:
    """Return an event as it is admitted; `target` is (type, id)."""
    return {
        "action": action,
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": target[0], "id": target[1]},
        "scope": PRODUCT_SCOPE,
        "occurred_at": (_EPOCH + timedelta(microseconds=now_us)).isoformat(timespec="microseconds"),
        "metadata": dict(metadata),
    }


def admit_events(admission: ProductAdmission, events: Sequence[Mapping[str, Any]], now_us: int) -> Batch:
    """Return the events as one batch of source 0."""
    return admission(msgspec.json.encode(list(events)), now_us)


def product_admission(admission: Admission) -> ProductAdmission:
    """Return the door for the product's own events: nobody else comes in as source 0."""

    def admit(body: bytes, now_us: int) -> Batch:
        return admission.admit(body, PRODUCT, now_us=now_us)

    return admit
