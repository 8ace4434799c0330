"""What can be wrong with what somebody does with an alert."""

from __future__ import annotations

from tallystick.errors import ConflictError, InvalidInputError, NotFoundError


class AlertNotFoundError(NotFoundError):
    """There is no such alert, or the caller may not know that there is."""

    code = "alert-not-found"
    advice = "Check the id; alerts are shown to who holds alerts.read in their scope."


class AlertInvalidError(InvalidInputError):
    """What is asked for an alert cannot be taken as it was given."""

    code = "alert-invalid"
    advice = "The guide on alerts states what each step takes."


class AlertStateError(ConflictError):
    """The alert is not in a state that this step begins from; perhaps somebody else was faster."""

    code = "alert-state"
    advice = "Look at the alert as it is now; its history says who did what."


class ClosingChangedError(ConflictError):
    """The closing that was looked at is no longer the one that waits for a second person."""

    code = "alert-closing-changed"
    advice = "Look at the alert as it is now, and decide about the closing that is asked for there."
