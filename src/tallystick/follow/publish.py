"""Writing the catalogue into the log, so that a message can be rendered as it stood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from tallystick.event.catalogue import Catalogue

BYTES_MAX: Final = 128 * 1024
"""Of definitions in one event; the first catalogue takes several."""


def catalogue_events(before: Catalogue | None, now: Catalogue, occurred_at: str) -> list[dict[str, Any]]:
    """Return the `catalogue.published` events that lead from one catalogue to the other; none when they mean the same."""
    if before is not None and before.digest == now.digest:
        return []
    old = {each["name"]: each for each in before.definitions()} if before else {}
    new = {each["name"]: each for each in now.definitions()}
    changed = [definition for name, definition in new.items() if old.get(name) != definition]
    changed += [{"name": name, "removed": True} for name in old if name not in new]
    return [_event(part, now.digest, occurred_at) for part in _parts(changed)]


def _parts(definitions: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for definition in definitions:
        length = len(msgspec.json.encode(definition))
        if part and size + length > BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(definition)
        size += length
    yield part


def _event(definitions: list[dict[str, Any]], digest: str, occurred_at: str) -> dict[str, Any]:
    return {
        "action": "catalogue.published",
        "actor": {"id": "tallystick", "type": "system"},
        "target": {"type": "catalogue", "id": digest[:16]},
        "scope": "tallystick",
        "occurred_at": occurred_at,
        "metadata": {"digest": digest, "definitions": definitions},
    }
