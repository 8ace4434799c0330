"""Opening: locks, keys, recovery, and the parts of a running ledger in the state that the disk gives them."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tallystick.clock import Clock
from tallystick.errors import TallystickError, VerificationError
from tallystick.ledger.decided import ErasureRecords
from tallystick.ledger.duplicates import Duplicates, SealedIds
from tallystick.ledger.edge import load_edge, read_published
from tallystick.ledger.erase import Eraser
from tallystick.ledger.errors import LedgerExistsError, NoLedgerError
from tallystick.ledger.integrate import Integrator
from tallystick.ledger.keys import LedgerKeys, create_signing_key, load_keys
from tallystick.ledger.last_signed import LastSigned
from tallystick.ledger.layout import Layout
from tallystick.ledger.lock import FileLock
from tallystick.ledger.merge import MergeRule, Merging
from tallystick.ledger.model import Recovery
from tallystick.ledger.options import LedgerOptions
from tallystick.ledger.recover import FoundLog, check_against_tree, find_log, last_received
from tallystick.ledger.seal import DirectSealer, ProcessSealer, Sealing, drop_unlisted
from tallystick.ledger.space import SpaceGuard
from tallystick.ledger.state import LedgerState
from tallystick.ledger.wal import WriteAheadLog
from tallystick.ledger.writer import Writer
from tallystick.merkle.hashing import EMPTY_ROOT
from tallystick.note.checkpoint import open_checkpoint
from tallystick.store.files import Disk

if TYPE_CHECKING:
    from tallystick.ledger.witness_follower import WitnessFollower

FIRST_NAME = "main"


@dataclass(frozen=True, slots=True)
class Place:
    """What a ledger is opened with."""

    disk: Disk
    layout: Layout
    clock: Clock
    options: LedgerOptions


@dataclass(slots=True)
class Parts:
    """A ledger that is open: its locks are held until `held` is closed."""

    place: Place
    keys: LedgerKeys
    signed: LastSigned
    state: LedgerState
    writer: Writer
    integrator: Integrator
    sealing: Sealing
    merging: Merging
    witnesses: WitnessFollower | None
    space: SpaceGuard
    eraser: Eraser
    recovery: Recovery
    held: ExitStack


def current_name(disk: Disk, data: Path) -> str:
    """Return the name of the ledger that a data directory writes to now."""
    path = Layout(data, data).current
    return disk.read(path).decode().strip() if disk.exists(path) else FIRST_NAME


def prepare(place: Place, origin: str | None) -> None:
    """Make directories, key and last-signed record of a new ledger; doing it again after a crash goes on.

    Raises LedgerExistsError when there is a ledger, or when the origin was used here with another key.
    """
    disk, layout = place.disk, place.layout
    for directory in (layout.wal, layout.segments):
        disk.mkdirs(directory)
    lock = FileLock(layout.lock, f"the ledger in {layout.data}")
    try:
        signer = create_signing_key(disk, layout, origin or make_origin(place), place.options.entropy)
        if origin is not None and signer.name != origin:
            raise LedgerExistsError(f"{layout.data} holds a ledger of origin {signer.name}")
        signed = LastSigned(disk, layout, signer.name)
        try:
            _begin_record(disk, layout, signed, LedgerKeys((signer,)))
        finally:
            signed.close()
    finally:
        lock.close()


def make_origin(place: Place) -> str:
    """Return a name that no other ledger has."""
    return f"{socket.gethostname() or 'localhost'}/tallystick/{place.options.entropy(6).hex()}"


def _begin_record(disk: Disk, layout: Layout, signed: LastSigned, keys: LedgerKeys) -> None:
    note = signed.find()
    if note is None:
        if disk.exists(layout.checkpoint) or disk.names(layout.wal):
            raise LedgerExistsError(f"{layout.data} holds a ledger of origin {keys.origin}")
        signed.swap(None, keys.sign_checkpoint(0, EMPTY_ROOT))
        return
    try:
        keys.open_checkpoint(note)
    except VerificationError as error:
        raise LedgerExistsError(
            f"the origin {keys.origin} was used before with another key; a name is never used twice"
        ) from error


def open_parts(place: Place, *, may_be_empty: bool = False) -> Parts:
    """Return the open ledger, recovered; raise what `recover` and `edge` say, with every lock released again."""
    disk, layout, clock, options = place.disk, place.layout, place.clock, place.options
    if not disk.exists(layout.ledger):
        raise NoLedgerError(f"there is no ledger {layout.name} in {layout.data}")
    with ExitStack() as held:
        lock = FileLock(layout.lock, f"the ledger in {layout.data}")
        held.callback(lock.close)
        disk.mkdirs(layout.wal)  # a backup of a log that was sealed to its end has no file there, so no folder
        found = find_log(disk, layout)
        unfinished = not found.size and not disk.exists(layout.checkpoint)
        if unfinished and not may_be_empty:
            raise NoLedgerError(f"the ledger in {layout.data} was not finished when it was created")
        keys = load_keys(disk, layout)
        signed = LastSigned(disk, layout, keys.origin)
        held.callback(signed.close)
        published = read_published(disk, layout, keys)
        edge = load_edge(disk, layout, keys, signed)
        if not found.size and not edge.frontier.size and not may_be_empty:
            raise NoLedgerError(f"the ledger in {layout.data} was not finished when it was created")
        check_against_tree(disk, layout, found, edge, published.size if published else None)
        # From here on only the normal path acts: going on with the last file, publishing what was signed.
        recovery = Recovery(
            torn_bytes=found.torn_bytes,
            kept_events=found.size - edge.frontier.size,
            republished=published is None or published.size < edge.frontier.size,
            files_removed=found.files_removed + drop_unlisted(disk, layout, found.manifest),
        )
        state = LedgerState(found.manifest, found.files, last_received(disk, layout, found, edge), clock.now_us())
        integrator = Integrator(disk, layout, keys, signed, state, clock)
        integrator.resume()
        sealer = ProcessSealer() if options.background else DirectSealer(disk)
        sealing = Sealing(disk, layout, state, sealer, clock)
        from tallystick.ledger.sealed_ids import SegmentIds  # brings in pyarrow

        sealed_ids = SegmentIds(layout.segments)
        records = ErasureRecords(disk, layout, keys.origin)
        eraser = Eraser(disk, layout, state, clock, sealed_ids.forget, records, sealer)
        writer = _open_writer(place, found, state, sealed_ids)
        held.callback(writer.finish)
        held.callback(sealing.close)
        witnesses = _open_witnesses(place, state, integrator)
        if witnesses is not None:
            held.callback(witnesses.close)
        else:
            _offer_witnessed(place, state, integrator)
        space = SpaceGuard(disk, layout.data, clock, options.reserve_bytes)
        rule = MergeRule(options.merge_segments_min, options.rotation.events)
        merging = Merging(disk, layout, state, sealer, clock, rule, space, sealed_ids.forget)
        return Parts(
            place,
            keys,
            signed,
            state,
            writer,
            integrator,
            sealing,
            merging,
            witnesses,
            space,
            eraser,
            recovery,
            held.pop_all(),
        )


def _offer_witnessed(place: Place, state: LedgerState, integrator: Integrator) -> None:
    """Let proofs use the checkpoint that witnesses cosigned last, also while none is named.

    Only our own signature is checked: whose cosignatures count is for whoever verifies the proof.
    """
    if not place.disk.exists(place.layout.witnessed):
        return
    note = place.disk.read(place.layout.witnessed)
    try:
        checkpoint = open_checkpoint(note, integrator.verifiers).checkpoint
    except VerificationError as error:
        state.note_trouble("witness", error)
        return
    if checkpoint.size <= state.committed.size:
        state.witnessed_checkpoint = note


def _open_writer(place: Place, found: FoundLog, state: LedgerState, sealed_ids: SealedIds) -> Writer:
    log = WriteAheadLog(place.disk, place.layout, place.options.entropy)
    if found.files:
        log.resume(found.files[-1], found.nonce)
    duplicates = Duplicates(state, sealed_ids, place.options.duplicate_window_s)
    return Writer(log, state, duplicates, place.clock, place.options.rotation, previous=found.previous)


def _open_witnesses(place: Place, state: LedgerState, integrator: Integrator) -> WitnessFollower | None:
    """Return the follower once every witness that can be reached has accepted our checkpoint as continuing its own.

    This comes before the first event is taken: a restored copy must not answer for events that it will have to
    disown. A witness that is down does not keep the ledger from starting.
    """
    if not place.options.witnesses:
        return None
    from tallystick.ledger.witness_follower import WitnessFollower  # brings in httpx

    follower = WitnessFollower(place.disk, place.layout, state, integrator, place.clock, place.options)
    follower.resume()
    if state.committed.size:
        with suppress(OSError, TallystickError):  # noted in the state, where it stops the ledger if it must
            follower.push()
    return follower
