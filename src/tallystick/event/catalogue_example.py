"""An event as somebody might send it for a catalogued action, made from what the catalogue says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tallystick.event.catalogue import ActionType

_TIME: Final = "2026-03-01T12:00:00Z"
_VALUES: Final[Mapping[str, Any]] = {
    "string": "example",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
    "array": [],
    "object": {},
}


def example_of(kind: ActionType) -> dict[str, Any] | None:
    """Return an event of an action with every member of metadata that its schema names; it passes a strict source.

    None where a schema that an operator wrote asks for more than can be made up from it, such as a pattern.
    """
    metadata = _value(kind.metadata_schema)
    if not _fits(kind.metadata_schema, metadata):
        return None
    event: dict[str, Any] = {
        "action": kind.name,
        "actor": {"id": "ana", "type": "user", "name": "Ana Silva"},
        "target": {"id": "example-1", "type": kind.name.rpartition(".")[0].rpartition(".")[2]},
        "scope": "acme/example",
        "occurred_at": _TIME,
    }
    if any(pointer.startswith("/changes") for pointer in kind.facts):
        event["changes"] = [{"field": "status", "old": "draft", "new": "final"}]
    return event | ({"metadata": metadata} if metadata else {})


def _value(schema: Mapping[str, Any]) -> Any:
    """Return a value for a schema: one that the schema names itself, or a plain one of its type."""
    for named in ("examples", "enum"):
        if schema.get(named):
            return schema[named][0]
    for named in ("const", "default"):
        if named in schema:
            return schema[named]
    word = schema.get("type", "string")
    word = word[0] if isinstance(word, list) else word
    if word == "object":
        return {name: _value(member) for name, member in schema.get("properties", {}).items()}
    if word == "array" and schema.get("items"):
        return [_value(schema["items"])]
    return max(_VALUES[word], schema.get("minimum", 0)) if word in {"integer", "number"} else _VALUES[word]


def _fits(schema: Mapping[str, Any], metadata: Any) -> bool:
    from jsonschema import Draft202012Validator  # here: the light commands need the rest of the catalogue only

    return isinstance(metadata, dict) and bool(Draft202012Validator(dict(schema)).is_valid(metadata))
