"""A data directory, from the bytes on its disk to the last checkpoint: `verify_directory`.

Needs no lock and no key. A running server is read along with: one snapshot, and another look when something it names
was replaced before it could be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tallystick.errors import VerificationError
from tallystick.merkle import EMPTY_ROOT, TILE_WIDTH, SizedTiles, entries_path
from tallystick.merkle.tiles import width_at
from tallystick.note import Checkpoint, Ed25519Verifier, parse_checkpoint, parse_note
from tallystick.verify.anchors import Anchor, AnchorCheck, AnchorFacts, Tree, Trust, check_pinned, check_times, signers
from tallystick.verify.blocks import ContentFacts
from tallystick.verify.codes import Code
from tallystick.verify.files import check_other_files, read_below
from tallystick.verify.history import LogHistory, ProductEvent, check_numbers, list_erasures, read_history
from tallystick.verify.model import Findings, Progress, Report, Tier
from tallystick.verify.presence import check_ids, check_presence
from tallystick.verify.snapshot import Home, Snapshot, check_strays, find_home, read_file, take_snapshot
from tallystick.verify.succession import names_after, take_later
from tallystick.verify.tail import TailCheck
from tallystick.verify.tree import EntryLog, TreeFacts, check_tree
from tallystick.verify.workers import checked_segments

ATTEMPTS: Final = 3
SETTLE_S: Final = 1.0
"""How long a running ledger needs to put an event that it took under a checkpoint."""


def verify_directory(
    data: Path, trust: Trust | None = None, progress: Progress | None = None, *, name: str | None = None
) -> Report:
    """Return what holds of the ledger in a data directory, everything in it recomputed.

    Raises CouldNotCheckError when there is no ledger or it cannot be read at all; all else that is wrong or missing is
    a finding. When a server changed the directory during the check and something did not fit, it is checked again.
    """
    home = find_home(data, name)
    for attempt in range(1, ATTEMPTS + 1):
        run = _Run(home, trust or Trust(), progress or (lambda *_: None))
        report = run.check()
        if not report.findings or attempt == ATTEMPTS:
            break
        if run.is_unsettled(report):
            time.sleep(SETTLE_S)
        elif not run.changed_since():
            break
    return report


@dataclass(slots=True)
class _Run:
    """One attempt."""

    home: Home
    trust: Trust
    progress: Progress
    findings: Findings = field(default_factory=Findings)
    remarks: list[str] = field(default_factory=list)
    product: list[ProductEvent] = field(default_factory=list)
    _snapshot: Snapshot | None = None

    def is_unsettled(self, report: Report) -> bool:
        """Return whether a step is under way that ends with a checkpoint: a finding may be its middle."""
        return report.uncommitted > 0 or (self.home.ledger / "erasing.json").exists()

    def changed_since(self) -> bool:
        """Return whether the ledger went on since the snapshot."""
        before = self._snapshot
        assert before is not None
        return read_file(self.home.ledger / "checkpoint") != before.checkpoint or (
            read_file(self.home.segments / "manifest.json") != before.manifest_bytes
        )

    def check(self) -> Report:
        snapshot = self._snapshot = take_snapshot(self.home, self.findings)
        checkpoint = self._read_checkpoint(snapshot)
        if checkpoint is None:
            return self._report(Checkpoint("", 0, EMPTY_ROOT), AnchorFacts())
        log = EntryLog(checkpoint.size, read_below(self.home.ledger))
        entries = snapshot.manifest.segments
        with checked_segments(self.home.ledger, self.home.segments, checkpoint.size, entries) as collect:
            tree = self._check_tree(checkpoint)
            if tree.given_up:
                return self._report(checkpoint, AnchorFacts())
            files = collect(self._advance("content", sum(entry.events for entry in entries)))
        for file in files:
            self.findings.take(*file.findings)
        tail = TailCheck(
            self.home.named(self.home.ledger / "wal"), snapshot.manifest.sealed_size, log, findings := Findings()
        )
        files.append(tail.check(snapshot.tail))
        self.findings.take(*findings.kept)
        self.remarks += tail.remarks
        history = self._read_history(files, tree, checkpoint)
        anchors = self._check_signatures(checkpoint, snapshot, history, log)
        presence = check_presence(files, log, history, self.findings)
        check_ids(files, log, self.findings)
        with self._below_ledger() as below:
            check_other_files(self.home.ledger, checkpoint.size, below, self.remarks)
        check_strays(self.home, snapshot, self.findings, self.remarks)
        return replace(
            self._report(checkpoint, anchors),
            checked=presence.whole,
            erased=presence.erased,
            uncommitted=tail.uncommitted,
            erasures=list_erasures(history, presence.covers),
        )

    def _read_checkpoint(self, snapshot: Snapshot) -> Checkpoint | None:
        place = self.home.named(self.home.ledger / "checkpoint")
        if snapshot.checkpoint is None:
            self.findings.add(Code.CHECKPOINT_MISSING, "there is no checkpoint", place)
            return None
        try:
            checkpoint = parse_checkpoint(parse_note(snapshot.checkpoint).text)
        except VerificationError as error:
            self.findings.add(Code.CHECKPOINT_INVALID, error.message, place)
            return None
        sealed = snapshot.manifest.sealed_size
        if sealed > checkpoint.size:
            message = f"{sealed} events are sealed, the checkpoint covers {checkpoint.size}"
            self.findings.add(Code.ANCHOR_AHEAD, message, place)
        return checkpoint if self._reaches(checkpoint.size) else None

    def _reaches(self, size: int) -> bool:
        """Return whether the log has its last entries, so that a made-up size costs nobody any time."""
        last = (size - 1) // TILE_WIDTH
        path = entries_path(last, width_at(0, last, size)) if size else ""
        read = read_below(self.home.ledger)
        if not size or read(path) is not None or read(entries_path(last)) is not None:
            return True
        place = f"{self.home.named(self.home.ledger)}/{path}"
        self.findings.add(Code.BUNDLE_MISSING, "the entry bundle is missing", place, last * TILE_WIDTH)
        return False

    def _check_tree(self, checkpoint: Checkpoint) -> TreeFacts:
        advance = self._advance("tree", checkpoint.size)
        with self._below_ledger() as findings:
            tree = check_tree(checkpoint, read_below(self.home.ledger), findings, entries=True, advance=advance)
        if tree.root != checkpoint.root:
            place = self.home.named(self.home.ledger / "checkpoint")
            self.findings.add(Code.ROOT_DIFFERS, "the entries do not have the root that it says", place)
        return tree

    def _read_history(self, files: list[ContentFacts], tree: TreeFacts, checkpoint: Checkpoint) -> LogHistory:
        place = "the product's events"
        self.product = sorted(event for file in files for event in file.product)
        history = read_history(self.product, self.findings, place)
        check_numbers(history, tree.classes, tree.sources, self.findings, place)
        self._read_later(history, checkpoint)
        return history

    def _read_later(self, history: LogHistory, checkpoint: Checkpoint) -> None:
        """Take in what the logs after this one say about it, each checked as a whole first."""
        base = checkpoint.size
        for name in names_after(self.home):
            run = _Run(find_home(self.home.data, name), Trust(), lambda *_: None)
            report = run.check()
            if report.findings:
                self.remarks.append(f"what ledger {name} says about this log does not count: it does not verify itself")
            else:
                take_later(history.erasure, checkpoint.origin, base, run.product, self.findings, f"ledger {name}")
            base += report.size

    def _check_signatures(
        self, checkpoint: Checkpoint, snapshot: Snapshot, history: LogHistory, log: EntryLog
    ) -> AnchorFacts:
        assert snapshot.checkpoint is not None
        place = self.home.named(self.home.ledger / "checkpoint")
        tree = Tree(checkpoint, SizedTiles(checkpoint.size, read_below(self.home.ledger)))
        check = AnchorCheck(tree, history, self.trust, self.findings)
        anchors = [Anchor(place, snapshot.checkpoint, outside=False), *snapshot.kept, *self.trust.against]
        check.check_all(anchors, self._advance("checkpoints", len(anchors)))
        try:
            signed: frozenset[Ed25519Verifier] = signers(snapshot.checkpoint, history.keys_known())
        except VerificationError:
            signed = frozenset()  # a finding already
        check_pinned(self.trust, history, signed, check.signed, self.findings, place)
        entries = f"{self.home.named(self.home.ledger)}/tile/entries"
        check_times(check.facts.seen, log.received_at, checkpoint.size, self.trust.skew_s, self.findings, entries)
        return check.facts

    @contextmanager
    def _below_ledger(self) -> Iterator[Findings]:
        """Yield findings that name files by their path below the log's prefix, and take them as files of the directory."""
        findings = Findings()
        yield findings
        prefix = self.home.named(self.home.ledger)
        self.findings.take(*(replace(each, place=f"{prefix}/{each.place}") for each in findings.kept))

    def _advance(self, stage: str, total: int) -> Callable[[int], None]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self.progress(stage, done, total)

        self.progress(stage, 0, total)
        return advance

    def _report(self, checkpoint: Checkpoint, anchors: AnchorFacts) -> Report:
        tier, size = Tier.SELF_CONSISTENT, 0
        if anchors.anchored:
            tier, size = Tier.ANCHORED, anchors.anchored
        if anchors.witnessed:
            tier, size = Tier.WITNESSED, anchors.witnessed
        return Report(
            target=str(self.home.data),
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=checkpoint.root,
            tier=tier,
            tier_size=size,
            tier_at=anchors.witnessed_at if anchors.witnessed else None,
            findings=tuple(self.findings.kept),
            findings_total=self.findings.total,
            remarks=tuple(self.remarks),
        )
