"""The events of detection rules and lists of indicators, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from tallystick.access.acts import OWN_SCOPE, Change, Target, act
from tallystick.access.model import Caller
from tallystick.detect.model import About, Indicator, Origin, Rule, Version
from tallystick.event.occurred import time_of_us

SHIPPED: Final = "rule.shipped"
DRAFTED: Final = "rule.drafted"
CHANGED: Final = "rule.changed"
TESTED: Final = "rule.tested"
APPROVED: Final = "rule.approved"
REJECTED: Final = "rule.rejected"
ENABLED: Final = "rule.enabled"
DISABLED: Final = "rule.disabled"
RETIRED: Final = "rule.retired"
LIST_CREATED: Final = "indicator_list.created"
LIST_CHANGED: Final = "indicator_list.changed"
LIST_DELETED: Final = "indicator_list.deleted"
RULE_WORD: Final = "rule"
LIST_WORD: Final = "indicator_list"
SOURCE_WORD: Final = "source"
"""The first words of all actions that change how events are judged."""

Event = dict[str, Any]


def shipped(rule: str, version: int, digest: str, text: str, about: About, now_us: int) -> Event:
    """Return `rule.shipped`: the program itself brought a version."""
    return {
        "action": SHIPPED,
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": "rule", "id": rule},
        "scope": OWN_SCOPE,
        "occurred_at": time_of_us(now_us),
        "metadata": {**_written(rule, version, digest, about), "scope": ""},
        "changes": [{"field": "text", "old": None, "new": text}],
    }


def drafted(
    caller: Caller,
    rule: str,
    scope: str,
    digest: str,
    text: str,
    about: About,
    now_us: int,
    *,
    origin: Origin,
    link: str = "",
    licence: str = "",
    reason: str = "",
) -> Event:
    """Return `rule.drafted`."""
    metadata = {**_written(rule, 1, digest, about), "scope": scope, "origin": origin}
    if link:
        metadata["link"] = link
    if licence:
        metadata["license"] = licence
    text_of = [Change("text", None, text)]
    return act(
        caller, DRAFTED, Target("rule", rule), metadata, now_us, scope=scope, reason=reason or None, changes=text_of
    )


def changed(
    caller: Caller, rule: Rule, version: int, digest: str, text: str, about: About, reason: str, now_us: int
) -> Event:
    """Return `rule.changed`."""
    metadata = _written(rule.id, version, digest, about)
    target, text_of = Target("rule", rule.id), [Change("text", None, text)]
    return act(caller, CHANGED, target, metadata, now_us, scope=rule.scope, reason=reason or None, changes=text_of)


def tested(caller: Caller, rule: Rule, version: Version, passed: int, failed: int, now_us: int) -> Event:
    """Return `rule.tested`."""
    metadata = {**_of(version), "passed": passed, "failed": failed}
    outcome = "failure" if failed else "success"
    return act(caller, TESTED, Target("rule", rule.id), metadata, now_us, scope=rule.scope, outcome=outcome)


def stepped(caller: Caller, action: str, rule: Rule, version: Version, reason: str, now_us: int) -> Event:
    """Return the event of any other step: approved, rejected, enabled, disabled, retired."""
    target = Target("rule", rule.id)
    return act(caller, action, target, _of(version), now_us, scope=rule.scope, reason=reason or None)


def list_created(caller: Caller, name: str, description: str, now_us: int) -> Event:
    """Return `indicator_list.created`."""
    changes = [Change("description", None, description)] if description else []
    return act(caller, LIST_CREATED, Target("indicator-list", name), {"list": name}, now_us, changes=changes)


def list_changed(
    caller: Caller, name: str, added: Sequence[Indicator], removed: Sequence[str], reason: str, now_us: int
) -> Event:
    """Return `indicator_list.changed`."""
    metadata = {"list": name, "added": len(added), "removed": len(removed)}
    new = [[each.value, each.expires_at, each.source, each.note] for each in added]
    values = [Change("values", list(removed) or None, new or None)]
    target = Target("indicator-list", name)
    return act(caller, LIST_CHANGED, target, metadata, now_us, reason=reason or None, changes=values)


def list_deleted(caller: Caller, name: str, now_us: int) -> Event:
    """Return `indicator_list.deleted`."""
    return act(caller, LIST_DELETED, Target("indicator-list", name), {"list": name}, now_us)


def _written(rule: str, version: int, digest: str, about: About) -> dict[str, Any]:
    return {"rule": rule, "version": version, "digest": digest, **asdict(about), "logsource": dict(about.logsource)}


def _of(version: Version) -> dict[str, Any]:
    return {"rule": version.rule, "version": version.number, "digest": version.digest}
