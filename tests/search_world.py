"""A small real ledger with events of many shapes, and everything a search over it needs."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from tallystick.event.admission import Admission
from tallystick.event.catalogue import Catalogue, load_shipped
from tallystick.event.disclosure import Disclosure
from tallystick.event.gate import SourceRules
from tallystick.event.model import ActorType
from tallystick.event.pseudonym import Pseudonyms
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.options import LedgerOptions
from tallystick.query.dialect import Sql
from tallystick.query.evaluate import matches
from tallystick.query.sql import Names, to_sql
from tallystick.search.model import Row, Search
from tallystick.search.plan import make_plan
from tallystick.search.recorder import ReadRecorder
from tallystick.search.render import make_document
from tallystick.search.service import SearchOptions, SearchService
from tallystick.segment.columns import derive_columns
from tallystick.store.engine import Engine
from tallystick.testing.clock import ManualClock

NOW = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z
HOUR = 3_600_000_000
SOURCES = {
    0: SourceRules(0, "tallystick", ("",), "opaque", product=True),
    1: SourceRules(1, "app", ("",), "opaque"),
    2: SourceRules(2, "staff", ("",), "personal"),
}
CLASSES = {1: "ledger-access", 2: "standard", 3: "reading"}
PSEUDONYMS = Pseudonyms(bytes(range(32)))

ACTIONS = ("release.updated", "release.created", "user.login", "Odd.ACTION".lower(), "undeclared.thing")
IPS = ("10.0.0.1", "10.1.2.3", "192.0.2.7", "2001:db8::5", "::ffff:10.9.8.7", "not-an-address", "256.1.1.1")
WORDS = (
    "alpha",
    "Beta",
    "gamma-ray",
    "disk full",
    "ops-17",
    "Ärger",
    "Kelvin",
    "İzmir",
    "ΣΑΣ",
    'quo"te',
    "back\\slash",
    "tab\there",
)
SCOPES = ("acme/payments/api", "acme/payments", "acme/Payments", "acme/pay", "globex/web")
PEOPLE = ("ana", "Ana", "bo@example.org", "cy", "10.0.0.9", "svc-1")


@dataclass(frozen=True, slots=True)
class Reader:
    """A caller for tests, with all rights where nothing else is said; `personal` is False for none anywhere."""

    name: str = "auditor"
    type: str = "service"
    read_scopes: tuple[str, ...] = ("",)
    personal: bool = True
    personal_in: tuple[str, ...] = ("",)
    own_scopes: tuple[str, ...] = ()
    reading_scopes: tuple[str, ...] = ("",)
    export_scopes: tuple[str, ...] = ("",)
    proof_scopes: tuple[str, ...] = ("",)
    aliases: frozenset[str] = frozenset()
    address: str = "192.0.2.1"
    via: str = "api"
    session: str | None = None
    token: str | None = None

    @property
    def id(self) -> str:
        return self.name

    @property
    def personal_scopes(self) -> tuple[str, ...]:
        return self.personal_in if self.personal else ()


@dataclass(slots=True)
class FixedRegister:
    """Names and catalogue that never change."""

    catalogue: Catalogue = field(default_factory=load_shipped)
    set_aside: dict[str, str] = field(default_factory=dict)

    def source_names(self) -> Mapping[int, str]:
        return {number: rules.name for number, rules in SOURCES.items()}

    def class_names(self) -> Mapping[int, str]:
        return CLASSES

    def catalogue_at(self, index: int) -> Catalogue:
        return self.catalogue

    def quarantined(self) -> Mapping[str, str]:
        return self.set_aside

    def actor_keys(self, actor_id: str) -> Collection[str]:
        return [PSEUDONYMS.key_for(kind, actor_id) for kind in ActorType]


def random_event(rng: random.Random) -> dict[str, Any]:
    """Return an event as a sender sends it, with small vocabularies so that queries hit."""

    def party() -> dict[str, Any]:
        made: dict[str, Any] = {"id": rng.choice(PEOPLE), "type": rng.choice(("user", "service"))}
        if rng.random() < 0.5:
            made["name"] = rng.choice(("Ana Lima", "Bo", "ana", "Ärger"))
        if rng.random() < 0.3:
            made["email"] = rng.choice(("ana@example.org", "BO@example.org"))
        return made

    def target() -> dict[str, Any]:
        made: dict[str, Any] = {
            "id": rng.choice(("r-1", "r-2", "R-1", "bo@example.org")),
            "type": rng.choice(("release", "user")),
        }
        if rng.random() < 0.5:
            made["name"] = rng.choice(WORDS)
        return made

    def free(depth: int = 0) -> Any:
        kind = rng.random()
        if kind < 0.45 or depth > 2:
            return rng.choice(WORDS)
        if kind < 0.65:
            return rng.choice((0, 5, 17, -3, 2.5, True, False, None))
        if kind < 0.8:
            return [free(depth + 1) for _ in range(rng.randrange(3))]
        return {rng.choice(KEYS): free(depth + 1) for _ in range(rng.randrange(3))}

    event: dict[str, Any] = {
        "action": rng.choice(ACTIONS),
        "actor": party(),
        "targets": [target() for _ in range(rng.choice((1, 1, 1, 2, 3)))],
        "scope": rng.choice(SCOPES),
        "occurred_at": _time(NOW - rng.randrange(100) * HOUR - rng.randrange(10) * 60_000_000),
        "outcome": rng.choice(("success", "failure", "denied")),
        "severity": rng.choice(("informational", "low", "high", "critical")),
    }
    if rng.random() < 0.3:
        event["on_behalf_of"] = party()
    if rng.random() < 0.4:
        event["changes"] = [
            {"field": rng.choice(("description", "tag", "Tag")), "old": free(2), "new": free()}
            for _ in range(rng.randrange(1, 3))
        ]
    if rng.random() < 0.6:
        event["context"] = {
            "ip": rng.choice(IPS),
            "user_agent": rng.choice(("curl/8.5", "Mozilla/5.0 (X11)")),
            "country": "PT",
        }
        if rng.random() < 0.5:
            event["context"]["request_id"] = rng.choice(("request-000001", "request-000002"))
    if rng.random() < 0.7:
        event["metadata"] = {rng.choice(KEYS): free() for _ in range(rng.randrange(4))}
    if rng.random() < 0.3:
        event["message"] = rng.choice(WORDS)
    if rng.random() < 0.3:
        event["reason"] = " ".join(rng.sample(WORDS, 2))
    if rng.random() < 0.1:
        event["raw"] = {"eventName": rng.choice(WORDS), "nested": [{"n": 5}]}
    if rng.random() < 0.1:
        event["sequence"] = {"stream": rng.choice(WORDS[:2]), "number": rng.randrange(100)}
    return event


KEYS = ("ticket", "count", "a.b", "a/b~c", "tags", "0", "milestones")


def reading_event(number: int) -> dict[str, Any]:
    return {
        "action": "events.searched",
        "actor": {"id": "auditor", "type": "user"},
        "targets": [{"id": "ledger", "type": "ledger"}],
        "scope": "tallystick",
        "occurred_at": _time(NOW),
        "metadata": {"query": "secret", "rows": number, "scopes": ["acme"]},
    }


def _time(us: int) -> str:
    from tallystick.query.moments import format_moment

    return format_moment(us)


class World:
    """A ledger without threads, its search, and what the recorder appended."""

    def __init__(
        self, folder: Path, *, options: SearchOptions | None = None, engine: bool = False, merge_min: int = 8
    ) -> None:
        self.clock = ManualClock(NOW)
        self.folder = folder
        self.admission = Admission(load_shipped(), PSEUDONYMS)
        self.ledger = Ledger.create(
            folder / "data",
            folder / "state",
            admission=lambda body, now_us: self.admission.admit(body, SOURCES[0], now_us=now_us),
            origin="example.org/test",
            clock=self.clock,
            options=LedgerOptions(background=False, reserve_bytes=0, merge_segments_min=merge_min),
        )
        self.segments = folder / "data" / "segments" / "main"
        self.recorded: list[dict[str, Any]] = []
        self.register = FixedRegister()
        self.engine = Engine([folder], folder / "spill") if engine else None
        self.recorder = self.make_recorder()
        self.service = self.make_service(options)
        self.all: list[Disclosure] = []

    def make_recorder(self) -> ReadRecorder:
        return ReadRecorder(self._record, self.clock, self.ledger.origin)

    def make_service(self, options: SearchOptions | None = None) -> SearchService:
        return SearchService(
            self.ledger,
            self.segments,
            self.register,
            self.recorder,
            self.clock,
            cursor_key=b"k" * 32,
            engine=self.engine,
            options=options,
        )

    def _record(self, fields: Mapping[str, Any]) -> None:
        self.recorded.append(dict(fields))

    def add(self, events: list[dict[str, Any]], source: int = 1) -> None:
        """Append the events as one batch."""
        body = b"[" + b",".join(_encode(event) for event in events) + b"]"
        batch = self.admission.admit(body, SOURCES[source], now_us=self.clock.now_us())
        self.ledger.append(batch, source)
        self.clock.advance(1)

    def fill(self, seed: int, count: int, *, batch: int = 7) -> None:
        """Append random events from both sources, and now and then one that records reading."""
        rng = random.Random(seed)
        while count > 0:
            size = min(count, rng.randrange(1, batch + 1))
            self.add([random_event(rng) for _ in range(size)], rng.choice((1, 2)))
            if rng.random() < 0.2:
                self.add([reading_event(count)], 0)
            count -= size

    def seal(self) -> None:
        self.ledger.rotate()
        self.ledger.advance()

    def close(self) -> None:
        self.ledger.close()
        if self.engine is not None:
            self.engine.close()

    def disclosures(self) -> list[Disclosure]:
        """Return everything, straight from frames and segments."""
        from tallystick.segment.content import ContentFile

        snapshot = self.ledger.snapshot()
        found: dict[int, Disclosure] = {}
        for entry in snapshot.segments:
            for rows in ContentFile(self.segments / entry.path / "content.parquet").iterate():
                found.update((row.index, row) for row in rows)
        for ref in snapshot.frames:
            frame = ref.read()
            found.update((ref.first_index + place, frame.disclosure(place)) for place in range(ref.count))
        return [found[index] for index in sorted(found)]

    def names(self) -> Names:
        return Names(self.register.source_names(), self.register.class_names())

    def by_reference(self, search: Search, caller: Reader) -> list[int]:
        """Return the indexes that the reference evaluator finds, newest first."""
        plan = make_plan(search, caller, self.register, self.clock.now_us())
        names = self.names()
        return [
            each.index
            for each in reversed(self.disclosures())
            if matches(plan.node, make_document(each, names, personal=plan.rights.personal), plan.rights)
        ]

    def by_engine(self, search: Search, caller: Reader) -> list[int]:
        """Return the indexes that DuckDB finds, newest first."""
        assert self.engine is not None
        plan = make_plan(search, caller, self.register, self.clock.now_us())
        rows = self.disclosures()
        content = pa.table(
            {
                "index": pa.array([row.index for row in rows], pa.uint64()),
                "received_at": pa.array([row.received_at for row in rows], pa.int64()),
                "source": pa.array([row.source for row in rows], pa.uint32()),
                "facts": pa.array([row.facts for row in rows], pa.binary()),
                "personal": pa.array([row.personal for row in rows], pa.binary()),
            }
        )
        table = derive_columns(content)
        for name in ("facts", "personal"):
            table = table.append_column(name, content.column(name).cast(pa.string()))
        table = table.append_column("id", pa.array([row.id for row in rows], pa.binary()))
        table = table.append_column("class_number", pa.array([row.class_number for row in rows], pa.int32()))
        condition = to_sql(plan.node, plan.rights, plan.names)
        query = Sql(f'SELECT "index" FROM event WHERE {condition.text} ORDER BY 1 DESC', condition.values)  # noqa: S608
        return [
            int(index)
            for index in self.engine.select(query, timeout_s=20, tables={"event": table}).column(0).to_pylist()
        ]

    def all_rows(self, search: Search, caller: Reader, limit: int = 5) -> list[Row]:
        """Return every row, page by page."""
        rows: list[Row] = []
        cursor = None
        while True:
            page = self.service.search(search, caller, cursor=cursor, limit=limit)
            rows += page.rows
            cursor = page.next_cursor
            if cursor is None:
                return rows


def _encode(event: dict[str, Any]) -> bytes:
    import json

    return json.dumps(event).encode()
