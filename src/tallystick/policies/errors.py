"""Refusals about policy projects and their policies."""

from __future__ import annotations

from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, UnavailableError


class PolicyTextError(InvalidInputError):
    """The text of the policies cannot be accepted; `line` and `column` say where."""

    code = "policy-text"
    advice = "Correct the named place; the reference of policy keys lists what is accepted. The last good version stays in force."


class PolicyProjectUnknownError(NotFoundError):
    """There is no such policy project, or the caller may not know that there is."""

    code = "policy-project-unknown"
    advice = "`tallystick policies projects` names the policy projects that you may see."


class PolicyProjectInvalidError(InvalidInputError):
    """A setting of a policy project is not one that can be; `pointer` names it."""

    code = "policy-project-invalid"
    advice = "Correct the named setting; the guide about security policies says what each may be."


class PolicyProjectConflictError(ConflictError):
    """The name of the policy project is taken, or the project does not work in this way."""

    code = "policy-project-conflict"
    advice = "The project's page shows where it is kept, how it is changed, and whether it is retired."


class PolicyEditConflictError(ConflictError):
    """Somebody else changed the policies meanwhile: the version that was edited is not the one in force."""

    code = "policy-edit-conflict"
    advice = "Read the version in force, make the change in it again, and send it with that version's digest."


class PolicyProposalUnknownError(NotFoundError):
    """There is no such proposal in this policy project."""

    code = "policy-proposal-unknown"
    advice = "The project's page lists its proposals."


class PolicyProposalDecidedError(ConflictError):
    """The proposal was decided already, or is not the one that was read."""

    code = "policy-proposal-decided"
    advice = "Look at the proposal as it is now; propose anew what is still wanted."


class OwnPolicyProposalError(ForbiddenError):
    """Nobody puts in force what they proposed themselves."""

    code = "own-policy-proposal"
    advice = "Somebody else who holds policies.approve in this scope has to decide."


class PolicyEventsOffError(ConflictError):
    """Policy events are switched off here, and without an event nothing changes."""

    code = "policy-events-off"
    advice = "Whoever holds settings.manage can switch on security_policy_events for this scope."


class RepositoryError(UnavailableError):
    """The Git repository of a policy project cannot be read; `reason` is a stable word for why."""

    code = "policy-repository"
    advice = "What was in force stays in force; the repository is tried again and again."

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, retry_after_s=10)
        self.reason = reason
