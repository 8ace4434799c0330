"""What can be wrong with reading the log."""

from __future__ import annotations

from tallystick.errors import InvalidInputError, NotFoundError


class CursorError(InvalidInputError):
    """The cursor is not one that was given to this caller for this query."""

    code = "cursor-invalid"
    advice = "Cursors belong to one caller and one query; start again from the first page."


class EventNotFoundError(NotFoundError):
    """No event that the caller may see has this id or index."""

    code = "event-not-found"
    advice = "It may be outside your scopes, of a class you did not ask for, or erased."
