"""Refusals about systems and declarations."""

from __future__ import annotations

from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError


class SystemUnknownError(NotFoundError):
    """There is no such system, or the caller may not know that there is."""

    code = "system-unknown"
    advice = "Check the id; systems are shown to who holds systems.read in one of their scopes."


class SystemInvalidError(InvalidInputError):
    """A system cannot be registered as it was written."""

    code = "system-invalid"
    advice = "A system has a name, at least one scope, an environment, a data class and an owner with an account."


class SystemConflictError(ConflictError):
    """A system of this name is registered, or this one is retired."""

    code = "system-conflict"
    advice = "Choose another name, or change the system that has it; a retired system stays as it is."


class DeclarationInvalidError(InvalidInputError):
    """A declaration cannot be proposed as it was written."""

    code = "declaration-invalid"
    advice = "Every pattern has a name, a query that the search understands, why it matters, and the longest silence."


class DeclarationUnknownError(NotFoundError):
    """The system has no such declaration."""

    code = "declaration-unknown"
    advice = "The system's page lists its declarations."


class DeclarationDecidedError(ConflictError):
    """The declaration was decided or withdrawn, another is in force since, or it is not what the decision names."""

    code = "declaration-decided"
    advice = "Look at the system again, and propose anew from the declaration in force."


class NotYourSystemError(ForbiddenError):
    """Only who answers for a system, or manages all of them, declares what is critical in it."""

    code = "not-your-system"
    advice = "Ask the owner or a deputy; they stand on the system's page."


class PositionUnknownError(InvalidInputError):
    """There is no such place in the log, or what was received there can no longer be read."""

    code = "position-unknown"
    advice = "Give an index from 1 up to the size of the log."
