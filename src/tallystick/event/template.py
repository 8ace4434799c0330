"""The message templates of the catalogue: a few words with paths in them.

    Created Release {target.name|target.id}[ with milestones {metadata.milestones}]

`{path}` stands for a value of the event; `{a|b|'text'}` for the first of them that is there; `[...]` is shown
only when every value inside it is there. `{{`, `}}`, `[[` and `]]` are the characters themselves.
`docs/reference/catalogue.md` describes the language to those who write templates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tallystick.errors import ConfigurationError
from tallystick.event.visible import show

ABSENT = "(not given)"
LIST_ITEMS_MAX = 20
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
_TOKEN = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{(?P<field>[^{}]*)\}|(?P<open>\[)|(?P<close>\])|(?P<stray>[{}])|(?P<text>[^\[\]{}]+)"
)


class TemplateError(ConfigurationError):
    """A message template cannot be read; the character it fails at is named."""

    code = "template"
    advice = "See the section on messages in docs/reference/catalogue.md."


@dataclass(frozen=True, slots=True)
class Field:
    """A place for one value: paths (tuples of keys) to try in order, and a last resort."""

    paths: tuple[tuple[str, ...], ...]
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Parts in order; a tuple among them is an optional section."""

    parts: tuple[str | Field | tuple[str | Field, ...], ...]

    def fields(self) -> Iterator[Field]:
        for part in self.parts:
            for piece in part if isinstance(part, tuple) else (part,):
                if isinstance(piece, Field):
                    yield piece

    def render(self, event: Mapping[str, Any]) -> str:
        """Return plain text on one line; values are cut and made visible, a missing one reads `(not given)`."""
        return "".join(_render_part(part, event) for part in self.parts)


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Template:
    """Return the template; raises TemplateError."""
    parts: list[str | Field | tuple[str | Field, ...]] = []
    section: list[str | Field] | None = None
    for match in _TOKEN.finditer(text):
        if match["stray"]:
            raise TemplateError(
                f"character {match.start() + 1}: a brace without its partner; write it twice to show it"
            )
        if match["open"]:
            if section is not None:
                raise TemplateError(f"character {match.start() + 1}: an optional section inside another")
            section = []
        elif match["close"]:
            if section is None:
                raise TemplateError(f"character {match.start() + 1}: this section was never opened")
            if not any(isinstance(piece, Field) for piece in section):
                raise TemplateError(f"character {match.start() + 1}: an optional section needs a value that decides")
            parts.append(tuple(section))
            section = None
        else:
            piece = _parse_piece(match)
            (parts if section is None else section).append(piece)
    if section is not None:
        raise TemplateError("an optional section is never closed")
    return Template(tuple(parts))


def _parse_piece(match: re.Match[str]) -> str | Field:
    if match["text"]:
        return match["text"]
    if match["field"] is None:
        return match[0][0]
    paths: list[tuple[str, ...]] = []
    otherwise = None
    for choice in (choice.strip() for choice in match["field"].split("|")):
        if otherwise is not None:
            raise TemplateError(
                f"character {match.start() + 1}: nothing can follow the quoted text, it is always there"
            )
        if len(choice) >= 2 and choice[0] == choice[-1] == "'":
            otherwise = choice[1:-1]
        elif _PATH.fullmatch(choice):
            paths.append(tuple(choice.split(".")))
        else:
            raise TemplateError(f"character {match.start() + 1}: {choice!r} is not a path such as metadata.milestones")
    return Field(tuple(paths), otherwise)


def find_values(event: Any, path: tuple[str, ...]) -> list[Any]:
    """Return the values at `path`, walking through lists; `target` means the first of `targets`."""
    if path[0] == "target" and isinstance(event, Mapping) and "target" not in event:
        targets = event.get("targets")
        event = {"target": targets[0] if isinstance(targets, list | tuple) and targets else None}
    plain = event
    for key in path:  # nearly every path leads through objects alone to one value
        if type(plain) is not dict:
            break
        plain = plain.get(key)
    else:
        if not isinstance(plain, list | tuple):
            return [] if plain is None or plain == "" else [plain]
    values = [event]
    for key in path:
        values = [item[key] for item in _flat(values) if isinstance(item, Mapping) and key in item]
    return [value for value in _flat(values) if value is not None and value != ""]


def _flat(values: list[Any]) -> list[Any]:
    """Return `values` with each list among them replaced by its items."""
    return [item for value in values for item in (value if isinstance(value, list | tuple) else (value,))]


def _render_field(field: Field, event: Mapping[str, Any]) -> str | None:
    for path in field.paths:
        values = find_values(event, path)
        if values:
            return _render_values(values)
    return field.otherwise


def _render_values(values: list[Any]) -> str:
    shown = ", ".join(show(_plain(value)) for value in values[:LIST_ITEMS_MAX])
    rest = len(values) - LIST_ITEMS_MAX
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _render_part(part: str | Field | tuple[str | Field, ...], event: Mapping[str, Any]) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Field):
        text = _render_field(part, event)
        return ABSENT if text is None else text
    pieces = [piece if isinstance(piece, str) else _render_field(piece, event) for piece in part]
    return "" if None in pieces else "".join(piece for piece in pieces if piece is not None)
