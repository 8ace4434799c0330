"""What a document says about itself, read with its forms checked; keys that the specification leaves free are kept."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from tallystick.sigma.errors import SigmaError, SigmaUnsupportedError
from tallystick.sigma.model import Head, Level, Logsource, Place, Related, Status
from tallystick.sigma.yaml_text import Node

TITLE_CHARACTERS_MAX: Final = 256
DESCRIPTION_CHARACTERS_MAX: Final = 65_535
RELATIONS: Final = ("derived", "obsolete", "merged", "renamed", "similar")
TEXTS: Final = ("title", "name", "description", "license", "author")
LISTS: Final = ("references", "tags", "fields", "falsepositives", "scope")
KNOWN: Final = frozenset(
    {*TEXTS, *LISTS, "id", "related", "taxonomy", "status", "level", "date", "modified", "logsource"}
)

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_TAG: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9._-]+)+")
_SOURCE: Final = re.compile(r"[a-z0-9_.-]+")
_Named = TypeVar("_Named", bound=StrEnum)


def parse_head(document: Node, besides: frozenset[str]) -> Head:
    """Return the head of a document whose other parts are the keys `besides`."""
    assert isinstance(document.value, dict)
    nodes = document.value
    if "title" not in nodes:
        _fail("`title` is missing", document.place)
    texts: dict[str, Any] = {key: read_text(nodes[key], key) for key in TEXTS if key in nodes}
    if not 0 < len(texts["title"]) <= TITLE_CHARACTERS_MAX:
        _fail(f"a title has 1 to {TITLE_CHARACTERS_MAX} characters", nodes["title"].place)
    if len(texts.get("description", "")) > DESCRIPTION_CHARACTERS_MAX:
        _fail(f"a description has at most {DESCRIPTION_CHARACTERS_MAX} characters", nodes["description"].place)
    taxonomy = read_text(nodes["taxonomy"], "taxonomy") if "taxonomy" in nodes else "sigma"
    if taxonomy != "sigma":
        place = nodes["taxonomy"].place
        message = f"fields named by the taxonomy {taxonomy!r} are not known here; `sigma` is"
        raise SigmaUnsupportedError(message, line=place.line, column=place.column)
    lists: dict[str, Any] = {key: read_texts(nodes[key], key) for key in LISTS if key in nodes and key != "tags"}
    custom = {key: node for key, node in nodes.items() if key not in KNOWN and key not in besides}
    return Head(
        place=document.place,
        id=_id(nodes["id"]) if "id" in nodes else "",
        status=_named(nodes["status"], Status) if "status" in nodes else None,
        level=_named(nodes["level"], Level) if "level" in nodes else None,
        date=_day(nodes["date"]) if "date" in nodes else "",
        modified=_day(nodes["modified"]) if "modified" in nodes else "",
        related=_related(nodes["related"]) if "related" in nodes else (),
        tags=tuple([_tag(node) for node in _members(nodes["tags"], "tags")]) if "tags" in nodes else (),
        custom={key: node.simple() for key, node in custom.items()},
        custom_places={key: document.keys[key] for key in custom},
        **texts,
        **lists,
    )


def parse_logsource(document: Node) -> Logsource:
    """Return the source that a document is about; at least one of its three names must be there."""
    assert isinstance(document.value, dict)
    node = document.value.get("logsource")
    if node is None:
        _fail("`logsource` is missing", document.place)
    if not isinstance(node.value, dict):
        _fail("`logsource` is a map of category, product and service", node.place)
    names: dict[str, str] = {}
    for key in ("category", "product", "service"):
        if key not in node.value or node.value[key].value is None:
            continue
        text = read_text(node.value[key], key)
        if not _SOURCE.fullmatch(text):
            _fail(f"a {key} has lower-case letters, digits, `_`, `.` and `-` only", node.value[key].place)
        names[key] = text
    if not names:
        _fail("`logsource` names no category, product or service", node.place)
    return Logsource(**names)


def read_text(node: Node, about: str) -> str:
    """Return the text of a scalar as it is written."""
    if isinstance(node.value, dict | list) or node.value is None:
        _fail(f"`{about}` must be text", node.place)
    return node.written


def read_texts(node: Node, about: str) -> tuple[str, ...]:
    """Return the texts of a list; a single text is a list of one."""
    return tuple([read_text(member, about) for member in _members(node, about)])


def _members(node: Node, about: str) -> list[Node]:
    if node.value is None:
        return []
    if isinstance(node.value, dict):
        _fail(f"`{about}` must be a list of texts", node.place)
    return node.value if isinstance(node.value, list) else [node]


def _id(node: Node) -> str:
    text = read_text(node, "id")
    if not _UUID.fullmatch(text):
        _fail(f"{text!r} is no UUID", node.place)
    return text.lower()


def _named(node: Node, kind: type[_Named]) -> _Named:
    text = read_text(node, kind.__name__.lower())
    try:
        return kind(text)
    except ValueError:
        _fail(f"{text!r} is none of {', '.join(kind)}", node.place)


def _day(node: Node) -> str:
    text = read_text(node, "date")
    try:
        known = _DAY.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        known = False
    if not known:
        _fail(f"{text!r} is no date such as 2026-01-31", node.place)
    return text


def _tag(node: Node) -> str:
    text = read_text(node, "tags")
    if not _TAG.fullmatch(text):
        _fail(f"{text!r} is no tag such as attack.t1078", node.place)
    return text


def _related(node: Node) -> tuple[Related, ...]:
    made: list[Related] = []
    for member in _members(node, "related"):
        if not isinstance(member.value, dict) or set(member.value) != {"id", "type"}:
            _fail("each of `related` is a map of id and type", member.place)
        kind = read_text(member.value["type"], "type")
        if kind not in RELATIONS:
            _fail(f"{kind!r} is none of {', '.join(RELATIONS)}", member.value["type"].place)
        made.append(Related(_id(member.value["id"]), kind))
    return tuple(made)


def _fail(message: str, place: Place) -> NoReturn:
    raise SigmaError(message, line=place.line, column=place.column)
