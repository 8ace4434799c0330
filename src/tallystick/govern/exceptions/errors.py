"""Refusals about exceptions."""

from __future__ import annotations

from tallystick.errors import ConflictError, InvalidInputError, NotFoundError


class ExceptionUnknownError(NotFoundError):
    """There is no such exception, or the caller may not know that there is."""

    code = "exception-unknown"
    advice = "Check the id; exceptions are shown to who holds exceptions.read in their scope, and to who asked."


class ExceptionInvalidError(InvalidInputError):
    """An exception cannot be asked for as it was written."""

    code = "exception-invalid"
    advice = "Say from what, where, why, what makes up for it, how risky it is, and until when: a time ahead."


class ExceptionDecidedError(ConflictError):
    """The request was decided, withdrawn or lapsed before this, or is not what the decision names."""

    code = "exception-decided"
    advice = "Look at the exception again; a new request begins a new decision."


class ExceptionNotActiveError(ConflictError):
    """The exception is not in force."""

    code = "exception-not-active"
    advice = "Only an exception that is in force can be extended or ended. Ask for a new one."
