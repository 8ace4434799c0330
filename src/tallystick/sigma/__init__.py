"""Detection rules of Sigma 2.1.0: text to values, values to predicates, one meaning for stream, tests and history.

Pure: no file, no clock, no network. What a rule asks for is either evaluated as the specification says or refused with
line and column; nothing is skipped.

    documents = load(text, name="pack.yml")          # Rule, Correlation and Filter values; SigmaError with a place
    rules = compile_rules({"r-1": rule}, filters=[...], lists=lists)
    rules.match(EventView(event), origins)           # the keys of the rules that match, in the order they were given
    explain(rule, view, filters=[...], lists=lists)  # why: a tree of conditions with the values that decided

* A `View` answers for the values of an event's fields. `EventView(mapping, names)` is the one for events read from JSON;
  `names` gives a rule's field another path. It keeps every answer, so one view serves all rules of an event.
* `origins` are the `Logsource`s that the event is of, fully named; a rule is examined when its own logsource covers one.
  None examines every rule, as tests of a rule do.
* `lists(name)` returns the values of a placeholder, or None: then the rule is refused. A `RuleSet` holds the values as
  they were when it was compiled.
* A filter is ANDed to each rule it is for, so an exclusion says `not selection`. A filter without any `not` is refused:
  it would silence everything but what it names, and its author most likely meant the opposite.
* A field with several values, as below a list, matches when one of them does. A missing field matches only `null`,
  `exists: false`, and what negates.
* `RuleSet` finds the rules that can match an event by what each of them requires; `RuleSet.unindexed` names the rules
  that require nothing positive and are therefore examined for every event of their logsource.
* A `Correlation` is only parsed here; its engine takes the matches of the rules it refers to.
"""

from __future__ import annotations

from tallystick.sigma.compiling import applies
from tallystick.sigma.errors import SigmaError, SigmaPlaceholderError, SigmaTooLargeError, SigmaUnsupportedError
from tallystick.sigma.explanation import Explanation, explain
from tallystick.sigma.loading import load
from tallystick.sigma.model import (
    Bound,
    Correlation,
    CorrelationType,
    Document,
    Filter,
    Head,
    Level,
    Logsource,
    Operator,
    Place,
    Related,
    Rule,
    Status,
)
from tallystick.sigma.needs import fields_of, placeholders_of
from tallystick.sigma.ruleset import RuleSet, compile_rules
from tallystick.sigma.values import Lists
from tallystick.sigma.view import EventView, View
from tallystick.sigma.wildcards import escape

__all__ = [
    "Bound",
    "Correlation",
    "CorrelationType",
    "Document",
    "EventView",
    "Explanation",
    "Filter",
    "Head",
    "Level",
    "Lists",
    "Logsource",
    "Operator",
    "Place",
    "Related",
    "Rule",
    "RuleSet",
    "SigmaError",
    "SigmaPlaceholderError",
    "SigmaTooLargeError",
    "SigmaUnsupportedError",
    "Status",
    "View",
    "applies",
    "compile_rules",
    "escape",
    "explain",
    "fields_of",
    "load",
    "placeholders_of",
]
