"""What a catalogue must satisfy beyond its form; `tallystick catalogue check` prints what this finds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tallystick.event.catalogue import ActionType, Catalogue, CatalogueProblem
from tallystick.event.template import parse_template

# Paths that templates and facts may start from, and what stands below them; None leaves it open.
_ROOTS: dict[str, frozenset[str] | None] = {
    "action": frozenset(),
    "actor": frozenset({"id", "type", "name", "email"}),
    "on_behalf_of": frozenset({"id", "type", "name", "email"}),
    "target": frozenset({"id", "type", "name"}),
    "targets": frozenset({"id", "type", "name"}),
    "scope": frozenset(),
    "occurred_at": frozenset(),
    "outcome": frozenset(),
    "severity": frozenset(),
    "reason": frozenset(),
    "message": frozenset(),
    "changes": frozenset({"field", "old", "new"}),
    "context": None,
    "metadata": None,
    "sequence": frozenset({"stream", "number"}),
}
# OCSF 1.8 classes used here and their activities; 0 (unknown) and 99 (other) stand everywhere.
_OCSF_ACTIVITIES: dict[int, range] = {
    0: range(1),
    1001: range(1, 15),
    1004: range(1, 5),
    1006: range(1, 7),
    1007: range(1, 6),
    1008: range(1, 11),
    2002: range(1, 5),
    2003: range(1, 5),
    2004: range(1, 5),
    2005: range(1, 5),
    3001: range(1, 13),
    3002: range(1, 8),
    3003: range(1, 4),
    3004: range(1, 14),
    3005: range(1, 5),
    3006: range(1, 14),
    4001: range(1, 8),
    4002: range(1, 10),
    4003: range(1, 7),
    4014: range(1, 4),
    6001: range(1, 9),
    6002: range(1, 9),
    6003: range(1, 5),
    6005: range(1, 11),
    6006: range(1, 18),
    6008: range(1, 3),
}
_CONTROL = re.compile(r"SOC 2 (?:CC[1-9]\.\d|A1\.[1-3]|C1\.[12]|PI1\.[1-5]|P[1-8]\.\d)|ISO 27001 A\.[5-8]\.\d{1,2}")
_DESCRIPTION_CHARS_MIN = 40


def check_catalogue(catalogue: Catalogue) -> tuple[CatalogueProblem, ...]:
    """Return every problem, in the order of the catalogue. Needs the jsonschema package."""
    problems = []
    for name, action_type in catalogue.types.items():
        file, line = catalogue.places.get(name, ("the catalogue", None))
        problems += [CatalogueProblem(file, line, name, key, message) for key, message in _check_type(action_type)]
    return tuple(problems)


def _check_type(action_type: ActionType) -> Iterator[tuple[str, str]]:
    yield from _check_schema(action_type)
    for field in parse_template(action_type.message).fields():
        for path in field.paths:
            yield from (("message", problem) for problem in _check_path(path, action_type))
    for pointer in action_type.facts:
        yield from (("facts", problem) for problem in _check_path(tuple(pointer[1:].split("/")), action_type))
    activities = _OCSF_ACTIVITIES.get(action_type.ocsf_class)
    if activities is None:
        yield "ocsf", f"{action_type.ocsf_class} is not a class this version knows"
    elif action_type.ocsf_activity not in activities and action_type.ocsf_activity not in (0, 99):
        yield "ocsf", f"class {action_type.ocsf_class} has no activity {action_type.ocsf_activity}"
    for control in action_type.controls:
        if not _CONTROL.fullmatch(control):
            yield "controls", f"{control!r} is not written like 'SOC 2 CC7.2' or 'ISO 27001 A.8.15'"
    if len(action_type.description) < _DESCRIPTION_CHARS_MIN:
        yield "description", "says too little: what does the event mean, and when is it sent?"
    if action_type.origin == "product" and not any(fact.startswith("/metadata") for fact in action_type.facts):
        yield "facts", "the product's own metadata must be facts, or projections could not read it"


def _check_path(path: tuple[str, ...], action_type: ActionType) -> Iterator[str]:
    root, below = path[0], path[1:]
    if root not in _ROOTS:
        yield f"{'.'.join(path)}: events have no member {root}"
        return
    known = _ROOTS[root]
    if known is not None and below and below[0] not in known:
        yield f"{'.'.join(path)}: {root} has no member {below[0]}"
    if root == "metadata" and below and below[0] not in action_type.metadata_schema.get("properties", {}):
        yield f"{'.'.join(path)}: metadata does not describe {below[0]}"


def _check_schema(action_type: ActionType) -> Iterator[tuple[str, str]]:
    import jsonschema

    try:
        jsonschema.Draft202012Validator.check_schema(dict(action_type.metadata_schema))
    except jsonschema.SchemaError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        yield "metadata", f"not a JSON Schema: {where}: {error.message}"
