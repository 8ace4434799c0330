"""The story that the crash tests interrupt, and what must be true afterwards, wherever it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.errors import TallystickError
from tallystick.event.batch import Batch
from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import format_entry
from tallystick.ledger import Ledger, LedgerOptions, Rotation
from tallystick.ledger.errors import NoLedgerError
from tallystick.merkle import hash_leaf, hash_leaves, root_at, verify_consistency
from tallystick.merkle.tree import SizedTiles
from tallystick.note.checkpoint import Checkpoint, parse_checkpoint
from tallystick.note.note import parse_note
from tallystick.segment.content import ContentFile
from tallystick.segment.manifest import CONTENT
from tallystick.testing import BatchMaker, FaultyDisk, Keep, ManualClock

OPTIONS = LedgerOptions(background=False, rotation=Rotation(events=400))
ORIGIN = "example.org/crash"
SOURCE = 5


@dataclass
class Witnessed:
    """What the outside was told: receipts, and every checkpoint that was ever published."""

    events: dict[int, tuple[bytes, bytes, bytes]] = field(default_factory=dict)  # index -> id, leaf, facts
    published: list[Checkpoint] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def acknowledge(self, ledger: Ledger, batch: Batch) -> None:
        receipt = ledger.append(batch, SOURCE)
        for at, index in enumerate(receipt.indexes):
            assert index not in self.events, f"index {index} was given twice"
            leaf = receipt.leaves[at * 32 : at * 32 + 32]
            self.events[index] = (batch.ids[at * 16 : at * 16 + 16], leaf, batch.facts[at])

    def look(self, data: Path) -> None:
        """See what a reader of the static files sees."""
        path = data / "ledger" / "main" / "checkpoint"
        if path.exists():
            checkpoint = parse_checkpoint(parse_note(path.read_bytes()).text)
            if checkpoint not in self.published:
                self.published.append(checkpoint)


class Story:
    """One ledger on one faulty disk, told from its creation on."""

    def __init__(self, root: Path) -> None:
        self.disk = FaultyDisk(root)
        self.data, self.state = root / "data", root / "state"
        self.clock = ManualClock()
        self.maker = BatchMaker(1)
        self.witnessed = Witnessed()
        self.ledger: Ledger | None = None

    def tell(self, scenes: Sequence[Callable[[], None]] | None = None) -> None:
        """Run every scene; one that fails is noted, and the story goes on as a server would."""
        for scene in scenes or self.scenes():
            self.clock.advance(1)
            try:
                scene()
            except (TallystickError, OSError) as error:
                self.witnessed.errors.append(f"{type(error).__name__}: {error}")
            self.witnessed.look(self.data)

    def scenes(self) -> list[Callable[[], None]]:
        return [
            self.open_or_create,
            self.append(3),
            self.append(260),
            self.advance,
            self.append(1),
            self.append(40),
            self.advance,
            self.append(120),
            self.append(5),  # over the limit of the first file: opens the second
            self.advance,
            self.close,
            self.open_or_create,
            self.append(7),
            self.rotate,
            self.append(2),
            self.advance,
            self.close,
        ]

    def open_or_create(self) -> None:
        if self.ledger is not None:
            return
        surroundings = {"disk": self.disk, "clock": self.clock, "options": OPTIONS}
        product = self.maker.admit_product
        try:
            self.ledger = Ledger.open(self.data, self.state, admission=product, **surroundings)  # type: ignore[arg-type]
        except NoLedgerError:
            self.ledger = Ledger.create(
                self.data,
                self.state,
                admission=product,
                origin=ORIGIN,
                **surroundings,  # type: ignore[arg-type]
            )

    def append(self, count: int) -> Callable[[], None]:
        def scene() -> None:
            self.open_or_create()
            assert self.ledger is not None
            self.witnessed.acknowledge(self.ledger, self.maker.batch(count))

        return scene

    def advance(self) -> None:
        self.open_or_create()
        assert self.ledger is not None
        self.ledger.advance()

    def rotate(self) -> None:
        if self.ledger is not None:
            self.ledger.rotate()

    def close(self) -> None:
        ledger, self.ledger = self.ledger, None
        if ledger is not None:
            ledger.close()

    def end(self, keep: Keep | None, seed: int = 0) -> None:
        """Let the process go, and the power too unless `keep` is None."""
        self.close()
        self.witnessed.look(self.data)
        if keep is None:
            self.disk.heal()
        else:
            self.disk.cut_power(keep, seed)

    def check(self) -> None:
        """Open on a healthy disk, find everything that was promised, and go on."""
        self.open_or_create()
        check_ledger(self.ledger, self.data, self.witnessed)
        self.advance()
        self.append(300)()
        self.advance()
        self.witnessed.look(self.data)
        check_ledger(self.ledger, self.data, self.witnessed)
        self.close()


def check_ledger(ledger: Ledger | None, data: Path, witnessed: Witnessed) -> None:
    """Everything acknowledged is there as acknowledged, and the tree goes on from all that was published."""
    assert ledger is not None
    stored = read_all(ledger, data)
    for index, (event_id, leaf, facts) in witnessed.events.items():
        event = stored[index]
        assert (event.id, event.facts) == (event_id, facts), f"index {index} holds another event"
        assert hash_leaf(format_entry(event.entry())) == leaf, f"index {index} has another leaf"
    committed = parse_checkpoint(parse_note(ledger.checkpoint()).text)
    tiles = SizedTiles(committed.size, ledger.find_tile)
    assert root_at(committed.size, tiles) == committed.root
    leaves = b"".join(hash_leaf(format_entry(stored[index].entry())) for index in range(committed.size))
    for bundle in range(-(-committed.size // 256)):
        entries = ledger.read_entries(bundle)
        assert hash_leaves(entries) == leaves[bundle * 8192 : bundle * 8192 + 8192]
    for old in witnessed.published:
        assert old.size <= committed.size, "a checkpoint was published that the ledger forgot"
        if old.size:
            path = ledger.prove_consistency(old.size, committed.size)
            verify_consistency(old.size, committed.size, old.root, committed.root, path)


def read_all(ledger: Ledger, data: Path) -> list[Disclosure]:
    """Return every event by index, from segments and tail; fails on gaps and doubles."""
    snapshot = ledger.snapshot()
    found: dict[int, Disclosure] = {}
    for entry in snapshot.segments:
        for rows in ContentFile(data / "segments" / "main" / entry.path / CONTENT).iterate():
            for event in rows:
                assert event.index not in found
                found[event.index] = event
    assert len(found) == snapshot.sealed_size
    for ref in snapshot.frames:
        frame = ref.read()
        frame.check()
        for at in range(frame.count):
            assert frame.first_index + at not in found
            found[frame.first_index + at] = frame.disclosure(at)
    assert sorted(found) == list(range(snapshot.size))
    return [found[index] for index in range(snapshot.size)]
