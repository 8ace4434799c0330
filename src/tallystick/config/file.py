"""The configuration file: TOML, its keys those of `SETTINGS`, everything else refused with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tallystick.config.listing import SETTINGS
from tallystick.errors import ConfigurationError

CONFIG_FILE: Final = Path("/etc/tallystick/tallystick.toml")
"""Read where no other is named; its absence is no error."""
_BY_KEY: Final = {each.key: each for each in SETTINGS if each.key}


class ConfigFileError(ConfigurationError):
    """The configuration file cannot be read, or says something that means nothing here."""

    code = "config-file-invalid"
    advice = "Mend the named place; docs/reference/settings.md lists all keys."


def load_config_file(path: Path) -> dict[str, Any]:
    """Return the values that a file gives, by key. Raises ConfigFileError with the line where there is one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFileError(f"{path} cannot be read: {error}", advice="Name another with --config.") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFileError(
            f"{path} is no TOML: {error}", advice="Mend that place; https://toml.io says how."
        ) from error
    values = {}
    for key, value in _leaves(document, ""):
        place = f"{path}{_line_of(text, key)}"
        setting = _BY_KEY.get(key)
        if setting is None:
            raise ConfigFileError(f"{place}: there is no setting {key!r}", advice=_advice(key))
        try:
            values[key] = setting.kind.of_toml(value)
        except ValueError as error:
            # The value itself is not repeated: it may be a secret that stands in the wrong place.
            raise ConfigFileError(f"{place}: {key} is not as it should be", advice=f"Give {error}.") from error
    return values


def _leaves(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """Yield every key of the document with its tables before it; a table without keys is one itself."""
    for name, value in table.items():
        key = f"{above}{name}"
        is_table = any(known.startswith(f"{key}.") for known in _BY_KEY)
        if isinstance(value, dict) and is_table:
            yield from _leaves(value, f"{key}.")
        else:
            yield key, value


def _line_of(text: str, key: str) -> str:
    """Return ", line N" where the key stands on a line of its own below its table's head."""
    table, _, name = key.rpartition(".")
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            inside = head[1].replace('"', "")
            if inside == key:
                return f", line {number}"
        elif found := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            written = found[1].replace('"', "").replace("'", "")
            if (inside == table and written == name) or (not inside and written == key):
                return f", line {number}"
    return ""


def _advice(key: str) -> str:
    import difflib

    if near := difflib.get_close_matches(key, _BY_KEY, 1):
        return f"Did you mean {near[0]!r}? docs/reference/settings.md lists all."
    return ConfigFileError.advice
