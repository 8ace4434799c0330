"""What is refused about retention."""

from __future__ import annotations

from tallystick.errors import ConflictError, InvalidInputError, NotFoundError


class RetentionInvalidError(InvalidInputError):
    """A class, a rule, a hold or a request does not say what it must, or something that cannot be."""

    code = "retention-invalid"
    advice = "The message says what is wrong; `tallystick retention classes` shows what there is."


class BelowFloorError(InvalidInputError):
    """A class that holds security and access events, or that a regulation binds, would be kept for too short a time."""

    code = "retention-below-floor"
    advice = "Keep it longer, or have two people agree to an exception of kind retention for this class first."


class RetentionUnknownError(NotFoundError):
    """There is no such class, hold or request."""

    code = "retention-unknown"
    advice = "`tallystick retention classes` and `tallystick retention holds` show what there is."


class RetentionConflictError(ConflictError):
    """It was decided already, or something else has changed since it was proposed."""

    code = "retention-conflict"
    advice = "Look at it again, and propose or decide what is there now."


class SimulationOutdatedError(ConflictError):
    """What a change would do is not what its simulation said any more, or it was not simulated."""

    code = "simulation-outdated"
    advice = "Simulate the change again, read what would go, and ask for it with the new digest."
