"""How the events of policy projects and of their policies come into the tables.

What a policy says now is what its events' differences add up to: they are facts, and are never erased.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.policies.compare import Difference, apply
from tallystick.policies.model import State
from tallystick.policies.reach import reach_digest, told
from tallystick.store.tables.policies import POLICY, POLICY_PROJECT, POLICY_PROPOSAL, POLICY_REACH, POLICY_STEP

_PERSONAL: Final = ("author", "committer", "signer", "pusher")
_NOT_KEPT: Final = frozenset({"affected_scopes", "affected_scopes_before"})
_PLAIN: Final = ("title", "scope", "kept", "repository", "branch", "path", "approval")
_SOURCE: Final = ("repository", "branch", "path")


def _register(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        POLICY_PROJECT.insert().values(
            project=metadata["project"],
            **{name: metadata[name] for name in _PLAIN},
            governed=json.dumps(metadata["governed"]),
            signers=_set(event, "signers", ""),
            keys=_set(event, "keys", ""),
            state=State.WAITING.value if metadata["kept"] == "git" else State.IN_STEP.value,
            registered_at=event.received_at,
            registered_index=event.index,
            changed_index=event.index,
        )
    )
    _note(connection, event)


def _change(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    row = connection.execute(_project(select(POLICY_PROJECT), event)).one()
    values: dict[str, Any] = {name: metadata[name] for name in _PLAIN}
    values |= {
        "governed": json.dumps(metadata["governed"]),
        "signers": _set(event, "signers", row.signers),
        "keys": _set(event, "keys", row.keys),
        "changed_index": event.index,
    }
    if any(getattr(row, name) != metadata[name] for name in _SOURCE):
        # What was read elsewhere says nothing about the new place: it is compared whole, and nobody is named for it.
        values |= {"state": State.WAITING.value, "reason": None, "synced_commit": None}
    connection.execute(_project(update(POLICY_PROJECT), event).values(**values))
    _note(connection, event)


def _retire(connection: Connection, event: ProductEvent) -> None:
    values = {"state": State.RETIRED.value, "reason": None, "changed_index": event.index}
    connection.execute(_project(update(POLICY_PROJECT), event).values(**values))
    _note(connection, event)


def _sync(connection: Connection, event: ProductEvent) -> None:
    _in_force(connection, event, synced_commit=event.metadata["commit"])


def _edit(connection: Connection, event: ProductEvent) -> None:
    proposal = event.metadata.get("proposal")
    text = _set(event, "text", None)
    if proposal is not None:
        of = select(POLICY_PROPOSAL.c.text).where(POLICY_PROPOSAL.c.proposal == proposal)
        text = connection.scalar(of)
    _in_force(connection, event, text=text)


def _in_force(connection: Connection, event: ProductEvent, **values: Any) -> None:
    connection.execute(
        _project(update(POLICY_PROJECT), event).values(
            state=State.IN_STEP.value,
            reason=None,
            synced_at=event.received_at,
            synced_index=event.index,
            digest=event.metadata["digest"],
            **values,
        )
    )
    _note(connection, event)


def _reach(connection: Connection, event: ProductEvent) -> None:
    row = connection.execute(_project(select(POLICY_PROJECT), event)).one()
    still = row.rejected_index is not None and row.rejected_index > (row.synced_index or -1)
    state = State.REJECTED if still else State.IN_STEP
    connection.execute(_project(update(POLICY_PROJECT), event).values(state=state.value, reason=None))
    _note(connection, event)


def _fail(connection: Connection, event: ProductEvent) -> None:
    values = {"state": State.UNREACHABLE.value, "reason": event.metadata["reason"]}
    connection.execute(_project(update(POLICY_PROJECT), event).values(**values))
    _note(connection, event)


def _reject(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    if metadata["kept"] == "git":
        connection.execute(
            _project(update(POLICY_PROJECT), event).values(
                state=State.REJECTED.value,
                reason=None,
                synced_commit=metadata["commit"],  # how far was read; what is in force stays
                rejected_at=event.received_at,
                rejected_index=event.index,
                rejected_digest=metadata["digest"],
                rejected_commit=metadata["commit"],
                rejected_line=metadata.get("line"),
                rejected_column=metadata.get("column"),
                rejected_message=event.event.get("reason"),
            )
        )
    _note(connection, event)


def _propose(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        POLICY_PROPOSAL.insert().values(
            proposal=metadata["proposal"],
            project=metadata["project"],
            digest=metadata["digest"],
            based_on=metadata.get("based_on"),
            state="open",
            text=_set(event, "text", None),
            reason=event.event.get("reason"),
            proposed_by=_actor(event) or "",
            proposed_at=event.received_at,
            proposed_index=event.index,
        )
    )
    _note(connection, event)


def _deciding(state: str) -> Handler:
    """Return the handler of what ends a proposal."""

    def decide(connection: Connection, event: ProductEvent) -> None:
        connection.execute(
            update(POLICY_PROPOSAL)
            .where(POLICY_PROPOSAL.c.proposal == event.metadata["proposal"])
            .values(
                state=state,
                decided_by=_actor(event),
                decided_at=event.received_at,
                decided_index=event.index,
                decision_reason=event.event.get("reason"),
            )
        )
        _note(connection, event)

    return decide


def _create_policy(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    content = apply({}, _differences(event))
    connection.execute(
        POLICY.insert().values(
            project=metadata["project"],
            policy=metadata["policy"],
            kind=metadata["kind"],
            name=content["name"],
            enabled=metadata["enabled"],
            content=json.dumps(content),
            created_index=event.index,
            changed_index=event.index,
            changed_at=event.received_at,
        )
    )
    _note(connection, event)


def _update_policy(connection: Connection, event: ProductEvent) -> None:
    here = (POLICY.c.project == event.metadata["project"], POLICY.c.policy == event.metadata["policy"])
    row = connection.execute(select(POLICY).where(*here)).one()
    connection.execute(
        update(POLICY)
        .where(*here)
        .values(
            enabled=event.metadata["enabled"],
            content=json.dumps(apply(json.loads(row.content), _differences(event))),
            changed_index=event.index,
            changed_at=event.received_at,
        )
    )
    _note(connection, event)


def _delete_policy(connection: Connection, event: ProductEvent) -> None:
    here = (POLICY.c.project == event.metadata["project"], POLICY.c.policy == event.metadata["policy"])
    connection.execute(delete(POLICY).where(*here))
    _note(connection, event)


def _differences(event: ProductEvent) -> list[Difference]:
    return [Difference(each["field"], each.get("old"), each.get("new")) for each in event.event.get("changes") or ()]


def _note(connection: Connection, event: ProductEvent) -> None:
    """Keep what was done, by whom, and where it reaches."""
    said, metadata = event.event, event.metadata
    actor = said["actor"]
    facts = {name: value for name, value in metadata.items() if name not in _PERSONAL and name not in _NOT_KEPT}
    personal = {name: metadata[name] for name in _PERSONAL if metadata.get(name)}
    target = said["targets"][0]
    connection.execute(
        POLICY_STEP.insert().values(
            log_index=event.index,
            project=metadata["project"],
            scope=said["scope"],
            action=event.action,
            at=event.received_at,
            policy=metadata.get("policy"),
            kind=metadata.get("kind"),
            name=target.get("name"),
            commit=metadata.get("commit"),
            actor=_actor(event),
            actor_type=actor["type"],
            actor_name=actor.get("name"),
            facts=json.dumps(facts),
            personal=json.dumps(personal),
            changes=json.dumps(said["changes"]) if said.get("changes") else None,
            reason=said.get("reason"),
            reach=_reach_of(connection, metadata.get("affected_scopes", metadata.get("governed"))),
            reach_before=_reach_of(connection, metadata.get("affected_scopes_before", metadata.get("governed_before"))),
        )
    )


def _reach_of(connection: Connection, scopes: list[str] | None) -> str | None:
    """Return the name of a set of scopes, which is kept once however many events it stands in; None for no scopes."""
    if not scopes:
        return None
    digest = reach_digest(scopes)
    known = connection.scalar(select(func.count()).select_from(POLICY_REACH).where(POLICY_REACH.c.reach == digest))
    if not known:
        connection.execute(POLICY_REACH.insert(), [{"reach": digest, "scope": scope} for scope in told(scopes)])
    return digest


def _actor(event: ProductEvent) -> str | None:
    """Return who it was; where the id is personal and erased, its key."""
    actor: Mapping[str, Any] = event.event["actor"]
    found: str | None = actor.get("id") or actor.get("key")
    return found


def _set(event: ProductEvent, name: str, otherwise: str | None) -> str | None:
    """Return the new value of a setting: as it was where the event does not change it, None where it was erased."""
    for each in event.event.get("changes") or ():
        if each["field"] == name:
            new: str | None = each.get("new")
            return new
    return otherwise


def _project(statement: Any, event: ProductEvent) -> Any:
    return statement.where(POLICY_PROJECT.c.project == event.metadata["project"])


_ALL: Final[Mapping[str, Callable[[Connection, ProductEvent], None]]] = {
    "policy_project.registered": _register,
    "policy_project.changed": _change,
    "policy_project.retired": _retire,
    "policy_project.synced": _sync,
    "policy_project.reached": _reach,
    "policy_project.sync_failed": _fail,
    "policy_project.history_rewritten": _note,
    "policy_project.pushed": _note,
    "policy_project.edited": _edit,
    "policy_project.proposed": _propose,
    "policy_project.proposal_approved": _deciding("approved"),
    "policy_project.proposal_declined": _deciding("declined"),
    "policy_project.proposal_withdrawn": _deciding("withdrawn"),
    "security_policy.created": _create_policy,
    "security_policy.updated": _update_policy,
    "security_policy.deleted": _delete_policy,
    "security_policy.rejected": _reject,
}
HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(_ALL)
