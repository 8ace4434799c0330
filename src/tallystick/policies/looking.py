"""Reading policies: projects, what is in force, the history, and what governs a scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.errors import PermissionMissingError
from tallystick.follow.projection import Projection
from tallystick.policies.model import PolicyInForce, Project, Proposal, Sight, State, Step
from tallystick.policies.ports import Looked
from tallystick.policies.reach import concerns
from tallystick.policies.rows import find_project, load_in_force, load_projects, load_proposals, load_steps, reaching
from tallystick.policies.sight import as_seen, seen_policies, seen_project, seen_steps
from tallystick.store.tables.policies import POLICY_PROPOSAL, POLICY_STEP

STEPS_MAX: Final = 200
_POLICY_ACTIONS: Final = ("security_policy.created", "security_policy.updated", "security_policy.deleted")
_READ: Final = Permission.POLICIES_READ


class PolicyReading:
    """What can be seen of policies; may be used from any thread. Each look is on record when a method returns.

    `enabled` says whether events of policies are switched on in a scope.
    """

    def __init__(self, projection: Projection, looked: Looked, enabled: Callable[[str], bool]) -> None:
        self._projection = projection
        self._looked = looked
        self.enabled = enabled

    def states(self) -> Mapping[str, int]:
        """Return how many projects are in each state, which tells of none of them."""
        with self._projection.engine.connect() as connection:
            return Counter(each.state.value for each in load_projects(connection))

    def projects(self, caller: Caller) -> list[Project]:
        """Return the projects that the caller sees, whole or as far as they govern scopes of hers."""
        _require_any(caller)
        self._looked(caller, "policy projects", "")
        with self._projection.engine.connect() as connection:
            return [seen for each in load_projects(connection) if (seen := as_seen(caller, each)) is not None]

    def project(self, caller: Caller, project_id: str) -> Project:
        """Return one project; raises PolicyProjectUnknownError."""
        _require_any(caller)
        with self._projection.engine.connect() as connection:
            project = seen_project(connection, caller, project_id)
        self._looked(caller, f"policy project {project.project}", project.settings.scope)
        return project

    def policies(self, caller: Caller, project_id: str) -> list[PolicyInForce]:
        """Return what is in force in a project, by kind and name."""
        _require_any(caller)
        with self._projection.engine.connect() as connection:
            project = seen_project(connection, caller, project_id)
            whole = find_project(connection, project_id)
            assert whole is not None
            return seen_policies(caller, project, whole.settings.governed, load_in_force(connection, project.project))

    def proposals(self, caller: Caller, project_id: str) -> list[Proposal]:
        """Return the proposals of a project, the newest first; nothing to who does not see all of the project."""
        _require_any(caller)
        with self._projection.engine.connect() as connection:
            project = seen_project(connection, caller, project_id)
            if project.sight is not Sight.WHOLE:
                return []
            return load_proposals(connection, POLICY_PROPOSAL.c.project == project.project)

    def history(
        self, caller: Caller, project_id: str, *, below: int | None = None, policy: str | None = None, limit: int = 50
    ) -> list[Step]:
        """Return the events of a project below an index, the newest first; of one policy of it where that is given."""
        _require_any(caller)
        conditions: list[Any] = [] if below is None else [POLICY_STEP.c.log_index < below]
        if policy is not None:
            conditions.append(POLICY_STEP.c.policy == policy[:32])
        scopes = caller.rights.scopes(_READ)
        with self._projection.engine.connect() as connection:
            project = seen_project(connection, caller, project_id)
            conditions.append(POLICY_STEP.c.project == project.project)
            whole = project.sight is Sight.WHOLE
            if not whole:
                conditions.append(POLICY_STEP.c.action.in_(_POLICY_ACTIONS))
            steps = load_steps(connection, *conditions, limit=min(limit, STEPS_MAX), seen=("",) if whole else scopes)
        self._looked(caller, f"policy project {project.project} history", project.settings.scope)
        return seen_steps(caller, [each for each in steps if whole or each.affected or each.affected_before])

    def governing(self, caller: Caller, scope: str) -> list[PolicyInForce]:
        """Return the policies that govern a scope, or a part of it, whichever project owns them."""
        require(caller, _READ, scope)
        self._looked(caller, "policies in force", scope)
        found: list[PolicyInForce] = []
        with self._projection.engine.connect() as connection:
            for each in load_projects(connection):
                project = as_seen(caller, each)
                touched = any(concerns(scope, governed) for governed in each.settings.governed)
                if project is None or not touched or each.state is State.RETIRED:
                    continue
                policies = seen_policies(
                    caller, project, each.settings.governed, load_in_force(connection, each.project)
                )
                found += [policy for policy in policies if any(concerns(scope, one) for one in policy.affected)]
        return found

    def events_of(self, caller: Caller, scope: str, *, below: int | None = None, limit: int = 50) -> list[Step]:
        """Return the events of policies that govern a scope, or a part of it, or did before; the newest first."""
        require(caller, _READ, scope)
        self._looked(caller, "policy events", scope)
        conditions: list[Any] = [POLICY_STEP.c.action.in_(_POLICY_ACTIONS), reaching(scope)]
        if below is not None:
            conditions.append(POLICY_STEP.c.log_index < below)
        scopes = caller.rights.scopes(_READ)
        with self._projection.engine.connect() as connection:
            steps = load_steps(connection, *conditions, limit=min(limit, STEPS_MAX), seen=scopes)
        return seen_steps(caller, steps)


def _require_any(caller: Caller) -> None:
    if not caller.rights.anywhere(_READ):
        raise PermissionMissingError(f"this needs the permission {_READ}")
