"""What can be wrong with a question."""

from __future__ import annotations

from tallystick.errors import ForbiddenError, InvalidInputError


class QueryError(InvalidInputError):
    """The text is not a query; `line` and `column` say where, both 1-based. A time given beside it has no place."""

    code = "query-invalid"
    advice = "See the query language reference for fields and operators; put text with special characters in quotes."


class PersonalWithheldError(ForbiddenError):
    """The question filters on personal data, and the caller may not read personal data."""

    code = "personal-withheld"
    advice = "Ask for the right to read personal data, or search by facts: `actor.key:` finds an actor by pseudonym."
