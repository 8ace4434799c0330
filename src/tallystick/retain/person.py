"""Everything in the log that names a person, and asking for it to be destroyed ahead of time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, func, or_, select

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.spans import Spans
from tallystick.follow.projection import Projection
from tallystick.ledger.again import read_again
from tallystick.ledger.model import Snapshot
from tallystick.retain import events
from tallystick.retain.content import Content
from tallystick.retain.errors import RetentionInvalidError
from tallystick.retain.model import digest_of
from tallystick.retain.ports import RetentionPorts
from tallystick.retain.service import RetentionService
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT
from tallystick.store.tables.people import PERSON

NAMES_MAX: Final = 20
NAME_CHARS_MAX: Final = 320
INSIDE_MIN: Final = 6
"""Characters that a name has at least to be looked for inside texts: shorter ones stand in too many."""
_READ: Final = ("index", "facts", "personal")


@dataclass(frozen=True, slots=True)
class Held:
    """What of a request a hold forbids: it stays until the hold is released."""

    hold: str
    events: int


@dataclass(frozen=True, slots=True)
class Found:
    """The events that name a person: how many of each class, where they are, and what of them has to stay for now."""

    names: tuple[str, ...]
    spans: Spans
    events: int
    classes: Mapping[int, int]
    held: tuple[Held, ...]
    unsealed: int


class PersonErasure:
    """Finds a person in the log, and asks for what names her to be destroyed. May be used from any thread."""

    def __init__(
        self,
        projection: Projection,
        service: RetentionService,
        content: Content,
        log: Callable[[], Snapshot],
        segments: Path,
        ports: RetentionPorts,
    ) -> None:
        self._projection = projection
        self._service = service
        self._content = content
        self._log = log
        self._segments = segments
        self._ports = ports

    def find(self, caller: Caller, names: Sequence[str]) -> Found:
        """Return the events that still have a personal part and name the person by any of these: an id, a handle, an
        address, a name; what the product knows her by besides is looked for too. The look is on record.
        """
        require(caller, Permission.RETENTION_MANAGE, "")
        self._ports.looked(caller, "retention person", "")
        return self._find(names)

    def request(self, caller: Caller, names: Sequence[str], reason: str) -> tuple[str, Found]:
        """Ask for the personal part of every such event to be destroyed; return the id of the request and what it names.

        The request itself says where the events are and never who she is: whoever decides looks at them there.

        Raises RetentionInvalidError when nothing names her, OwnDecisionError for who asks about herself.
        """
        require(caller, Permission.RETENTION_MANAGE, "")
        found = self._find(names)
        own = {each.casefold() for each in (caller.id, *caller.aliases)}
        if any(each.casefold() in own for each in found.names):
            raise OwnDecisionError(
                "what names you is asked for by somebody else: whoever decides is not told who it is"
            )
        if not found.events:
            raise RetentionInvalidError("no event with a personal part names this person", pointer="/names")
        body = {
            "part": "personal",
            "events": found.events,
            "classes": [[number, count] for number, count in sorted(found.classes.items())],
            "ranges_digest": digest_of({"ranges": [list(each) for each in found.spans.ranges()]}),
            "held": [[each.hold, each.events] for each in found.held],
        }

        def ask(change: str, digest: str) -> list[dict[str, Any]]:
            return events.requests(caller, change, digest, found.spans, self._ports.now_us())

        return self._service.propose_erasure(caller, body, reason, ask), found

    def _find(self, names: Sequence[str]) -> Found:
        given = [name.strip() for name in names if name.strip()]
        if not 1 <= len(given) <= NAMES_MAX or any(len(name) > NAME_CHARS_MAX for name in given):
            raise RetentionInvalidError(
                f"name the person by 1 to {NAMES_MAX} ids, addresses or names", pointer="/names"
            )
        with self._projection.engine.connect() as connection:
            known = _known(connection, given)
        marks = _Marks(known, [key for name in known for key in self._ports.actor_keys(name)])
        indexes, classes, waiting = read_again(partial(self._look, marks))
        for index, number in waiting:
            indexes.append(index)
            classes[number] = classes.get(number, 0) + 1
        spans = Spans((index, 1) for index in indexes)
        held = {name: count for name, count in self._content.held(spans, self._content.ground()).items() if name}
        return Found(
            tuple(known),
            spans,
            len(indexes),
            classes,
            tuple(Held(hold, count) for hold, count in sorted(held.items())),
            len(waiting),
        )

    def _look(self, marks: _Marks) -> tuple[list[int], dict[int, int], list[tuple[int, int]]]:
        """Return the sealed indexes and their classes, and what is not sealed yet."""
        snapshot = self._log()
        indexes: list[int] = []
        classes: dict[int, int] = {}
        for number, spans in self._sealed(snapshot, marks):
            indexes += [index for first, end in spans for index in range(first, end)]
            classes[number] = classes.get(number, 0) + sum(size for _, size in spans.ranges())
        return indexes, classes, list(_unsealed(snapshot, marks))

    def _sealed(self, snapshot: Snapshot, marks: _Marks) -> Iterable[tuple[int, Spans]]:
        for entry in snapshot.segments:
            for table in ContentFile(self._segments / entry.path / CONTENT).tables(_READ):
                named = marks.in_table(table)
                if named:
                    yield entry.class_number, Spans((index, 1) for index in named)


class _Marks:
    """What names a person, as it stands in facts and personal parts: whole texts of JSON anywhere, and in the personal
    part longer names inside texts too, as whole words in any case.
    """

    def __init__(self, names: Iterable[str], keys: Iterable[str]) -> None:
        self._exact = [json.dumps(each, ensure_ascii=False) for each in (*names, *keys)]
        inside = [re.escape(json.dumps(each, ensure_ascii=False)[1:-1]) for each in names if len(each) >= INSIDE_MIN]
        self._inside = [f"(?i)(^|[^0-9A-Za-z_])({each})($|[^0-9A-Za-z_])" for each in inside]
        self._compiled = [re.compile(each.encode()) for each in self._inside]

    def in_table(self, table: pa.Table) -> list[int]:
        """Return the indexes of the rows that have a personal part and name the person."""
        personal, facts = (pc.fill_null(table.column(name), b"") for name in ("personal", "facts"))
        named = pa.chunked_array([pa.repeat(pa.scalar(False), table.num_rows)])
        for mark in self._exact:
            for column in (facts, personal):
                named = pc.or_(named, pc.match_substring(column, mark))
        for pattern in self._inside:
            named = pc.or_(named, pc.match_substring_regex(personal, pattern))
        named = pc.and_(named, pc.is_valid(table.column("personal")))
        found: list[int] = table.column("index").filter(named).to_pylist()
        return found

    def in_bytes(self, facts: bytes, personal: bytes) -> bool:
        whole = any(mark.encode() in part for mark in self._exact for part in (facts, personal))
        return whole or any(pattern.search(personal) for pattern in self._compiled)


def _unsealed(snapshot: Snapshot, marks: _Marks) -> Iterable[tuple[int, int]]:
    for reference in snapshot.frames:
        frame = reference.read()
        for at in range(frame.count):
            row = frame.disclosure(at)
            if marks.in_bytes(row.facts or b"", row.personal or b""):
                yield row.index, row.class_number


def _known(connection: Connection, given: Sequence[str]) -> list[str]:
    """Return the names, and whatever the product itself knows the same person by."""
    lower = [name.lower() for name in given]
    query = select(PERSON.c.person, PERSON.c.handle, PERSON.c.email).where(
        or_(PERSON.c.person.in_(given), PERSON.c.handle.in_(lower), func.lower(PERSON.c.email).in_(lower))
    )
    more = [value for row in connection.execute(query) for value in row if value]
    return list(dict.fromkeys([*given, *more]))
