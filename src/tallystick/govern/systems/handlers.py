"""How the events of systems change their tables. Texts that were erased are NULL; nothing is overwritten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.govern.systems import events
from tallystick.store.tables.systems import COVERAGE_GAP, DECLARATION, SYSTEM, SYSTEM_VERSION


def _register(connection: Connection, event: ProductEvent) -> None:
    system = event.metadata["system"]
    connection.execute(SYSTEM.insert().values(system=system, registered_index=event.index))
    _version(connection, event)


def _version(connection: Connection, event: ProductEvent) -> None:
    """Keep a version: facts come from the facts, texts from what is left of the changes."""
    facts, texts = event.metadata, {each["field"]: each.get("new") for each in event.event.get("changes") or []}

    def listed(name: str) -> str | None:
        found = texts.get(name, [])
        return None if found is None else json.dumps(found)

    connection.execute(
        SYSTEM_VERSION.insert().values(
            from_index=event.index,
            system=facts["system"],
            at=event.received_at,
            actor=event.event["actor"]["id"],
            name=facts["name"],
            scopes=json.dumps(facts["scopes"]),
            environment=facts["environment"],
            data_class=facts["data_class"],
            owner=facts["owner"],
            deputies=json.dumps(facts["deputies"]),
            endpoints=listed("endpoints"),
            assets=listed("assets"),
            third_parties=listed("third_parties"),
            runbook=texts.get("runbook", ""),
            procedure=texts.get("procedure", ""),
            changed=json.dumps(facts.get("changed", [])),
        )
    )


def _retire(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(SYSTEM)
        .where(SYSTEM.c.system == event.metadata["system"], SYSTEM.c.retired_index.is_(None))
        .values(retired_index=event.index, retired_at=event.received_at)
    )


def _propose(connection: Connection, event: ProductEvent) -> None:
    facts, changes = event.metadata, event.event.get("changes") or [{}]
    connection.execute(
        DECLARATION.insert().values(
            declaration=facts["declaration"],
            system=facts["system"],
            digest=facts["digest"],
            based_on=facts.get("based_on"),
            text=changes[0].get("new"),
            reason=event.event.get("reason"),
            proposed_by=event.event["actor"]["id"],
            proposed_index=event.index,
            proposed_at=event.received_at,
        )
    )


def _deciding(decision: str) -> Handler:
    def decide(connection: Connection, event: ProductEvent) -> None:
        connection.execute(
            update(DECLARATION)
            .where(DECLARATION.c.declaration == event.metadata["declaration"], DECLARATION.c.decision.is_(None))
            .values(
                decision=decision,
                decided_by=event.event["actor"]["id"],
                decided_index=event.index,
                decided_at=event.received_at,
                decision_reason=event.event.get("reason"),
            )
        )

    return decide


def _open_gap(connection: Connection, event: ProductEvent) -> None:
    values: dict[str, Any] = {"opened_index": event.index, "opened_at": event.received_at}
    gap = {name: event.metadata[name] for name in ("system", "gap")}
    connection.execute(COVERAGE_GAP.insert().values(**values, **gap))


def _close_gap(connection: Connection, event: ProductEvent) -> None:
    table, facts = COVERAGE_GAP, event.metadata
    connection.execute(
        update(table)
        .where(table.c.system == facts["system"], table.c.gap == facts["gap"], table.c.closed_index.is_(None))
        .values(closed_index=event.index, closed_at=event.received_at)
    )


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        events.REGISTERED: _register,
        events.CHANGED: _version,
        events.RETIRED: _retire,
        events.PROPOSED: _propose,
        events.APPROVED: _deciding("approved"),
        events.REJECTED: _deciding("rejected"),
        events.WITHDRAWN: _deciding("withdrawn"),
        events.GAP_OPENED: _open_gap,
        events.GAP_CLOSED: _close_gap,
    }
)
