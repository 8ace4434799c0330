"""The events of systems, declarations and coverage: what each says for ever, and what of it is personal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallystick.access.acts import Change, Target, act
from tallystick.access.grants.events import PRODUCT
from tallystick.access.model import Caller
from tallystick.govern.systems.model import PLAIN_TEXTS, Facts, Proposal, System

REGISTERED: Final = "system.registered"
CHANGED: Final = "system.changed"
RETIRED: Final = "system.retired"
PROPOSED: Final = "declaration.proposed"
APPROVED: Final = "declaration.approved"
REJECTED: Final = "declaration.rejected"
WITHDRAWN: Final = "declaration.withdrawn"
GAP_OPENED: Final = "coverage.gap_opened"
GAP_CLOSED: Final = "coverage.gap_closed"

Event = dict[str, Any]
_LISTS: Final = frozenset({"scopes", "deputies", "endpoints", "assets", "third_parties"})


def registered(caller: Caller, system: str, facts: Facts, now_us: int) -> Event:
    """Return `system.registered`."""
    changes = [Change(name, None, _plain(facts, name)) for name in _FIELDS if _plain(facts, name)]
    return _written(caller, REGISTERED, system, facts, changes, now_us)


def changed(caller: Caller, system: System, facts: Facts, fields: tuple[str, ...], now_us: int) -> Event:
    """Return `system.changed`; texts that stay as they are are told again, since the event holds the whole version."""
    told = [name for name in _FIELDS if name in fields or (name in PLAIN_TEXTS and _plain(facts, name))]
    changes = [Change(name, _plain(system.facts, name), _plain(facts, name)) for name in told]
    event = _written(caller, CHANGED, system.id, facts, changes, now_us)
    event["metadata"]["changed"] = list(fields)
    return event


def retired(caller: Caller, system: System, reason: str, now_us: int) -> Event:
    """Return `system.retired`."""
    return _about(caller, RETIRED, system, {"via": caller.via}, now_us, reason=reason)


def proposed(
    caller: Caller, system: System, declaration: str, digest: str, text: str, reason: str, now_us: int
) -> Event:
    """Return `declaration.proposed`: its text is in `changes`, since a query may name somebody."""
    before = system.in_force
    metadata = {
        "declaration": declaration,
        "digest": digest,
        "based_on": None if before is None else before.declaration,
        "via": caller.via,
    }
    changes = [Change("declaration", None if before is None else before.text, text)]
    return _about(caller, PROPOSED, system, metadata, now_us, reason=reason, changes=changes)


def decided(caller: Caller, action: str, system: System, proposal: Proposal, reason: str | None, now_us: int) -> Event:
    """Return the event of a decision, bound to exactly the text that was proposed."""
    metadata = {"declaration": proposal.declaration, "digest": proposal.digest, "via": caller.via}
    return _about(caller, action, system, metadata, now_us, reason=reason)


def gap(action: str, system: System, key: str, size: int, at_us: int, now_us: int) -> Event:
    """Return the event of a gap that opened or closed; `size` and `at` are what to evaluate coverage at to see it."""
    return _about(PRODUCT, action, system, {"gap": key, "size": size, "at": at_us}, now_us)


_FIELDS: Final = tuple(Facts.__dataclass_fields__)


def _plain(facts: Facts, name: str) -> Any:
    value = getattr(facts, name)
    return list(value) if name in _LISTS and value is not None else value


def _written(caller: Caller, action: str, system: str, facts: Facts, changes: list[Change], now_us: int) -> Event:
    metadata = {
        "system": system,
        "name": facts.name,
        "scopes": list(facts.scopes),
        "environment": facts.environment.value,
        "data_class": facts.data_class.value,
        "owner": facts.owner,
        "deputies": list(facts.deputies),
        "via": caller.via,
    }
    target = Target("system", system, facts.name)
    return act(caller, action, target, metadata, now_us, scope=facts.scopes[0], changes=changes)


def _about(
    caller: Caller,
    action: str,
    system: System,
    metadata: Mapping[str, Any],
    now_us: int,
    *,
    reason: str | None = None,
    changes: list[Change] | None = None,
) -> Event:
    facts = {"system": system.id, **metadata}
    target = Target("system", system.id, system.facts.name)
    scope = system.facts.scopes[0]
    return act(caller, action, target, facts, now_us, scope=scope, reason=reason, changes=changes or ())
