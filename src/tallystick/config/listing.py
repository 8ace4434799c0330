"""The one list of settings: key in the file, variable, option, default, meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from tallystick.config.model import DEFAULT_HOST, DEFAULT_PORT, OIDC_SCOPES, PROXIES, RESERVE_BYTES, WORKERS_MAX
from tallystick.config.values import (
    NAMES,
    NETWORKS,
    PATH,
    PATHS,
    PROXY_HEADERS,
    PUBLIC_URL,
    SMTP_SECURITY,
    SWITCH,
    TEXT,
    WITNESSES,
    WORDS,
    Kind,
    count_kind,
)
from tallystick.event.limits import Limits

CATALOGUE_FOLDER: Final = "catalogue"
"""In the data directory: the operator's own catalogue files, `*.yaml`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. A dot in `key` is a table of the file; without a key it is not the file's to say."""

    key: str
    variable: str
    kind: Kind
    meaning: str
    option: str = ""
    default: str = ""


_LIMIT_MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "event_bytes_max": ("TALLYSTICK_EVENT_BYTES_MAX", "Bytes of one event."),
    "batch_events_max": ("TALLYSTICK_BATCH_EVENTS_MAX", "Events in one request."),
    "batch_bytes_max": ("TALLYSTICK_BATCH_BYTES_MAX", "Bytes of one request, before and after decompression."),
    "depth_max": ("TALLYSTICK_DEPTH_MAX", "Objects and arrays inside one another in an event."),
    "key_chars_max": ("TALLYSTICK_KEY_CHARS_MAX", "Characters of a member's name."),
    "future_s_max": ("TALLYSTICK_FUTURE_S_MAX", "Seconds by which occurred_at may lie ahead of the server's clock."),
}
_LIMITS: Final = tuple(
    Setting(
        f"limits.{each.name}",
        _LIMIT_MEANINGS[each.name][0],
        count_kind(1),
        _LIMIT_MEANINGS[each.name][1],
        default=f"{getattr(Limits(), each.name):,}",
    )
    for each in fields(Limits)
)

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        "",
        "TALLYSTICK_CONFIG",
        PATH,
        "Configuration file; empty for none.",
        "--config",
        "/etc/tallystick/tallystick.toml, where it is",
    ),
    Setting("data", "TALLYSTICK_DATA", PATH, "Data directory: log, content, tables, secrets, keys.", "--data"),
    Setting(
        "state",
        "TALLYSTICK_STATE",
        PATH,
        "Where the last-signed record lives; outside the data directory and outside its backups.",
        "--state-dir",
        "the user's state directory",
    ),
    Setting("", "TALLYSTICK_URL", TEXT, "Server that commands talk to instead of a data directory.", "--url"),
    Setting("", "TALLYSTICK_TOKEN", TEXT, "Token for that server."),
    Setting(
        "host",
        "TALLYSTICK_HOST",
        TEXT,
        "Address that the server listens on; beyond this machine TLS or a proxy is demanded.",
        "--host",
        DEFAULT_HOST,
    ),
    Setting(
        "port", "TALLYSTICK_PORT", count_kind(0, 65535), "Port that the server listens on.", "--port", str(DEFAULT_PORT)
    ),
    Setting(
        "public_url",
        "TALLYSTICK_PUBLIC_URL",
        PUBLIC_URL,
        "Address by which people and senders reach the server, such as https://audit.example.org. Requests that name "
        "another host are refused; without it, those that name anything but an address or localhost.",
        "--public-url",
    ),
    Setting(
        "allowed_hosts",
        "TALLYSTICK_ALLOWED_HOSTS",
        NAMES,
        "More host names that requests may name, separated by commas.",
    ),
    Setting(
        "workers",
        "TALLYSTICK_WORKERS",
        count_kind(0, WORKERS_MAX),
        "Processes that admit large batches beside the server's own; 0 is none.",
        "--workers",
        "0",
    ),
    Setting("tls.cert", "TALLYSTICK_TLS_CERT", PATH, "Certificate chain of the server (PEM).", "--tls-cert"),
    Setting("tls.key", "TALLYSTICK_TLS_KEY", PATH, "Key of that certificate (PEM).", "--tls-key"),
    Setting(
        "proxy.behind",
        "TALLYSTICK_BEHIND_PROXY",
        SWITCH,
        "1 (true) when a proxy ends TLS and passes requests on.",
        "--behind-proxy",
        "0",
    ),
    Setting(
        "proxy.addresses",
        "TALLYSTICK_PROXIES",
        NETWORKS,
        "Addresses and networks of proxies whose forwarding headers are believed, separated by commas.",
        default=", ".join(PROXIES),
    ),
    Setting(
        "proxy.headers",
        "TALLYSTICK_PROXY_HEADERS",
        PROXY_HEADERS,
        "What those proxies write: `x-forwarded` (X-Forwarded-For, -Proto, -Host) or `forwarded` (RFC 7239).",
        default="x-forwarded",
    ),
    Setting(
        "stream.networks",
        "TALLYSTICK_STREAM_NETWORKS",
        NETWORKS,
        "Addresses and networks of this house that events may be streamed into, separated by commas; without it only "
        "addresses of the open Internet are sent to. Those named may also be sent to over http.",
    ),
    Setting(
        "database.url",
        "TALLYSTICK_DATABASE_URL",
        TEXT,
        "PostgreSQL database for the product's tables, as postgresql+psycopg://USER@HOST/NAME. A password in it is "
        "refused on the command line, where others can read it.",
        "--database-url",
        "SQLite in the data directory",
    ),
    Setting(
        "database.url_file", "TALLYSTICK_DATABASE_URL_FILE", PATH, "File that holds that address with its password."
    ),
    Setting("oidc.issuer", "TALLYSTICK_OIDC_ISSUER", TEXT, "OpenID Connect provider that people sign in with."),
    Setting("oidc.client_id", "TALLYSTICK_OIDC_CLIENT_ID", TEXT, "What the provider knows this server as."),
    Setting(
        "oidc.client_secret_file",
        "TALLYSTICK_OIDC_CLIENT_SECRET_FILE",
        PATH,
        "File that holds the client's secret; none for a public client.",
    ),
    Setting(
        "oidc.scopes",
        "TALLYSTICK_OIDC_SCOPES",
        WORDS,
        "Scopes to ask the provider for, separated by spaces.",
        default=" ".join(OIDC_SCOPES),
    ),
    Setting(
        "oidc.groups_claim",
        "TALLYSTICK_OIDC_GROUPS_CLAIM",
        TEXT,
        "Claim that lists a person's groups.",
        default="groups",
    ),
    Setting(
        "oidc.name",
        "TALLYSTICK_OIDC_NAME",
        TEXT,
        "What the sign-in page calls the provider.",
        default="single sign-on",
    ),
    Setting(
        "smtp.host",
        "TALLYSTICK_SMTP_HOST",
        TEXT,
        "Mail server that notifications are handed to; without it no mail is sent.",
    ),
    Setting("smtp.port", "TALLYSTICK_SMTP_PORT", count_kind(1, 65535), "Its port.", default="587"),
    Setting(
        "smtp.security",
        "TALLYSTICK_SMTP_SECURITY",
        SMTP_SECURITY,
        "`starttls`, `tls` from the first byte, or `none`; what is asked for and not offered stops the mail.",
        default="starttls",
    ),
    Setting("smtp.sender", "TALLYSTICK_SMTP_SENDER", TEXT, "Address that mail comes from."),
    Setting("smtp.username", "TALLYSTICK_SMTP_USERNAME", TEXT, "Name to sign in to the mail server with."),
    Setting("smtp.password_file", "TALLYSTICK_SMTP_PASSWORD_FILE", PATH, "File that holds the password for it."),
    Setting(
        "witnesses",
        "TALLYSTICK_WITNESS",
        WITNESSES,
        "Witnesses that cosign checkpoints, each as VKEY@URL, separated by spaces.",
        "--witness",
    ),
    Setting(
        "catalogue",
        "TALLYSTICK_CATALOGUE",
        PATHS,
        "More catalogue files, separated by colons, besides `catalogue/*.yaml` in the data directory.",
    ),
    Setting(
        "reserve_bytes",
        "TALLYSTICK_RESERVE_BYTES",
        count_kind(0),
        "Free space below which events are refused (507), so that what was taken can be sealed.",
        default=f"{RESERVE_BYTES:,}",
    ),
    *_LIMITS,
)

#: What each environment variable means.
VARIABLES: Final[Mapping[str, str]] = {each.variable: each.meaning for each in SETTINGS}
