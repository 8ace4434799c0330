"""What a person must decide about a ledger's identity: adopt one whose record is lost, or succeed one that is lost."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

from tallystick.clock import Clock, SystemClock
from tallystick.errors import VerificationError
from tallystick.ledger.edge import check_edge, read_published
from tallystick.ledger.errors import LedgerExistsError, NoLedgerError
from tallystick.ledger.genesis import PRODUCT_SOURCE, ProductAdmission, admit_events, adopted_event
from tallystick.ledger.keys import load_keys
from tallystick.ledger.last_signed import LastSigned
from tallystick.ledger.layout import Layout
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.lock import FileLock
from tallystick.ledger.opening import current_name
from tallystick.ledger.options import LedgerOptions
from tallystick.note.checkpoint import Checkpoint, parse_checkpoint
from tallystick.note.note import parse_note
from tallystick.store.files import Disk, LocalDisk


def adopt(
    data: Path,
    state: Path,
    *,
    admission: ProductAdmission,
    reason: str,
    clock: Clock | None = None,
    disk: Disk | None = None,
    options: LedgerOptions | None = None,
) -> Ledger:
    """Return the ledger, open, with its published checkpoint recorded as the last signed one and that said in its log.

    For a person who knows that no newer copy exists: nothing here can know. The tree is checked against the published
    checkpoint first, and configured witnesses are asked on opening as always. Raises LedgerExistsError when there
    is a record, NoLedgerError when nothing was published.
    """
    disk = disk or LocalDisk()
    layout = Layout(data, state, current_name(disk, data))
    if not disk.exists(layout.checkpoint):
        raise NoLedgerError(f"{data} holds no ledger that published a checkpoint")
    lock = FileLock(layout.lock, f"the ledger in {data}")
    try:
        checkpoint = _record_published(disk, layout)
    finally:
        lock.close()
    # A crash here leaves a record without the event; the record is what opening needs, and the checkpoint is the
    # published one either way.
    ledger = Ledger.open(data, state, admission=admission, clock=clock, disk=disk, options=options)
    now = (clock or SystemClock()).now_us()
    event = adopted_event(checkpoint.origin, checkpoint.size, b64encode(checkpoint.root).decode(), reason, now)
    try:
        ledger.append(admit_events(admission, [event], now), PRODUCT_SOURCE)
    except BaseException:
        ledger.close()
        raise
    return ledger


def succeed(
    data: Path,
    state: Path,
    *,
    admission: ProductAdmission,
    reason: str,
    origin: str | None = None,
    clock: Clock | None = None,
    disk: Disk | None = None,
    options: LedgerOptions | None = None,
) -> Ledger:
    """Return a new ledger, open, that goes on from the one in this data directory under a new origin and key.

    Its first event names the old origin, its last known checkpoint and the reason. The old ledger's files stay as
    they are, for reading and verifying; nothing is written to them again. Done again after a crash, it goes on.
    """
    disk = disk or LocalDisk()
    old = Layout(data, state, current_name(disk, data))
    known = last_known(disk, old)
    new_name = _next_name(old.name)
    surroundings: dict[str, Any] = {"name": new_name, "clock": clock, "disk": disk, "options": options}
    predecessor = {
        "origin": known.origin,
        "size": known.size,
        "root": b64encode(known.root).decode(),
        "reason": reason,
    }
    try:
        ledger = Ledger.create(data, state, admission=admission, origin=origin, predecessor=predecessor, **surroundings)
    except LedgerExistsError:
        # An earlier attempt made it and was interrupted before the next step.
        ledger = Ledger.open(data, state, admission=admission, **surroundings)
    try:
        disk.replace(old.current, new_name.encode() + b"\n")
    except BaseException:
        ledger.close()
        raise
    return ledger


def last_known(disk: Disk, layout: Layout) -> Checkpoint:
    """Return the largest checkpoint that the files of a ledger hold, whether or not its key is still here."""
    found: list[Checkpoint] = []
    for path in (layout.checkpoint, layout.witnessed):
        if disk.exists(path):
            try:
                found.append(parse_checkpoint(parse_note(disk.read(path)).text))
            except VerificationError:
                continue
    if not found:
        raise NoLedgerError(f"{layout.data} holds no ledger that published a checkpoint")
    return max(found, key=lambda checkpoint: checkpoint.size)


def _record_published(disk: Disk, layout: Layout) -> Checkpoint:
    keys = load_keys(disk, layout)
    signed = LastSigned(disk, layout, keys.origin)
    try:
        if signed.find() is not None:
            raise LedgerExistsError(f"there is a last-signed record of {keys.origin} in {layout.state}")
        published = read_published(disk, layout, keys)
        assert published is not None
        note = disk.read(layout.checkpoint)
        check_edge(disk, layout, note, published, published)
        signed.swap(None, note)
        return published
    finally:
        signed.close()


def _next_name(name: str) -> str:
    match = re.fullmatch(r"(.+)-([0-9]+)", name)
    return f"{match[1]}-{int(match[2]) + 1}" if match else f"{name}-2"
