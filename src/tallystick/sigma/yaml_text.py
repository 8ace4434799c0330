"""YAML as rules are written in: several documents, the scalars of YAML 1.2, and the place of every key and value.

The parser of the safe loader gives events, of which the values are made here, so no text can make an object of another
type. `NO`, `on` and dates are text, as in YAML 1.2; PyYAML by itself reads them as 1.1 did. Bounds on bytes, depth and
the number of values, aliases written out, keep a small text from becoming a large value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.sigma.errors import SigmaError, SigmaTooLargeError, SigmaUnsupportedError
from tallystick.sigma.model import Place

TEXT_BYTES_MAX: Final = 4 * 1024 * 1024
DEPTH_MAX: Final = 32
NODES_MAX: Final = 200_000
ALIASES_MAX: Final = 100

Scalar = str | int | float | bool | None

_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_BEGINS: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_BASED: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DIGITS_MAX: Final = 40
_CORE_TAGS: Final = {"tag:yaml.org,2002:str", "!"}


@dataclass(slots=True)
class Node:
    """A value with its place. `written` is a scalar as the text has it, and `plain` says that no quotes stand around it;
    `offset` is how far after `place` its first character stands, None where lines or escapes lie between.

    A sequence is a list of nodes; a mapping is a dict of nodes, whose keys stand at `keys`. `size` counts the values in
    it, itself included.
    """

    value: Scalar | list[Node] | dict[str, Node]
    place: Place
    written: str = ""
    plain: bool = False
    offset: int | None = None
    keys: dict[str, Place] = field(default_factory=dict)
    size: int = 1

    def simple(self) -> Any:
        """Return the plain value, without places."""
        if isinstance(self.value, dict):
            return {key: node.simple() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.simple() for node in self.value]
        return self.value


def read_documents(text: bytes) -> Iterator[Node]:
    """Yield each document that is not empty. Raises SigmaError with a place for what is not read."""
    import yaml

    if len(text) > TEXT_BYTES_MAX:
        raise SigmaTooLargeError(f"the text has {len(text)} bytes; at most {TEXT_BYTES_MAX} are read", line=1, column=1)
    reader = _Reader(yaml)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            document = reader.take(event)
            if document is not None:
                yield document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        raise SigmaError(f"not YAML: {error.problem}", line=line, column=column) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SigmaError(f"not YAML: {error}", line=1, column=1) from error


class _Reader:
    """Makes nodes of the parser's events, without recursion, so that depth is our bound and not the stack's."""

    def __init__(self, yaml: Any) -> None:
        self._yaml = yaml
        self._open: list[tuple[Node, str | None]] = []  # collections begun, each with the key that awaits its value
        self._anchors: dict[str, Node] = {}
        self._names: list[str | None] = []
        self._aliases = 0
        self._nodes = 0
        self._root: Node | None = None

    def take(self, event: Any) -> Node | None:
        """Return the document that this event ends, if it does."""
        yaml = self._yaml
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = node
            self._add(node, event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._aliased(event), event)
        elif isinstance(event, yaml.DocumentEndEvent):
            root, self._root = self._root, None
            self._anchors, self._aliases, self._nodes = {}, 0, 0
            return None if root is None or root.value is None else root
        return None

    def _begin(self, event: Any) -> None:
        place = _place(event)
        if event.tag is not None and event.tag not in {"!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}:
            raise SigmaUnsupportedError(f"the tag {event.tag} is not read here", line=place.line, column=place.column)
        if len(self._open) >= DEPTH_MAX:
            raise SigmaTooLargeError(f"nested deeper than {DEPTH_MAX}", line=place.line, column=place.column)
        is_mapping = isinstance(event, self._yaml.MappingStartEvent)
        if is_mapping and self._expects_key():
            raise SigmaError("a key must be text", line=place.line, column=place.column)
        self._open.append((Node({} if is_mapping else [], place), None))
        self._names.append(event.anchor)

    def _end(self) -> None:
        node, _ = self._open.pop()
        anchor = self._names.pop()
        if anchor:
            self._anchors[anchor] = node
        self._nodes -= node.size  # _add counts them again, as it does the nodes that an alias repeats
        self._add(node, None)

    def _aliased(self, event: Any) -> Node:
        place = _place(event)
        self._aliases += 1
        if self._aliases > ALIASES_MAX:
            raise SigmaTooLargeError(f"more than {ALIASES_MAX} aliases", line=place.line, column=place.column)
        node = self._anchors.get(event.anchor)
        if node is None:
            message = f"the alias {event.anchor!r} stands for nothing that is complete here"
            raise SigmaError(message, line=place.line, column=place.column)
        return node

    def _expects_key(self) -> bool:
        if not self._open:
            return False
        holder, key = self._open[-1]
        return isinstance(holder.value, dict) and key is None

    def _add(self, node: Node, event: Any) -> None:
        """Put a complete value where it belongs."""
        self._nodes += node.size
        if self._nodes > NODES_MAX:
            raise SigmaTooLargeError(f"more than {NODES_MAX} values", line=node.place.line, column=node.place.column)
        if not self._open:
            self._root = node
            return
        holder, key = self._open[-1]
        holder.size += node.size
        if isinstance(holder.value, list):
            holder.value.append(node)
        elif isinstance(holder.value, dict):
            if key is None:
                self._open[-1] = (holder, _key(holder, node, event))
            else:
                holder.value[key] = node
                self._open[-1] = (holder, None)


def _key(holder: Node, node: Node, event: Any) -> str:
    line, column = _place(event) if event is not None else node.place
    if isinstance(node.value, list | dict):
        raise SigmaError("a key must be text", line=line, column=column)
    key = node.written
    if key == "<<" and node.plain:
        raise SigmaUnsupportedError("merge keys are not read here; write the keys out", line=line, column=column)
    if key in holder.keys:
        raise SigmaError(f"the key {key!r} stands here twice", line=line, column=column)
    holder.keys[key] = Place(line, column)
    return key


def _place(event: Any) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _scalar(event: Any) -> Node:
    place = _place(event)
    plain = not event.style  # None from the parser in Python, empty from the one in C
    if event.tag is not None and event.tag not in _CORE_TAGS:
        raise SigmaUnsupportedError(f"the tag {event.tag} is not read here", line=place.line, column=place.column)
    written: str = event.value
    value: Scalar = written
    if plain and event.tag is None:
        value = _plain(written)
    quotes = 0 if plain else 1
    width = event.end_mark.column - event.start_mark.column - 2 * quotes
    as_written = (
        event.style not in {"|", ">"} and event.end_mark.line == event.start_mark.line and width == len(written)
    )
    return Node(value, place, written, plain, quotes if as_written else None)


def _plain(written: str) -> Scalar:
    """Return what a scalar without quotes means in YAML 1.2's core schema.

    Digits that are more than any number of an event, such as a digest's, stay text.
    """
    if written in _CONSTANTS:
        return _CONSTANTS[written]
    if written[0] not in _NUMBER_BEGINS or len(written) > _DIGITS_MAX:
        return written
    if _INTEGER.fullmatch(written):
        return int(written)
    if _BASED.fullmatch(written):
        return int(written, 0)
    if _FLOAT.fullmatch(written):
        number = float(written)
        return number if math.isfinite(number) else written
    return written
