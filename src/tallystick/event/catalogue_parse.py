"""From catalogue YAML to action types, with every refusal naming file, line and key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from tallystick.event.catalogue import (
    CATEGORIES,
    CLASS_NUMBERS,
    ORIGINS,
    SEVERITIES,
    ActionType,
    Catalogue,
    CatalogueFile,
)
from tallystick.event.located_yaml import LocatedYaml, YamlTextError, parse_yaml
from tallystick.event.template import TemplateError, parse_template

ACTION_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
ACTION_CHARS_MAX = 128
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])+)+")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_FILE_KEYS = {"format", "category", "defaults", "actions"}
_ACTION_KEYS = {
    "description", "category", "origin", "severity", "message", "facts", "metadata", "required",
    "retention", "ocsf", "controls", "streamed", "since",
}  # fmt: skip
_TYPE_WORDS = {"string", "integer", "number", "boolean", "object"}


class CatalogueError(YamlTextError):
    """A catalogue file is not as it must be."""

    code = "catalogue"
    advice = "Correct the named line; docs/reference/catalogue.md describes the form of a catalogue file."


def parse_catalogue(files: Iterable[CatalogueFile], *, extends: Catalogue | None) -> Catalogue:
    """Return the types of `files`, after those of `extends`; raises CatalogueError.

    Files that extend a catalogue come from an operator: they may neither redefine an action nor define one of
    product origin.
    """
    types: dict[str, ActionType] = dict(extends.types) if extends else {}
    places: dict[str, tuple[str, int | None]] = dict(extends.places) if extends else {}
    class_numbers = extends.class_numbers if extends else CLASS_NUMBERS
    for file in files:
        try:
            text = parse_yaml(file.data, file.name)
            for name, members in _file_actions(text):
                if name in types:
                    there, line = places.get(name, ("the catalogue", None))
                    raise _Place(text, name).error(f"already defined in {there}" + (f":{line}" if line else ""))
                types[name] = _parse_action(_Place(text, name), name, members, class_numbers)
                if extends and types[name].origin == "product":
                    raise _Place(text, name).error("only the product itself ships actions of product origin", "origin")
                places[name] = (file.name, text.line("actions", name))
        except CatalogueError:
            raise
        except YamlTextError as error:
            message = error.message.split(": ", 1)[-1]
            raise CatalogueError(
                message, file=error.file, line=error.line, column=error.column, key=error.key
            ) from error
    return Catalogue(MappingProxyType(types), class_numbers, MappingProxyType(places))


def _file_actions(text: LocatedYaml) -> Iterable[tuple[str, dict[str, Any]]]:
    top = text.value
    if not isinstance(top, dict) or not isinstance(top.get("actions"), dict):
        raise text.error("a catalogue file is a mapping with format, category, defaults and actions")
    for key in top:
        if key not in _FILE_KEYS:
            raise text.error(f"unknown key; known are {_names(_FILE_KEYS)}", key)
    if top.get("format") != 1:
        raise text.error("this version reads catalogue format 1", "format")
    defaults = top.get("defaults", {})
    if not isinstance(defaults, dict):
        raise text.error("must be a mapping", "defaults")
    if "category" in top:
        defaults = {"category": top["category"], **defaults}
    for name, members in top["actions"].items():
        if not isinstance(members, dict):
            raise text.error("must be a mapping", "actions", name)
        yield name, {**defaults, **members}


class _Place:
    """Where in a text one action stands, for errors."""

    def __init__(self, text: LocatedYaml, name: str) -> None:
        self.text = text
        self.name = name

    def error(self, message: str, *keys: str | int) -> YamlTextError:
        own = ("actions", self.name, *keys)
        in_defaults = ("defaults", *keys)
        path = own if own in self.text.places or in_defaults not in self.text.places else in_defaults
        return self.text.error(message, *path)


def _parse_action(place: _Place, name: str, members: Mapping[str, Any], class_numbers: Mapping[str, int]) -> ActionType:
    if not ACTION_NAME.fullmatch(name) or len(name) > ACTION_CHARS_MAX:
        raise place.error("an action is dotted lower-case words such as release.updated, at most 128 characters")
    for key in members:
        if key not in _ACTION_KEYS:
            raise place.error(f"unknown key; known are {_names(_ACTION_KEYS)}", key)
    message = _text(place, members, "message")
    try:
        parse_template(message)
    except TemplateError as error:
        raise place.error(error.message, "message") from error
    ocsf_class, ocsf_activity = _ocsf(place, members)
    since = _text(place, members, "since", "0.1.0")
    if not _VERSION.fullmatch(since):
        raise place.error("must be a version such as 0.1.0, in quotes", "since")
    streamed = members.get("streamed", True)
    if not isinstance(streamed, bool):
        raise place.error("must be true or false", "streamed")
    origin = _one_of(place, members, "origin", ORIGINS, "any")
    schema = _metadata_schema(place, members)
    return ActionType(
        name=name,
        description=_text(place, members, "description"),
        category=_one_of(place, members, "category", CATEGORIES),
        origin=origin,
        severity=_one_of(place, members, "severity", SEVERITIES, "informational"),
        message=message,
        facts=_facts(place, members, schema if origin == "any" else None),
        metadata_schema=schema,
        retention_class=_one_of(place, members, "retention", tuple(class_numbers), "standard"),
        ocsf_class=ocsf_class,
        ocsf_activity=ocsf_activity,
        controls=_texts(place, members, "controls"),
        streamed=streamed,
        since=since,
    )


def _text(place: _Place, members: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = members.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise place.error("is missing or not text", key)
    return " ".join(value.split()) if key == "description" else value


def _texts(place: _Place, members: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = members.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise place.error("must be a list of texts", key)
    if len(set(values)) != len(values):
        raise place.error("names something twice", key)
    return tuple(values)


def _one_of(
    place: _Place, members: Mapping[str, Any], key: str, allowed: tuple[str, ...], default: str | None = None
) -> str:
    value = members.get(key, default)
    if value not in allowed:
        raise place.error(f"{value!r} is not one of {_names(allowed)}", key)
    return str(value)


def _facts(place: _Place, members: Mapping[str, Any], described: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the pointers; `/metadata` stands for the members that the schema describes, when one is given.

    So a member that a sender adds on its own stays personal. Only the product's metadata is a fact whole.
    """
    facts = _texts(place, members, "facts")
    for position, pointer in enumerate(facts):
        if not _POINTER.fullmatch(pointer):
            raise place.error(f"{pointer!r} is not a pointer such as /metadata/milestones", "facts", position)
        if pointer == "/raw" or pointer.startswith("/raw/"):
            raise place.error("raw is always personal", "facts", position)
    if described is not None and "/metadata" in facts:
        each = tuple(f"/metadata/{_escape(key)}" for key in described.get("properties", {}))
        facts = tuple(dict.fromkeys((*(pointer for pointer in facts if pointer != "/metadata"), *each)))
    return facts


def _escape(key: str) -> str:
    """Return `key` as a part of an RFC 6901 pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _ocsf(place: _Place, members: Mapping[str, Any]) -> tuple[int, int]:
    ocsf = members.get("ocsf", [0, 0])
    if not isinstance(ocsf, list) or len(ocsf) != 2 or not all(type(number) is int for number in ocsf):
        raise place.error("must be [class number, activity number]", "ocsf")
    return ocsf[0], ocsf[1]


def _metadata_schema(place: _Place, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the JSON Schema of `metadata` from the short form: member -> type word, `word[]`, or a schema."""
    metadata = members.get("metadata", {})
    if not isinstance(metadata, dict):
        raise place.error("must map each member to its type", "metadata")
    properties = {key: _member_schema(place, key, value) for key, value in metadata.items()}
    required = _texts(place, members, "required")
    for position, key in enumerate(required):
        if key not in properties:
            raise place.error(f"{key!r} is required and not described under metadata", "required", position)
    schema: dict[str, Any] = {"type": "object"}
    if properties:
        schema["properties"] = properties
    if required:
        schema["required"] = list(required)
    return MappingProxyType(schema)


def _member_schema(place: _Place, key: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    word = str(value)
    if word.removesuffix("[]") not in _TYPE_WORDS:
        raise place.error(
            f"{word!r} is neither a schema nor one of {_names(_TYPE_WORDS)}, with [] for a list", "metadata", key
        )
    if word.endswith("[]"):
        return {"type": "array", "items": {"type": word.removesuffix("[]")}}
    return {"type": word}


def _names(words: Iterable[str]) -> str:
    return ", ".join(sorted(words) if isinstance(words, set) else words)
