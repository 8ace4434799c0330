"""What is refused about sources and tokens."""

from __future__ import annotations

from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError


class SourceNameInvalidError(InvalidInputError):
    """The text cannot name a source or service."""

    code = "source-name-invalid"
    advice = (
        "Use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit, and nothing that "
        "passes for a person's id or the operator."
    )


class SourceSettingsError(InvalidInputError):
    """No source can have these settings."""

    code = "source-settings-invalid"
    advice = "The guide of sources lists what each setting may be."


class SourceConflictError(ConflictError):
    """A source of this name is registered with other rules, or retired."""

    code = "source-conflict"
    advice = "Choose another name, or a scope inside the registered one."


class SourceUnknownError(NotFoundError):
    """There is no source of this name, or the caller may not know of it."""

    code = "source-unknown"
    advice = "`tallystick source list` names those that you may see."


class TokenSettingsError(InvalidInputError):
    """No token can have these settings."""

    code = "token-settings-invalid"
    advice = "The guide of sources says what a token can be."


class TokenExceedsError(ForbiddenError):
    """The token would allow more than its maker may do."""

    code = "token-exceeds-rights"
    advice = "Leave out the permissions and scopes that you do not hold, or ask somebody who does."


class TokenUnknownError(NotFoundError):
    """There is no token of this name, or the caller may not know of it."""

    code = "token-unknown"
    advice = "`tallystick token list` names those that you may see."


class TokenEndedError(ConflictError):
    """The token is not in force any more, so nothing can take its place."""

    code = "token-ended"
    advice = "Make a new token."


class TokenRotatingError(ConflictError):
    """The token has a successor, or its predecessor is still in force: at most two are valid at a time."""

    code = "token-rotating"
    advice = "Wait for the end of the overlap, or revoke the older of the two."
