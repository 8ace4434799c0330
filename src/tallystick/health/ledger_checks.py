"""The log, stage by stage, and what lies on disk: each check a function of what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tallystick.counted import counted
from tallystick.errors import TallystickError
from tallystick.health.model import Check, State
from tallystick.ledger.model import LedgerStatus, Snapshot

_US: Final = 1_000_000
COMMIT_S_MAX: Final = 10
WITNESS_S_MAX: Final = 900
UNSEALED_FILES_MAX: Final = 4
BACKUP_DAYS_MAX: Final = 7
ROOM_TIMES_RESERVE: Final = 4


def takes_events(status: LedgerStatus) -> Check:
    meaning = "Senders get an answer only when their events are on disk."
    if status.read_only is not None:
        return Check(
            name="Taking events",
            state="problem",
            found=f"no: {status.read_only}",
            meaning="The ledger found something that it must not repair by itself. Senders keep their events and try again.",
            remedy="Keep a copy of the data directory, run tallystick verify on it, then see the operating guide.",
        )
    found = f"yes; {status.acknowledged.size:,} so far, {status.waiting_batches:,} batches waiting for the disk"
    return Check(name="Taking events", state="good", found=found, meaning=meaning)


def committed(status: LedgerStatus) -> Check:
    behind = status.acknowledged.size - status.committed.size
    age = _age_s(status, status.committed.at)
    state: State = "attention" if behind and age > COMMIT_S_MAX else "good"
    return Check(
        name="Committed",
        state=state,
        found=f"{status.committed.size:,} events under a checkpoint" + (f", {behind:,} waiting" if behind else ""),
        meaning="Events come under a signed checkpoint about a second after they arrive.",
        remedy="Look at Retried below and at the disk; nothing is lost while it waits." * (state != "good"),
    )


def witnessed(status: LedgerStatus, witnesses: int) -> Check:
    name, meaning = "Witnessed", "Outsiders cosign checkpoints, so that nobody here can show two histories."
    if not witnesses:
        return Check(
            name=name,
            state="off",
            found="no witness is configured: the log is self-consistent and no more",
            meaning=meaning,
            remedy="Give the server a witness with --witness, and keep checkpoints where this machine cannot write.",
        )
    age = _age_s(status, status.witnessed.at)
    late = not status.witnessed.size or age > WITNESS_S_MAX
    found = (
        f"{status.witnessed.size:,} events, last cosigned {age:,.0f} s ago" if status.witnessed.size else "never yet"
    )
    return Check(
        name=name,
        state="attention" if late else "good",
        found=found,
        meaning=meaning,
        remedy="See the Log page for what each witness answered; it is tried again every few seconds." * late,
    )


def sealed(status: LedgerStatus) -> Check:
    files = status.unsealed_files
    state: State = "good" if files <= UNSEALED_FILES_MAX // 2 else "attention"
    if files > UNSEALED_FILES_MAX:
        state = "problem"
    return Check(
        name="Sealed",
        state=state,
        found=f"{status.sealed.size:,} events in segments; {_bytes(status.unsealed_bytes)} in {counted(files, 'file is', 'files are')} not yet",
        meaning=f"Files of the write-ahead log become segments; beyond {UNSEALED_FILES_MAX} closed ones events are refused.",
        remedy="Sealing needs a processor and room on the disk; look at Retried below." * (state != "good"),
    )


def retried(status: LedgerStatus) -> Check:
    meaning = "What fails is tried again by itself until it works."
    if not status.trouble:
        return Check(name="Retried", state="good", found="nothing", meaning=meaning)
    found = "; ".join(f"{stage}: {why}" for stage, why in sorted(status.trouble.items()))
    return Check(name="Retried", state="attention", found=found, meaning=meaning, remedy="Mend the cause named here.")


def disk(status: LedgerStatus, reserve_bytes: int) -> Check:
    name = "Disk"
    meaning = f"Below {_bytes(reserve_bytes)} new events are refused, so that what was taken can be sealed."
    if status.free_bytes is None:
        return Check(name=name, state="unknown", found="the disk does not say", meaning=meaning)
    state: State = "good" if status.free_bytes >= ROOM_TIMES_RESERVE * reserve_bytes else "attention"
    if status.free_bytes < reserve_bytes:
        state = "problem"
    remedy = "Free space on the disk of the data directory; events are taken again by themselves." * (state != "good")
    return Check(name=name, state=state, found=f"{_bytes(status.free_bytes)} free", meaning=meaning, remedy=remedy)


def segments(snapshot: Snapshot, quarantined: Mapping[str, str], checked: Mapping[str, int]) -> Check:
    name = "Self-check"
    meaning = "While nobody sends, sealed segments are read again and held against what was written."
    if quarantined:
        found = f"{len(quarantined):,} set aside: {', '.join(sorted(quarantined)[:3])}"
        remedy = "Restore the segment from a backup, then run tallystick rebuild; the Log page names the reason."
        return Check(name=name, state="problem", found=found, meaning=meaning, remedy=remedy)
    done = sum(entry.path in checked for entry in snapshot.segments)
    found = f"{done:,} of {len(snapshot.segments):,} segments checked since the start, none set aside"
    return Check(name=name, state="good", found=found, meaning=meaning)


def tables(catch_up: Callable[[], int]) -> Check:
    name, meaning = "Tables", "People, grants, sources and settings are made from the log and follow it."
    try:
        size = catch_up()
    except (TallystickError, SQLAlchemyError) as error:
        remedy = "Look at the database; tallystick rebuild makes the tables again from the log."
        found = error.message if isinstance(error, TallystickError) else type(error).__name__
        return Check(name=name, state="problem", found=found, meaning=meaning, remedy=remedy)
    return Check(name=name, state="good", found=f"they stand for the first {size:,} events", meaning=meaning)


def backup(now_us: int, backed_up_at: int | None) -> Check:
    name, meaning = "Backup", "A copy elsewhere is what survives the loss of this machine."
    remedy = "Run tallystick backup every day, and try tallystick restore now and then."
    if backed_up_at is None:
        return Check(
            name=name, state="unknown", found="the log has no backup on record", meaning=meaning, remedy=remedy
        )
    days = max(0, now_us - backed_up_at) / 86_400 / _US
    late = days > BACKUP_DAYS_MAX
    found = f"the last one is {days:.1f} days old"
    return Check(
        name=name, state="attention" if late else "good", found=found, meaning=meaning, remedy=remedy if late else ""
    )


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _age_s(status: LedgerStatus, at: int) -> float:
    return max(0, status.now - at) / _US
