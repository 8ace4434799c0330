"""The events of policy projects and of security policies: what each says for ever, and what of it is personal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tallystick.access.acts import Change as ActChange
from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.event.identifier import hidden_character
from tallystick.event.occurred import time_of_us
from tallystick.policies.compare import Change, differences
from tallystick.policies.model import (
    Policy,
    Project,
    ProjectSettings,
    Proposal,
    Pusher,
    Version,
    digest_of,
    policy_id,
)
from tallystick.policies.reach import affected, shown

Event = dict[str, Any]
PRODUCT: Final = {"id": "tallystick", "type": "system"}
#: Whoever made a commit that bears no good signature: what the commit says of its author stands beside, unverified.
UNVERIFIED: Final = {"id": "git", "type": "unknown", "name": "Git commit without a verified signature"}
REJECTED: Final = "security_policy.rejected"
PUSHED: Final = "policy_project.pushed"


def registered(caller: Caller, project: str, settings: ProjectSettings, now_us: int) -> Event:
    """Return the event that makes a policy project."""
    return _settled(caller, "policy_project.registered", project, settings, None, now_us)


def changed(caller: Caller, project: Project, settings: ProjectSettings, now_us: int) -> Event:
    """Return the event that gives a policy project other settings."""
    return _settled(caller, "policy_project.changed", project.project, settings, project.settings, now_us)


def retired(caller: Caller, project: Project, now_us: int) -> Event:
    """Return the event that ends a policy project; its policies were deleted before."""
    return _about(caller, "policy_project.retired", project, {}, now_us)


def pushed(caller: Caller, project: Project, commit: str, pusher: str, now_us: int) -> Event:
    """Return the event that says who pushed a commit, as the caller tells it."""
    event = _about(caller, PUSHED, project, {"commit": commit}, now_us)
    return {**event, "metadata": {**event["metadata"], "pusher": pusher}}


def edited(
    caller: Caller, project: Project, text: str, based_on: str | None, now_us: int, proposal: Proposal | None = None
) -> Event:
    """Return the event that puts a version in force that was made here; the text of a proposal is on record already."""
    digest = digest_of(text.encode())
    metadata: dict[str, Any] = {"digest": digest, "based_on": based_on}
    if proposal is not None:
        metadata |= {"proposal": proposal.proposal, "proposed_by": proposal.proposed_by}
    changes = [] if proposal is not None else [ActChange("text", None, text)]
    return _about(caller, "policy_project.edited", project, metadata, now_us, changes=changes)


def proposed(
    caller: Caller, project: Project, proposal: str, text: str, based_on: str | None, reason: str, now_us: int
) -> Event:
    """Return the event that proposes a version for somebody else to decide about."""
    metadata = {"proposal": proposal, "digest": digest_of(text.encode()), "based_on": based_on}
    changes = [ActChange("text", None, text)]
    return _about(caller, "policy_project.proposed", project, metadata, now_us, reason=reason, changes=changes)


def decided(caller: Caller, action: str, project: Project, proposal: Proposal, reason: str, now_us: int) -> Event:
    """Return the event that says what became of a proposal, bound to exactly what was proposed."""
    metadata = {"proposal": proposal.proposal, "digest": proposal.digest, "proposed_by": proposal.proposed_by}
    return _about(caller, f"policy_project.{action}", project, metadata, now_us, reason=reason)


def synced(project: Project, version: Version, now_us: int) -> list[Event]:
    """Return the events that say that a version from Git is in force, and what it left behind."""
    policies = len(version.policies or ())
    metadata = {"commit": version.commit, "digest": version.digest, "basis": version.basis, "policies": policies}
    done = _of_product("policy_project.synced", project, metadata, now_us)
    return [*_left_behind(project, version, now_us), done]


def reached(project: Project, commit: str, now_us: int) -> Event:
    """Return the event that says that a repository can be read again, with nothing new in it."""
    return _of_product("policy_project.reached", project, {"commit": commit}, now_us)


def failed(project: Project, reason: str, message: str, now_us: int) -> Event:
    """Return the event that says that a repository cannot be read."""
    event = _of_product("policy_project.sync_failed", project, {"reason": reason}, now_us)
    return {**event, "outcome": "failure", "reason": message}


def rejected(project: Project, version: Version, now_us: int, pusher: Pusher | None) -> list[Event]:
    """Return the events of a version from Git that cannot be accepted."""
    facts, personal = _from_git(version, pusher)
    place = {name: version.problem.get(name) for name in ("line", "column")}
    metadata = {"project": project.project, "kept": "git", "digest": version.digest, **facts, **place, **personal}
    event = _of_product(REJECTED, project, metadata, now_us)
    event |= {"actor": _actor(version), "outcome": "failure", "reason": str(version.problem.get("message", ""))}
    return [*_left_behind(project, version, now_us), event]


def refused(
    caller: Caller, project: Project, text: str, line: int | None, column: int | None, said: str, now_us: int
) -> Event:
    """Return the event of a version made here that cannot be accepted."""
    digest = digest_of(text.encode("utf-8", "surrogatepass"))
    metadata = {"kept": "here", "digest": digest, "line": line, "column": column}
    return _about(caller, REJECTED, project, metadata, now_us, reason=said, outcome="failure")


def from_git(
    project: Project, version: Version, changes: Iterable[Change], now_us: int, pusher: Pusher | None
) -> list[Event]:
    """Return one event for each policy that a version from Git changes."""
    facts, personal = _from_git(version, pusher)
    actor = _actor(version)
    return [
        {
            "action": change.action,
            "actor": actor,
            **_what(project, change),
            "scope": project.settings.scope,
            "occurred_at": time_of_us(now_us),
            "metadata": {**_facts(project, change), "digest": version.digest, **facts, **personal},
        }
        for change in changes
    ]


def made_here(
    caller: Caller,
    project: Project,
    changes: Iterable[Change],
    digest: str | None,
    now_us: int,
    proposal: str | None = None,
) -> list[Event]:
    """Return one event for each policy that somebody changed here."""
    more: dict[str, Any] = {"basis": "here", "via": caller.via}
    if digest is not None:
        more["digest"] = digest
    if proposal is not None:
        more["proposal"] = proposal
    events = []
    for change in changes:
        target = Target("security_policy", policy_id(project.project, change.policy.kind, change.policy.name))
        event = act(caller, change.action, target, {}, now_us, scope=project.settings.scope)
        metadata = {**_facts(project, change), **more}
        events.append({**event, **_what(project, change), "metadata": metadata})
    return events


def _what(project: Project, change: Change) -> dict[str, Any]:
    """Return the target of a policy's event, and its whole difference by path."""
    policy = change.policy
    old, new = (each.content if each is not None else {} for each in (change.old, change.new))
    target = {
        "type": "security_policy",
        "id": policy_id(project.project, policy.kind, policy.name),
        "name": policy.name,
    }
    return {
        "target": target,
        "changes": [{"field": each.path, "old": each.old, "new": each.new} for each in differences(old, new)],
    }


def _facts(project: Project, change: Change) -> dict[str, Any]:
    policy, governed = change.policy, project.settings.governed
    facts: dict[str, Any] = {
        "project": project.project,
        "policy": policy_id(project.project, policy.kind, policy.name),
        "kind": policy.kind.value,
        "enabled": policy.enabled,
        "affected_scopes": shown(affected(change.new, governed)),
        "affected_scopes_before": shown(affected(change.old, governed)),
    }
    if change.supersedes is not None:
        facts["supersedes"] = change.supersedes
    return facts


def _from_git(version: Version, pusher: Pusher | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a commit says of itself: facts, and what names people."""
    facts: dict[str, Any] = {"commit": version.commit, "basis": version.basis}
    personal: dict[str, Any] = {}
    by = version.by
    if by is not None:
        signature = {"status": by.signature.status, "kind": by.signature.kind, "key": by.signature.key}
        facts |= {
            "author_verified": by.author_verified,
            "committer_verified": by.committer_verified,
            "signature": {name: value for name, value in signature.items() if value},
        }
        personal |= {"author": str(by.author), "committer": str(by.committer)}
        if by.signature.signer is not None:
            personal["signer"] = by.signature.signer
        if by.committer.at is not None:
            facts["committed_at"] = time_of_us(by.committer.at)
    if version.merged:
        facts["merged_commits"] = list(version.merged)
    if pusher is not None and pusher.commit == version.commit:
        facts["pusher_told_by"] = pusher.told_by
        personal["pusher"] = pusher.name
    return facts, personal


def _actor(version: Version) -> dict[str, Any]:
    """Return the committer where a good signature says so, and nobody by name otherwise."""
    by = version.by
    if by is None or not by.committer_verified or hidden_character(by.committer.email) is not None:
        return dict(UNVERIFIED)
    email = by.committer.email.casefold()
    return {"id": email, "type": "user", "name": by.committer.name or email, "email": email}


def _left_behind(project: Project, version: Version, now_us: int) -> list[Event]:
    if version.was is None:
        return []
    metadata = {"commit": version.commit, "was": version.was}
    return [_of_product("policy_project.history_rewritten", project, metadata, now_us)]


def _settled(
    caller: Caller, action: str, project: str, settings: ProjectSettings, old: ProjectSettings | None, now_us: int
) -> Event:
    now, before = settled_values(settings), None if old is None else settled_values(old)
    facts = {name: value for name, value in now.items() if name not in {"signers", "keys"}}
    metadata = {"project": project, **facts}
    metadata |= {f"{name}_digest": digest_of(str(now[name]).encode()) for name in ("signers", "keys")}
    if before is not None:
        metadata["governed_before"] = before["governed"]
    changes = [
        ActChange(name, None if before is None else before[name], value)
        for name, value in now.items()
        if (before is None and name in {"signers", "keys"} and value) or (before is not None and before[name] != value)
    ]
    target = Target("policy_project", project, settings.title)
    return act(caller, action, target, metadata, now_us, scope=settings.scope, changes=changes)


def settled_values(settings: ProjectSettings) -> dict[str, Any]:
    """Return settings as plain JSON, by the names that events have for them."""
    return {
        "title": settings.title,
        "scope": settings.scope,
        "governed": shown(settings.governed),
        "kept": settings.kept,
        "repository": settings.repository,
        "branch": settings.branch,
        "path": settings.path,
        "approval": settings.approval,
        "signers": settings.signers,
        "keys": settings.keys,
    }


def _about(
    caller: Caller,
    action: str,
    project: Project,
    metadata: Mapping[str, Any],
    now_us: int,
    *,
    reason: str = "",
    outcome: str = "success",
    changes: Sequence[ActChange] = (),
) -> Event:
    target = Target("policy_project", project.project, project.settings.title)
    scope = project.settings.scope
    told = {"project": project.project, **metadata}
    return act(
        caller, action, target, told, now_us, scope=scope, reason=reason or None, outcome=outcome, changes=changes
    )


def _of_product(action: str, project: Project, metadata: Mapping[str, Any], now_us: int) -> Event:
    return {
        "action": action,
        "actor": dict(PRODUCT),
        "target": {"type": "policy_project", "id": project.project, "name": project.settings.title},
        "scope": project.settings.scope,
        "occurred_at": time_of_us(now_us),
        "metadata": {"project": project.project, **metadata},
    }


def everything_deleted(policies: Mapping[Any, Policy]) -> list[Change]:
    """Return the changes that leave no policy."""
    return [Change(policy, None) for policy in policies.values()]
