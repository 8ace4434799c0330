"""The verbs of policy projects. Each checks what the caller may do itself, so that pages, API and commands cannot differ."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.grants.deciding import require_another
from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.identifier import hidden_character
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.policies import events
from tallystick.policies.compare import Change, compare
from tallystick.policies.document import Policies, parse_policies
from tallystick.policies.errors import (
    OwnPolicyProposalError,
    PolicyEditConflictError,
    PolicyEventsOffError,
    PolicyProjectConflictError,
    PolicyProjectInvalidError,
    PolicyProposalDecidedError,
    PolicyProposalUnknownError,
    PolicyTextError,
)
from tallystick.policies.git import is_commit
from tallystick.policies.model import Project, ProjectSettings, Proposal, Pusher, Sight, State, digest_of
from tallystick.policies.ports import PolicyPorts
from tallystick.policies.rows import load_policies, load_projects, load_proposals, load_pushes
from tallystick.policies.settings import check_settings, is_of_machine
from tallystick.policies.sight import seen_project
from tallystick.policies.sync import Sync
from tallystick.store.tables.policies import POLICY_PROPOSAL

TEXT_BYTES_MAX: Final = 100_000
"""Of policies that are kept here: their text stands in the log, in one event."""
CHANGES_BYTES_MAX: Final = 12 << 20
REASON_CHARS_MAX: Final = 1000
PUSHER_CHARS_MAX: Final = 200
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
Events = Sequence[Mapping[str, Any]]


class PolicyService:
    """What is done with the policy projects of one installation; may be used from any thread.

    A project that the caller may not see is unknown to her.
    """

    def __init__(self, projection: Projection, commands: Commands, sync: Sync, ports: PolicyPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._sync = sync
        self._ports = ports

    def register(self, caller: Caller, settings: ProjectSettings) -> str:
        """Make a policy project and return its id.

        Raises PolicyProjectInvalidError, PermissionMissingError, PolicyProjectConflictError.
        """
        settings = self._allowed(caller, settings)
        project = _new_id("pp")

        def decide(connection: Connection) -> Events:
            _require_free(connection, settings, None)
            return [events.registered(caller, project, settings, self._ports.now_us())]

        self._commands.run(decide)
        return project

    def change(self, caller: Caller, project_id: str, wanted: Mapping[str, Any]) -> bool:
        """Give a project other settings, by their names; return whether anything is different.

        Where it is kept stays as it is. Raises what `register` raises, and PolicyProjectUnknownError.
        """

        def decide(connection: Connection) -> Events:
            project = self._managed(connection, caller, project_id)
            settings = self._allowed(caller, replace(project.settings, **wanted))
            if settings == project.settings:
                return []
            if settings.kept != project.settings.kept:
                raise PolicyProjectConflictError("a project goes on where it is kept; register another one instead")
            _require_free(connection, settings, project.project)
            made.append(events.changed(caller, project, settings, self._ports.now_us()))
            return made

        made: list[Mapping[str, Any]] = []
        self._commands.run(decide)
        return bool(made)

    def retire(self, caller: Caller, project_id: str) -> None:
        """End a project: each of its policies is deleted, and nothing is read any more."""

        def decide(connection: Connection) -> Events:
            project = self._managed(connection, caller, project_id)
            now_us = self._ports.now_us()
            changes = events.everything_deleted(load_policies(connection, project.project))
            if changes:
                self._require_events(project)
            deleted = self._here(caller, project, changes, None)
            return [*deleted, events.retired(caller, project, now_us)]

        self._commands.run(decide)

    def check(self, text: bytes) -> Policies:
        """Return the policies of a text; raises PolicyTextError. Nothing is recorded, and nothing changes."""
        return parse_policies(text)

    def preview(self, caller: Caller, project_id: str, text: str, *, changing: bool = True) -> list[Change]:
        """Return what a text would change in a project if it were put in force now; nothing is recorded.

        Raises PolicyTextError, and PermissionMissingError for who may only read unless she is not `changing` anything.
        """
        with self._projection.engine.connect() as connection:
            project = seen_project(connection, caller, project_id)
            needed = Permission.POLICIES_MANAGE if changing else Permission.POLICIES_READ
            require(caller, needed, project.settings.scope)
            policies = _parse_kept(text.encode("utf-8", "surrogatepass"))
            return compare(load_policies(connection, project.project), policies)

    def edit(self, caller: Caller, project_id: str, text: str, based_on: str | None) -> list[Change]:
        """Put a version in force that was made from the one with digest `based_on`; return what it changes.

        Raises PolicyTextError (which is on record then), PolicyEditConflictError, PolicyEventsOffError, and
        PolicyProjectConflictError where somebody else has to approve.
        """
        policies = self._parsed(caller, project_id, text)

        def decide(connection: Connection) -> Events:
            project = self._editable(connection, caller, project_id, based_on)
            if project.settings.approval:
                raise PolicyProjectConflictError("here somebody else has to approve: propose the change instead")
            changes[:] = compare(load_policies(connection, project.project), policies)
            if project.digest == digest_of(text.encode()):
                return []
            made = self._here(caller, project, changes, digest_of(text.encode()))
            return [*made, events.edited(caller, project, text, based_on, self._ports.now_us())]

        changes: list[Change] = []
        self._commands.run(decide)
        self._sync.figures.recorded(changes)
        return changes

    def propose(self, caller: Caller, project_id: str, text: str, based_on: str | None, reason: str) -> str:
        """Propose a version for somebody else to approve, and return the proposal's id; raises as `edit` does."""
        if caller.type == "service":
            # Whoever made its token would speak with two voices.
            raise OwnPolicyProposalError("a person proposes, never a program")
        self._parsed(caller, project_id, text)
        reason = _checked_reason(reason, needed=True)
        proposal = _new_id("pr")

        def decide(connection: Connection) -> Events:
            project = self._editable(connection, caller, project_id, based_on)
            return [events.proposed(caller, project, proposal, text, based_on, reason, self._ports.now_us())]

        self._commands.run(decide)
        return proposal

    def approve(self, caller: Caller, project_id: str, proposal_id: str, digest: str, reason: str = "") -> list[Change]:
        """Put what somebody else proposed in force: exactly the text with this digest. Returns what it changes.

        Raises OwnPolicyProposalError, PolicyProposalDecidedError, PolicyEditConflictError.
        """
        reason = _checked_reason(reason, needed=False)

        def decide(connection: Connection) -> Events:
            project, proposal = self._proposal(connection, caller, project_id, proposal_id, Permission.POLICIES_APPROVE)
            _require_other_person(connection, caller, project, proposal, self._ports.now_us())
            if proposal.digest != digest or proposal.text is None:
                raise PolicyProposalDecidedError("this is not the text that was proposed, or it was erased since")
            self._require_events(project)
            _require_base(project, proposal.based_on)
            changes[:] = compare(load_policies(connection, project.project), parse_policies(proposal.text.encode()))
            now_us = self._ports.now_us()
            made = self._here(caller, project, changes, digest, proposal.proposal)
            return [
                events.decided(caller, "proposal_approved", project, proposal, reason, now_us),
                *made,
                events.edited(caller, project, proposal.text, proposal.based_on, now_us, proposal),
            ]

        changes: list[Change] = []
        self._commands.run(decide)
        self._sync.figures.recorded(changes)
        return changes

    def decline(self, caller: Caller, project_id: str, proposal_id: str, reason: str) -> None:
        """Refuse what somebody else proposed."""
        reason = _checked_reason(reason, needed=True)

        def decide(connection: Connection) -> Events:
            project, proposal = self._proposal(connection, caller, project_id, proposal_id, Permission.POLICIES_APPROVE)
            _require_other_person(connection, caller, project, proposal, self._ports.now_us())
            return [events.decided(caller, "proposal_declined", project, proposal, reason, self._ports.now_us())]

        self._commands.run(decide)

    def withdraw(self, caller: Caller, project_id: str, proposal_id: str) -> None:
        """Take one's own proposal back."""

        def decide(connection: Connection) -> Events:
            project, proposal = self._proposal(connection, caller, project_id, proposal_id, Permission.POLICIES_MANAGE)
            if proposal.proposed_by != caller.id:
                raise OwnPolicyProposalError("only who proposed it takes a proposal back")
            return [events.decided(caller, "proposal_withdrawn", project, proposal, "", self._ports.now_us())]

        self._commands.run(decide)

    def sync(self, caller: Caller, project_id: str, pusher: str = "", commit: str = "") -> Project:
        """Look at a project's repository now, and return the project as it stands afterwards.

        `pusher` says who pushed `commit`, as the forge tells it: it stands in the events of that very commit, with who
        told it.
        """
        with self._projection.engine.connect() as connection:
            project = self._managed(connection, caller, project_id)
        if project.settings.kept != "git":
            raise PolicyProjectConflictError("the policies of this project are kept here, not in Git")
        self._require_events(project)
        told = Pusher(pusher, commit, caller.id) if pusher or commit else None
        if told is not None:
            self._tell_push(caller, project.project, told)
        self._sync.project(project.project, told)
        with self._projection.engine.connect() as connection:
            return self._managed(connection, caller, project_id, retired=True)

    def _tell_push(self, caller: Caller, project_id: str, told: Pusher) -> None:
        """Put on record who pushed a commit, once for each commit: it may have been read before anybody said so."""
        if not 1 <= len(told.name) <= PUSHER_CHARS_MAX or hidden_character(told.name) is not None:
            said = f"a pusher has 1 to {PUSHER_CHARS_MAX} visible characters, and goes with a commit"
            raise PolicyProjectInvalidError(said, pointer="/pusher")
        if not is_commit(told.commit):
            raise PolicyProjectInvalidError("tell the whole name of the commit, in small digits", pointer="/commit")

        def decide(connection: Connection) -> Events:
            project = self._managed(connection, caller, project_id)
            if load_pushes(connection, project_id, [told.commit]):
                return []
            return [events.pushed(caller, project, told.commit, told.name, self._ports.now_us())]

        self._commands.run(decide)

    def _allowed(self, caller: Caller, settings: ProjectSettings) -> ProjectSettings:
        """Return settings that the caller may give: she manages the owner and everything that is governed."""
        settings = check_settings(settings)
        require(caller, Permission.POLICIES_MANAGE, settings.scope, *settings.governed)
        if is_of_machine(settings):
            require(caller, Permission.POLICIES_MANAGE, "")  # files and keys of this machine belong to no scope
        return settings

    def _managed(self, connection: Connection, caller: Caller, project_id: str, *, retired: bool = False) -> Project:
        project = seen_project(connection, caller, project_id)
        if project.sight is not Sight.WHOLE or not retired:
            require(caller, Permission.POLICIES_MANAGE, project.settings.scope)
        if project.state is State.RETIRED and not retired:
            raise PolicyProjectConflictError("this policy project is retired")
        return project

    def _parsed(self, caller: Caller, project_id: str, text: str) -> Policies:
        """Return the policies of a text that is to be kept here; what is wrong with it is on record before it raises."""
        data = text.encode("utf-8", "surrogatepass")
        with self._projection.engine.connect() as connection:
            project = self._managed(connection, caller, project_id)
        try:
            return _parse_kept(data)
        except PolicyTextError as error:
            if project.settings.kept == "here" and self._ports.enabled(project.settings.scope):
                line, column, said, now_us = error.line, error.column, error.message, self._ports.now_us()
                refusal = events.refused(caller, project, text, line, column, said, now_us)
                self._commands.run(lambda _: [refusal])
                self._sync.figures.rejected()
            raise

    def _editable(self, connection: Connection, caller: Caller, project_id: str, based_on: str | None) -> Project:
        project = self._managed(connection, caller, project_id)
        if project.settings.kept != "here":
            raise PolicyProjectConflictError("the policies of this project are changed in its Git repository")
        self._require_events(project)
        _require_base(project, based_on)
        return project

    def _proposal(
        self, connection: Connection, caller: Caller, project_id: str, proposal_id: str, permission: Permission
    ) -> tuple[Project, Proposal]:
        project = seen_project(connection, caller, project_id)
        require(caller, permission, project.settings.scope)
        here = POLICY_PROPOSAL.c.project == project.project
        found = load_proposals(connection, here, POLICY_PROPOSAL.c.proposal == proposal_id[:32])
        if not found:
            raise PolicyProposalUnknownError(f"there is no proposal {proposal_id[:32]!r} here")
        if found[0].state != "open" or project.state is State.RETIRED:
            raise PolicyProposalDecidedError(f"the proposal is {found[0].state}")
        return project, found[0]

    def _here(
        self,
        caller: Caller,
        project: Project,
        changes: Sequence[Change],
        digest: str | None,
        proposal: str | None = None,
    ) -> list[dict[str, Any]]:
        made = events.made_here(caller, project, changes, digest, self._ports.now_us(), proposal)
        size = sum(len(repr(each)) for each in made)
        if size > CHANGES_BYTES_MAX:
            raise PolicyProjectInvalidError(
                f"this changes {len(made):,} policies at once: change them in several steps"
            )
        return made

    def _require_events(self, project: Project) -> None:
        if not self._ports.enabled(project.settings.scope):
            raise PolicyEventsOffError(f"policy events are switched off for {project.settings.scope}")


def _parse_kept(data: bytes) -> Policies:
    if len(data) > TEXT_BYTES_MAX:
        raise PolicyTextError(
            f"the text has {len(data):,} bytes; at most {TEXT_BYTES_MAX:,} are kept here, more in Git"
        )
    return parse_policies(data)


def _require_other_person(
    connection: Connection, caller: Caller, project: Project, proposal: Proposal, now_us: int
) -> None:
    """Raise OwnPolicyProposalError unless the caller is a person, and neither the one who proposed it nor in her hands."""
    try:
        require_another(
            connection, caller, Permission.POLICIES_APPROVE, project.settings.scope, now_us, {proposal.proposed_by}
        )
    except OwnDecisionError as error:
        raise OwnPolicyProposalError(error.message) from error


def _require_base(project: Project, based_on: str | None) -> None:
    """Raise PolicyEditConflictError unless the version in force is the one that was edited."""
    if project.digest != (based_on or None):
        raise PolicyEditConflictError("the policies were changed meanwhile")


def _require_free(connection: Connection, settings: ProjectSettings, but: str | None) -> None:
    """Raise PolicyProjectConflictError where the scope has another project of that title."""
    for each in load_projects(connection):
        taken = (each.settings.scope, each.settings.title) == (settings.scope, settings.title)
        if taken and each.project != but and each.state is not State.RETIRED:
            raise PolicyProjectConflictError("the scope has a policy project of this title")


def _checked_reason(reason: str, *, needed: bool) -> str:
    reason = reason.strip()
    if len(reason) > REASON_CHARS_MAX or (needed and not reason):
        least = 1 if needed else 0
        raise PolicyProjectInvalidError(f"a reason has {least} to {REASON_CHARS_MAX:,} characters", pointer="/reason")
    return reason


def _new_id(kind: str) -> str:
    return f"{kind}-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))
