"""The events of exceptions: what each says for ever, and what of it is personal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from tallystick.access.acts import Change, Target, act
from tallystick.access.grants.events import PRODUCT
from tallystick.access.model import Caller
from tallystick.govern.exceptions.model import ExceptionRecord, Terms

REQUESTED: Final = "exception.requested"
APPROVED: Final = "exception.approved"
REJECTED: Final = "exception.rejected"
WITHDRAWN: Final = "exception.withdrawn"
EXTENDED: Final = "exception.extended"
REVOKED: Final = "exception.revoked"
USED: Final = "exception.used"
EXPIRING: Final = "exception.expiring"
EXPIRED: Final = "exception.expired"
_NAMES: Final = UUID("5f2f1d7e-6f0a-4b0e-9d1c-0a8f5a7c3e21")
WORD: Final = "exception"
"""The first of all these actions."""

Event = dict[str, Any]


def requested(caller: Caller, terms: Terms, now_us: int) -> Event:
    """Return `exception.requested`: justification, compensating control and query are its personal part."""
    metadata = {
        **_about(terms),
        "narrowed": terms.narrowed,
        "risk": terms.risk.value,
        "start": terms.start_us,
        "until": terms.until_us,
        "digest": terms.digest,
        "via": caller.via,
    }
    if terms.extends is not None:
        metadata["extends"] = terms.extends
    changes = [Change("control", None, terms.control)]
    if terms.query is not None:
        changes.append(Change("query", None, terms.query))
    return _event(caller, REQUESTED, terms, metadata, now_us, reason=terms.justification, changes=changes)


def decided(caller: Caller, action: str, record: ExceptionRecord, reason: str | None, now_us: int) -> Event:
    """Return the event of a decision, bound to exactly what was asked for."""
    metadata = {**_about(record.terms), "digest": record.digest, "via": caller.via}
    return _event(caller, action, record.terms, metadata, now_us, reason=reason)


def extended(caller: Caller, record: ExceptionRecord, successor: str, now_us: int) -> Event:
    """Return the event that says which exception goes on where this one ends."""
    metadata = {**_about(record.terms), "successor": successor, "via": caller.via}
    return _event(caller, EXTENDED, record.terms, metadata, now_us)


def revoked(caller: Caller, record: ExceptionRecord, reason: str, now_us: int) -> Event:
    """Return the event that ends an exception before its time."""
    return _event(caller, REVOKED, record.terms, {**_about(record.terms), "via": caller.via}, now_us, reason=reason)


def used(record: ExceptionRecord, count: int, occasions: int, batch: str, now_us: int) -> Event:
    """Return the event that counts uses of an exception; `batch` names it, so that a repeat changes nothing."""
    metadata = {**_about(record.terms), "count": count, "occasions": occasions}
    return {"id": str(uuid5(_NAMES, batch)), **_event(PRODUCT, USED, record.terms, metadata, now_us)}


def noticed(action: str, record: ExceptionRecord, now_us: int) -> Event:
    """Return the event that says that the end of an exception is near, or was noticed."""
    metadata = {**_about(record.terms), "until": record.terms.until_us, "decided": record.decision is not None}
    return _event(PRODUCT, action, record.terms, metadata, now_us)


def _about(terms: Terms) -> dict[str, Any]:
    return {
        "exception": terms.exception,
        "kind": terms.kind.value,
        "subject": terms.subject,
        "scope": terms.scope,
    }


def _event(
    caller: Caller,
    action: str,
    terms: Terms,
    metadata: dict[str, Any],
    now_us: int,
    *,
    reason: str | None = None,
    changes: Sequence[Change] = (),
) -> Event:
    target = Target("exception", terms.exception)
    return act(caller, action, target, metadata, now_us, scope=terms.scope, reason=reason, changes=changes)
