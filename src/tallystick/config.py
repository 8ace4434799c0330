"""The settings of one installation: where it keeps things, where it listens, what it demands.

Every setting is an environment variable (`VARIABLES`), and those that concern one command are options of it too;
`docs/reference/settings.md` lists them. An option wins over its variable.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from tallystick.errors import ConfigurationError
from tallystick.event.limits import Limits

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8400
WORKERS_MAX: Final = 64
RESERVE_BYTES: Final = 256 << 20
CATALOGUE_FOLDER: Final = "catalogue"
"""In the data directory: the operator's own catalogue files, `*.yaml`."""

#: What each environment variable means; those of `Limits` are `TALLYSTICK_` and the name of the field.
VARIABLES: Final[Mapping[str, str]] = {
    "TALLYSTICK_DATA": "Data directory: log, content, tables, secrets, keys.",
    "TALLYSTICK_STATE": "Where the last-signed record lives; outside the data directory and outside its backups.",
    "TALLYSTICK_URL": "Server that commands talk to instead of a data directory.",
    "TALLYSTICK_TOKEN": "Token for that server.",
    "TALLYSTICK_HOST": "Address that the server listens on; beyond this machine TLS or a proxy is demanded.",
    "TALLYSTICK_PORT": "Port that the server listens on.",
    "TALLYSTICK_WORKERS": "Processes that admit large batches beside the server's own; 0 is none.",
    "TALLYSTICK_TLS_CERT": "Certificate chain of the server (PEM).",
    "TALLYSTICK_TLS_KEY": "Key of that certificate (PEM).",
    "TALLYSTICK_BEHIND_PROXY": "1 when a proxy ends TLS and passes requests on.",
    "TALLYSTICK_PROXIES": "Addresses of proxies whose X-Forwarded-For is believed, separated by commas.",
    "TALLYSTICK_WITNESS": "Witnesses that cosign checkpoints, each as VKEY@URL, separated by spaces.",
    "TALLYSTICK_CATALOGUE": "More catalogue files, separated by colons, besides `catalogue/*.yaml` in the data directory.",
    "TALLYSTICK_RESERVE_BYTES": "Free space below which events are refused (507), so that what was taken can be sealed.",
    "TALLYSTICK_EVENT_BYTES_MAX": "Bytes of one event.",
    "TALLYSTICK_BATCH_EVENTS_MAX": "Events in one request.",
    "TALLYSTICK_BATCH_BYTES_MAX": "Bytes of one request, before and after decompression.",
    "TALLYSTICK_DEPTH_MAX": "Objects and arrays inside one another in an event.",
    "TALLYSTICK_KEY_CHARS_MAX": "Characters of a member's name.",
    "TALLYSTICK_FUTURE_S_MAX": "Seconds by which occurred_at may lie ahead of the server's clock.",
}


class UnsafeListenError(ConfigurationError):
    """The server would send tokens and events over the network in the clear."""

    code = "unsafe-listen"
    advice = "Give --tls-cert and --tls-key, or --behind-proxy when a proxy on this machine ends TLS."


class SettingError(ConfigurationError):
    """A setting has a value that it cannot have."""

    code = "setting-invalid"


@dataclass(frozen=True, slots=True)
class WitnessSetting:
    """Someone else's witness: where it is, and the key that its cosignatures must have."""

    url: str
    vkey: str


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation. `state` must not lie inside `data`: it is what shows that `data` was put back in time."""

    data: Path
    state: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    workers: int = 0
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    proxies: str = "127.0.0.1"
    reserve_bytes: int = RESERVE_BYTES
    witnesses: tuple[WitnessSetting, ...] = ()
    catalogue_files: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.state.resolve().is_relative_to(self.data.resolve()):
            raise SettingError(
                f"the state directory {self.state} lies inside the data directory",
                advice="Give --state-dir a place that backups of the data directory do not hold.",
            )
        if not 0 <= self.workers <= WORKERS_MAX:
            raise SettingError(f"{self.workers} workers", advice=f"Give a number from 0 to {WORKERS_MAX}.")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingError("TLS needs a certificate and its key", advice="Give both --tls-cert and --tls-key.")

    def require_safe_listen(self) -> None:
        """Raise `UnsafeListenError` unless the server listens on this machine only, behind a proxy, or with TLS."""
        if not (is_loopback(self.host) or self.tls_cert is not None or self.behind_proxy):
            raise UnsafeListenError(f"{self.host} can be reached from other machines, and nothing encrypts")


def settings_for(data: Path, state: Path | None = None, **others: Any) -> Settings:
    """Return settings for a data directory: what is given, else what the environment says, else the defaults.

    Raises SettingError. Options with variables of their own (`--host` and the like) are the command line's to read.
    """
    environment = os.environ
    chosen: dict[str, Any] = {
        "limits": _limits(environment),
        "catalogue_files": _catalogue_files(data, environment),
        "reserve_bytes": _count(environment, "TALLYSTICK_RESERVE_BYTES", RESERVE_BYTES),
    }
    if "TALLYSTICK_PROXIES" in environment:
        chosen["proxies"] = environment["TALLYSTICK_PROXIES"]
    return Settings(data=data, state=state or default_state(), **{**chosen, **others})


def _limits(environment: Mapping[str, str]) -> Limits:
    usual = Limits()
    names = [each.name for each in fields(Limits)]
    return Limits(
        **{name: _count(environment, f"TALLYSTICK_{name.upper()}", getattr(usual, name), least=1) for name in names}
    )


def _count(environment: Mapping[str, str], variable: str, usual: int, *, least: int = 0) -> int:
    text = environment.get(variable)
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise SettingError(f"{variable} is {text!r}", advice=f"Give a whole number, at least {least}.")
    return int(text)


def _catalogue_files(data: Path, environment: Mapping[str, str]) -> tuple[Path, ...]:
    named = [Path(text) for text in environment.get("TALLYSTICK_CATALOGUE", "").split(os.pathsep) if text]
    return (*sorted((data / CATALOGUE_FOLDER).glob("*.yaml")), *named)


def default_state() -> Path:
    """Return the user's state directory for this product (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "tallystick"


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_witness(text: str) -> WitnessSetting:
    """Return the witness that `VKEY@URL` or `VKEY URL` names."""
    vkey, _, url = text.replace(" ", "@", 1).partition("@")
    if not url.startswith(("http://", "https://")) or vkey.count("+") < 2:
        raise SettingError(f"{text!r} does not name a witness", advice="Write it as VKEY@https://witness.example.org.")
    return WitnessSetting(url.rstrip("/"), vkey)
