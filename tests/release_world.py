"""A house with releases: who owns a scope, who only sees it, and who belongs elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from tests.installation import Installation, installation
from tests.people_world import Member, People, settle

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings
from tallystick.releases import Releases

SCOPE = "acme/app"
ROUTE = "/api/v1/releases"
NEW = {"scope": SCOPE, "tag": "v0.3", "name": "New Release"}
READ = frozenset({Permission.RELEASES_READ})
MANAGE = frozenset({Permission.RELEASES_READ, Permission.RELEASES_MANAGE})


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class ReleaseWorld:
    """Olga owns the scope, Vera views it, and Ned owns another one; they come when they are first asked for."""

    house: Installation

    @cached_property
    def people(self) -> People:
        return settle(self.house.instance)

    @cached_property
    def olga(self) -> Member:
        return self.people.join("olga", ("owner", SCOPE))

    @cached_property
    def vera(self) -> Member:
        return self.people.join("vera", ("viewer", SCOPE))

    @cached_property
    def ned(self) -> Member:
        return self.people.join("ned", ("owner", "acme/other"))

    @property
    def releases(self) -> Releases:
        return self.house.instance.services.releases

    def caller(self, member: Member) -> Caller:
        return self.people.caller(member)

    def token(self, permissions: frozenset[Permission], scope: str = SCOPE) -> dict[str, str]:
        """Return the headers of a service that holds permissions in a scope; the same again for the same arguments."""
        key = ("releases", scope, ",".join(sorted(permissions)))
        if key not in self.house.made:
            settings = TokenSettings(permissions, (scope,))
            tokens = self.house.instance.services.tokens
            made = tokens.create(OPERATOR, Owner(OwnerKind.SERVICE, "builder"), settings)
            self.house.made[key] = {"authorization": f"Bearer {made.secret}"}
        return self.house.made[key]

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """Ask the API as a service that manages the releases of the scope, or as `headers` say."""
        sent = {**self.token(MANAGE), **(headers or {})}
        content = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        return self.house.http.request(method, path, headers=sent, **content, **more)

    def create(self, **changes: Any) -> dict[str, Any]:
        """Make a release through the API, and return it."""
        answer = self.ask("POST", ROUTE, {**NEW, **changes})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()["release"]
        return found

    def edit(self, release: Mapping[str, Any], **changes: Any) -> httpx.Response:
        """Edit a release through the API as it was seen."""
        headers = {"if-match": f'"{release["version"]}"'}
        return self.ask("PATCH", f"{ROUTE}/{release['id']}", changes, headers=headers)

    def get(self, release: Mapping[str, Any]) -> dict[str, Any]:
        """Return a release with everything about it."""
        found: dict[str, Any] = self.ask("GET", f"{ROUTE}/{release['id']}").json()
        return found

    def events(self, query: str = "") -> list[dict[str, Any]]:
        """Return what the log says of releases as its readers see it, oldest first."""
        asked = f"(action:release.* OR action:milestone.* OR action:repository.*) {query}"
        rows = self.house.get("/api/v1/events", query=asked, limit=1000).json()["events"]
        return list(reversed(rows))

    def actions(self) -> list[str]:
        """Return the actions of those events."""
        return [row["event"]["action"] for row in self.events()]


@contextmanager
def releasing(root: Path) -> Iterator[ReleaseWorld]:
    """Yield such a house."""
    with installation(root) as house:
        yield ReleaseWorld(house)
