"""Putting the settings together: option, else environment, else file, else default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from tallystick.config.file import CONFIG_FILE, load_config_file
from tallystick.config.listing import CATALOGUE_FOLDER, SETTINGS
from tallystick.config.model import DatabaseSetting, OidcSetting, Settings, SmtpSetting
from tallystick.config.values import SettingError, read_secret
from tallystick.event.limits import Limits

#: Keys that are not named as the field of `Settings` is.
_FIELDS: Final[Mapping[str, str]] = {
    "tls.cert": "tls_cert",
    "tls.key": "tls_key",
    "proxy.behind": "behind_proxy",
    "proxy.addresses": "proxies",
    "proxy.headers": "proxy_headers",
    "stream.networks": "stream_networks",
}
_DATABASE: Final = frozenset({"database.url", "database.url_file"})
"""Two ways to say one thing."""


def settings_for(data: Path, state: Path | None = None, **others: Any) -> Settings:
    """Return settings for a data directory: what is given, else what the environment says, the file, the defaults.

    `others` are fields of `Settings`. Raises SettingError and ConfigFileError.
    """
    values = _values()
    direct = {_FIELDS.get(key, key): value for key, value in values.items()}
    chosen = {each.name: direct[each.name] for each in fields(Settings) if each.name in direct}
    usual: dict[str, Any] = {
        **chosen,
        "data": data,
        "state": state or values.get("state") or default_state(),
        "limits": Limits(**_below("limits.", values)),
        "catalogue_files": (*sorted((data / CATALOGUE_FOLDER).glob("*.yaml")), *values.get("catalogue", ())),
        "database": _database(values),
        "oidc": _oidc(values),
        "smtp": _smtp(values),
    }
    return Settings(**{**usual, **others})


def configured_data() -> Path | None:
    """Return the data directory that the environment or the configuration file names."""
    data: Path | None = _values().get("data")
    return data


def default_state() -> Path:
    """Return the user's state directory for this product (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "tallystick"


def _values() -> dict[str, Any]:
    """Return what the file and the environment say, by key of the file."""
    said: dict[str, Any] = {}
    for setting in SETTINGS:
        text = os.environ.get(setting.variable)
        if not setting.key or text is None or (not text and setting.kind.empty_is_absent):
            continue
        try:
            said[setting.key] = setting.kind.of_text(text)
        except ValueError as error:
            raise SettingError(f"{setting.variable} is {text!r}", advice=f"Give {error}.") from error
    written = _from_file()
    if said.keys() & _DATABASE:
        written = {key: value for key, value in written.items() if key not in _DATABASE}
    return {**written, **said}


def _from_file() -> dict[str, Any]:
    named = os.environ.get("TALLYSTICK_CONFIG")
    if named is not None:
        return load_config_file(Path(named)) if named else {}
    return load_config_file(CONFIG_FILE) if CONFIG_FILE.exists() else {}


def _below(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(table): value for key, value in values.items() if key.startswith(table)}


def _database(values: Mapping[str, Any]) -> DatabaseSetting | None:
    given = _below("database.", values)
    if not given:
        return None
    if len(given) == 2:
        raise SettingError("the database is named twice", advice="Give either its address or the file that holds it.")
    return DatabaseSetting(given["url"] if "url" in given else read_secret(given["url_file"]))


def _oidc(values: Mapping[str, Any]) -> OidcSetting | None:
    given = _below("oidc.", values)
    if not given:
        return None
    if missing := {"issuer", "client_id"} - set(given):
        raise SettingError(f"OpenID Connect lacks oidc.{min(missing)}", advice="Give oidc.issuer and oidc.client_id.")
    secret = given.pop("client_secret_file", None)
    return OidcSetting(**given, client_secret=None if secret is None else read_secret(secret))


def _smtp(values: Mapping[str, Any]) -> SmtpSetting | None:
    given = _below("smtp.", values)
    if not given:
        return None
    if missing := {"host", "sender"} - set(given):
        raise SettingError(f"mail lacks smtp.{min(missing)}", advice="Give smtp.host and smtp.sender.")
    secret = given.pop("password_file", None)
    return SmtpSetting(**given, password=None if secret is None else read_secret(secret))
