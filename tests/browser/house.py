"""A running server with a small organisation in it, and people of different rights who are signed in already."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser
from tests.browser.visitor import Visitor, visiting
from tests.installation import make_token, settings
from tests.people_world import Member, settle
from tests.retention_world import seal
from tests.server_process import ServerProcess, serving

from tallystick.event.admission import Media
from tallystick.intake.demo import generate
from tallystick.server import Instance, open_instance

EVENTS = 1_200
SEED = 7
SCOPE = "wrenfield/payments"
GRANTS: dict[str, list[tuple[str, str]]] = {
    "ana": [("analyst", "")],
    "lea": [("security-lead", "")],
    "nora": [("viewer", SCOPE)],
    "otto": [("owner", SCOPE)],
    "gus": [],
    "ned": [],
    "tom": [("viewer", SCOPE)],
    "sid": [("analyst", "")],
    "eli": [("analyst", "")],
    "leo": [("analyst", "")],
    "dora": [("analyst", "")],
    "pia": [("security-lead", "")],
    "cora": [("compliance-manager", "")],
    "rita": [("compliance-manager", "")],
}
"""Who has which roles where; the first of all, `ada`, is the administrator."""


@dataclass(frozen=True)
class House:
    """The server, who lives there, a token that sends events, and a request for `gus` that nobody has decided."""

    server: ServerProcess
    people: dict[str, Member]
    token: str
    request: str

    @contextmanager
    def visit(self, browser: Browser, handle: str | None = None, **more: Any) -> Iterator[Visitor]:
        """Yield a browser profile in which somebody is signed in, or nobody."""
        cookies = {"tallystick": self.people[handle].cookie} if handle else {}
        with visiting(browser, self.server.url, cookies, **more) as visitor:
            yield visitor

    def send(self, *events: dict[str, Any]) -> None:
        """Record events through the API, durable on return."""
        answer = httpx.post(
            f"{self.server.url}/api/v1/events",
            content=json.dumps(list(events)),
            headers={"authorization": f"Bearer {self.token}", "content-type": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 201, answer.text


@contextmanager
def housing(root: Path) -> Iterator[House]:
    """Yield a server over a new organisation."""
    with open_instance(settings(root)) as instance:
        people = settle(instance)
        joined = {"ada": people.first}
        for handle, grants in GRANTS.items():
            joined[handle] = people.join(handle, *grants)
        request = people.ask(joined["gus"], "viewer", SCOPE)
        token = make_token(instance, source="demo").secret
        _load(instance, token)
        seal(instance.ledger)
    with serving(root) as server:
        yield House(server, joined, token, request)


def _load(instance: Instance, token: str) -> None:
    """Record the organisation's last half year."""
    source = instance.services.authenticate(f"Bearer {token}", address="127.0.0.1", via="api").write
    assert source is not None
    events = generate(SEED, time.time_ns() // 1000, EVENTS)
    while batch := list(islice(events, 500)):
        admitted = instance.services.record.admit(json.dumps(batch).encode(), source, Media.JSON, partial=False)
        instance.services.record.submit(admitted.batch, source.number).result()
