"""What one installation is told; secrets never show when a setting is printed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from tallystick.config.values import SettingError, WitnessSetting
from tallystick.errors import ConfigurationError
from tallystick.event.limits import Limits

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8400
WORKERS_MAX: Final = 64
RESERVE_BYTES: Final = 256 << 20
ProxyHeaders = Literal["x-forwarded", "forwarded"]
SmtpSecurity = Literal["starttls", "tls", "none"]
OIDC_SCOPES: Final = ("openid", "profile", "email")
PROXIES: Final = ("127.0.0.1", "::1")


class UnsafeListenError(ConfigurationError):
    """The server would send tokens and events over the network in the clear."""

    code = "unsafe-listen"
    advice = "Give --tls-cert and --tls-key, or --behind-proxy when a proxy on this machine ends TLS."


@dataclass(frozen=True, slots=True)
class DatabaseSetting:
    """The PostgreSQL database that holds the product's tables in place of a file in the data directory."""

    url: str = field(repr=False)  # may hold a password

    @classmethod
    def from_option(cls, url: str) -> DatabaseSetting:
        """Return what the command line names. Raises SettingError for a password: every user of a machine sees it."""
        parts = urlsplit(url)
        if parts.password is not None or "password=" in parts.query.lower():
            raise SettingError(
                "the database's password stands on the command line",
                advice="Put the address into a file and name that in TALLYSTICK_DATABASE_URL_FILE.",
            )
        return cls(url)


@dataclass(frozen=True, slots=True)
class OidcSetting:
    """The organisation's identity provider (OpenID Connect), where people sign in with it."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None for a public client, which PKCE alone protects."""
    scopes: tuple[str, ...] = OIDC_SCOPES
    groups_claim: str = "groups"
    name: str = "single sign-on"
    """What the sign-in page calls it."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise SettingError(
                f"the issuer {self.issuer!r} is no https address", advice="Give oidc.issuer as https://…"
            )
        if not self.client_id:
            raise SettingError("OpenID Connect needs a client id", advice="Give oidc.client_id beside oidc.issuer.")
        if "openid" not in self.scopes:
            raise SettingError("oidc.scopes lacks openid", advice="Add openid: without it nobody is identified.")


@dataclass(frozen=True, slots=True)
class SmtpSetting:
    """The mail server that mail of this installation is handed to."""

    host: str
    sender: str
    """The address that mail comes from."""
    port: int = 587
    security: SmtpSecurity = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.host or not 1 <= self.port <= 65535:
            raise SettingError("the mail server has no name or no port", advice="Give smtp.host and smtp.port.")
        if "@" not in self.sender:
            raise SettingError(f"{self.sender!r} is no address", advice="Give smtp.sender, such as audit@example.org.")
        if self.security == "none" and self.password is not None and not is_loopback(self.host):
            raise SettingError(
                "the password of the mail server would be sent in the clear",
                advice="Use starttls or tls for smtp.security, or a mail server without sign-in.",
            )


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation. `state` must not lie inside `data`: it is what shows that `data` was put back in time."""

    data: Path
    state: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    workers: int = 0
    public_url: str | None = None
    """Where people and senders reach it, without a path; None while only this machine does."""
    allowed_hosts: tuple[str, ...] = ()
    """More names that a Host header may have, besides that of `public_url`, addresses and localhost."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    proxies: tuple[str, ...] = PROXIES
    """Addresses and networks of the proxies whose forwarding headers are believed."""
    proxy_headers: ProxyHeaders = "x-forwarded"
    """The style that they write; headers of the other style may come from anybody."""
    stream_networks: tuple[str, ...] = ()
    """Networks that events may be streamed into, besides the open Internet."""
    database: DatabaseSetting | None = None
    """None for SQLite in the data directory."""
    oidc: OidcSetting | None = None
    smtp: SmtpSetting | None = None
    """None where no mail is sent."""
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
        if self.oidc is not None and self.public_url is None:
            raise SettingError(
                "OpenID Connect needs public_url: the provider sends people back there",
                advice="Give public_url, such as https://audit.example.org.",
            )

    def require_safe_listen(self) -> None:
        """Raise `UnsafeListenError` unless the server listens on this machine only, behind a proxy, or with TLS."""
        if not (is_loopback(self.host) or self.tls_cert is not None or self.behind_proxy):
            raise UnsafeListenError(f"{self.host} can be reached from other machines, and nothing encrypts")


def is_loopback(host: str) -> bool:
    """Return whether `host` names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
