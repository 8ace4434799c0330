"""How product events change the tables of roles and grants.

Titles, descriptions and reasons are personal parts: where they were erased the tables hold NULL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, or_, update

from tallystick.access.grants.model import Ground, State
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.grants import GRANT, GRANT_STEP, ROLE


def _publish_roles(connection: Connection, event: ProductEvent) -> None:
    roles = event.metadata["roles"]
    # A later version may bring a role whose name an organisation took before: grants keep to what was approved.
    named = ROLE.c.role.in_([role["role"] for role in roles])
    connection.execute(delete(ROLE).where(or_(ROLE.c.built_in, named)))
    for role in roles:
        connection.execute(
            ROLE.insert().values(
                role=role["role"],
                title=role["title"],
                description=role["description"],
                permissions=json.dumps(role["permissions"]),
                built_in=True,
                changed_index=event.index,
                changed_at=event.received_at,
            )
        )


def _define_role(connection: Connection, event: ProductEvent) -> None:
    named = _changed(event)
    connection.execute(
        ROLE.insert().values(
            role=event.metadata["role"],
            title=named.get("title"),
            description=named.get("description"),
            permissions=json.dumps(event.metadata["permissions"]),
            built_in=False,
            changed_index=event.index,
            changed_at=event.received_at,
        )
    )


def _change_role(connection: Connection, event: ProductEvent) -> None:
    named = {field: new for field, new in _changed(event).items() if field in {"title", "description"}}
    permissions = json.dumps(event.metadata["permissions"])
    connection.execute(
        update(ROLE)
        .where(ROLE.c.role == event.metadata["role"])
        .values(permissions=permissions, changed_index=event.index, changed_at=event.received_at, **named)
    )


def _retire_role(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(ROLE)
        .where(ROLE.c.role == event.metadata["role"])
        .values(retired_index=event.index, changed_index=event.index, changed_at=event.received_at)
    )


def _request(connection: Connection, event: ProductEvent) -> None:
    connection.execute(GRANT.insert().values(**_terms(event), ground=Ground.DECISION.value))
    _step(connection, event, "requested")


def _granting(ground: Ground, step: str) -> Handler:
    """Return the handler of a grant that is in force with its first event."""

    def grant(connection: Connection, event: ProductEvent) -> None:
        decided = {"decision": "approved", "decided_by": _actor(event), "decided_index": event.index}
        connection.execute(
            GRANT.insert().values(**_terms(event), **decided, decided_at=event.received_at, ground=ground.value)
        )
        _step(connection, event, step)

    return grant


def _deciding(decision: str) -> Handler:
    """Return the handler of a decision about a request."""

    def decide(connection: Connection, event: ProductEvent) -> None:
        connection.execute(
            update(GRANT)
            .where(GRANT.c.grant == event.metadata["grant"], GRANT.c.decision.is_(None))
            .values(
                decision=decision,
                decided_by=_actor(event),
                decided_index=event.index,
                decided_at=event.received_at,
                authority=json.dumps(event.metadata.get("authority", [])),
            )
        )
        _step(connection, event, decision)

    return decide


def _ending(how: State) -> Handler:
    """Return the handler of what ends a grant before its time."""

    def end(connection: Connection, event: ProductEvent) -> None:
        connection.execute(
            update(GRANT)
            .where(GRANT.c.grant == event.metadata["grant"], GRANT.c.ended.is_(None))
            .values(ended=how.value, ended_at=event.received_at)
        )
        _step(connection, event, how.value)

    return end


def _expire(connection: Connection, event: ProductEvent) -> None:
    connection.execute(update(GRANT).where(GRANT.c.grant == event.metadata["grant"]).values(expiry_index=event.index))
    _step(connection, event, "expired")


def _terms(event: ProductEvent) -> dict[str, Any]:
    metadata = event.metadata
    return {
        "grant": metadata["grant"],
        "subject_kind": metadata["subject_kind"],
        "subject": metadata["subject"],
        "role": metadata["role"],
        "scope": metadata["scope"],
        "permissions": json.dumps(metadata["permissions"]),
        "until_at": metadata["until"],
        "extends": metadata.get("extends"),
        "digest": metadata["digest"],
        "reason": event.event.get("reason"),
        "requester": _actor(event),
        "requested_index": event.index,
        "requested_at": event.received_at,
        "authority": "[]",
    }


def _step(connection: Connection, event: ProductEvent, step: str) -> None:
    connection.execute(
        GRANT_STEP.insert().values(
            log_index=event.index,
            grant=event.metadata["grant"],
            step=step,
            at=event.received_at,
            actor=_actor(event),
            actor_type=event.event["actor"]["type"],
            via=event.metadata.get("via"),
            reason=event.event.get("reason"),
        )
    )


def _actor(event: ProductEvent) -> str:
    actor: str = event.event["actor"]["id"]
    return actor


def _changed(event: ProductEvent) -> dict[str, Any]:
    """Return the new values by field; what was erased is left out."""
    changes = event.event.get("changes") or []
    return {each["field"]: each["new"] for each in changes if each.get("new") is not None}


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "access.roles_published": _publish_roles,
        "access.role_defined": _define_role,
        "access.role_changed": _change_role,
        "access.role_retired": _retire_role,
        "access.requested": _request,
        "access.approved": _deciding("approved"),
        "access.rejected": _deciding("rejected"),
        "access.withdrawn": _deciding("withdrawn"),
        "access.set_up": _granting(Ground.SETUP, "set_up"),
        "access.glass_broken": _granting(Ground.GLASS, "glass_broken"),
        "access.extended": _ending(State.EXTENDED),
        "access.revoked": _ending(State.REVOKED),
        "access.expired": _expire,
    }
)
