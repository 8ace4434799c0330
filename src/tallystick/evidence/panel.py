"""What an event's page says about its proof: the entry byte by byte, the path drawn, the checkpoint, who vouches."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import Entry, format_entry, parse_entry
from tallystick.evidence.prove import size_of
from tallystick.ledger.model import LedgerStatus
from tallystick.merkle.hashing import hash_leaf, hash_node
from tallystick.note.checkpoint import parse_checkpoint
from tallystick.note.cosignature import cosigned_at
from tallystick.note.note import Note, NoteError, parse_note

_BUNDLE: Final = 256
_COSIGNATURE_BYTES: Final = 72
Side = Literal["left", "right"]


class Log(Protocol):
    """The part of a ledger that is looked at."""

    @property
    def vkeys(self) -> tuple[str, ...]: ...
    def status(self) -> LedgerStatus: ...
    def checkpoint(self) -> bytes: ...
    def witnessed_checkpoint(self) -> bytes | None: ...
    def prove_inclusion(self, index: int, size: int) -> list[bytes]: ...
    def read_entries(self, bundle: int) -> list[bytes]: ...


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """The 48 bytes, whole and field by field; hashes and bytes are hexadecimal."""

    entry: str
    suite: int
    class_number: int
    source: int
    received_at: int
    content: str
    leaf: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step to the root: the sibling stands on `side` and covers `size` events from `first` on; both together make
    `node`, which covers `node_size` events from `node_first` on.
    """

    level: int
    side: Side
    sibling: str
    first: int
    size: int
    node: str
    node_first: int
    node_size: int


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed a checkpoint, by name and key identifier; `at` (microseconds) is where a witness says when."""

    name: str
    key_id: str
    at: int | None = None


class CheckpointView(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint in its parts, and as it was signed."""

    origin: str
    size: int
    root: str
    signers: tuple[Signer, ...]
    note: str

    @property
    def witnesses(self) -> tuple[Signer, ...]:
        """Those who are not the log itself."""
        return tuple(each for each in self.signers if each.at is not None)


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one event's proof. Until a checkpoint covers the event there is neither path nor checkpoint.

    `covered_at` (microseconds) is when the stage that `tier` names was reached at the latest.
    """

    index: int
    entry: EntryView
    committed: bool
    tier: Literal["self-consistent", "witnessed"] | None = None
    covered_at: int | None = None
    steps: tuple[Step, ...] = ()
    checkpoint: CheckpointView | None = None
    keys: tuple[str, ...] = ()


def make_panel(log: Log, disclosure: Disclosure) -> Panel:
    """Return the panel of an event: under the cosigned checkpoint where that covers it, else under the newest."""
    entry = disclosure.entry()
    status = log.status()
    if disclosure.index >= status.committed.size:
        return Panel(index=disclosure.index, entry=view_entry(entry), committed=False, keys=log.vkeys)
    note = log.witnessed_checkpoint()
    witnessed = note is not None and size_of(note) > disclosure.index
    note = note if note is not None and witnessed else log.checkpoint()
    checkpoint = view_checkpoint(note)
    leaf = hash_leaf(format_entry(entry))
    path = log.prove_inclusion(disclosure.index, checkpoint.size)
    return Panel(
        index=disclosure.index,
        entry=view_entry(entry),
        committed=True,
        tier="witnessed" if witnessed else "self-consistent",
        covered_at=(status.witnessed if witnessed else status.committed).at,
        steps=draw_path(disclosure.index, checkpoint.size, leaf, path),
        checkpoint=checkpoint,
        keys=log.vkeys,
    )


def entry_at(log: Log, index: int) -> EntryView | None:
    """Return the entry of a committed index, which stays when the content goes; None where there is none yet."""
    entries = log.read_entries(index // _BUNDLE) if 0 <= index < log.status().committed.size else []
    place = index % _BUNDLE
    return view_entry(parse_entry(entries[place])) if place < len(entries) else None


def view_entry(entry: Entry) -> EntryView:
    """Return an entry in its parts."""
    data = format_entry(entry)
    return EntryView(
        entry=data.hex(),
        suite=data[0],
        class_number=entry.class_number,
        source=entry.source,
        received_at=entry.received_at,
        content=entry.content.hex(),
        leaf=hash_leaf(data).hex(),
    )


def view_checkpoint(note: bytes) -> CheckpointView:
    """Return a checkpoint of our own in its parts; its signatures were checked when it was published."""
    parsed = parse_note(note)
    found = parse_checkpoint(parsed.text)
    return CheckpointView(
        origin=found.origin,
        size=found.size,
        root=found.root.hex(),
        signers=_signers(parsed, found.origin),
        note=note.decode(),
    )


def draw_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> tuple[Step, ...]:
    """Return the steps from a leaf to the root, with what each hash covers (RFC 6962 section 2.1.1)."""
    node, node_first, node_size = leaf, index, 1
    steps = []
    for level, ((side, first, count), sibling) in enumerate(zip(_siblings(index, size), path, strict=True), 1):
        node = hash_node(sibling, node) if side == "left" else hash_node(node, sibling)
        node_first, node_size = min(first, node_first), node_size + count
        steps.append(
            Step(
                level=level,
                side=side,
                sibling=sibling.hex(),
                first=first,
                size=count,
                node=node.hex(),
                node_first=node_first,
                node_size=node_size,
            )
        )
    return tuple(steps)


def _siblings(index: int, size: int) -> list[tuple[Side, int, int]]:
    """Return side, first index and size of each sibling, the leaf's own first."""
    found: list[tuple[Side, int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + (1 << ((end - start - 1).bit_length() - 1))
        if index < middle:
            found.append(("right", middle, end - middle))
            end = middle
        else:
            found.append(("left", start, middle - start))
            start = middle
    return found[::-1]


def _signers(note: Note, origin: str) -> tuple[Signer, ...]:
    signers = []
    for line in note.signatures:
        at = None
        if line.name != origin and len(line.value) == _COSIGNATURE_BYTES:
            try:
                at = cosigned_at(line.value, line.name) * 1_000_000
            except NoteError:
                at = None
        signers.append(Signer(name=line.name, key_id=f"{line.key_id:08x}", at=at))
    return tuple(signers)
