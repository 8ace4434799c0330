"""The families of every error the product raises on purpose.

A package defines its concrete errors beside the code that raises them, as subclasses of one of these
families. The family decides what a caller may do about it; `api/problem.py` maps it to an HTTP status.
Each concrete class has a stable kebab-case `code` and an `advice` for a person.
"""

from __future__ import annotations

from typing import ClassVar


class TallystickError(Exception):
    """Something went wrong that the product knows by name."""

    code: ClassVar[str] = "error"
    advice: str = ""

    def __init__(self, message: str, *, advice: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        if advice is not None:
            self.advice = advice


class InvalidInputError(TallystickError):
    """What was given cannot be accepted as it stands; the place is named where there is one.

    `pointer` is an RFC 6901 pointer into the event, `line` and `column` are 1-based, `item` is the 0-based
    position in a batch. Each may be None.
    """

    code = "invalid-input"

    def __init__(
        self,
        message: str,
        *,
        pointer: str | None = None,
        line: int | None = None,
        column: int | None = None,
        item: int | None = None,
        advice: str | None = None,
        **details: object,
    ) -> None:
        super().__init__(message, advice=advice, **details)
        self.pointer = pointer
        self.line = line
        self.column = column
        self.item = item


class TooLargeError(InvalidInputError):
    """A stated limit on size, count or depth is exceeded."""

    code = "too-large"


class UnauthenticatedError(TallystickError):
    """Nobody the product knows is asking."""

    code = "unauthenticated"


class ForbiddenError(TallystickError):
    """The one who asks is known and may not do this."""

    code = "forbidden"


class PermissionMissingError(ForbiddenError):
    """The caller does not hold the permission that this needs, there."""

    code = "permission-missing"
    advice = "Ask for access with a role that has the permission; the account page shows what you hold."


class NotFoundError(TallystickError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not-found"


class ConflictError(TallystickError):
    """The request contradicts what is already recorded."""

    code = "conflict"


class UnavailableError(TallystickError):
    """Not now; the same request may succeed after `retry_after_s` seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: int = 1, advice: str | None = None, **details: object) -> None:
        super().__init__(message, advice=advice, **details)
        self.retry_after_s = retry_after_s


class StorageFullError(TallystickError):
    """The disk has no room beyond the reserve; nothing was accepted."""

    code = "storage-full"
    advice = "Free space on the data disk; the server accepts events again by itself."


class ConfigurationError(TallystickError):
    """A setting, a file or the surroundings are not as the product needs them."""

    code = "configuration"


class CorruptionError(TallystickError):
    """Something stored is not what was written; the ledger stops writing rather than repair it."""

    code = "corruption"
    advice = "Run `tallystick verify` on the data directory and keep a copy of it before changing anything."


class VerificationError(TallystickError):
    """A check of the log, a proof, a signature or a package failed."""

    code = "verification-failed"
