"""YAML that remembers where each value stands, so that an error can name the line.

Only the plain subset is read: no aliases, tags of its own, merge keys, or repeated keys.
PyYAML is imported when the first text is parsed; nothing else in `tallystick.event` needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tallystick.errors import ConfigurationError

YAML_BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32


class YamlTextError(ConfigurationError):
    """A YAML text of ours or of the operator is not as it must be; file, line and key are named."""

    code = "yaml-text"
    advice = "Correct the named line of the named file and try again."

    def __init__(self, message: str, *, file: str, line: int | None, column: int | None = None, key: str = "") -> None:
        place = file if line is None else f"{file}:{line}"
        about = f" at {key}" if key else ""
        super().__init__(f"{place}{about}: {message}", file=file, line=line, column=column, key=key)
        self.file = file
        self.line = line
        self.column = column
        self.key = key


@dataclass(frozen=True, slots=True)
class LocatedYaml:
    """A parsed text: plain values, and the 1-based (line, column) of each by its path of keys and positions."""

    file: str
    value: Any
    places: dict[tuple[str | int, ...], tuple[int, int]] = field(repr=False)

    def line(self, *path: str | int) -> int | None:
        """Return the line of `path`, or of its nearest parent that stands in the text."""
        while path and path not in self.places:
            path = path[:-1]
        place = self.places.get(path)
        return None if place is None else place[0]

    def error(self, message: str, *path: str | int) -> YamlTextError:
        """Return the error that says `message` about the value at `path`."""
        return YamlTextError(message, file=self.file, line=self.line(*path), key=".".join(str(part) for part in path))


def parse_yaml(data: bytes, file: str) -> LocatedYaml:
    """Return the one document in `data`.

    Raises YamlTextError on anything but the plain subset, on more than 1 MiB and on depth above 32.
    """
    import yaml

    if len(data) > YAML_BYTES_MAX:
        raise YamlTextError(f"the text has {len(data)} bytes; at most {YAML_BYTES_MAX} are read", file=file, line=None)
    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        loader = loader_class(data)
        try:
            _refuse_aliases(yaml, data, file)
            node = loader.get_single_node()
            if node is None:
                raise YamlTextError("the text is empty", file=file, line=1)
            places: dict[tuple[str | int, ...], tuple[int, int]] = {}
            value = _Builder(yaml, loader, file, places).build(node, ())
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        raise YamlTextError(f"not YAML: {error.problem}", file=file, line=line, column=column) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlTextError(f"not YAML: {error}", file=file, line=None) from error
    return LocatedYaml(file, value, places)


def _refuse_aliases(yaml: Any, data: bytes, file: str) -> None:
    """Raise on anchors, aliases, tags and depth, before anything is built from the text."""
    depth = 0
    for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            message = "anchors and aliases are not read here; write the value out"
            raise YamlTextError(message, file=file, line=line, column=column)
        if getattr(event, "tag", None):
            raise YamlTextError(f"tags such as {event.tag} are not read here", file=file, line=line, column=column)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise YamlTextError(f"nested deeper than {DEPTH_MAX}", file=file, line=line, column=column)


@dataclass(slots=True)
class _Builder:
    yaml: Any
    loader: Any
    file: str
    places: dict[tuple[str | int, ...], tuple[int, int]]

    def build(self, node: Any, path: tuple[str | int, ...]) -> Any:
        self.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, self.yaml.MappingNode):
            return self._build_mapping(node, path)
        if isinstance(node, self.yaml.SequenceNode):
            return [self.build(child, (*path, position)) for position, child in enumerate(node.value)]
        try:
            value = self.loader.construct_object(node)
        except ValueError as error:
            raise self._error(
                f"{node.value!r} looks like a number or a date and is none; put it in quotes", node, path
            ) from error
        if not isinstance(value, str | int | float | bool | None):
            raise self._error(f"{node.value!r} is read as a {type(value).__name__}; put it in quotes", node, path)
        return value

    def _build_mapping(self, node: Any, path: tuple[str | int, ...]) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self._error("a key must be text", key_node, path)
            if key in built:
                raise self._error(f"the key {key!r} stands here twice", key_node, (*path, key))
            built[key] = self.build(value_node, (*path, key))
            self.places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return built

    def _error(self, message: str, node: Any, path: tuple[str | int, ...]) -> YamlTextError:
        mark = node.start_mark
        key = ".".join(str(part) for part in path)
        return YamlTextError(message, file=self.file, line=mark.line + 1, column=mark.column + 1, key=key)
