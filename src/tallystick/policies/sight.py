"""Who sees what of policies.

Who holds `policies.read` in the scope that owns a project sees all of it. Who holds it in a scope that the project
governs sees that it does, the policies that do, and their events: never where else they apply, nor where they are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.event.identifier import is_within
from tallystick.policies.errors import PolicyProjectUnknownError
from tallystick.policies.events import REJECTED
from tallystick.policies.model import PolicyInForce, Project, ProjectSettings, Sight, Step
from tallystick.policies.reach import affected, visible_of
from tallystick.policies.rows import find_project


def seen_project(connection: Connection, caller: Caller, project_id: str) -> Project:
    """Return a project as far as the caller sees it; raises PolicyProjectUnknownError."""
    found = find_project(connection, project_id)
    seen = None if found is None else as_seen(caller, found)
    if seen is None:
        raise PolicyProjectUnknownError(f"there is no policy project {project_id[:32]!r}")
    return seen


def as_seen(caller: Caller, project: Project) -> Project | None:
    """Return a project as far as the caller sees it, or None."""
    scopes = caller.rights.scopes(Permission.POLICIES_READ)
    if any(is_within(project.settings.scope, scope) for scope in scopes):
        return project
    governed = visible_of(project.settings.governed, scopes)
    if not governed:
        return None
    settings = project.settings
    told = ProjectSettings(title=settings.title, scope="", governed=governed, kept=settings.kept, path="")
    return replace(project, settings=told, sight=Sight.GOVERNED, text=None, reason=None, rejected=None)


def seen_policies(
    caller: Caller, project: Project, governed: Sequence[str], found: Sequence[PolicyInForce]
) -> list[PolicyInForce]:
    """Return the policies of a project that the caller sees, each with the scopes that it governs and she sees."""
    scopes = caller.rights.scopes(Permission.POLICIES_READ)
    whole = project.sight is Sight.WHOLE
    seen = []
    for each in found:
        reach = affected(each, governed)
        told = reach if whole else visible_of(reach, scopes)
        if whole or told:
            seen.append(replace(each, title=project.settings.title, affected=tuple(told)))
    return seen


def seen_steps(caller: Caller, steps: Sequence[Step]) -> list[Step]:
    """Return events of policies as the caller may see them: names of people only where she may see personal data."""
    reads = caller.rights.scopes(Permission.POLICIES_READ)
    personal = caller.rights.scopes(Permission.EVENTS_READ_PERSONAL)
    return [_seen_step(each, reads, personal) for each in steps]


def _seen_step(step: Step, reads: Sequence[str], personal: Sequence[str]) -> Step:
    scope = step.scope or ""
    whole = any(is_within(scope, read) for read in reads)
    if not whole or not any(is_within(scope, read) for read in personal):
        # An id that is an address stands in the personal part; what the text of a version lacks names nobody.
        actor = None if "@" in (step.actor_id or "") else step.actor_id
        reason = step.reason if step.action == REJECTED else None
        step = replace(step, actor_id=actor, actor_name=None, personal={}, reason=reason)
    return step if whole else _from_below(step)


def _from_below(step: Step) -> Step:
    """Return an event as who is governed by it sees it: which policy, what of it changed, by which commit."""
    told = ("kind", "enabled", "policy", "project", "commit", "basis", "supersedes", "author_verified")
    facts = {name: value for name, value in step.facts.items() if name in told}
    return replace(step, scope=None, facts=facts)
