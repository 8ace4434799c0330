"""A log of a few events made by hand, for tests of what is checked without a data directory."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tallystick.event.canonical import canonical_json
from tallystick.event.commitment import personal_digest
from tallystick.event.disclosure import Disclosure, format_disclosure
from tallystick.event.entry import format_entry
from tallystick.merkle import Frontier, SizedTiles, entries_path, format_entry_bundle, hash_leaves, inclusion_path
from tallystick.note import (
    Checkpoint,
    CosignatureSigner,
    Ed25519Signer,
    Policy,
    PolicyLog,
    PolicyWitness,
    Proof,
    format_proof,
    format_signature,
    parse_note,
    sign_checkpoint,
)
from tallystick.testing import BatchMaker

ORIGIN = "example.org/log"
SIGNER = Ed25519Signer(ORIGIN, bytes([1]) * 32)
WITNESS = CosignatureSigner("witness.example.net/one", bytes([2]) * 32)
POLICY = Policy(
    logs=(PolicyLog(SIGNER.verifier),), witnesses=(PolicyWitness("one", WITNESS.verifier),), groups=(), quorum="one"
)
RECEIVED_AT = 1_800_000_000_000_000


class SmallLog:
    """`size` events of class 2 from source 1; `facts` replaces the facts at some indexes, `more` whole rows."""

    def __init__(
        self, size: int, *, facts: Mapping[int, bytes] | None = None, more: Mapping[int, Disclosure] | None = None
    ) -> None:
        made = BatchMaker(3).batch(size)
        chosen = [(facts or {}).get(at, known) for at, known in enumerate(made.facts)]
        batch = BatchMaker(4).assemble(chosen, made.personal, made.classes)
        self.rows = [
            Disclosure(
                index=at,
                id=batch.ids[at * 16 :][:16],
                received_at=RECEIVED_AT + at,
                source=1,
                class_number=2,
                salt1=batch.salts[at * 32 :][:16],
                facts=batch.facts[at],
                salt2=batch.salts[at * 32 + 16 :][:16],
                personal=batch.personal[at],
                personal_digest=None,
            )
            for at in range(size)
        ]
        for at, row in (more or {}).items():
            self.rows[at] = row
        self.build()

    def build(self) -> None:
        """Make tiles, bundles and checkpoint anew from the rows."""
        self.entries = [format_entry(row.entry()) for row in self.rows]
        frontier, tiles = Frontier().grow(hash_leaves(self.entries))
        self.files = {tile.path: tile.hashes for tile in tiles}
        for start in range(0, len(self.entries), 256):
            part = self.entries[start : start + 256]
            self.files[entries_path(start // 256, len(part))] = format_entry_bundle(part)
        self.root = frontier.root
        self.checkpoint = sign_checkpoint(Checkpoint(ORIGIN, len(self.rows), self.root), SIGNER)
        self.files["checkpoint"] = self.checkpoint

    def cosignature(self, time_s: int = RECEIVED_AT // 1_000_000) -> bytes:
        return format_signature(WITNESS.cosign(parse_note(self.checkpoint).text, time_s))

    def proof(self, index: int, *, cosigned: bool = False, personal: bool = True) -> bytes:
        """Return the proof of one event, without its personal part where that is not wanted."""
        shown = self.rows[index] if personal else without_personal(self.rows[index])
        path = inclusion_path(index, len(self.rows), SizedTiles(len(self.rows), self.files.get))
        note = self.checkpoint + (self.cosignature() if cosigned else b"")
        return format_proof(Proof(index, tuple(path), note, format_disclosure(shown)))


def without_personal(row: Disclosure) -> Disclosure:
    """Return what is shown to a reader without the right to personal data."""
    assert row.salt2 is not None
    assert row.personal is not None
    digest = personal_digest(row.salt2, row.personal)
    return dataclasses.replace(row, salt2=None, personal=None, personal_digest=digest)


def product_row(index: int, action: str, metadata: Mapping[str, object], *, person: str = "ana") -> Disclosure:
    """Return an event of the product at an index."""
    facts = canonical_json(
        {
            "action": action,
            "actor": {"id": person, "type": "user"},
            "metadata": dict(metadata),
            "occurred_at": "2026-11-21T01:00:00.000000Z",
            "outcome": "success",
            "scope": "tallystick",
            "severity": "low",
            "targets": [{"id": ORIGIN, "type": "ledger"}],
        }
    )
    return Disclosure(index, bytes([index]) * 16, RECEIVED_AT + index, 0, 1, bytes(16), facts, bytes(16), b"{}", None)


def genesis() -> dict[int, Disclosure]:
    """Return the beginning of a log: its name and key, classes 1 and 2, source 1."""
    created = {"origin": ORIGIN, "key": SIGNER.vkey, "format": 1}
    standard = {"number": 2, "name": "standard", "retention_days": 400, "keeps_facts": False}
    return {
        0: product_row(0, "ledger.created", created),
        1: product_row(1, "class.defined", {"number": 1, "name": "ledger-access", "keeps_facts": True}),
        2: product_row(2, "class.defined", standard),
        3: product_row(3, "source.registered", {"number": 1, "name": "gitlab"}),
    }


def decided_erasure(at: int, ranges: list[list[int]], part: str, *, approver: str = "ben") -> dict[int, Disclosure]:
    """Return request, approval and erasure, from an index on."""
    ground = {"kind": "decision", "request": at, "approvals": [at + 1]}
    return {
        at: product_row(at, "erasure.requested", {"ranges": ranges, "part": part, "ground": "asked"}),
        at + 1: product_row(at + 1, "erasure.approved", {"request": at}, person=approver),
        at + 2: product_row(at + 2, "content.erased", {"ranges": ranges, "part": part, "ground": ground}),
    }
