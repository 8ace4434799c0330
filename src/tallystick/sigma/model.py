"""What a text of rules says, parsed: rules, correlations and filters as frozen values.

Nothing here evaluates. Places are lines and columns in the text that was loaded, both counted from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class Place(NamedTuple):
    """Where something stands in the text."""

    line: int
    column: int


class Status(StrEnum):
    STABLE = "stable"
    TEST = "test"
    EXPERIMENTAL = "experimental"
    DEPRECATED = "deprecated"
    UNSUPPORTED = "unsupported"


class Level(StrEnum):
    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Related(NamedTuple):
    """Another rule, and what it is to this one: derived, obsolete, merged, renamed or similar."""

    id: str
    type: str


@dataclass(frozen=True, slots=True)
class Head:
    """What every kind of document says about itself; what the text leaves out is empty.

    `custom` holds the keys that the specification leaves free, as plain values, such as `tallystick`;
    `custom_places` says where they stand.
    """

    title: str
    place: Place
    id: str = ""
    name: str = ""
    description: str = ""
    status: Status | None = None
    level: Level | None = None
    license: str = ""
    author: str = ""
    references: tuple[str, ...] = ()
    date: str = ""
    modified: str = ""
    taxonomy: str = "sigma"
    related: tuple[Related, ...] = ()
    tags: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()
    custom: Mapping[str, Any] | None = None
    custom_places: Mapping[str, Place] | None = None


@dataclass(frozen=True, slots=True)
class Logsource:
    """Which events a rule is about, or what kind an event is. None in a rule means any."""

    category: str | None = None
    product: str | None = None
    service: str | None = None

    def covers(self, origin: Logsource) -> bool:
        """Return whether a rule for this source is for events of `origin`."""
        return (
            self.category in (None, origin.category)
            and self.product in (None, origin.product)
            and self.service in (None, origin.service)
        )


class Value(NamedTuple):
    """One value of a detection: text, a number, true, false or null, and how the text wrote it."""

    value: str | int | float | bool | None
    written: str
    place: Place


@dataclass(frozen=True, slots=True)
class Item:
    """A field with its modifiers, in their order, and its values; `field` None means the whole event.

    One of the values is enough, or with the modifier `all` every one is needed.
    """

    field: str | None
    modifiers: tuple[str, ...]
    values: tuple[Value, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class AllItems:
    """A map: every part must hold."""

    parts: tuple[Detection, ...]


@dataclass(frozen=True, slots=True)
class AnyItem:
    """A list: one part must hold."""

    parts: tuple[Detection, ...]


Detection = Item | AllItems | AnyItem


@dataclass(frozen=True, slots=True)
class Identifier:
    """The named search must hold."""

    name: str


@dataclass(frozen=True, slots=True)
class Quantified:
    """`1 of` or `all of` the searches that `pattern` (or `them`) stands for; they are in `names`."""

    every: bool
    pattern: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    inner: Condition


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Condition, ...]


Condition = Identifier | Quantified | Not | And | Or


@dataclass(frozen=True, slots=True)
class Searches:
    """The named searches of a rule or a filter, and the condition that joins them (a list of conditions is an Or)."""

    named: Mapping[str, Detection]
    condition: Condition


@dataclass(frozen=True, slots=True)
class Rule:
    """A detection rule: which events of which source it means."""

    head: Head
    logsource: Logsource
    searches: Searches


class CorrelationType(StrEnum):
    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"


class Operator(StrEnum):
    """How a count is compared."""

    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EQ = "eq"
    NEQ = "neq"


@dataclass(frozen=True, slots=True)
class Bound:
    """One criterion of a correlation's condition."""

    operator: Operator
    count: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """Several matches together.

    `rules` are ids or names, in the order of the text. All of `condition` must hold; it is empty for the temporal
    types where the text gives none, which means every rule. `fields` are what value_count counts, several of them
    together as one value; else empty.
    `aliases` give for each alias the field that stands for it in the matches of a rule (by name or id). `generate`
    says that the rules referred to alert by themselves as well.
    """

    head: Head
    type: CorrelationType
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan_us: int
    condition: tuple[Bound, ...]
    fields: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]
    generate: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Filter:
    """A tuning of many rules: each rule it is for matches only where the filter's condition holds too.

    `rules` are ids or names; None means every rule of the logsource.
    """

    head: Head
    logsource: Logsource
    rules: tuple[str, ...] | None
    searches: Searches
    place: Place


Document = Rule | Correlation | Filter
