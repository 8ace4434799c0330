"""Refusals about detection rules and lists of indicators."""

from __future__ import annotations

from tallystick.errors import ConflictError, InvalidInputError, NotFoundError


class RuleTextError(InvalidInputError):
    """The text of a detection rule cannot be accepted; `line` and `column` say where."""

    code = "rule-text"
    advice = "Correct the named place; the guide about detection rules says what each part may be."


class RuleInvalidError(InvalidInputError):
    """Something said about a rule, beside its text, is not what it can be."""

    code = "rule-invalid"
    advice = "Correct the named member; the guide about detection rules says what each may be."


class RuleUnknownError(NotFoundError):
    """There is no such detection rule, or the caller may not know that there is."""

    code = "rule-unknown"
    advice = "`tallystick rules list` names the rules that you may see."


class RuleChangedError(ConflictError):
    """The rule is not at the version any more that this was made from, or was decided about meanwhile."""

    code = "rule-changed"
    advice = "Look at the rule as it is now, and do it again from there."


class RuleStateError(ConflictError):
    """The rule is not in a state in which this can be done with it."""

    code = "rule-state"
    advice = "A rule is written, tested by its samples, approved by somebody else, and enabled, in this order."


class RuleSamplesError(ConflictError):
    """The samples of the rule do not show that it works."""

    code = "rule-samples"
    advice = (
        "A rule has a sample that must match and one that must not; correct the rule or the samples and test again."
    )


class RuleEventUnknownError(NotFoundError):
    """There is no such event for the rule to be explained on, or the caller may not see it."""

    code = "rule-event-unknown"
    advice = "Name the event by its index or its id."


class BacktestTooWideError(InvalidInputError):
    """The rule would have to be tried on more events than one question may cost."""

    code = "backtest-too-wide"
    advice = "Choose a shorter time, or a scope."


class IndicatorListUnknownError(NotFoundError):
    """There is no such list of indicators."""

    code = "indicator-list-unknown"
    advice = "`tallystick rules lists` names the lists."


class IndicatorListConflictError(ConflictError):
    """The list is there already, or a rule that watches uses it."""

    code = "indicator-list-conflict"
    advice = "Choose another name, or change the rules that use the list first."
