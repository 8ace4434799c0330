"""How the events of detection rules and lists of indicators come into their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from tallystick.detect import events
from tallystick.detect.model import State
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.rules import (
    DETECTION_RULE,
    DETECTION_RULE_VERSION,
    DETECTION_STEP,
    INDICATOR,
    INDICATOR_LIST,
)

_ABOUT: Final = ("title", "severity", "kind", "owner", "category", "logsource", "samples")
_PROGRAM: Final = "tallystick"


def _ship(connection: Connection, event: ProductEvent) -> None:
    """A first version is in force at once; a later one takes the place of one that the program brought, and no other."""
    metadata = event.metadata
    rule = connection.execute(DETECTION_RULE.select().where(DETECTION_RULE.c.rule == metadata["rule"])).first()
    in_force = {"active": metadata["version"], "enabled_at": event.received_at, "enabled_index": event.index}
    if rule is None:
        _create(connection, event, origin="shipped", state=State.ENABLED, **in_force)
    else:
        follows = rule.active is None or _by_program(connection, rule.rule, rule.active)
        _set(connection, event, newest=metadata["version"], **(in_force if follows else {}))
    _write(connection, event, state=State.APPROVED)


def _by_program(connection: Connection, rule: str, version: int) -> bool:
    columns = DETECTION_RULE_VERSION.c
    query = select(columns.drafted_by).where(columns.rule == rule, columns.version == version)
    return connection.scalar(query) == _PROGRAM


def _draft(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    _create(
        connection,
        event,
        origin=metadata["origin"],
        link=metadata.get("link"),
        license=metadata.get("license"),
        state=State.DRAFT,
    )
    _write(connection, event, state=State.DRAFT)


def _change(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, newest=event.metadata["version"])
    _write(connection, event, state=State.DRAFT)


def _test(connection: Connection, event: ProductEvent) -> None:
    passed = event.metadata["failed"] == 0
    values = {"tested_at": event.received_at, "tested_index": event.index, "tested_passed": passed}
    _set_version(connection, event, **values)
    here = [_version(event), DETECTION_RULE_VERSION.c.state.in_([State.DRAFT, State.TESTED])]
    state = State.TESTED if passed else State.DRAFT
    connection.execute(update(DETECTION_RULE_VERSION).where(*here).values(state=state))
    _set(connection, event)


def _decide(connection: Connection, event: ProductEvent) -> None:
    _set_version(
        connection,
        event,
        state=State.APPROVED if event.action == events.APPROVED else State.REJECTED,
        decided_by=_actor(event),
        decided_at=event.received_at,
        decided_index=event.index,
        decision_reason=event.event.get("reason"),
    )
    _set(connection, event)


def _enable(connection: Connection, event: ProductEvent) -> None:
    values = {"state": State.ENABLED, "active": event.metadata["version"]}
    _set(connection, event, **values, enabled_at=event.received_at, enabled_index=event.index)


def _disable(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, state=State.DISABLED)


def _retire(connection: Connection, event: ProductEvent) -> None:
    _set(connection, event, state=State.RETIRED)


def _create_list(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        INDICATOR_LIST.insert().values(
            name=event.metadata["list"],
            description=(_said(event, "description") or {}).get("new"),
            changed_by=_actor(event),
            changed_at=event.received_at,
            changed_index=event.index,
            created_index=event.index,
        )
    )


def _change_list(connection: Connection, event: ProductEvent) -> None:
    """Values that were erased from the event are not on the list any more either."""
    name, values = event.metadata["list"], _said(event, "values") or {}
    gone = [*(values.get("old") or ()), *(row[0] for row in values.get("new") or ())]
    for start in range(0, len(gone), 500):
        connection.execute(
            delete(INDICATOR).where(INDICATOR.c.list == name, INDICATOR.c.value.in_(gone[start : start + 500]))
        )
    rows = [
        {
            "list": name,
            "value": value,
            "expires_at": expires_at,
            "source": source,
            "note": note,
            "added_at": event.received_at,
            "added_index": event.index,
        }
        for value, expires_at, source, note in values.get("new") or ()
    ]
    if rows:
        connection.execute(INDICATOR.insert(), rows)
    changed = {"changed_by": _actor(event), "changed_at": event.received_at, "changed_index": event.index}
    connection.execute(update(INDICATOR_LIST).where(INDICATOR_LIST.c.name == name).values(**changed))


def _delete_list(connection: Connection, event: ProductEvent) -> None:
    name = event.metadata["list"]
    connection.execute(delete(INDICATOR).where(INDICATOR.c.list == name))
    connection.execute(delete(INDICATOR_LIST).where(INDICATOR_LIST.c.name == name))


def _create(connection: Connection, event: ProductEvent, **values: Any) -> None:
    moments = {
        "created_at": event.received_at,
        "created_index": event.index,
        "changed_at": event.received_at,
        "changed_index": event.index,
    }
    metadata = event.metadata
    own = {"rule": metadata["rule"], "scope": metadata["scope"], "newest": metadata["version"]}
    connection.execute(DETECTION_RULE.insert().values(**own, **moments, **values))


def _write(connection: Connection, event: ProductEvent, *, state: State) -> None:
    metadata = event.metadata
    connection.execute(
        DETECTION_RULE_VERSION.insert().values(
            rule=metadata["rule"],
            version=metadata["version"],
            digest=metadata["digest"],
            text=(_said(event, "text") or {}).get("new"),
            about=json.dumps({name: metadata[name] for name in _ABOUT}),
            state=state,
            drafted_by=_actor(event),
            drafted_at=event.received_at,
            drafted_index=event.index,
            drafted_reason=event.event.get("reason"),
        )
    )
    _note(connection, event)


def _set(connection: Connection, event: ProductEvent, **values: Any) -> None:
    moments = {"changed_at": event.received_at, "changed_index": event.index}
    here = DETECTION_RULE.c.rule == event.metadata["rule"]
    connection.execute(update(DETECTION_RULE).where(here).values(**moments, **values))
    if event.action not in {events.SHIPPED, events.CHANGED}:
        _note(connection, event)


def _set_version(connection: Connection, event: ProductEvent, **values: Any) -> None:
    connection.execute(update(DETECTION_RULE_VERSION).where(_version(event)).values(**values))


def _version(event: ProductEvent) -> Any:
    columns, metadata = DETECTION_RULE_VERSION.c, event.metadata
    return (columns.rule == metadata["rule"]) & (columns.version == metadata["version"])


def _note(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        DETECTION_STEP.insert().values(
            log_index=event.index,
            rule=metadata["rule"],
            version=metadata.get("version"),
            action=event.action,
            at=event.received_at,
            actor=_actor(event),
            actor_type=event.event["actor"]["type"],
            reason=event.event.get("reason"),
            facts=json.dumps(metadata),
        )
    )


def _actor(event: ProductEvent) -> str:
    actor = event.event["actor"]
    found: str = actor.get("id") or actor.get("key") or ""
    return found


def _said(event: ProductEvent, field: str) -> Mapping[str, Any] | None:
    """Return what an event says about a field; old and new value may have been erased from it."""
    return next((each for each in event.event.get("changes") or () if each["field"] == field), None)


HANDLERS: Final[Mapping[tuple[str, int], Handler]] = handlers_of(
    {
        events.SHIPPED: _ship,
        events.DRAFTED: _draft,
        events.CHANGED: _change,
        events.TESTED: _test,
        events.APPROVED: _decide,
        events.REJECTED: _decide,
        events.ENABLED: _enable,
        events.DISABLED: _disable,
        events.RETIRED: _retire,
        events.LIST_CREATED: _create_list,
        events.LIST_CHANGED: _change_list,
        events.LIST_DELETED: _delete_list,
    }
)
