"""Refusals about roles and grants."""

from __future__ import annotations

from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError


class PersonRequiredError(ForbiddenError):
    """Access is asked for, decided and ended by people."""

    code = "person-required"
    advice = "Sign in as a person, or use a token that a person made."


class OwnDecisionError(ForbiddenError):
    """The one who decides asked for the grant, gets it, or was given the authority by who did."""

    code = "own-decision"
    advice = "Somebody else who may approve in this scope has to decide."


class RoleUnknownError(NotFoundError):
    """There is no such role, or it is retired."""

    code = "role-unknown"
    advice = "`tallystick access roles` names the roles."


class RoleInvalidError(InvalidInputError):
    """The name or the permissions of a role are not ones that can be."""

    code = "role-invalid"
    advice = "Name it with 2 to 64 small letters, digits and dashes, and give it at least one permission that exists."


class RoleConflictError(ConflictError):
    """The role exists already, comes with the product, or is in use."""

    code = "role-conflict"
    advice = "Choose another name; end the grants of a role before retiring it; built-in roles stay as they are."


class GrantUnknownError(NotFoundError):
    """There is no such grant, or the caller may not know that there is."""

    code = "grant-unknown"
    advice = "`tallystick access list` names the grants that you may see."


class SubjectUnknownError(InvalidInputError):
    """There is no such person, or she is disabled."""

    code = "subject-unknown"
    advice = "Name a person by handle or id, as *Access*, *People* and `tallystick person list` show them, or a group."


class GrantTermsInvalidError(InvalidInputError):
    """The reason, the end or the length of a grant is not acceptable."""

    code = "grant-terms-invalid"
    advice = "Say why, and until when: a time ahead, at most 366 days. An emergency lasts at most 60 minutes."


class GrantDecidedError(ConflictError):
    """The request was decided, withdrawn or lapsed before this."""

    code = "grant-decided"
    advice = "Look at the grant again; a new request begins a new decision."


class GrantNotActiveError(ConflictError):
    """The grant is not in force."""

    code = "grant-not-active"
    advice = "Only a grant that is in force can be extended or ended."


class GrantChangedError(ConflictError):
    """The role has changed since it was asked for, so that an approval would be about something else."""

    code = "grant-changed"
    advice = "Reject it, and ask again for the role as it is now."


class AccessQuestionError(InvalidInputError):
    """A time, permission, state or subject is not written as one."""

    code = "access-question-invalid"
    advice = "Times have a zone or are relative (-30d, now+8h); `tallystick access roles` names the permissions."
