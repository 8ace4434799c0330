"""How often release history is used: who looked at it, and what was fetched, by calendar month."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.follow.projection import Projection
from tallystick.releases import events
from tallystick.releases.dossier import FORMAT
from tallystick.releases.model import Month, Usage
from tallystick.releases.rows import FETCHES
from tallystick.releases.service import LOOKED, within
from tallystick.search.export import ROWS_AT_ONCE
from tallystick.search.model import Search
from tallystick.search.service import SearchService
from tallystick.store.tables.releases import RELEASE_STEP

MONTHS: Final = 12
_LOOKS: Final = f"action:access.looked target.id:{LOOKED}"
_EXPORTS: Final = f"action:events.exported -metadata.format:{FORMAT}"
_LOOK: Final = "looks"
_EXPORT: Final = "exports"
_KINDS: Final = ("assets", "evidence", "dossiers", "archives")


class UsageService:
    """Counts for who answers for a scope; may be used from any thread."""

    def __init__(self, projection: Projection, search: SearchService, now_us: Callable[[], int]) -> None:
        self._projection = projection
        self._search = search
        self._now_us = now_us

    def of(self, caller: Caller, scope: str) -> Usage:
        """Return how the releases in a scope and below it were used in the last twelve months, the newest month first.

        Raises PermissionMissingError for who does not manage releases there.
        """
        require(caller, Permission.RELEASES_MANAGE, scope)
        months = _last_months(self._now_us(), MONTHS)
        counts: Counter[tuple[str, str]] = Counter()
        readers: dict[str, set[str]] = {month: set() for month in months}
        artifacts: Counter[str] = Counter()
        for month, kind, who, name in (*self._fetched(scope), *self._read(scope, months[-1])):
            if month in readers:
                readers[month].add(who)
                counts[month, kind] += 1
                if name:
                    artifacts[name] += 1
        found = [
            Month(
                month=month,
                readers=len(readers[month]),
                looks=counts[month, _LOOK],
                exports=counts[month, _EXPORT],
                **{kind: counts[month, kind] for kind in _KINDS},
            )
            for month in months
        ]
        return Usage(scope, tuple(found), dict(artifacts.most_common()))

    def _fetched(self, scope: str) -> Iterator[tuple[str, str, str, str]]:
        """Yield month, kind, reader and artifact of everything that was fetched."""
        query = select(RELEASE_STEP).where(RELEASE_STEP.c.action.in_(FETCHES), within(RELEASE_STEP.c.scope, scope))
        with self._projection.engine.connect() as connection:
            for row in connection.execute(query):
                facts = json.loads(row.facts)
                yield _month(row.at), _kind(row.action, facts.get("kind")), row.actor, facts["artifact"]

    def _read(self, scope: str, first: str) -> Iterator[tuple[str, str, str, str]]:
        """Yield the recorded looks at releases, and the exports of events made in the scope.

        The product counts them for the owner, who learns how many they were and not who.
        """
        for kind, text in ((_LOOK, _LOOKS), (_EXPORT, _EXPORTS)):
            search = Search(text=text, scope=scope or None, start=f"{first}-01", reading=True)
            scan, _ = self._search.open_export(search, OPERATOR)
            for found in scan.run():
                for start in range(0, len(found), ROWS_AT_ONCE):
                    piece = found.slice(start, start + ROWS_AT_ONCE)
                    for row in self._search.pages.rows(scan, [(piece, len(piece))]):
                        actor = row.event["actor"]
                        who = actor.get("id") or actor.get("key") or ""
                        for _ in range((row.event.get("metadata") or {}).get("coalesced", 1)):
                            yield row.event["occurred_at"][:7], kind, who, ""


def _kind(action: str, said: str | None) -> str:
    if action == events.ARCHIVE:
        return "archives"
    return {"evidence": "evidence", "dossier": "dossiers"}.get(said or "", "assets")


def _month(moment_us: int) -> str:
    return datetime.fromtimestamp(moment_us / 1_000_000, UTC).strftime("%Y-%m")


def _last_months(now_us: int, count: int) -> list[str]:
    """Return that many months, the present one first."""
    now = datetime.fromtimestamp(now_us / 1_000_000, UTC)
    numbers = range(now.year * 12 + now.month - 1, now.year * 12 + now.month - 1 - count, -1)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in numbers]
