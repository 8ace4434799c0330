"""From acknowledged to committed: durable frames become tiles, a signature, a published checkpoint.

The steps and their order are the whole point (`docs/format/ledger.md`): events durable, tiles durable, last-signed
record swapped, checkpoint published. A crash between any two leaves a state from which the same steps go on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tallystick.clock import Clock
from tallystick.errors import CorruptionError
from tallystick.event.entry import format_entries
from tallystick.event.frame import BadFrameError, TornFrameError
from tallystick.ledger.edge import Edge, load_edge
from tallystick.ledger.errors import EntryDamagedError
from tallystick.ledger.keys import LedgerKeys
from tallystick.ledger.last_signed import LastSigned
from tallystick.ledger.layout import Layout
from tallystick.ledger.model import Progress
from tallystick.ledger.state import LedgerState
from tallystick.ledger.tiles import TileFiles
from tallystick.ledger.wal import FrameRef
from tallystick.merkle.hashing import hash_leaves
from tallystick.merkle.tiles import TILE_WIDTH
from tallystick.note.ed25519 import Ed25519Verifier
from tallystick.store.files import Disk

ROUND_EVENTS_MAX = 64 * 1024


class Integrator:
    """Owns the tree and the right to sign; one caller at a time gets in."""

    def __init__(
        self, disk: Disk, layout: Layout, keys: LedgerKeys, signed: LastSigned, state: LedgerState, clock: Clock
    ) -> None:
        self._disk = disk
        self._layout = layout
        self._keys = keys
        self._signed = signed
        self._state = state
        self._clock = clock
        self._tiles = TileFiles(disk, layout.ledger)
        self._edge: Edge | None = None
        self._turn = threading.RLock()

    def resume(self) -> Edge:
        """Return the edge on disk and publish its checkpoint: at start, and after any step that failed."""
        with self._turn:
            edge = load_edge(self._disk, self._layout, self._keys, self._signed)
            self._publish(edge)
            self._edge = edge
            return edge

    def integrate(self) -> int:
        """Commit acknowledged events that no checkpoint covers, one round of them; return how many.

        After an OSError nothing is lost: what was done is on disk or not, and the next call looks.
        Anything found damaged stops the ledger, because signing it could not be taken back.
        """
        with self._turn:
            return self._integrate()

    @property
    def verifiers(self) -> list[Ed25519Verifier]:
        """The public keys of those that sign now."""
        return [signer.verifier for signer in self._keys.signers]

    def use_keys(self, keys: LedgerKeys) -> None:
        """Sign with these keys from now on, and replace the published checkpoint by one of the same tree."""
        with self._turn:
            self.resume()
            self._keys = keys
            edge, self._edge = self._edge or self.resume(), None
            self._edge = self._sign(edge.note, edge)

    def _integrate(self) -> int:
        edge, self._edge = self._edge, None
        try:
            edge = edge or self.resume()
            refs = self._state.unintegrated(ROUND_EVENTS_MAX)
            if refs:
                self._state.require_writable()
                edge = self._grow(edge, refs)
        except CorruptionError as error:
            self._state.stop_writing(f"{error.code}: {error}")
            raise
        except OSError as error:
            self._state.note_trouble("integrate", error)
            raise
        self._edge = edge
        return sum(ref.count for ref in refs)

    def _grow(self, edge: Edge, refs: Sequence[FrameRef]) -> Edge:
        old_size = edge.frontier.size
        entries, leaves = read_entries(refs, old_size)
        frontier, tiles = edge.frontier.grow(leaves)
        bundled = edge.entries + entries
        self._tiles.put(tiles, old_size - len(edge.entries), bundled)
        # A crash here leaves tiles that nothing refers to; the next attempt finds or replaces them.
        rest = frontier.size % TILE_WIDTH
        grown = self._sign(edge.note, Edge(b"", frontier, bundled[-rest:] if rest else []))
        self._tiles.drop_partial(old_size, frontier.size)
        return grown

    def _sign(self, expected: bytes, edge: Edge) -> Edge:
        note = self._keys.sign_checkpoint(edge.frontier.size, edge.frontier.root)
        self._signed.swap(expected, note)
        # A crash here leaves a signed checkpoint that nobody has seen; `resume` publishes it.
        signed = Edge(note, edge.frontier, edge.entries)
        self._publish(signed)
        return signed

    def _publish(self, edge: Edge) -> None:
        path = self._layout.checkpoint
        if not self._disk.exists(path) or self._disk.read(path) != edge.note:
            self._disk.replace(path, edge.note)
        self._state.commit(edge.note, Progress(edge.frontier.size, self._clock.now_us()))


def read_entries(refs: Sequence[FrameRef], size: int) -> tuple[list[bytes], bytes]:
    """Return entries and joined leaf hashes of frames that begin at `size`, read from disk and hashed again.

    Raises EntryDamagedError when the bytes are not those that admission committed to, or the leaves not those
    that were answered.
    """
    entries: list[bytes] = []
    leaves: list[bytes] = []
    for ref in refs:
        try:
            frame = ref.read()
            frame.check()
        except (BadFrameError, TornFrameError) as error:
            raise EntryDamagedError(f"the events from index {ref.first_index} on were damaged: {error}") from error
        if frame.first_index != size or frame.count != ref.count:
            raise EntryDamagedError(f"the frame of index {ref.first_index} says index {frame.first_index}")
        formatted = format_entries(frame.classes, frame.source, frame.received_at, bytes(frame.contents))
        hashed = hash_leaves(formatted)
        if hashed != frame.leaves:
            raise EntryDamagedError(f"the frame of index {size} does not hash to the leaves that were answered")
        entries += formatted
        leaves.append(hashed)
        size += frame.count
    return entries, b"".join(leaves)
