"""Frozen values about systems and declarations."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.event.canonical import canonical_json

MINUTE_US: Final = 60 * 1_000_000
DAY_US: Final = 24 * 60 * MINUTE_US


class Category(enum.StrEnum):
    """The categories of the logging policy."""

    AUTHENTICATION = "authentication"
    SYSTEM = "system"
    NETWORK = "network"
    APPLICATION = "application"
    SECURITY = "security"


class DataClass(enum.StrEnum):
    """How much harm it would do if the data of a system got out."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Environment(enum.StrEnum):
    """What a system is used for."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the register says about a system. Owner and deputies are ids of people; lists and texts are None once erased.

    `runbook` is where the published runbook is found; `procedure` says how its logging is run, or where that is said.
    """

    name: str
    scopes: tuple[str, ...]
    environment: Environment
    data_class: DataClass
    owner: str
    deputies: tuple[str, ...] = ()
    endpoints: tuple[str, ...] | None = ()
    assets: tuple[str, ...] | None = ()
    third_parties: tuple[str, ...] | None = ()
    runbook: str | None = ""
    procedure: str | None = ""


SIGNIFICANT: Final = ("scopes", "environment", "data_class")
"""A change of one of these asks for the declaration to be looked at again."""
PLAIN_TEXTS: Final = ("endpoints", "assets", "third_parties", "runbook", "procedure")
"""These are personal parts of the events: addresses and names stand in them."""


@dataclass(frozen=True, slots=True)
class Version:
    """The facts of a system from an index on; `changed` names those that differ from the version before."""

    index: int
    at: int
    actor: str
    facts: Facts
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Critical activity: what a query of the search finds in the system's scopes, why it matters, which sources send it,
    and the longest time that it is expected to be silent.
    """

    category: Category
    name: str
    query: str
    why: str
    silence_minutes: int
    sources: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.category}/{self.name}"

    @property
    def silence_us(self) -> int:
        return self.silence_minutes * MINUTE_US


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is critical in a system: patterns, and for categories without any the reason why they do not apply."""

    patterns: tuple[Pattern, ...]
    not_applicable: Mapping[Category, str] = field(default_factory=dict)

    def of(self, category: Category) -> tuple[Pattern, ...]:
        """Return the patterns of a category, in the order in which they were written."""
        return tuple(each for each in self.patterns if each.category is category)

    @property
    def sources(self) -> frozenset[str]:
        return frozenset(source for pattern in self.patterns for source in pattern.sources)

    def document(self) -> dict[str, Any]:
        """Return it as JSON: every category with its patterns, or with why it does not apply."""
        return {
            "categories": {
                category.value: {"not_applicable": self.not_applicable[category]}
                if category in self.not_applicable
                else {
                    "patterns": [
                        {
                            "name": each.name,
                            "query": each.query,
                            "why": each.why,
                            "silence_minutes": each.silence_minutes,
                            "sources": list(each.sources),
                        }
                        for each in self.of(category)
                    ]
                }
                for category in Category
                if category in self.not_applicable or self.of(category)
            }
        }

    def text(self) -> str:
        """Return the one text that is kept and approved."""
        return canonical_json(self.document()).decode()


def digest_of(system: str, text: str) -> str:
    """Return what an approval of a declaration names."""
    return hashlib.sha256(b"tallystick/1 declaration\n" + canonical_json([system, text])).hexdigest()


class ProposalState(enum.StrEnum):
    """Where a declaration stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A declaration that was proposed. `text` is None once it was erased; `based_on` is what was in force then."""

    declaration: str
    system: str
    digest: str
    based_on: str | None
    text: str | None
    reason: str | None
    proposed_by: str
    proposed_index: int
    proposed_at: int
    decision: str | None
    decided_by: str | None
    decided_index: int | None
    decided_at: int | None
    decision_reason: str | None

    @property
    def state(self) -> ProposalState:
        return ProposalState.PROPOSED if self.decision is None else ProposalState(self.decision)


@dataclass(frozen=True, slots=True)
class System:
    """A system as it stood at a place in the log. `in_force` is the declaration that was, if any."""

    id: str
    version: Version
    registered_index: int
    retired_index: int | None
    in_force: Proposal | None

    @property
    def facts(self) -> Facts:
        return self.version.facts
