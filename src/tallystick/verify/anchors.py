"""Checkpoints from elsewhere held against the tree: what somebody kept, what witnesses cosigned, and when.

All of them are compared with one tree, and so every pair of them with each other; two of one size that lie beyond it
are compared directly.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Final

from tallystick.errors import VerificationError
from tallystick.merkle import TileReader, root_at
from tallystick.note import (
    Checkpoint,
    Ed25519Verifier,
    NoteError,
    Policy,
    SignatureError,
    Verdict,
    check_policy,
    open_note,
    parse_checkpoint,
    parse_note,
)
from tallystick.verify.codes import Code
from tallystick.verify.history import LogHistory
from tallystick.verify.model import Findings

SKEW_S: Final = 300
"""How far a witness's clock and the log's may be apart before a time of receipt is called impossible."""
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """A checkpoint note and where it comes from; `outside` says that the reader brought it along."""

    place: str
    note: bytes
    outside: bool


@dataclass(frozen=True, slots=True)
class Trust:
    """What the reader brings: keys of the log, a policy, checkpoints kept elsewhere. Nothing is as good as it gets."""

    keys: tuple[Ed25519Verifier, ...] = ()
    policy: Policy | None = None
    against: tuple[Anchor, ...] = ()
    skew_s: int = SKEW_S

    @property
    def pinned(self) -> tuple[Ed25519Verifier, ...]:
        """Every key that the reader trusts to be a log's."""
        logs = self.policy.logs if self.policy is not None else ()
        return (*self.keys, *(log.key for log in logs))


@dataclass(slots=True)
class AnchorFacts:
    """What holds from outside: the largest size anchored and witnessed, and when the latter was seen at the latest."""

    anchored: int = 0
    witnessed: int = 0
    witnessed_at: int | None = None
    seen: list[tuple[int, int]] = field(default_factory=list)
    """(size, seconds since 1970) of every cosignature of a witness that the reader trusts."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree that was verified, and whence its hashes are read again."""

    checkpoint: Checkpoint
    tiles: TileReader

    def root(self, size: int) -> bytes | None:
        """Return the root at a size that the tree reaches; None where its tiles cannot be read."""
        if size == self.checkpoint.size:
            return self.checkpoint.root
        try:
            return root_at(size, self.tiles)
        except VerificationError:
            return None


class AnchorCheck:
    """Compares anchors with one tree; log signatures are checked against the keys that the log names."""

    def __init__(self, tree: Tree, history: LogHistory, trust: Trust, findings: Findings) -> None:
        self.facts = AnchorFacts()
        self.signed: list[tuple[int, frozenset[Ed25519Verifier]]] = []
        """(size, log keys that signed) of each checkpoint that holds: what a change of keys rests on."""
        self._tree = tree
        self._history = history
        self._trust = trust
        self._findings = findings
        self._roots: dict[int, tuple[bytes, str]] = {}
        self._compared: dict[bytes, bool] = {}

    def check_all(self, anchors: Iterable[Anchor], advance: Callable[[int], None]) -> None:
        """Compare each anchor, then judge the policy."""
        for anchor in anchors:
            self._check(anchor)
            advance(1)
        policy = self._trust.policy
        if policy is not None and policy.quorum != "none" and not self.facts.witnessed:
            message = "no checkpoint is cosigned as the policy asks"
            self._findings.add(Code.POLICY_NOT_MET, message, "policy")

    def _check(self, anchor: Anchor) -> None:
        try:
            text = parse_note(anchor.note).text
            checkpoint = parse_checkpoint(text)
        except VerificationError as error:
            self._findings.add(Code.CHECKPOINT_INVALID, error.message, anchor.place)
            return
        if not self._log_signed(anchor, checkpoint):
            return
        holds = self._compared.get(text)
        if holds is None:
            holds = self._compared[text] = self._agrees(anchor, checkpoint)
        if not holds:
            return
        if anchor.outside:
            self.facts.anchored = max(self.facts.anchored, checkpoint.size)
        if self._trust.policy is not None:
            self._judge(anchor, self._trust.policy)

    def _log_signed(self, anchor: Anchor, checkpoint: Checkpoint) -> bool:
        code = Code.ANCHOR_UNSIGNED if anchor.outside else Code.CHECKPOINT_UNSIGNED
        if checkpoint.origin != self._history.origin:
            message = f"it is of {checkpoint.origin}, this log is {self._history.origin}"
            self._findings.add(code, message, anchor.place)
            return False
        try:
            keys = signers(anchor.note, self._history.keys_known())
        except NoteError as error:
            self._findings.add(code, error.message, anchor.place)
            return False
        beyond = checkpoint.size > self._tree.checkpoint.size
        if not beyond and self._history.key_in_force(checkpoint.size) not in keys:
            message = f"the key in force at size {checkpoint.size} did not sign it"
            self._findings.add(code, message, anchor.place)
            return False
        self.signed.append((checkpoint.size, keys))
        return True

    def _agrees(self, anchor: Anchor, checkpoint: Checkpoint) -> bool:
        """Return whether the checkpoint is of the tree, or of the same tree as all others; find what it is not."""
        size, ours = checkpoint.size, self._tree.checkpoint.size
        differs = Code.ANCHOR_DIFFERS if anchor.outside else Code.CHECKPOINT_DIFFERS
        known, other = self._roots.setdefault(size, (checkpoint.root, anchor.place))
        if known != checkpoint.root:
            message = f"for size {size} it has another root than {other}"
            self._findings.add(differs, message, anchor.place)
            return False
        if size > ours:
            message = f"it is of size {size}, the log has only {ours} entries"
            self._findings.add(Code.ANCHOR_AHEAD, message, anchor.place, ours)
            return False
        if size and self._tree.root(size) != checkpoint.root:
            message = f"the first {size} entries do not have the root that it says"
            self._findings.add(differs, message, anchor.place)
            return False
        return True

    def _judge(self, anchor: Anchor, policy: Policy) -> None:
        try:
            verdict = check_policy(anchor.note, policy)
        except SignatureError as error:
            self._findings.add(Code.CHECKPOINT_INVALID, error.message, anchor.place)
            return
        except NoteError:
            return  # signed by nobody whom the policy names
        size = verdict.checkpoint.size
        self.facts.seen += [(size, time_s) for time_s in verdict.cosigned.values()]
        if verdict.log is not None and verdict.witnessed and size >= self.facts.witnessed:
            at = _latest_quorum(verdict)
            if size > self.facts.witnessed or at > (self.facts.witnessed_at or 0):
                self.facts.witnessed, self.facts.witnessed_at = size, at


def signers(note: bytes, keys: Iterable[Ed25519Verifier]) -> frozenset[Ed25519Verifier]:
    """Return which of the log keys signed the note; raise NoteError when none did or a signature is false."""
    opened = open_note(note, keys)
    return frozenset(key for key, _ in opened.signed if isinstance(key, Ed25519Verifier))


def check_pinned(
    trust: Trust,
    history: LogHistory,
    signed_now: frozenset[Ed25519Verifier],
    evidence: Sequence[tuple[int, frozenset[Ed25519Verifier]]],
    findings: Findings,
    place: str,
) -> None:
    """Find when no pinned key vouches for the checkpoint, itself or through the keys that it handed over to.

    A change of keys counts only where a trusted key signed a checkpoint that covers its event: the new key cannot
    appoint itself.
    """
    trusted = {key for key in trust.pinned if key.name == history.origin}
    if not trust.pinned:
        return
    for index, old, new in history.rotations:
        if old in trusted and any(size > index and keys & trusted for size, keys in evidence):
            trusted.add(new)
    if not signed_now & trusted:
        keys = ", ".join(sorted(key.vkey for key in signed_now)) or "none that the log names"
        message = f"no key that you gave signed it, nor one that it handed over to; signed by {keys}"
        findings.add(Code.KEY_UNTRUSTED, message, place)


def check_times(
    seen: Iterable[tuple[int, int]],
    received_at: Callable[[int], int | None],
    size: int,
    skew_s: int,
    findings: Findings,
    place: str,
) -> None:
    """Find entries that a witness saw before they claim to have come, or that claim to have come before it last saw a
    log without them.

    The second needs two cosignatures, more than the skew apart, of a log without the entry after its time: one alone
    is what a start after a crash leaves. Times never decrease along the log, so only entries at cosigned sizes count.
    """
    without: list[int] = []  # when witnesses saw a log that ends before the entry at `cosigned`
    for cosigned, times in _by_size(seen):
        stamp = received_at(cosigned - 1) if 0 < cosigned <= size else None
        if stamp is not None and stamp > (times[0] + skew_s) * _US:
            message = f"it claims to have come {stamp // _US - times[0]} s after a witness cosigned it"
            findings.add(Code.TIME_IMPOSSIBLE, message, place, cosigned - 1)
        for time_s in times:
            insort(without, time_s)
        stamp = received_at(cosigned) if cosigned < size else None
        if stamp is not None:
            at = bisect_right(without, stamp // _US + skew_s)
            if at < len(without) and without[-1] - without[at] >= skew_s:
                early = without[-1] - stamp // _US
                message = f"it claims to have come {early} s before a witness cosigned a log without it"
                findings.add(Code.TIME_IMPOSSIBLE, message, place, cosigned)


def _by_size(seen: Iterable[tuple[int, int]]) -> Iterator[tuple[int, list[int]]]:
    """Yield each cosigned size with its times, smallest first."""
    for size, pairs in groupby(sorted(seen), key=itemgetter(0)):
        yield size, [time_s for _, time_s in pairs]


def _latest_quorum(verdict: Verdict) -> int:
    return min(verdict.cosigned.values())
