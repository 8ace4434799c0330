"""Rows of the tables as values, as far as a reader may see them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, or_, select

from tallystick.policies.document import Policies
from tallystick.policies.events import PUSHED
from tallystick.policies.model import (
    Kind,
    Policy,
    PolicyInForce,
    Project,
    ProjectSettings,
    Proposal,
    Rejected,
    State,
    Step,
)
from tallystick.policies.reach import told, visible_of
from tallystick.store.tables.policies import POLICY, POLICY_PROJECT, POLICY_PROPOSAL, POLICY_REACH, POLICY_STEP


def load_projects(connection: Connection, *conditions: ColumnElement[bool]) -> list[Project]:
    """Return policy projects in the order in which they were registered."""
    counts = {
        row.project: row.number
        for row in connection.execute(select(POLICY.c.project, func.count().label("number")).group_by(POLICY.c.project))
    }
    query = select(POLICY_PROJECT).where(*conditions).order_by(POLICY_PROJECT.c.registered_index)
    return [_project(row, counts.get(row.project, 0)) for row in connection.execute(query)]


def find_project(connection: Connection, project: str) -> Project | None:
    """Return a policy project, or None."""
    found = load_projects(connection, POLICY_PROJECT.c.project == project[:32])
    return found[0] if found else None


def load_policies(connection: Connection, project: str) -> Policies:
    """Return what is in force in a project, by kind and name."""
    query = select(POLICY).where(POLICY.c.project == project).order_by(POLICY.c.created_index)
    return {
        (Kind(row.kind), row.name): Policy(Kind(row.kind), row.name, json.loads(row.content))
        for row in connection.execute(query)
    }


def load_in_force(connection: Connection, project: str) -> list[PolicyInForce]:
    """Return the policies of a project with the events that made and changed them, by kind and name."""
    query = select(POLICY).where(POLICY.c.project == project).order_by(POLICY.c.kind, POLICY.c.name)
    return [
        PolicyInForce(
            policy=row.policy,
            kind=Kind(row.kind),
            name=row.name,
            enabled=row.enabled,
            content=json.loads(row.content),
            created_index=row.created_index,
            changed_index=row.changed_index,
            changed_at=row.changed_at,
            project=row.project,
        )
        for row in connection.execute(query)
    ]


def load_proposals(connection: Connection, *conditions: ColumnElement[bool]) -> list[Proposal]:
    """Return proposals, the newest first."""
    query = select(POLICY_PROPOSAL).where(*conditions).order_by(POLICY_PROPOSAL.c.proposed_index.desc())
    return [Proposal(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - the columns are its fields


def load_steps(
    connection: Connection,
    *conditions: ColumnElement[bool],
    limit: int,
    seen: Iterable[str] = ("",),
) -> list[Step]:
    """Return events of policy projects, the newest first; of the scopes that they reach, those that may be seen."""
    seen = tuple(seen)
    query = select(POLICY_STEP).where(*conditions).order_by(POLICY_STEP.c.log_index.desc()).limit(limit)
    rows = list(connection.execute(query))
    names = {name for row in rows for name in (row.reach, row.reach_before) if name is not None}
    reaches: dict[str, list[str]] = {}
    if names:
        for row in connection.execute(select(POLICY_REACH).where(POLICY_REACH.c.reach.in_(names))):
            reaches.setdefault(row.reach, []).append(row.scope)
    visible = {name: visible_of(scopes, seen) for name, scopes in reaches.items()}
    pushes: dict[tuple[str, str], Push] = {}
    for project in {row.project for row in rows}:
        commits = {row.commit for row in rows if row.project == project and row.commit is not None}
        found = load_pushes(connection, project, commits)
        pushes.update({(project, commit): push for commit, push in found.items()})
    return [_step(row, visible, pushes.get((row.project, row.commit))) for row in rows]


class Push(NamedTuple):
    """Who pushed a commit, None once that was erased, and who said so."""

    pusher: str | None
    told_by: str | None


def load_pushes(connection: Connection, project: str, commits: Collection[str]) -> dict[str, Push]:
    """Return who pushed commits of a project, as far as somebody said so; the first one to say it counts."""
    if not commits:
        return {}
    told = (POLICY_STEP.c.action == PUSHED, POLICY_STEP.c.project == project, POLICY_STEP.c.commit.in_(commits))
    query = select(POLICY_STEP).where(*told).order_by(POLICY_STEP.c.log_index.desc())
    return {row.commit: Push(json.loads(row.personal).get("pusher"), row.actor) for row in connection.execute(query)}


def reaching(scope: str) -> ColumnElement[bool]:
    """Return the condition of events of policies that reach a scope, before or after them."""
    path = scope.split("/") if scope else []
    above = ["", *("/".join(path[:length]) for length in range(1, len(path) + 1))]
    found = select(POLICY_REACH.c.reach)
    if scope:
        below = POLICY_REACH.c.scope.startswith(f"{scope}/", autoescape=True)
        found = found.where(or_(POLICY_REACH.c.scope.in_(above), below))
    return or_(POLICY_STEP.c.reach.in_(found), POLICY_STEP.c.reach_before.in_(found))


def _step(row: Any, reaches: Mapping[str, tuple[str, ...]], push: Push | None) -> Step:
    facts, personal = json.loads(row.facts), json.loads(row.personal)
    if push is not None and push.pusher is not None and row.action != PUSHED:
        facts["pusher_told_by"], personal["pusher"] = push.told_by, push.pusher
    return Step(
        index=row.log_index,
        at=row.at,
        action=row.action,
        project=row.project,
        policy=row.policy,
        kind=row.kind,
        name=row.name,
        scope=row.scope,
        actor_id=row.actor,
        actor_type=row.actor_type,
        actor_name=row.actor_name,
        reason=row.reason,
        facts=facts,
        personal=personal,
        changes=tuple(json.loads(row.changes)) if row.changes else (),
        affected_before=reaches.get(row.reach_before, ()),
        affected=reaches.get(row.reach, ()),
    )


def _project(row: Any, policies: int) -> Project:
    settings = ProjectSettings(
        title=row.title,
        scope=row.scope,
        governed=told(json.loads(row.governed)),
        kept=row.kept,
        repository=row.repository,
        branch=row.branch,
        path=row.path,
        approval=row.approval,
        signers=row.signers or "",
        keys=row.keys or "",
    )
    rejected = None
    if row.rejected_index is not None and row.rejected_index > (row.synced_index or -1):
        rejected = Rejected(
            row.rejected_at,
            row.rejected_index,
            row.rejected_digest,
            row.rejected_commit,
            row.rejected_line,
            row.rejected_column,
            row.rejected_message,
        )
    return Project(
        project=row.project,
        settings=settings,
        state=State(row.state),
        reason=row.reason,
        registered_at=row.registered_at,
        registered_index=row.registered_index,
        changed_index=row.changed_index,
        synced_commit=row.synced_commit,
        synced_at=row.synced_at,
        synced_index=row.synced_index,
        digest=row.digest,
        text=row.text,
        rejected=rejected,
        policies=policies,
    )
