"""Policy projects, policies and their events as answers and pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.policies.compare import Change, differences
from tallystick.policies.document import Policies
from tallystick.policies.model import PolicyInForce, Project, Proposal, Sight, Step
from tallystick.policies.reach import shown

#: What every reason for an unreachable repository means, and what to do.
REASONS = {
    "branch-missing": "The repository has no such branch. Policies stay as they were; push the branch, or name another.",
    "repository-missing": "There is no directory at the path of the repository.",
    "not-a-repository": "There is no Git repository at this place.",
    "refused": "The repository does not let the server in. Give the server's account the right to read it.",
    "unreachable": "The repository cannot be reached. Policies stay as they were; it is tried again and again.",
    "timeout": "The repository does not answer in time. Policies stay as they were; it is tried again and again.",
    "too-large": "The branch holds more than is fetched. Keep policies in a repository of their own.",
    "damaged": "The repository holds objects that are not as they must be. Run `git fsck` in it.",
    "git-missing": "Git is not installed on the server.",
}


class RejectedView(msgspec.Struct, frozen=True, kw_only=True):
    """A version that could not be accepted, newer than what is in force."""

    index: int
    at: str
    commit: str | None
    line: int | None
    column: int | None
    message: str | None


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy project. `whole` is false for who sees only that it governs scopes of hers: the rest is empty then.

    `digest` names the version in force; an edit says which one it was made from. `explained` says what `reason` means.
    """

    project: str
    title: str
    whole: bool
    scope: str
    governed: list[str]
    kept: str
    repository: str
    branch: str
    path: str
    approval: bool
    signers: str
    keys: str
    state: str
    reason: str | None
    explained: str
    events_on: bool
    policies: int
    commit: str | None
    digest: str | None
    synced_at: str | None
    synced_index: int | None
    registered_at: str
    registered_index: int
    rejected: RejectedView | None


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy in force, with the events that made it and changed it last."""

    project: str
    title: str
    policy: str
    kind: str
    name: str
    enabled: bool
    affected_scopes: list[str]
    content: dict[str, Any]
    created_index: int
    changed_index: int
    changed_at: str


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """A version that somebody proposed. `text` is None once it was erased."""

    proposal: str
    state: str
    digest: str
    based_on: str | None
    text: str | None
    reason: str | None
    proposed_by: str
    proposed_at: str
    proposed_index: int
    decided_by: str | None
    decided_at: str | None
    decided_index: int | None
    decision_reason: str | None


class DifferenceView(msgspec.Struct, frozen=True, kw_only=True):
    """One path of a policy with what stood there and what stands there now; null is nothing."""

    field: str
    old: Any
    new: Any


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a policy project. Names are null where they are not for the reader; `index` is its place in the log."""

    index: int
    at: str
    action: str
    project: str
    policy: str | None
    kind: str | None
    name: str | None
    scope: str | None
    actor: str | None
    actor_type: str
    actor_name: str | None
    author: str | None
    committer: str | None
    pusher: str | None
    reason: str | None
    facts: dict[str, Any]
    affected_scopes: list[str]
    affected_scopes_before: list[str]
    changes: list[DifferenceView]


class ProjectsView(msgspec.Struct, frozen=True, kw_only=True):
    """The policy projects that the caller sees, in the order in which they were registered."""

    projects: list[ProjectView]


class ProjectDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A policy project with all that is in force in it. `text` is that of a project that is kept here."""

    project: ProjectView
    policies: list[PolicyView]
    proposals: list[ProposalView]
    text: str | None


class HistoryView(msgspec.Struct, frozen=True, kw_only=True):
    """Events, the newest first. `before` asks for the older ones; null when there are none."""

    events: list[StepView]
    before: int | None


class GovernedView(msgspec.Struct, frozen=True, kw_only=True):
    """What governs a scope, or a part of it, and the events of that, the newest first."""

    scope: str
    policies: list[PolicyView]
    events: list[StepView]
    before: int | None


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one policy."""

    action: str
    kind: str
    name: str
    supersedes: str | None
    changes: list[DifferenceView]


class CheckedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy of a text that was checked."""

    kind: str
    name: str
    enabled: bool


class CheckView(msgspec.Struct, frozen=True, kw_only=True):
    """The policies of a text that can be accepted."""

    policies: list[CheckedPolicy]


def project_view(project: Project, *, events_on: bool) -> ProjectView:
    """Return a project as far as it was given out."""
    settings, rejected = project.settings, project.rejected
    whole = project.sight is Sight.WHOLE
    return ProjectView(
        project=project.project,
        title=settings.title,
        whole=whole,
        scope=settings.scope,
        governed=shown(settings.governed),
        kept=settings.kept,
        repository=settings.repository,
        branch=settings.branch,
        path=settings.path,
        approval=settings.approval,
        signers=settings.signers,
        keys=settings.keys,
        state=project.state.value,
        reason=project.reason,
        explained=REASONS.get(project.reason or "", ""),
        events_on=events_on,
        policies=project.policies,
        commit=project.synced_commit,
        digest=project.digest,
        synced_at=_time(project.synced_at),
        synced_index=project.synced_index,
        registered_at=time_of_us(project.registered_at),
        registered_index=project.registered_index,
        rejected=None
        if rejected is None
        else RejectedView(
            index=rejected.index,
            at=time_of_us(rejected.at),
            commit=rejected.commit,
            line=rejected.line,
            column=rejected.column,
            message=rejected.message,
        ),
    )


def policy_views(policies: Iterable[PolicyInForce]) -> list[PolicyView]:
    """Return policies in force."""
    return [
        PolicyView(
            project=each.project,
            title=each.title,
            policy=each.policy,
            kind=each.kind.value,
            name=each.name,
            enabled=each.enabled,
            affected_scopes=shown(each.affected),
            content=dict(each.content),
            created_index=each.created_index,
            changed_index=each.changed_index,
            changed_at=time_of_us(each.changed_at),
        )
        for each in policies
    ]


def proposal_view(each: Proposal) -> ProposalView:
    """Return a proposal."""
    return ProposalView(
        proposal=each.proposal,
        state=each.state,
        digest=each.digest,
        based_on=each.based_on,
        text=each.text,
        reason=each.reason,
        proposed_by=each.proposed_by,
        proposed_at=time_of_us(each.proposed_at),
        proposed_index=each.proposed_index,
        decided_by=each.decided_by,
        decided_at=_time(each.decided_at),
        decided_index=each.decided_index,
        decision_reason=each.decision_reason,
    )


def step_views(steps: Iterable[Step]) -> list[StepView]:
    """Return events, without the texts of whole versions: the event in the log has those."""
    return [
        StepView(
            index=each.index,
            at=time_of_us(each.at),
            action=each.action,
            project=each.project,
            policy=each.policy,
            kind=each.kind,
            name=each.name,
            scope=each.scope,
            actor=each.actor_id,
            actor_type=each.actor_type,
            actor_name=each.actor_name,
            author=each.personal.get("author"),
            committer=each.personal.get("committer"),
            pusher=each.personal.get("pusher"),
            reason=each.reason,
            facts=dict(each.facts),
            affected_scopes=shown(each.affected),
            affected_scopes_before=shown(each.affected_before),
            changes=[
                DifferenceView(field=change["field"], old=change.get("old"), new=change.get("new"))
                for change in (each.changes if each.policy is not None else ())
            ],
        )
        for each in steps
    ]


def before_of(steps: Sequence[Step], limit: int) -> int | None:
    """Return where the page after some events begins."""
    return steps[-1].index if len(steps) >= limit else None


def change_views(changes: Iterable[Change]) -> list[ChangeView]:
    """Return what became of policies."""
    views = []
    for each in changes:
        old, new = (side.content if side is not None else {} for side in (each.old, each.new))
        views.append(
            ChangeView(
                action=each.action,
                kind=each.policy.kind.value,
                name=each.policy.name,
                supersedes=each.supersedes,
                changes=[DifferenceView(field=one.path, old=one.old, new=one.new) for one in differences(old, new)],
            )
        )
    return views


def check_view(policies: Policies) -> CheckView:
    """Return the policies of a text."""
    checked = [CheckedPolicy(kind=each.kind.value, name=each.name, enabled=each.enabled) for each in policies.values()]
    return CheckView(policies=checked)


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)
