"""A whole installation for tests: real files, real ledger, and the API in process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient
from tests import postgresql

from tallystick.access.operator import OPERATOR
from tallystick.access.scopes import parse_scope
from tallystick.access.sources.limits import PRESETS
from tallystick.access.sources.model import CreatedToken, Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.api.services import Services
from tallystick.clock import Clock
from tallystick.config import DatabaseSetting, Settings, settings_for
from tallystick.server import Instance, open_instance
from tallystick.web.site import bind, create_site

_SITES: list[Litestar] = []
"""Applications that nobody uses now. To make one takes longer than all the rest of an installation."""


@dataclass
class Installation:
    """An open instance and a client of its API; `token` makes what a request authenticates with."""

    instance: Instance
    http: TestClient[Any]
    made: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)

    def token(self, can: str = "both", scope: str = "/", source: str = "tester") -> dict[str, str]:
        """Return the headers of a caller; the same again for the same arguments."""
        key = (can, scope, source)
        if key not in self.made:
            self.made[key] = {"authorization": f"Bearer {make_token(self.instance, can, scope, source).secret}"}
        return self.made[key]

    def post(self, body: Any, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """Send events: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post("/api/v1/events", content=content, headers={**self.token(), **(headers or {})}, **more)

    def actions(self) -> list[str]:
        """Return the actions of the unsealed events in the log, oldest first."""
        frames = [ref.read() for ref in self.instance.ledger.snapshot().frames]
        return [json.loads(frame.facts_at(at))["action"] for frame in frames for at in range(frame.count)]

    def get(self, path: str, headers: dict[str, str] | None = None, **parameters: Any) -> httpx.Response:
        """Read a route as a caller who may read everything, or as `headers` say."""
        return self.http.get(path, params=parameters, headers=self.token() if headers is None else headers)


def make_token(
    instance: Instance, can: str = "both", scope: str = "/", source: str = "tester", **more: Any
) -> CreatedToken:
    """Return a new token of a source, which is registered for that scope when it is new."""
    scopes = (parse_scope(scope),)
    instance.services.sources.ensure(OPERATOR, source, SourceSettings(scopes=scopes))
    settings = TokenSettings(PRESETS[can], scopes, **more)
    return instance.services.tokens.create(OPERATOR, Owner(OwnerKind.SOURCE, source), settings)


def sample(**changes: Any) -> dict[str, Any]:
    """Return a good event with some members changed; None leaves one out."""
    event: dict[str, Any] = {
        "action": "user.signed_in",
        "actor": {"id": "ana", "type": "user", "email": "ana@example.org"},
        "target": {"id": "intranet", "type": "application"},
        "scope": "acme/intranet",
        "occurred_at": "2026-03-01T12:00:00Z",
        "context": {"ip": "192.0.2.7", "request_id": "r-1"},
    }
    event.update(changes)
    return {name: value for name, value in event.items() if value is not None}


def settings(root: Path, **changes: Any) -> Settings:
    """Return settings below `root`; its tables are in PostgreSQL where the run of the tests asks for that."""
    if postgresql.wanted():
        changes = {"database": DatabaseSetting(postgresql.cluster().url_of(root)), **changes}
    return settings_for(root / "data", root / "state", **changes)


@contextmanager
def installation(
    root: Path,
    *,
    clock: Clock | None = None,
    draining: Callable[[], bool] = lambda: False,
    **changes: Any,
) -> Iterator[Installation]:
    """Yield a new or existing installation below `root`."""
    with (
        open_instance(settings(root, **changes), clock=clock, draining=draining) as instance,
        site_of(instance.services) as site,
        TestClient(site, raise_server_exceptions=False) as http,
    ):
        yield Installation(instance, http)


@contextmanager
def site_of(services: Services) -> Iterator[Litestar]:
    """Yield an application over some services: one that stood on others before, where there is one."""
    site = _SITES.pop() if _SITES else create_site(services)
    bind(site, services)
    yield site
    _SITES.append(site)
