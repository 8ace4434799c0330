"""Names and meanings as the tables have them, and as they stood at an index."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from tallystick.event.catalogue import Catalogue
from tallystick.event.model import ActorType
from tallystick.event.pseudonym import Pseudonyms
from tallystick.follow.projection import Projection
from tallystick.store.tables import CATALOGUE, DEFINITION, QUARANTINE, RETENTION_CLASS, SOURCE

PRODUCT_NAME: Final = "tallystick"
ACTOR_TYPES: Final = tuple(ActorType)


@dataclass(frozen=True, slots=True)
class _Names:
    """What the tables said at one version of them."""

    version: int
    sources: Mapping[int, str]
    classes: Mapping[int, str]
    catalogue_indexes: tuple[int, ...]
    catalogues: tuple[Catalogue, ...]
    quarantined: Mapping[str, str]


class Register:
    """Looks names up; may be used from any thread. Kept in memory until the tables change."""

    def __init__(self, projection: Projection, shipped: Catalogue, pseudonyms: Pseudonyms) -> None:
        self._projection = projection
        self._shipped = shipped
        self._pseudonyms = pseudonyms
        self._names: _Names | None = None

    def source_names(self) -> Mapping[int, str]:
        """Return the names of all sources by number, the product's own included."""
        return self._current().sources

    def class_names(self) -> Mapping[int, str]:
        """Return the names of all retention classes by number."""
        return self._current().classes

    def catalogue_at(self, index: int) -> Catalogue:
        """Return the catalogue in force at an index: messages are rendered with it."""
        names = self._current()
        at = bisect_right(names.catalogue_indexes, index) - 1
        return names.catalogues[at] if at >= 0 else self._shipped

    def actor_keys(self, actor_id: str) -> list[str]:
        """Return the pseudonym keys of an id, one for each type of actor."""
        return [self._pseudonyms.key_for(kind, actor_id) for kind in ACTOR_TYPES]

    def quarantined(self) -> Mapping[str, str]:
        """Return the segments set aside because they are not what was written: path to reason."""
        return self._current().quarantined

    def published(self) -> Catalogue | None:
        """Return the catalogue that the log last published, or None."""
        catalogues = self._current().catalogues
        return catalogues[-1] if catalogues else None

    def _current(self) -> _Names:
        names, version = self._names, self._projection.version
        if names is None or names.version != version:
            names = self._load(version)
            self._names = names
        return names

    def _load(self, version: int) -> _Names:
        with self._projection.engine.connect() as connection:
            sources = {row.number: row.name for row in connection.execute(select(SOURCE))}
            classes = {row.number: row.name for row in connection.execute(select(RETENTION_CLASS))}
            quarantined = {row.path: row.reason for row in connection.execute(select(QUARANTINE))}
            indexes = tuple(connection.scalars(select(CATALOGUE.c.from_index).order_by(CATALOGUE.c.from_index)))
            changes = list(connection.execute(select(DEFINITION).order_by(DEFINITION.c.from_index)))
        catalogues = []
        definitions: dict[str, dict[str, Any]] = {}
        for index in indexes:
            for row in changes:
                if row.from_index == index and row.definition is None:
                    definitions.pop(row.action, None)
                elif row.from_index == index:
                    definitions[row.action] = json.loads(row.definition)
            catalogues.append(Catalogue.from_definitions(definitions.values()))
        return _Names(version, {0: PRODUCT_NAME, **sources}, classes, indexes, tuple(catalogues), quarantined)
