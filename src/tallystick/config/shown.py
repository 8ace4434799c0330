"""What an installation was started with, to be shown: each value with where it comes from, and no secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tallystick.config.file import CONFIG_FILE, load_config_file
from tallystick.config.listing import SETTINGS
from tallystick.config.model import Settings

_PLACES: Final[Mapping[str, str]] = {
    "tls.cert": "tls_cert",
    "tls.key": "tls_key",
    "proxy.behind": "behind_proxy",
    "proxy.addresses": "proxies",
    "stream.networks": "stream_networks",
    "proxy.headers": "proxy_headers",
    "catalogue": "catalogue_files",
}
_NOT_SHOWN: Final = frozenset({"oidc.client_secret_file", "database.url_file", "smtp.password_file"})


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting as text; `source` is the variable, the file, the command line, or the default."""

    name: str
    value: str
    meaning: str
    source: str


def show_settings(settings: Settings) -> tuple[Shown, ...]:
    """Return every setting that a server has, in the order of the list."""
    written = _written()
    return tuple(
        Shown(each.key, _text(_value(settings, each.key)), each.meaning, _source(each, settings, written))
        for each in SETTINGS
        if each.key and each.key not in _NOT_SHOWN
    )


def _value(settings: Settings, key: str) -> Any:
    if key == "database.url":
        return "SQLite in the data directory" if settings.database is None else _without_password(settings.database.url)
    place: Any = settings
    for name in _PLACES.get(key, key).split("."):
        place = getattr(place, name, None)
    return place


def _source(setting: Any, settings: Settings, written: Mapping[str, Any]) -> str:
    if os.environ.get(setting.variable):
        return str(setting.variable)
    if setting.key in written:
        return "configuration file"
    value, usual = _value(settings, setting.key), _value(Settings(settings.data, settings.state), setting.key)
    return "default" if value == usual and setting.key not in {"data", "state"} else "command line"


def _written() -> Mapping[str, Any]:
    named = os.environ.get("TALLYSTICK_CONFIG")
    path = Path(named) if named else CONFIG_FILE
    return {} if named == "" or not path.exists() else load_config_file(path)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(getattr(each, "url", None) or str(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or 'local socket'}{f':{parts.port}' if parts.port else ''}{parts.path}"
