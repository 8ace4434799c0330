"""What a value may be: each kind reads the text of a variable or option, and the value of a TOML key."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from tallystick.errors import ConfigurationError

SECRET_BYTES_MAX: Final = 64 << 10


class SettingError(ConfigurationError):
    """A setting has a value that it cannot have."""

    code = "setting-invalid"


@dataclass(frozen=True, slots=True)
class WitnessSetting:
    """Someone else's witness: where it is, and the key that its cosignatures must have."""

    url: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value. `of_text` and `of_toml` raise ValueError with what should stand there instead."""

    of_text: Callable[[str], Any]
    of_toml: Callable[[Any], Any]
    empty_is_absent: bool = True
    """Whether a variable that is set to nothing says nothing."""


def text_kind(parse: Callable[[str], Any]) -> Kind:
    """Return the kind of a value that is one text everywhere."""

    def of_toml(value: Any) -> Any:
        if not isinstance(value, str):
            raise ValueError("a text")  # noqa: TRY004  the caller says where
        return parse(value)

    return Kind(parse, of_toml)


def list_kind(parse: Callable[[str], Any], separator: str | None) -> Kind:
    """Return the kind of a value that is an array of texts in TOML, and texts with a separator elsewhere."""

    def of_toml(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError("an array of texts")
        return tuple(map(parse, value))

    def of_text(text: str) -> tuple[Any, ...]:
        return tuple(parse(each.strip()) for each in text.split(separator) if each.strip())

    return Kind(of_text, of_toml)


def count_kind(least: int, most: int | None = None) -> Kind:
    """Return the kind of a whole number."""
    wanted = f"a whole number, at least {least}" + (f" and at most {most}" if most is not None else "")

    def checked(value: int) -> int:
        if value < least or (most is not None and value > most):
            raise ValueError(wanted)
        return value

    def of_text(text: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise ValueError(wanted)
        return checked(int(text))

    def of_toml(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(wanted)  # noqa: TRY004  the caller says where
        return checked(value)

    return Kind(of_text, of_toml, empty_is_absent=False)


def parse_witness(text: str) -> WitnessSetting:
    """Return the witness that `VKEY@URL` or `VKEY URL` names."""
    vkey, _, url = text.replace(" ", "@", 1).partition("@")
    if not url.startswith(("http://", "https://")) or vkey.count("+") < 2:
        raise SettingError(f"{text!r} does not name a witness", advice="Write it as VKEY@https://witness.example.org.")
    return WitnessSetting(url.rstrip("/"), vkey)


def read_secret(path: Path) -> str:
    """Return the secret that a file holds, without white space around it. Raises SettingError."""
    try:
        with path.open("rb") as file:
            text = file.read(SECRET_BYTES_MAX).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            f"the secret in {path} cannot be read", advice="See that the file is there, is text, and is ours to read."
        ) from error
    if not text:
        raise SettingError(f"{path} is empty", advice="Write the secret into it, and nothing else.")
    return text


def _switch_of_text(text: str) -> bool:
    try:
        return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[text.lower()]
    except KeyError as error:
        raise ValueError("1 or 0") from error


def _switch_of_toml(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")  # noqa: TRY004  the caller says where
    return value


def parse_public_url(text: str) -> str:
    """Return scheme, host and port as a browser writes them. Raises SettingError."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise SettingError(
            f"public_url is {text!r}", advice="Give an address without a path, such as https://audit.example.org."
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, usual} else "")


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text else str(ipaddress.ip_address(text))
    except ValueError as error:
        raise ValueError("addresses or networks such as 192.0.2.7 or 10.0.0.0/8") from error


def _smtp_security(text: str) -> str:
    if text not in {"starttls", "tls", "none"}:
        raise ValueError("starttls, tls or none")
    return text


def _proxy_headers(text: str) -> str:
    if text not in {"x-forwarded", "forwarded"}:
        raise ValueError("x-forwarded or forwarded")
    return text


TEXT: Final = text_kind(str)
PROXY_HEADERS: Final = text_kind(_proxy_headers)
SMTP_SECURITY: Final = text_kind(_smtp_security)
PATH: Final = text_kind(Path)
PATHS: Final = list_kind(Path, os.pathsep)
WORDS: Final = list_kind(str, None)
NAMES: Final = list_kind(str.lower, ",")
WITNESSES: Final = list_kind(parse_witness, None)
NETWORKS: Final = list_kind(_network, ",")
PUBLIC_URL: Final = text_kind(parse_public_url)
SWITCH: Final = Kind(_switch_of_text, _switch_of_toml)
