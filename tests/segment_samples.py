"""Events, write-ahead files and segments for the tests of the segment room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tallystick.event.batch import Batch, admission_checksum
from tallystick.event.canonical import canonical_json
from tallystick.event.commitment import content_digest, facts_digest, personal_digest
from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import format_entries
from tallystick.event.frame import format_frame
from tallystick.merkle import hash_leaves

SOURCE = 7
RECEIVED_AT = 1_760_000_000_000_000


def facts(number: int = 0, **members: Any) -> dict[str, Any]:
    """Return the normalised facts of an event that differs from others by its number."""
    return {
        "action": f"release.{('created', 'updated', 'deleted')[number % 3]}",
        "actor": {"id": f"u-{number % 11}", "type": "user"},
        "changes": [{"field": "description"}],
        "context": {"request_id": f"request{number:06d}"},
        "metadata": {"ticket": f"OPS{number:06d}"},
        "occurred_at": f"2025-10-09T{number % 24:02d}:30:00.{number % 1_000_000:06d}Z",
        "outcome": ("success", "failure")[number % 2],
        "scope": f"acme/payments/api{number % 5}",
        "severity": "low",
        "targets": [{"id": f"t-{number}", "type": "release"}],
        **members,
    }


def personal(number: int = 0, **members: Any) -> dict[str, Any]:
    """Return the personal part that goes with `facts(number)`."""
    return {
        "/actor/email": f"ana{number % 11}@acme.example",
        "/actor/name": "Ana",
        "/context/ip": f"10.0.0.{number % 250}",
        **members,
    }


def disclosure(
    index: int, facts_part: dict[str, Any], personal_part: dict[str, Any], class_number: int = 2
) -> Disclosure:
    """Return an event as it is acknowledged, its id and salts following from its index."""
    seed = sha256(index.to_bytes(8, "big")).digest()
    return Disclosure(
        index=index,
        id=sha256(seed).digest()[:16],
        received_at=RECEIVED_AT + index * 1000,
        source=SOURCE,
        class_number=class_number,
        salt1=seed[:16],
        facts=canonical_json(facts_part),
        salt2=seed[16:],
        personal=canonical_json(personal_part),
        personal_digest=None,
    )


def events(count: int, first: int = 0, classes: Sequence[int] = (2,)) -> list[Disclosure]:
    """Return events at successive indexes, classes taking turns."""
    return [
        disclosure(index, facts(index), personal(index), classes[index % len(classes)])
        for index in range(first, first + count)
    ]


def batch(rows: Sequence[Disclosure]) -> Batch:
    """Return what admission would hand on for these events."""
    ids, salts, contents = (bytearray() for _ in range(3))
    for row in rows:
        assert row.salt1 is not None
        assert row.facts is not None
        assert row.salt2 is not None
        assert row.personal is not None
        ids += row.id
        salts += row.salt1 + row.salt2
        digests = facts_digest(row.salt1, row.facts), personal_digest(row.salt2, row.personal)
        contents += content_digest(row.id, *digests)
    columns = bytes(ids), bytes(salts), bytes(contents)
    facts_parts = tuple(row.facts or b"" for row in rows)
    personal_parts = tuple(row.personal or b"" for row in rows)
    return Batch(
        ids=columns[0],
        given=bytes(len(rows)),
        salts=columns[1],
        classes=tuple(row.class_number for row in rows),
        contents=columns[2],
        facts=facts_parts,
        personal=personal_parts,
        checksum=admission_checksum(*columns, facts_parts, personal_parts),
    )


def write_wal(path: Path, rows: Sequence[Disclosure], frame_events: int = 100) -> list[Disclosure]:
    """Write a write-ahead file; return the events as stamped: one `received_at` for each frame."""
    previous = bytes(32)
    stamped: list[Disclosure] = []
    with path.open("wb") as file:
        for start in range(0, len(rows), frame_events):
            part = rows[start : start + frame_events]
            columns = batch(part)
            received_at = part[0].received_at
            leaves = hash_leaves(format_entries(columns.classes, SOURCE, received_at, columns.contents))
            buffers = format_frame(
                columns,
                first_index=part[0].index,
                received_at=received_at,
                source=SOURCE,
                nonce=bytes(16),
                previous=previous,
                leaves=leaves,
            )
            previous = sha256(buffers[0]).digest()
            file.write(b"".join(buffers))
            stamped += [replace(row, received_at=received_at) for row in part]
    return stamped
