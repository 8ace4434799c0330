"""A YAML text as a tree that knows where each part stands, so that an error can say so.

Values stay the text that was written; anchors, aliases and tags are refused, so that a short text is a small tree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import yaml

from tallystick.alert.notify.errors import RoutingInvalidError
from tallystick.event.visible import show

TEXT_BYTES_MAX: Final = 64 << 10
_DEPTH_MAX: Final = 24
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the text: a mapping, a list, or a value."""

    node: yaml.Node

    def fail(self, message: str) -> RoutingInvalidError:
        """Return the error that names this place."""
        mark = self.node.start_mark
        return RoutingInvalidError(message, line=mark.line + 1, column=mark.column + 1)

    def fields(self, known: Sequence[str], *, required: Sequence[str] = ()) -> Mapping[str, Place]:
        """Return the members of a mapping; raises for one that is not known, given twice, or missing."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.fail("a mapping of keys belongs here")
        found: dict[str, Place] = {}
        for key_node, value_node in self.node.value:
            key = Place(key_node)
            name = key.text()
            if name not in known:
                raise key.fail(f"{show(name, 60)!r} is not known here; known are {', '.join(known)}")
            if name in found:
                raise key.fail(f"{name} is given twice")
            found[name] = Place(value_node)
        for name in required:
            if name not in found:
                raise self.fail(f"{name} is missing")
        return found

    def items(self) -> list[Place]:
        """Return the entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.fail("a list belongs here")
        return [Place(each) for each in self.node.value]

    def text(self) -> str:
        """Return a value as it was written."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.fail("one value belongs here")
        return str(self.node.value)

    def read(self, parse: Callable[[str], T]) -> T:
        """Return what `parse` makes of the value; its ValueError or refusal names this place."""
        try:
            return parse(self.text())
        except ValueError as error:
            raise self.fail(str(error)) from None

    def flag(self) -> bool:
        """Return a value that is true or false."""
        return self.read(_flag)

    def plain(self) -> Any:
        """Return the tree without its places: mappings, lists and texts."""
        if isinstance(self.node, yaml.MappingNode):
            return {Place(key).text(): Place(value).plain() for key, value in self.node.value}
        if isinstance(self.node, yaml.SequenceNode):
            return [Place(each).plain() for each in self.node.value]
        return self.text()


def parse_yaml(text: str) -> Place:
    """Return the one document of a text; raises RoutingInvalidError."""
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise RoutingInvalidError(f"the text has more than {TEXT_BYTES_MAX:,} bytes")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise _at(event.start_mark, "anchors and aliases are not taken")
            if getattr(event, "tag", None):
                raise _at(event.start_mark, "tags are not taken")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEPTH_MAX:
                raise _at(event.start_mark, "this is nested too deeply")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _at(mark, error.problem or "this is not YAML") from None
    except yaml.YAMLError:
        raise RoutingInvalidError("the text holds characters that YAML does not have") from None
    if node is None:
        raise RoutingInvalidError("the text is empty", line=1, column=1)
    return Place(node)


def _at(mark: Any, message: str) -> RoutingInvalidError:
    if mark is None:
        return RoutingInvalidError(message)
    return RoutingInvalidError(message, line=mark.line + 1, column=mark.column + 1)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("write true or false")
    return text == "true"
