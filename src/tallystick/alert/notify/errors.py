"""What can be wrong with routes, receivers, silences and notifications."""

from __future__ import annotations

from tallystick.errors import ConflictError, InvalidInputError, NotFoundError


class RoutingInvalidError(InvalidInputError):
    """The text of the routes cannot be used as it is written."""

    code = "alert-routing-invalid"
    advice = "Mend the line that is named; the guide on alert routing lists every key, and `routes check` tries a text."

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        where = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{where}{message}", pointer="/text")
        self.line = line
        self.column = column


class MatcherInvalidError(InvalidInputError):
    """A matcher cannot be read, or names no label of an alert."""

    code = "alert-matcher-invalid"
    advice = 'Write it as label="value", with = != =~ or !~; labels are severity, scope, kind, team and owner.'


class RoutingChangedError(ConflictError):
    """Somebody changed the routes meanwhile."""

    code = "alert-routing-changed"
    advice = "Look at the routes as they are now, and make the change again."


class ReceiverUnknownError(NotFoundError):
    """There is no such receiver."""

    code = "alert-receiver-unknown"
    advice = "List the receivers; one that was removed is gone."


class ReceiverInvalidError(InvalidInputError):
    """A receiver cannot be set up as it was given."""

    code = "alert-receiver-invalid"
    advice = "The guide on alert routing lists what a receiver of each kind may have."


class ReceiverUsedError(ConflictError):
    """The receiver stands in the routes."""

    code = "alert-receiver-used"
    advice = "Take it out of the routes first."


class SilenceUnknownError(NotFoundError):
    """There is no such silence that the caller may see."""

    code = "silence-unknown"
    advice = "List the silences, also those that have ended."


class SilenceInvalidError(InvalidInputError):
    """A silence cannot be placed as it was given."""

    code = "silence-invalid"
    advice = "It needs matchers, a reason, and an end that is not too far."


class SilenceTooWideError(InvalidInputError):
    """The silence would keep critical alerts of everything quiet."""

    code = "silence-too-wide"
    advice = 'Name a scope, a kind, a team or an owner by =, or leave critical alerts out with severity!="critical".'


class SilenceStateError(ConflictError):
    """The silence has ended."""

    code = "silence-state"
    advice = "Place a new one."


class NotificationUnknownError(NotFoundError):
    """There is no such notification."""

    code = "notification-unknown"
    advice = "List the notifications; what was delivered is kept in the log, what was not in the dead letters."


class NotificationStateError(ConflictError):
    """The notification is not a dead letter, so there is nothing to retry."""

    code = "notification-state"
    advice = "Only what failed for good is sent again by hand."
