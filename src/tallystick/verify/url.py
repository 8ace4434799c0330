"""A log on a server: the tree from its tiles, content through disclosures, as far as the reader may read.

Superseded partial tiles, columns and summaries stay on the server's disk, so a directory shows more than this. What the
server does not show and no erasure accounts for is *withheld*: neither found wrong nor found to hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tallystick.errors import VerificationError
from tallystick.event.disclosure import Disclosure, IncompleteDisclosureError, parse_disclosure
from tallystick.event.entry import Entry, format_entry, parse_entry
from tallystick.event.erasure import Absence, Part, UncoveredAbsenceError, absence_is_covered
from tallystick.merkle import (
    HASH_BYTES,
    TILE_WIDTH,
    TileError,
    entries_path,
    hash_leaf,
    hash_leaves,
    parse_entry_bundle,
    parse_tile_path,
    root_at,
    tile_path,
)
from tallystick.merkle.hashing import fold_perfect
from tallystick.merkle.tiles import width_at
from tallystick.note import Checkpoint, parse_checkpoint, parse_note
from tallystick.verify.anchors import Anchor, AnchorCheck, Tree, Trust, check_pinned, check_times, signers
from tallystick.verify.codes import Code
from tallystick.verify.fetch import LogServer
from tallystick.verify.history import LogHistory, ProductEvent, check_numbers, read_history
from tallystick.verify.model import CouldNotCheckError, Erased, Findings, Progress, Report, Tier
from tallystick.verify.package import note_product
from tallystick.verify.proof import check_disclosed
from tallystick.verify.tree import EntryLog, TreeFacts, check_tree

if TYPE_CHECKING:
    import httpx

PAGE: Final = 1000
ID_WINDOW_US: Final = 7 * 86_400 * 1_000_000


def verify_url(
    url: str,
    trust: Trust,
    progress: Progress,
    *,
    token: str | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Report:
    """Return what a server's log shows to a reader with that token; raise CouldNotCheckError when it does not answer."""
    with LogServer(url, token, transport) as server:
        return _Check(server, trust, progress).run()


@dataclass(slots=True)
class _Seen:
    """What the disclosures showed: facts of every index in `whole` or `partial`, personal parts of those in `whole`."""

    whole: set[int] = field(default_factory=set)
    partial: set[int] = field(default_factory=set)
    product: list[ProductEvent] = field(default_factory=list)
    ids: dict[tuple[int, bytes], int] = field(default_factory=dict)


class LeafTiles:
    """The tree's hashes made from level-0 tiles that were read once, 32 bytes an event: a TileReader that no server can
    change its mind about.
    """

    def __init__(self) -> None:
        self.tiles: dict[int, bytes] = {}
        self._nodes: dict[tuple[int, int], bytes] = {}

    def keep(self, index: int, tile: bytes) -> None:
        """Keep a level-0 tile; only the first one given counts."""
        self.tiles.setdefault(index, tile)

    def leaf(self, index: int) -> bytes:
        """Return a leaf hash; empty where it is not known."""
        number, at = divmod(index, TILE_WIDTH)
        return self.tiles.get(number, b"")[at * HASH_BYTES : (at + 1) * HASH_BYTES]

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        """Return the first `width` hashes of a tile; raise TileError where leaves below it are not known."""
        if level == 0:
            hashes = self.tiles.get(index, b"")[: width * HASH_BYTES]
        else:
            first = index * TILE_WIDTH
            hashes = b"".join([self._node(level, number) for number in range(first, first + width)])
        if len(hashes) != width * HASH_BYTES:
            raise TileError(f"{tile_path(level, index, width)} is not known")
        return hashes

    def _node(self, level: int, number: int) -> bytes:
        node = self._nodes.get((level, number))
        if node is None:
            node = self._nodes[level, number] = fold_perfect(self.read_tile(level - 1, number, TILE_WIDTH))
        return node


def root_or_none(size: int, tiles: LeafTiles) -> bytes | None:
    """Return the root over the first leaves; None where some are not known."""
    try:
        return root_at(size, tiles)
    except VerificationError:
        return None


class _Check:
    """One server being checked."""

    def __init__(self, server: LogServer, trust: Trust, progress: Progress) -> None:
        self._server = server
        self._trust = trust
        self._progress = progress
        self._findings = Findings()
        self._remarks: list[str] = []
        self._leaves = LeafTiles()

    def run(self) -> Report:
        note = self._server.file("checkpoint")
        if note is None:
            self._findings.add(Code.CHECKPOINT_MISSING, "there is no checkpoint", self._server.base)
            return self._report(None)
        try:
            checkpoint = parse_checkpoint(parse_note(note).text)
        except VerificationError as error:
            self._findings.add(Code.CHECKPOINT_INVALID, error.message, "checkpoint")
            return self._report(None)
        entries = checkpoint.size > 0 and self._server.may_read_entries(
            entries_path(0, width_at(0, 0, checkpoint.size))
        )
        if not entries:
            self._remarks.append("entry bundles are not shown to this reader: times of receipt were not compared")
        tree = self._check_tree(checkpoint, entries=entries)
        if tree.given_up:
            return self._report(checkpoint)
        seen = self._read_content(checkpoint.size)
        if self._findings and 0 not in seen.whole | seen.partial and not self._trust.pinned:
            return self._report(checkpoint, checked=len(seen.whole) + len(seen.partial))
        history = self._history(seen, checkpoint)
        log = EntryLog(checkpoint.size, self._read_entries) if entries else None
        if log is not None:
            check_numbers(history, tree.classes, tree.sources, self._findings, "tile/entries")
        check = self._check_anchors(note, checkpoint, history, log)
        return self._conclude(checkpoint, seen, history, log, check)

    def _read(self, path: str) -> bytes | None:
        data = self._server.file(path)
        if data is not None and path.startswith("tile/0/"):
            self._leaves.keep(parse_tile_path(path).index, data)
        return data

    def _read_entries(self, path: str) -> bytes | None:
        """Return a bundle that hashes to the leaves already seen: a server may answer otherwise the second time."""
        data = self._server.file(path)
        try:
            leaves = hash_leaves(parse_entry_bundle(data or b""))
        except VerificationError:
            return None
        known = self._leaves.tiles.get(parse_tile_path(path).index, b"")
        return data if known and leaves[: len(known)] == known[: len(leaves)] else None

    def _check_tree(self, checkpoint: Checkpoint, *, entries: bool) -> TreeFacts:
        advance = self._advance("tree", checkpoint.size)
        tree = check_tree(checkpoint, self._read, self._findings, entries=entries, advance=advance)
        # What is compared with leaves and older roots from here on are the tiles kept, so they must make the root too.
        if tree.root != checkpoint.root or root_or_none(checkpoint.size, self._leaves) != checkpoint.root:
            message = "the entries do not have the root that it says"
            self._findings.add(Code.ROOT_DIFFERS, message, "checkpoint")
        return tree

    def _read_content(self, size: int) -> _Seen:
        """Take in what is disclosed, as far as the checkpoint reaches."""
        seen, after, advance = _Seen(), -1, self._advance("content", size)
        while after < size - 1:
            page = self._server.disclosures(after, PAGE)
            if page is None:
                self._remarks.append("content is not shown to this reader")
                break
            lines, looked_at = page
            before = after
            for line in lines:
                after = self._take(line, after, size, seen)
            after = max(looked_at, after)
            if after == before:
                break  # it shows nothing more, or the same again
            advance(after - before)
        return seen

    def _take(self, line: bytes, after: int, size: int, seen: _Seen) -> int:
        """Check one disclosure and return its index; a line that cannot be read leaves `after` as it is."""
        try:
            disclosure = parse_disclosure(line)
        except VerificationError as error:
            self._findings.add(Code.CONTENT_UNREADABLE, error.message, "disclosures", after + 1)
            return after
        index = disclosure.index
        if index >= size:
            return index
        if index <= after:
            self._findings.add(Code.CONTENT_TWICE, "it was disclosed before, or out of order", "disclosures", index)
            return after
        try:
            self._compare(disclosure, disclosure.entry(), seen)
        except IncompleteDisclosureError:
            pass  # counted as withheld, or accounted for by an erasure
        except VerificationError as error:
            self._findings.add(Code.CONTENT_NOT_CANONICAL, error.message, "disclosures", index)
        return index

    def _compare(self, disclosure: Disclosure, entry: Entry, seen: _Seen) -> None:
        index = disclosure.index
        if hash_leaf(format_entry(entry)) != self._leaves.leaf(index):
            message = "what the server discloses does not make the entry in its log"
            self._findings.add(Code.CONTENT_DIFFERS, message, "disclosures", index)
            return
        event = check_disclosed(disclosure) or {}
        note_product(disclosure, str(event.get("action")), "disclosures", seen.product, self._findings)
        (seen.whole if disclosure.personal is not None else seen.partial).add(index)
        name = (disclosure.source, disclosure.id)
        before = seen.ids.get(name)
        if before is not None and disclosure.received_at - before < ID_WINDOW_US:
            self._findings.add(Code.ID_TWICE, "another event of its source has its id", "disclosures", index)
        seen.ids[name] = disclosure.received_at

    def _history(self, seen: _Seen, checkpoint: Checkpoint) -> LogHistory:
        """Return the log's account of itself; for a reader who may not see its beginning, the pinned key stands in."""
        if 0 in seen.whole or 0 in seen.partial:
            history = read_history(seen.product, self._findings, "disclosures")
            if history.origin and history.origin != checkpoint.origin:
                message = f"the checkpoint is of {checkpoint.origin}, the log calls itself {history.origin}"
                self._findings.add(Code.BEGINNING_WRONG, message, "checkpoint", 0)
            return history
        pinned = [key for key in self._trust.pinned if key.name == checkpoint.origin]
        if not pinned:
            raise CouldNotCheckError(
                f"this reader may not see the beginning of {checkpoint.origin}, which names its key",
                advice="Give the log's verification key with --key or --policy, or a token that may read everything.",
            )
        self._remarks.append("the beginning of the log is not shown to this reader: it was judged by the key given")
        history = read_history(seen.product, Findings(), "disclosures")
        history.origin, history.first_key, history.rotations = checkpoint.origin, pinned[0], []
        return history

    def _check_anchors(
        self, note: bytes, checkpoint: Checkpoint, history: LogHistory, log: EntryLog | None
    ) -> AnchorCheck:
        tree = Tree(checkpoint, self._leaves)
        check = AnchorCheck(tree, history, self._trust, self._findings)
        anchors = [Anchor("checkpoint", note, outside=False)]
        witnessed = self._server.file("checkpoint.witnessed")
        if witnessed is not None and parse_checkpoint(parse_note(witnessed).text).size <= checkpoint.size:
            # One published since the checkpoint was read is larger, and no finding.
            anchors.append(Anchor("checkpoint.witnessed", witnessed, outside=False))
        anchors += self._trust.against
        check.check_all(anchors, self._advance("checkpoints", len(anchors)))
        try:
            signed = signers(note, history.keys_known())
        except VerificationError:
            signed = frozenset()  # a finding already
        check_pinned(self._trust, history, signed, check.signed, self._findings, "checkpoint")
        if log is not None:
            check_times(
                check.facts.seen,
                log.received_at,
                checkpoint.size,
                self._trust.skew_s,
                self._findings,
                "tile/entries",
            )
        return check

    def _conclude(
        self, checkpoint: Checkpoint, seen: _Seen, history: LogHistory, log: EntryLog | None, check: AnchorCheck
    ) -> Report:
        withheld = 0
        erased: Counter[int] = Counter()
        for index in range(checkpoint.size):
            if index in seen.whole:
                continue
            part = Part.PERSONAL if index in seen.partial else Part.ALL
            covering = _covering(index, part, history, log)
            if covering is None:
                withheld += 1
            else:
                erased[covering] += 1
        facts = check.facts
        tier = Tier.WITNESSED if facts.witnessed else Tier.ANCHORED if facts.anchored else Tier.SELF_CONSISTENT
        return self._report(
            checkpoint,
            tier=tier,
            tier_size=facts.witnessed or facts.anchored,
            tier_at=facts.witnessed_at,
            checked=len(seen.whole) + len(seen.partial),
            erased=erased.total(),
            withheld=withheld,
            erasures=tuple(
                Erased(
                    each.index,
                    each.ranges,
                    each.part.value,
                    "retention" if each.decision is None else f"decision at index {each.decision.request}",
                    erased[each.index],
                )
                for each in history.erasure.erasures
            ),
        )

    def _report(self, checkpoint: Checkpoint | None, **rest: object) -> Report:
        known = {} if checkpoint is None else {name: getattr(checkpoint, name) for name in ("origin", "size", "root")}
        return Report(
            target=self._server.base,
            findings=tuple(self._findings.kept),
            findings_total=self._findings.total,
            remarks=tuple(self._remarks),
            **known,
            **rest,  # type: ignore[arg-type]
        )

    def _advance(self, stage: str, total: int) -> Callable[[int], None]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done = min(total, done + count)
            self._progress(stage, done, total)

        return advance


def _covering(index: int, part: Part, history: LogHistory, log: EntryLog | None) -> int | None:
    """Return the index of the erasure that accounts for what is not shown; None where it is merely withheld."""
    data = log.entry(index) if log is not None else None
    try:
        entry = parse_entry(data or b"")
        return absence_is_covered(
            Absence(index, entry.class_number, entry.received_at, part, entry.source), history.erasure
        ).index
    except (UncoveredAbsenceError, VerificationError):
        return None
