"""Proof of a deletion, to hand out: who asked, who approved, what was destroyed, under a checkpoint, to verify offline."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from sqlalchemy import select

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.event.commitment import personal_digest
from tallystick.event.disclosure import Disclosure, format_disclosure
from tallystick.event.erasure import Part
from tallystick.event.occurred import time_of_us
from tallystick.event.spans import Spans
from tallystick.evidence.prove import size_of
from tallystick.follow.log_reader import LogReader
from tallystick.follow.projection import Projection
from tallystick.ledger.again import read_again
from tallystick.note.proof import Proof, format_proof
from tallystick.retain.errors import RetentionConflictError
from tallystick.retain.model import Kind
from tallystick.retain.ports import RetentionPorts
from tallystick.retain.rows import get_change, request_indexes
from tallystick.store.tables.evidence import ERASURE
from tallystick.verify.package_format import Evidence, write_package

SHOWN_MAX: Final = 1000
"""Erased events whose facts the proof shows; the erasure events name all."""
COMMIT_S_MAX: Final = 10


class Log(Protocol):
    """The part of a ledger that proofs are made from."""

    @property
    def vkeys(self) -> tuple[str, ...]: ...
    def wait_committed(self, size: int, timeout_s: float) -> None: ...
    def checkpoint(self) -> bytes: ...
    def prove_inclusion(self, index: int, size: int) -> list[bytes]: ...


class Proofs:
    """Makes proofs of deletion. `content` reads the log; may be used from any thread."""

    def __init__(self, projection: Projection, log: Log, content: LogReader, ports: RetentionPorts) -> None:
        self._projection = projection
        self._log = log
        self._content = content
        self._ports = ports

    def make(self, caller: Caller, change: str) -> bytes:
        """Return the package for an erasure that was carried out, as far as it was; the look is on record.

        It holds no personal part: of the events that were erased only what is left of them. Raises RetentionUnknownError,
        RetentionConflictError while nothing was destroyed yet.
        """
        require(caller, Permission.RETENTION_READ, "")
        with self._projection.engine.connect() as connection:
            found = get_change(connection, change)
            asked = request_indexes(connection, found.change)
            rows = list(connection.execute(select(ERASURE).order_by(ERASURE.c.erased_index)))
        requests = {index for index, _ in asked}
        carried_out = [row for row in rows if json.loads(row.ground).get("request") in requests]
        if found.kind is not Kind.ERASURE or not carried_out:
            raise RetentionConflictError("nothing was destroyed under this request yet")
        self._ports.looked(caller, "retention proof", "")
        own = {
            0,
            *requests,
            *(index for _, index in asked if index is not None),
            *(row.erased_index for row in carried_out),
        }
        erased = Spans((first, size) for row in carried_out for first, size in json.loads(row.ranges))
        shown = [index for first, end in erased for index in range(first, end)][:SHOWN_MAX]
        newest = max(own) + 1
        self._log.wait_committed(newest, COMMIT_S_MAX)
        checkpoint = self._log.checkpoint()
        proofs = self._proofs(sorted(own | set(shown)), checkpoint)
        about = {
            "purpose": "proof of deletion",
            "request": found.change,
            "decided": time_of_us(found.decided_at or 0),
            "erased": f"{Part.PERSONAL.value} part of {sum(row.events or 0 for row in carried_out)} events",
            "erasures": ", ".join(f"index {row.erased_index}" for row in carried_out),
            "indexes": _text(erased),
        }
        sink = io.BytesIO()
        keys = tuple(self._log.vkeys)
        write_package(sink, Evidence(checkpoint, keys, proofs, time_of_us(self._ports.now_us()), (), about))
        return sink.getvalue()

    def _proofs(self, indexes: Iterable[int], checkpoint: bytes) -> Iterator[tuple[int, bytes]]:
        for index in indexes:
            row = read_again(partial(self._row, index))
            if row is not None:  # its facts may have ended too, since
                path = tuple(self._log.prove_inclusion(index, size_of(checkpoint)))
                yield index, format_proof(Proof(index, path, checkpoint, format_disclosure(_without_personal(row))))

    def _row(self, index: int) -> Disclosure | None:
        chunks = self._content.chunks(index, index + 1)
        return next((row for rows, _ in chunks for row in rows if row.index == index), None)


def _without_personal(row: Disclosure) -> Disclosure:
    """Return what may be handed to anybody: the facts, and the digest of the rest."""
    if row.personal is None or row.salt2 is None:
        return row
    return replace(row, salt2=None, personal=None, personal_digest=personal_digest(row.salt2, row.personal))


def _text(spans: Spans) -> str:
    """Return the indexes as people write them, the first thousand ranges."""
    written = [str(first) if end == first + 1 else f"{first}-{end - 1}" for first, end in spans]
    return ", ".join(written[:SHOWN_MAX]) + ("" if len(written) <= SHOWN_MAX else ", ...")
