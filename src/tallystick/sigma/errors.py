"""What can be wrong with the text of a rule, a correlation or a filter; each error has a line and a column."""

from __future__ import annotations

from tallystick.errors import InvalidInputError, TooLargeError


class SigmaError(InvalidInputError):
    """The text is not a rule as the specification writes one."""

    code = "sigma-invalid"
    advice = "Correct the named line; the guide on writing detection rules states what may stand there."


class SigmaUnsupportedError(SigmaError):
    """The text asks for something that is not evaluated here, and leaving it out would change what the rule means."""

    code = "sigma-unsupported"
    advice = "Write the rule without it; nothing of a rule is ever skipped."


class SigmaPlaceholderError(SigmaError):
    """A placeholder names a list that does not exist, so the rule cannot be evaluated."""

    code = "sigma-placeholder"
    advice = "Make a list of that name, or write the values into the rule."


class SigmaTooLargeError(TooLargeError):
    """The text is longer, deeper or has more values than is read."""

    code = "sigma-too-large"
    advice = "Split the file, or put long value lists into a list that the rule names with `expand`."
