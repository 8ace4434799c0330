"""What the log says for ever about a destination: its settings without secrets, and what of them changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tallystick.access.acts import Change
from tallystick.store.secrets import Secret
from tallystick.stream.model import Destination, Settings
from tallystick.stream.settings import parse_url


def settings_of(destination: Destination) -> Settings:
    """Return the settings as they may be shown: without the values of headers, and without the query of the URL."""
    version = destination.now
    return Settings(
        name=destination.name or "",
        url=version.url,
        format=version.format,
        scope=version.scope,
        query=version.query or "",
        personal=version.personal,
        reading=version.reading,
        batch=version.batch,
    )


def facts_of(
    destination: str, settings: Settings, rights: Mapping[str, tuple[str, ...]], record: Secret | None
) -> dict[str, Any]:
    """Return what an event says of settings: the URL without its query, and digests in place of secrets."""
    parts = parse_url(settings.url)
    return {
        "destination": destination,
        "url": parts._replace(query="").geturl(),
        "format": settings.format.value,
        "scope": settings.scope or "/",
        "has_query": bool(settings.query),
        "personal": settings.personal,
        "reading": settings.reading,
        "batch": settings.batch,
        "header_names": sorted(settings.headers),
        "rights": {name: [scope or "/" for scope in scopes] for name, scopes in rights.items()},
        "secret": "" if record is None else record.name,
        "digest": "" if record is None else record.digest,
    }


def changes_of(old: Settings, new: Settings, *, headers: bool) -> list[Change]:
    """Return what differs; with `headers`, that their values were set anew, whatever they are."""
    shown = parse_url(new.url)._replace(query="").geturl()
    now = msgspec.structs.replace(new, url=shown)
    moved = [Change("url", old.url, shown)] if new.url != old.url else []
    fields = ("name", "format", "scope", "query", "personal", "reading", "batch")
    pairs = [(field, getattr(old, field), getattr(now, field)) for field in fields]
    changed = [Change(field, _plain(before), _plain(after)) for field, before, after in pairs if before != after]
    return [*moved, *changed, *([Change("headers", None, sorted(new.headers))] if headers else [])]


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port: what a secret is sent to."""
    parts = parse_url(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}[parts.scheme]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
