"""Content against commitments: blocks of rows recomputed up to the entries in the log, and judged by the log's own rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tallystick.errors import VerificationError
from tallystick.event.alike import ENTRY, Indexes
from tallystick.event.canonical_quick import check_canonical_quickly
from tallystick.event.commitment import DIGEST_BYTES, content_digest, facts_digest, personal_digest
from tallystick.event.entry import ENTRY_BYTES
from tallystick.event.fields import derive
from tallystick.merkle import TILE_WIDTH
from tallystick.segment.columns import derive_columns
from tallystick.verify.actions import ONLY_PRODUCT
from tallystick.verify.codes import Code
from tallystick.verify.history import ABOUT_THE_LOG, ProductEvent
from tallystick.verify.model import Finding, Findings
from tallystick.verify.tree import EntryLog

EMPTY: Final = b"{}"
_NO_ENTRY: Final = bytes(ENTRY_BYTES)
_ONLY_PRODUCT: Final = pa.array(sorted(ONLY_PRODUCT))
_ABOUT_THE_LOG: Final = pa.array(sorted(ABOUT_THE_LOG))


@dataclass(slots=True)
class ContentFacts:
    """What was seen in one file of content, small enough to be sent between processes.

    `indexes` are those present, `personal_gone` those of them without their personal part; `ids` (16 bytes each) and
    `sources` stand in the order of `indexes`.
    """

    place: str
    indexes: list[Indexes] = field(default_factory=list)
    personal_gone: list[Indexes] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    sources: list[NDArray[np.uint32]] = field(default_factory=list)
    product: list[ProductEvent] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    findings_total: int = 0

    def conclude(self, findings: Findings) -> ContentFacts:
        self.findings, self.findings_total = findings.kept, findings.total
        return self


class BlockCheck:
    """Checks the blocks of one file, in order. `classes` are given row by row, or once for a file of one class."""

    def __init__(self, place: str, log: EntryLog, findings: Findings, end: int) -> None:
        """`end` is where the indexes end that the file may hold."""
        self.facts = ContentFacts(place)
        self._log = log
        self._findings = findings
        self._end = min(end, log.size)
        self._last = -1

    def check(self, content: pa.Table, classes: int | NDArray[np.uint16]) -> pa.Table | None:
        """Take the next block of at least one row; return the columns derived from it, None where there are none."""
        index = content.column("index").to_numpy()
        if not self._check_order(index):
            return self._derive(content, index)  # rows that have no place cannot be compared with one
        columns = {name: content.column(name).to_pylist() for name in ("salt1", "facts", "salt2", "personal")}
        ids, digests = content.column("id").to_pylist(), content.column("personal_digest").to_pylist()
        made = _contents(ids, **columns, digests=digests)
        self._check_commitments(content, index, made, classes)
        self._check_canonical(index, columns["facts"], columns["personal"])
        gone = np.asarray(content.column("personal").is_null())
        source = content.column("source").to_numpy()
        self.facts.indexes.append(index)
        self.facts.personal_gone.append(index[gone])
        self.facts.ids.append(b"".join(ids))
        self.facts.sources.append(source)
        derived = self._derive(content, index)
        if derived is not None:
            self._check_product(content, derived, index, classes)
        return derived

    def _check_order(self, index: Indexes) -> bool:
        """Return whether every row stands in the log, behind the one before it and inside what the file may hold."""
        if int(index.max()) >= self._end:
            message = f"indexes in this file end at {self._end}"
            self._findings.add(Code.MANIFEST_WRONG, message, self.facts.place, int(index.max()))
            return False
        before = np.concatenate([[self._last], index[:-1].astype(np.int64)])
        for at in np.flatnonzero(index.astype(np.int64) <= before)[:1].tolist():
            message = "it does not stand behind the one before it, as every row must"
            self._findings.add(Code.CONTENT_TWICE, message, self.facts.place, int(index[at]))
            return False
        self._last = int(index[-1])
        return True

    def _check_commitments(
        self, content: pa.Table, index: Indexes, made: bytes, classes: int | NDArray[np.uint16]
    ) -> None:
        entries, known = entries_at(self._log, index)
        same = (
            (entries["content"] == np.frombuffer(made, dtype="V32"))
            & (entries["received_at"] == content.column("received_at").to_numpy())
            & (entries["source"] == content.column("source").to_numpy())
            & (entries["class"] == classes)
        )
        for at in np.flatnonzero(known & ~same).tolist():
            if entries["content"][at].tobytes() == made[at * DIGEST_BYTES :][:DIGEST_BYTES]:
                message = "its class, source or time of receipt is not that of its entry in the log"
            else:
                message = "its facts, personal part, salts or id do not make its entry in the log"
            self._findings.add(Code.CONTENT_DIFFERS, message, self.facts.place, int(index[at]))

    def _check_canonical(self, index: Indexes, facts: list[bytes], personal: list[bytes | None]) -> None:
        for at, parts in enumerate(zip(facts, personal, strict=True)):
            try:
                check_canonical_quickly(parts[0])
                if parts[1] is not None and parts[1] != EMPTY:
                    check_canonical_quickly(parts[1])
            except VerificationError as error:
                self._findings.add(Code.CONTENT_NOT_CANONICAL, error.message, self.facts.place, int(index[at]))

    def _derive(self, content: pa.Table, index: Indexes) -> pa.Table | None:
        """Return the columns, or None after having named every row that has none."""
        try:
            return derive_columns(content)
        except (VerificationError, ValueError):
            rows = zip(*(content.column(name).to_pylist() for name in ("facts", "personal")), strict=True)
            for at, (facts, personal) in enumerate(rows):
                try:
                    derive(facts, personal)
                except (VerificationError, ValueError) as error:
                    self._findings.add(Code.CONTENT_UNREADABLE, str(error), self.facts.place, int(index[at]))
            return None

    def _check_product(
        self, content: pa.Table, derived: pa.Table, index: Indexes, classes: int | NDArray[np.uint16]
    ) -> None:
        action, source = derived.column("action"), content.column("source").to_numpy()
        product = np.asarray(pc.is_in(action, value_set=_ONLY_PRODUCT))
        for at in np.flatnonzero(product & (source != 0)).tolist():
            message = f"source {source[at]} says {action[at]}, which only the product says"
            self._findings.add(Code.PRODUCT_FORGED, message, self.facts.place, int(index[at]))
        about = product & (source == 0) & np.asarray(pc.is_in(action, value_set=_ABOUT_THE_LOG))
        received, facts = content.column("received_at"), content.column("facts")
        for at in np.flatnonzero(about).tolist():
            number = classes if isinstance(classes, int) else int(classes[at])
            self.facts.product.append(ProductEvent(int(index[at]), received[at].as_py(), number, facts[at].as_py()))


def entries_at(log: EntryLog, index: Indexes) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the entries at the indexes, and which of them the log has; the others are findings of the tree."""
    numbers, places = np.unique(index // TILE_WIDTH, return_inverse=True)
    rows = b"".join([_bundle(log, number) for number in numbers.tolist()])
    entries = np.frombuffer(rows, dtype=ENTRY)[places * TILE_WIDTH + (index % TILE_WIDTH).astype(np.int64)]
    return entries, entries["suite"] != 0


def _bundle(log: EntryLog, number: int) -> bytes:
    """Return the 256 entries of a bundle joined; zeroes stand for those that are not there or not 48 bytes long."""
    try:
        entries = log.bundle(number) or []
    except VerificationError:
        entries = []
    joined = b"".join(entries)
    if len(joined) != TILE_WIDTH * ENTRY_BYTES or any(len(entry) != ENTRY_BYTES for entry in entries):
        whole = [entry if len(entry) == ENTRY_BYTES else _NO_ENTRY for entry in entries]
        joined = b"".join([*whole, *[_NO_ENTRY] * (TILE_WIDTH - len(whole))])
    return joined


def _contents(
    ids: list[bytes],
    salt1: list[bytes],
    facts: list[bytes],
    salt2: list[bytes | None],
    personal: list[bytes | None],
    digests: list[bytes | None],
) -> bytes:
    """Return the joined content digests; zeroes where too little or too much is there to make one."""
    rows = zip(ids, salt1, facts, salt2, personal, digests, strict=True)
    return b"".join(
        [
            content_digest(id_, facts_digest(one, known), personal_digest(two, hidden))
            if two is not None and hidden is not None and digest is None
            else _without_personal(id_, one, known, two, hidden, digest)
            for id_, one, known, two, hidden, digest in rows
        ]
    )


def _without_personal(
    id_: bytes, salt1: bytes, facts: bytes, salt2: bytes | None, personal: bytes | None, digest: bytes | None
) -> bytes:
    if digest is None or salt2 is not None or personal is not None:
        return bytes(DIGEST_BYTES)
    return content_digest(id_, facts_digest(salt1, facts), digest)


def joined(parts: Iterable[Indexes]) -> Indexes:
    """Return the arrays in one."""
    held = list(parts)
    return np.concatenate(held) if held else np.zeros(0, dtype=np.uint64)
