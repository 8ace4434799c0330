"""The catalogue: what each registered action means, and how its events are kept, shown and classed.

It is data. The shipped files lie in `tallystick/catalogue/*.yaml`; an operator adds files of the same form.
Pure: files are handed in as bytes (`load_shipped` reads only package data), and PyYAML is imported only to parse them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from tallystick.event.template import parse_template
from tallystick.event.visible import show

CATEGORIES = ("authentication", "system", "network", "application", "security")
SEVERITIES = ("informational", "low", "medium", "high", "critical")
ORIGINS = ("product", "any")
CLASS_NUMBERS: Mapping[str, int] = MappingProxyType({"ledger-access": 1, "standard": 2, "reading": 3})
"""Retention classes of a new ledger: for ever, 400 days, 400 days."""

_NO_SCHEMA: Mapping[str, Any] = MappingProxyType({"type": "object"})


@dataclass(frozen=True, slots=True)
class ActionType:
    """One registered action.

    `facts` are pointers to what is a fact beyond the defaults: `/metadata/milestones`, `/context/ip`, `/metadata`
    (all of it), `/target/name` (of every target), `/changes/old` and `/changes/new` (of every change).
    """

    name: str
    description: str
    category: str
    origin: str
    severity: str
    message: str
    facts: tuple[str, ...] = ()
    metadata_schema: Mapping[str, Any] = field(default_factory=lambda: _NO_SCHEMA, hash=False)
    retention_class: str = "standard"
    ocsf_class: int = 0
    ocsf_activity: int = 0
    controls: tuple[str, ...] = ()
    streamed: bool = True
    since: str = "0.1.0"

    def definition(self) -> dict[str, Any]:
        """Return the plain JSON form, which `catalogue.published` records and `from_definition` reads back."""
        return {
            "name": self.name,
            "description": self.description,
            "category": self.category,
            "origin": self.origin,
            "severity": self.severity,
            "message": self.message,
            "facts": list(self.facts),
            "metadata_schema": dict(self.metadata_schema),
            "retention_class": self.retention_class,
            "ocsf_class": self.ocsf_class,
            "ocsf_activity": self.ocsf_activity,
            "controls": list(self.controls),
            "streamed": self.streamed,
            "since": self.since,
        }

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> ActionType:
        members = dict(definition)
        members["facts"] = tuple(members["facts"])
        members["controls"] = tuple(members["controls"])
        return cls(**members)


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """A catalogue text and the name by which errors call it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CatalogueProblem:
    """Something in the catalogue that a person should correct."""

    file: str
    line: int | None
    action: str
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.action}: {self.key}: {self.message}"


@dataclass(frozen=True)
class Catalogue:
    """All registered actions by name, in the order of the files. `places` says in which file and line each stands."""

    types: Mapping[str, ActionType]
    class_numbers: Mapping[str, int] = field(default_factory=lambda: CLASS_NUMBERS)
    places: Mapping[str, tuple[str, int | None]] = field(default_factory=dict, repr=False)

    def get(self, action: str) -> ActionType | None:
        """Return the type of `action`, or None where it is undeclared."""
        return self.types.get(action)

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, over all definitions by name; equal exactly when the catalogues mean the same."""
        return hashlib.sha256(_json([self.types[name].definition() for name in sorted(self.types)])).hexdigest()

    def definitions(self) -> list[dict[str, Any]]:
        return [action_type.definition() for action_type in self.types.values()]

    @classmethod
    def from_definitions(cls, definitions: Iterable[Mapping[str, Any]]) -> Catalogue:
        """Return the catalogue that `catalogue.published` recorded."""
        types = [ActionType.from_definition(definition) for definition in definitions]
        return cls(MappingProxyType({action_type.name: action_type for action_type in types}))

    def extended(self, extra: Iterable[CatalogueFile | bytes]) -> Catalogue:
        """Return this catalogue with the operator's files added.

        Raises CatalogueError (file, line, key) on a bad file, a redefinition, or a type of product origin.
        """
        from tallystick.event.catalogue_parse import parse_catalogue

        files = [
            part if isinstance(part, CatalogueFile) else CatalogueFile(f"catalogue file {number}", part)
            for number, part in enumerate(extra, start=1)
        ]
        return parse_catalogue(files, extends=self)

    def check(self) -> tuple[CatalogueProblem, ...]:
        """Return what parsing alone does not refuse: paths that lead nowhere, bad schemas, unknown OCSF numbers."""
        from tallystick.event.catalogue_check import check_catalogue

        return check_catalogue(self)


@lru_cache(maxsize=1)
def load_shipped() -> Catalogue:
    """Return the catalogue this version ships."""
    from tallystick.event.catalogue_parse import parse_catalogue

    folder = resources.files("tallystick").joinpath("catalogue")
    entries = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda entry: entry.name
    )
    return parse_catalogue([CatalogueFile(entry.name, entry.read_bytes()) for entry in entries], extends=None)


def render_message(action_type: ActionType | None, event: Mapping[str, Any]) -> str:
    """Return one line of plain text that says what happened; hostile values are cut and made visible.

    `event` is the normalised event as a reader may see it. An undeclared action shows the sender's own message,
    or failing that the action and its target.
    """
    if action_type is not None:
        return parse_template(action_type.message).render(event)
    message = event.get("message")
    if isinstance(message, str) and message:
        return show(message, chars_max=1000)
    return parse_template("{action}[: {targets.name|targets.id}]").render(event)


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
