"""What can go wrong with the single writer, each with what a person can do about it."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.errors import (
    ConfigurationError,
    ConflictError,
    CorruptionError,
    NotFoundError,
    UnavailableError,
)


class LedgerLockedError(ConflictError):
    """Another process has the ledger open for writing."""

    code = "ledger-locked"
    advice = "A server is probably running on this data directory: send the command to it with --url, or stop it first."


class NotWritableError(ConfigurationError):
    """The ledger's files cannot be written by this user or on this disk."""

    code = "not-writable"
    advice = "Run as the user that owns the data and state directories, on a disk that is mounted for writing."


class NoLedgerError(NotFoundError):
    """The data directory holds no ledger of that name, or one whose creation did not finish."""

    code = "no-ledger"
    advice = "Create it with `tallystick init`; that also finishes a creation that was interrupted."


class LedgerExistsError(ConflictError):
    """There is a ledger already where one was to be created."""

    code = "ledger-exists"
    advice = "Open it as it is, or choose another data directory."


class KeyMissingError(ConfigurationError):
    """The key that signs this ledger's checkpoints is not in the keys directory."""

    code = "signing-key-missing"
    advice = (
        "Put the signing key back into the keys directory. Backups never hold it: if it is lost, "
        "continue under a new origin with `tallystick ledger succeed`."
    )


class KeyExposedError(ConfigurationError):
    """A key file can be read by others than its owner."""

    code = "key-readable-by-others"
    advice = "Run `chmod 600` on the file. If others could log in to this machine, rotate the key as well."


class KeyMalformedError(ConfigurationError):
    """A key file does not hold a key."""

    code = "key-malformed"
    advice = "Restore the key file from where it was kept safe."


class LastSignedMissingError(ConfigurationError):
    """The ledger has events, but there is no record here of the last checkpoint it signed."""

    code = "last-signed-missing"
    advice = (
        "Give the right --state-dir. If the record is really gone (a new machine, a lost state directory) and no other "
        "copy of this ledger runs anywhere, run `tallystick ledger adopt`: it checks the ledger, records its "
        "checkpoint as the last signed one, and says so in the log."
    )


class RolledBackError(CorruptionError):
    """The data directory is older than what this ledger has already signed."""

    code = "ledger-rolled-back"
    advice = (
        "This is probably a restored copy. Find the newer copy and open that. If it is lost, continue under a new "
        "origin with `tallystick ledger succeed`; never make the old origin sign a second history."
    )


class PublishedAheadError(CorruptionError):
    """The published checkpoint is not one that the last-signed record knows of."""

    code = "published-ahead-of-signed"
    advice = (
        "The state directory is older than the data, or someone else signed. Put the newer last-signed record back; "
        "do not delete either."
    )


class ErasureRecordError(CorruptionError):
    """A record of an erasure in the state directory is damaged, so that nobody can say what must not come back."""

    code = "erasure-record-damaged"
    advice = "Bring the file back from a copy of the state directory; without it, ask for the erasure again."


class LastSignedChangedError(CorruptionError):
    """Somebody else changed the last-signed record while this process was the writer."""

    code = "last-signed-changed"
    advice = (
        "Stop every other process that uses this state directory, then run `tallystick verify` before opening again."
    )


class ForkedError(CorruptionError):
    """A witness holds our own signature on a history that we do not have."""

    code = "ledger-forked"
    advice = (
        "Someone restored an old copy, or another copy runs with the same key. Keep both copies, find out which one is "
        "right, and continue under a new origin with `tallystick ledger succeed`."
    )


class WalDamagedError(CorruptionError):
    """The write-ahead log holds a broken frame before an intact one, or a gap."""

    code = "write-ahead-log-damaged"


class EntryDamagedError(CorruptionError):
    """An event read back from disk does not give the entry or the checksum that it was acknowledged with."""

    code = "entry-damaged"


class TilesDamagedError(CorruptionError):
    """The right edge of the tree on disk does not give the root that was signed."""

    code = "tiles-damaged"


class ReadOnlyError(UnavailableError):
    """The ledger found something it must not repair by itself and takes no events until a person looked at it."""

    code = "ledger-read-only"
    advice = (
        "Checkpoints and tiles are still served; events are not, because their reading could not be recorded. "
        "`tallystick doctor` says what was found; the ledger writes again only after a restart."
    )


class LedgerClosedError(UnavailableError):
    """The ledger is being closed; nothing was accepted."""

    code = "ledger-closed"
    advice = "Send the same request again with the same ids."


class WriteFailedError(UnavailableError):
    """Writing or syncing failed; whether the events are stored is not known. Repeating them with the same ids is safe."""

    code = "write-failed"
    advice = "Send the same events again with the same ids. If it goes on, look at the disk."


class QueueFullError(UnavailableError):
    """More is waiting for the disk than the writer keeps in memory; nothing was accepted."""

    code = "write-queue-full"
    advice = "Send again after the time given; the disk is slower than the senders."


class UnsealedBacklogError(UnavailableError):
    """Too many write-ahead log files wait to be sealed; nothing was accepted."""

    code = "unsealed-backlog"
    advice = "Send again after the time given; `tallystick doctor` shows whether sealing makes progress."


class NotCommittedError(UnavailableError):
    """The event is stored, but no signed checkpoint covers it yet."""

    code = "not-committed"
    advice = "Ask again in a second."


class IdConflictError(ConflictError):
    """An event's id was used before, within the window, by the same source with other fields.

    `item` is the position in the batch, `index` where the earlier event stands, `others` the conflicts that the batch
    has besides.
    """

    code = "id-conflict"
    advice = "Use a new id for a new event; repeat an event only with exactly the same fields."

    def __init__(self, message: str, *, item: int, index: int, others: Sequence[IdConflictError] = ()) -> None:
        super().__init__(message, item=item, index=index)
        self.item = item
        self.index = index
        self.others = tuple(others)


class SealFailedError(UnavailableError):
    """The sealing process did not seal a file; the events stay in the write-ahead log and it is tried again."""

    code = "seal-failed"
    advice = (
        "It is tried again by itself; the message says what was wrong. Look at space and permissions of the data disk."
    )


class ErasureRefusedError(ConflictError):
    """Content may not be destroyed: its absence would be a finding."""

    code = "erasure-refused"
    advice = "Wait until the retention has passed or the hold is released, or have two people decide it."
