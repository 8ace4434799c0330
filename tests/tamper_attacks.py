"""The attacks of the tamper suite: what is done, and what each kind of reader is told (`docs/how-tampering-shows.md`).

Indexes are those of `tests/tamper_world.py`: 0 to 5 are the product's, 20 to 24 and 40 to 44 were erased by right, 100 to
109 are held, everything up to 412 is sealed, everything up to 547 is witnessed and anchored, 548 to 559 is not.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from tallystick.event.batch import Batch, admission_checksum
from tallystick.event.canonical import canonical_json
from tallystick.event.disclosure import Disclosure
from tallystick.event.entry import ENTRY_BYTES, format_entries
from tallystick.event.erasure import Decision, Part
from tallystick.event.frame import format_frame
from tallystick.ledger import ErasureOrder, Ledger
from tallystick.ledger.genesis import CLASSES, genesis_events
from tallystick.merkle import HASH_BYTES, hash_leaves, tile_path
from tallystick.note import Checkpoint, Ed25519Signer, sign_checkpoint
from tallystick.segment.columns import ColumnsFile, ColumnsWriter
from tallystick.segment.manifest import COLUMNS, CONTENT, SUMMARY
from tallystick.verify.codes import Code

from .attacker import Attacker, Record, at_time, recommit, renumber
from .tamper_world import CRM, DAY_S, GITLAB, ORIGIN, Scene, loose, product, registered

EVENT = 60
HIDDEN_FROM = 700_000_000


@dataclass(frozen=True)
class Attack:
    """`alone`, `against` and `witness` are the first finding with nothing from outside, with the kept checkpoints and with
    the policy; None where that reader cannot notice. `key` is that of a reader who pinned the log's key.
    """

    name: str
    group: str
    what: str
    do: Callable[[Scene], object]
    alone: Code | None = None
    against: Code | None = None
    witness: Code | None = None
    key: Code | None = None
    note: str = ""

    @property
    def caught_by(self) -> str:
        if self.alone:
            return "the ledger alone"
        outside = [word for word, code in (("a pinned key", self.key), ("`--against`", self.against)) if code]
        if self.witness:
            outside.append("a witness")
        return " or ".join(outside) or "nobody"


ATTACKS: list[Attack] = []


def attack(
    group: str,
    what: str,
    *,
    alone: Code | None = None,
    against: Code | None = None,
    witness: Code | None = None,
    key: Code | None = None,
    note: str = "",
) -> Callable[[Callable[[Scene], object]], Callable[[Scene], object]]:
    def register(do: Callable[[Scene], object]) -> Callable[[Scene], object]:
        ATTACKS.append(Attack(do.__name__, group, what, do, alone, against, witness, key, note))
        return do

    return register


def changed(data: bytes | None) -> bytes:
    """Return other canonical bytes of the same length."""
    assert data is not None
    return data.replace(b"acme/payments", b"acme/garments").replace(b"Ana", b"Eva")


# -- content, without the key -------------------------------------------------------------------------------------------

CONTENT_GROUP = "Content is changed on the disk"


@attack(
    CONTENT_GROUP,
    "A fact of a sealed event is edited; columns, summary and manifest are made to fit.",
    alone=Code.CONTENT_DIFFERS,
)
def edit_a_fact(scene: Scene) -> None:
    scene.attacker.change_row(EVENT, lambda row: dataclasses.replace(row, facts=changed(row.facts)))


@attack(CONTENT_GROUP, "A personal member is edited, everything derived made to fit.", alone=Code.CONTENT_DIFFERS)
def edit_a_personal_member(scene: Scene) -> None:
    scene.attacker.change_row(EVENT, lambda row: dataclasses.replace(row, personal=changed(row.personal)))


@attack(CONTENT_GROUP, "A salt is exchanged, so that the event can never be proven again.", alone=Code.CONTENT_DIFFERS)
def exchange_a_salt(scene: Scene) -> None:
    scene.attacker.change_row(EVENT, lambda row: dataclasses.replace(row, salt1=bytes(16)))


@attack(CONTENT_GROUP, "An event gets another id.", alone=Code.CONTENT_DIFFERS)
def exchange_an_id(scene: Scene) -> None:
    scene.attacker.change_row(EVENT, lambda row: dataclasses.replace(row, id=bytes(16)))


@attack(
    CONTENT_GROUP,
    "The time of receipt beside the content is changed, the entry left alone.",
    alone=Code.CONTENT_DIFFERS,
)
def edit_the_time_beside_the_content(scene: Scene) -> None:
    scene.attacker.change_row(EVENT, lambda row: dataclasses.replace(row, received_at=row.received_at - 1))


@attack(CONTENT_GROUP, "The contents of two events are exchanged.", alone=Code.CONTENT_DIFFERS)
def swap_two_contents(scene: Scene) -> None:
    attacker = scene.attacker
    entry = attacker.segment_of(EVENT)
    rows = attacker.rows(entry)
    at = next(at for at, row in enumerate(rows) if row.index == EVENT)
    one, other = rows[at], rows[at + 1]
    rows[at], rows[at + 1] = dataclasses.replace(other, index=one.index), dataclasses.replace(one, index=other.index)
    attacker.put_segment(entry, rows)


@attack(CONTENT_GROUP, "An event is taken out of its segment, everything else made to fit.", alone=Code.CONTENT_MISSING)
def drop_an_event(scene: Scene) -> None:
    scene.attacker.change_row(EVENT, lambda _: None)


@attack(
    CONTENT_GROUP,
    "A personal part is destroyed like by an erasure, with its digest left; nothing in the log says so.",
    alone=Code.CONTENT_MISSING,
)
def erase_a_personal_part_silently(scene: Scene) -> None:
    from tallystick.event.commitment import personal_digest

    def strip(row: Disclosure) -> Disclosure:
        assert row.salt2 is not None
        assert row.personal is not None
        digest = personal_digest(row.salt2, row.personal)
        return dataclasses.replace(row, salt2=None, personal=None, personal_digest=digest)

    scene.attacker.change_row(EVENT, strip)


@attack(CONTENT_GROUP, "A second copy of an event is put beside the first.", alone=Code.CONTENT_TWICE)
def insert_a_copy(scene: Scene) -> None:
    attacker = scene.attacker
    entry = attacker.segment_of(EVENT)
    attacker.put_segment(entry, [copy for row in attacker.rows(entry) for copy in [row] * (1 + (row.index == EVENT))])


@attack(CONTENT_GROUP, "An event is put into a class whose content lasts for ever, too.", alone=Code.CONTENT_DIFFERS)
def copy_an_event_into_another_class(scene: Scene) -> None:
    attacker = scene.attacker
    copy = next(row for row in attacker.rows(attacker.segment_of(EVENT)) if row.index == EVENT)
    other = next(entry for entry in attacker.manifest.segments if entry.class_number == 1)
    attacker.put_segment(other, [*attacker.rows(other), copy])


@attack(CONTENT_GROUP, "A content file is cut off in the middle.", alone=Code.SEGMENT_UNREADABLE)
def truncate_a_content_file(scene: Scene) -> None:
    attacker = scene.attacker
    path = attacker.segments / attacker.segment_of(EVENT).path / CONTENT
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@attack(CONTENT_GROUP, "A segment's folder is removed.", alone=Code.SEGMENT_UNREADABLE)
def remove_a_segment(scene: Scene) -> None:
    attacker = scene.attacker
    shutil.rmtree(attacker.segments / attacker.segment_of(EVENT).path)


# -- what searches read -------------------------------------------------------------------------------------------------

DERIVED_GROUP = "What searches read is changed, the content left alone"


@attack(DERIVED_GROUP, "A column is edited so that searches miss an event.", alone=Code.DERIVED_DIFFERS)
def edit_a_column(scene: Scene) -> None:
    attacker = scene.attacker
    path = attacker.segments / attacker.segment_of(EVENT).path / COLUMNS
    table = ColumnsFile(path).read()
    actions = ["user.signed_in" if at == 7 else value for at, value in enumerate(table.column("action").to_pylist())]
    position = table.schema.get_field_index("action")
    table = table.set_column(position, table.schema.field(position), [actions])
    writer = ColumnsWriter()
    writer.add(table)
    path.write_bytes(writer.finish())


@attack(
    DERIVED_GROUP,
    "The summary of another segment is put in place, so that searches skip this one.",
    alone=Code.DERIVED_DIFFERS,
)
def exchange_a_summary(scene: Scene) -> None:
    attacker = scene.attacker
    one, other = (entry for entry in attacker.manifest.segments if entry.class_number == 2)
    shutil.copy(attacker.segments / other.path / SUMMARY, attacker.segments / one.path / SUMMARY)


@attack(DERIVED_GROUP, "A byte of a summary's filters is inverted.", alone=Code.DERIVED_DIFFERS)
def edit_a_summary(scene: Scene) -> None:
    attacker = scene.attacker
    attacker.flip(attacker.segments / attacker.segment_of(EVENT).path / SUMMARY, -1)


@attack(DERIVED_GROUP, "A segment is struck from the manifest.", alone=Code.CONTENT_MISSING)
def strike_a_segment_from_the_manifest(scene: Scene) -> None:
    attacker = scene.attacker
    gone = attacker.segment_of(EVENT).path
    attacker.save_manifest(entry for entry in attacker.manifest.segments if entry.path != gone)


@attack(
    DERIVED_GROUP,
    "The manifest says another time range of a segment, so that searches skip it.",
    alone=Code.MANIFEST_WRONG,
)
def edit_a_range_in_the_manifest(scene: Scene) -> None:
    attacker = scene.attacker
    gone = attacker.segment_of(EVENT).path
    lie = {"occurred_from": HIDDEN_FROM, "occurred_to": HIDDEN_FROM}
    import msgspec

    attacker.save_manifest(
        msgspec.structs.replace(entry, **lie) if entry.path == gone else entry for entry in attacker.manifest.segments
    )


@attack(
    DERIVED_GROUP,
    "A segment's files are exchanged for those of an older generation, the manifest left alone.",
    alone=Code.MANIFEST_WRONG,
)
def replace_a_segment_by_an_older_generation(scene: Scene) -> None:
    attacker = scene.attacker
    entry = attacker.segment_of(EVENT)
    old = Attacker(scene.older)
    before = next(each for each in old.manifest.segments if (each.first, each.class_number) == (entry.first, 2))
    folder = attacker.segments / entry.path
    shutil.rmtree(folder)
    shutil.copytree(old.segments / before.path, folder)


# -- the tree, without the key ------------------------------------------------------------------------------------------

TREE_GROUP = "The tree is changed on the disk, without the signing key"


@attack(TREE_GROUP, "An entry is edited in its bundle.", alone=Code.BUNDLE_DIFFERS)
def edit_an_entry(scene: Scene) -> None:
    attacker = scene.attacker
    attacker.flip(attacker.bundle(0), EVENT * (ENTRY_BYTES + 2) + 20)


@attack(TREE_GROUP, "An entry at the young end of the log is edited.", alone=Code.BUNDLE_DIFFERS)
def edit_an_entry_of_the_partial_bundle(scene: Scene) -> None:
    attacker = scene.attacker
    attacker.flip(attacker.bundle(2), -1)


@attack(TREE_GROUP, "Entry and content are changed together, all derived files too.", alone=Code.BUNDLE_DIFFERS)
def edit_entry_and_content_together(scene: Scene) -> None:
    attacker = scene.attacker
    edit_a_fact(scene)
    row = next(row for row in attacker.rows(attacker.segment_of(EVENT)) if row.index == EVENT)
    forged = recommit(Record(b"", row)).entry
    attacker.edit(attacker.bundle(0), EVENT * (ENTRY_BYTES + 2) + 2, forged)


@attack(TREE_GROUP, "Two entries are exchanged in their bundle.", alone=Code.BUNDLE_DIFFERS)
def swap_two_entries(scene: Scene) -> None:
    path = scene.attacker.bundle(0)
    step = ENTRY_BYTES + 2
    data = path.read_bytes()
    one, other = data[EVENT * step :][:step], data[(EVENT + 1) * step :][:step]
    scene.attacker.edit(path, EVENT * step, other + one)


@attack(TREE_GROUP, "A hash in a full tile is changed.", alone=Code.TILE_DIFFERS)
def edit_a_full_tile(scene: Scene) -> None:
    scene.attacker.flip(scene.attacker.ledger / tile_path(0, 0), EVENT * HASH_BYTES)


@attack(TREE_GROUP, "A hash in the newest partial tile is changed.", alone=Code.TILE_DIFFERS)
def edit_the_partial_tile(scene: Scene) -> None:
    scene.attacker.flip(scene.attacker.ledger / tile_path(0, 2, 48), 40)


@attack(
    TREE_GROUP,
    "A hash in a partial tile that a wider one followed is changed: proofs at that old size would be false.",
    alone=Code.TILE_DIFFERS,
)
def edit_a_superseded_tile(scene: Scene) -> None:
    scene.attacker.flip(scene.attacker.superseded("0"), 3)


@attack(TREE_GROUP, "A bundle that a longer one followed is changed.", alone=Code.BUNDLE_DIFFERS)
def edit_a_superseded_bundle(scene: Scene) -> None:
    scene.attacker.flip(scene.attacker.superseded("entries"), 30)


@attack(TREE_GROUP, "A hash in a tile of level 1 is changed.", alone=Code.TILE_DIFFERS)
def edit_a_tile_of_level_1(scene: Scene) -> None:
    scene.attacker.flip(scene.attacker.ledger / tile_path(1, 0, 2), 0)


@attack(TREE_GROUP, "A tile is removed.", alone=Code.TILE_MISSING)
def remove_a_tile(scene: Scene) -> None:
    (scene.attacker.ledger / tile_path(0, 1)).unlink()


@attack(TREE_GROUP, "An entry bundle is removed.", alone=Code.BUNDLE_MISSING)
def remove_a_bundle(scene: Scene) -> None:
    scene.attacker.bundle(1).unlink()


@attack(TREE_GROUP, "A file of somebody's own is put among the tiles.", alone=Code.FILE_UNEXPECTED)
def add_a_file_among_the_tiles(scene: Scene) -> None:
    (scene.attacker.ledger / "tile/0/00x").write_bytes(b"hello")


@attack(
    TREE_GROUP,
    "All tiles are rebuilt for a changed history, but the checkpoint cannot be signed again.",
    alone=Code.ROOT_DIFFERS,
)
def rebuild_the_tree_without_the_key(scene: Scene) -> None:
    attacker = scene.attacker
    note = (attacker.ledger / "checkpoint").read_bytes()
    attacker.forge(edited(attacker))
    (attacker.ledger / "checkpoint").write_bytes(note)


@attack(TREE_GROUP, "The checkpoint names another root.", alone=Code.ROOT_DIFFERS)
def edit_the_checkpoint(scene: Scene) -> None:
    attacker = scene.attacker
    path = attacker.ledger / "checkpoint"
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"A" + lines[2][1:] if lines[2][:1] != b"A" else b"B" + lines[2][1:]
    path.write_bytes(b"\n".join(lines))


@attack(TREE_GROUP, "The checkpoint is signed by a key that the log does not know.", alone=Code.CHECKPOINT_UNSIGNED)
def sign_with_an_unknown_key(scene: Scene) -> None:
    attacker = scene.attacker
    checkpoint = attacker.checkpoint
    attacker.sign(checkpoint.size, checkpoint.root, Ed25519Signer(ORIGIN, bytes(32)))


@attack(TREE_GROUP, "The checkpoint is removed.", alone=Code.CHECKPOINT_MISSING)
def remove_the_checkpoint(scene: Scene) -> None:
    (scene.attacker.ledger / "checkpoint").unlink()


# -- events that are not sealed yet -------------------------------------------------------------------------------------

TAIL_GROUP = "The write-ahead log is changed"


@attack(TAIL_GROUP, "A byte of an unsealed event is changed.", alone=Code.FRAME_DAMAGED)
def edit_a_frame(scene: Scene) -> None:
    scene.attacker.flip(scene.attacker.wal_files()[-1], -200)


@attack(
    TAIL_GROUP,
    "A whole frame is rewritten, with all checksums, commitments and leaves in it made to fit.",
    alone=Code.CONTENT_DIFFERS,
)
def rewrite_a_frame(scene: Scene) -> None:
    attacker = scene.attacker
    path, previous, written = attacker.wal_files()[-1], b"", b""
    for number, frame in enumerate(attacker.frames()):
        rows = [frame.disclosure(at) for at in range(frame.count)]
        batch = _batch(rows, bytes(frame.salts), [changed(row.facts) if number == 0 else row.facts for row in rows])
        buffers = format_frame(
            batch,
            first_index=frame.first_index,
            received_at=frame.received_at,
            source=frame.source,
            nonce=frame.nonce,
            previous=previous or frame.previous,
            leaves=hash_leaves(format_entries(batch.classes, frame.source, frame.received_at, batch.contents)),
        )
        previous = sha256(buffers[0]).digest()
        written += b"".join(buffers)
    path.write_bytes(written)


def _batch(rows: list[Disclosure], salts: bytes, facts: list[bytes | None]) -> Batch:
    """Return the batch that admission would have made of these rows with other facts."""
    ids = b"".join(row.id for row in rows)
    known = tuple(each or b"" for each in facts)
    personal = tuple(row.personal or b"" for row in rows)
    contents = b"".join(
        dataclasses.replace(row, facts=each).entry().content for row, each in zip(rows, known, strict=True)
    )
    return Batch(
        ids=ids,
        given=bytes(len(rows)),
        salts=salts,
        classes=tuple(row.class_number for row in rows),
        contents=contents,
        facts=known,
        personal=personal,
        checksum=admission_checksum(ids, salts, contents, known, personal),
    )


@attack(
    TAIL_GROUP, "The end of the write-ahead log is cut off, though a checkpoint covers it.", alone=Code.CONTENT_MISSING
)
def cut_off_the_tail(scene: Scene) -> None:
    attacker = scene.attacker
    path, frames = attacker.wal_files()[-1], list(attacker.frames())
    path.write_bytes(path.read_bytes()[: sum(frame.size_bytes for frame in frames[:-1])])


# -- erasing without right ----------------------------------------------------------------------------------------------

ERASING_GROUP = "Content is destroyed, and the program is made to say so"


def erase(scene: Scene, order: ErasureOrder) -> None:
    scene.run(lambda ledger: scene.erase(ledger, order))


@attack(
    ERASING_GROUP,
    "A hold is made to vanish: the event that placed it is of the class whose facts are kept for ever.",
    alone=Code.CONTENT_MISSING,
)
def erase_what_is_kept_for_ever(scene: Scene) -> None:
    scene.clock.advance(1000 * DAY_S)
    scene.run(lambda ledger: scene.record(ledger, product("content.erased", erased(166, 1))))
    scene.attacker.change_row(166, lambda _: None)


@attack(ERASING_GROUP, "Content is erased before its retention has passed.", alone=Code.CONTENT_MISSING)
def erase_before_retention(scene: Scene) -> None:
    scene.clock.advance(390 * DAY_S)
    erase(scene, ErasureOrder(((EVENT, 3),), Part.ALL))


@attack(ERASING_GROUP, "Retention is shortened, and content erased the same day.", alone=Code.CONTENT_MISSING)
def shorten_retention_and_erase(scene: Scene) -> None:
    shorter = product("class.changed", {"number": 2, "retention_days": 1})
    scene.run(lambda ledger: scene.record(ledger, shorter))
    scene.clock.advance(3 * DAY_S)
    erase(scene, ErasureOrder(((EVENT, 3),), Part.ALL))


@attack(ERASING_GROUP, "Content under a hold is erased after its retention.", alone=Code.CONTENT_MISSING)
def erase_under_hold(scene: Scene) -> None:
    scene.clock.advance(500 * DAY_S)
    erase(scene, ErasureOrder(((104, 2),), Part.ALL))


def decided(scene: Scene, approver: str, ranges: list[list[int]]) -> Decision:
    found: list[Decision] = []

    def decide(ledger: Ledger) -> None:
        asked = {"ranges": ranges, "part": "all", "ground": "because I say so"}
        request = scene.record(ledger, product("erasure.requested", asked, "ana"))[0]
        approval = scene.record(ledger, product("erasure.approved", {"request": request}, approver))[0]
        found.append(Decision(request, (approval,)))

    scene.run(decide)
    return found[0]


@attack(ERASING_GROUP, "One person requests and approves an erasure.", alone=Code.CONTENT_MISSING)
def erase_without_a_second_person(scene: Scene) -> None:
    erase(scene, ErasureOrder(((EVENT, 3),), Part.ALL, decided(scene, "ana", [[EVENT, 3]])))


@attack(ERASING_GROUP, "More is erased than two people decided.", alone=Code.CONTENT_MISSING)
def erase_more_than_was_decided(scene: Scene) -> None:
    erase(scene, ErasureOrder(((EVENT, 4),), Part.ALL, decided(scene, "ben", [[EVENT, 3]])))


@attack(ERASING_GROUP, "The second person approves only after the deed.", alone=Code.CONTENT_MISSING)
def approve_after_the_deed(scene: Scene) -> None:
    size = scene.attacker.checkpoint.size
    asked = {"ranges": [[EVENT, 3]], "part": "all", "ground": "later"}
    scene.run(lambda ledger: scene.record(ledger, product("erasure.requested", asked, "ana")))
    erase(scene, ErasureOrder(((EVENT, 3),), Part.ALL, Decision(size, (size + 2,))))
    scene.run(lambda ledger: scene.record(ledger, product("erasure.approved", {"request": size}, "ben")))


@attack(ERASING_GROUP, "The event that justifies an erasure is destroyed.", alone=Code.CONTENT_MISSING)
def delete_the_erasure_event(scene: Scene) -> None:
    scene.attacker.change_row(169, lambda _: None)


@attack(
    ERASING_GROUP,
    "Content that was erased by right is put back from an old copy.",
    note="What comes back is genuine, so nothing contradicts it; `verify` lists the erasure as covering nothing.",
)
def bring_erased_content_back(scene: Scene) -> None:
    attacker, old = scene.attacker, Attacker(scene.older)
    before = next(each for each in old.manifest.segments if each.class_number == 2)
    now = next(each for each in attacker.manifest.segments if (each.first, each.class_number) == (0, 2))
    attacker.put_segment(now, old.rows(before))


# -- saying what only the product may say -------------------------------------------------------------------------------

RULES_GROUP = "The program is made to write what its own rules refuse"


def append(scene: Scene, batch: Batch, source: int) -> None:
    scene.run(lambda ledger: ledger.append(batch, source))


def erased(first: int, size: int) -> dict[str, object]:
    return {"ranges": [[first, size]], "part": "all", "ground": {"kind": "retention"}}


def facts(action: str, metadata: dict[str, object]) -> bytes:
    return canonical_json(
        {
            "action": action,
            "actor": {"id": "ana", "type": "user"},
            "metadata": metadata,
            "occurred_at": "2026-11-21T01:00:00.000000Z",
            "outcome": "success",
            "scope": "tallystick",
            "severity": "high",
            "targets": [{"id": ORIGIN, "type": "ledger"}],
        }
    )


@attack(
    RULES_GROUP,
    "An ordinary source says `content.erased`, to make an absence look justified.",
    alone=Code.PRODUCT_FORGED,
)
def forge_a_product_event(scene: Scene) -> None:
    append(scene, loose(facts("content.erased", erased(EVENT, 1)), class_number=1), GITLAB)


@attack(RULES_GROUP, "The product's own erasure stands in a class whose content ends.", alone=Code.PRODUCT_MALFORMED)
def put_a_product_event_into_a_mortal_class(scene: Scene) -> None:
    append(scene, loose(facts("content.erased", erased(EVENT, 1)), class_number=2), 0)


@attack(RULES_GROUP, "Events come from a source number that nobody registered.", alone=Code.SOURCE_UNDEFINED)
def use_an_unknown_source(scene: Scene) -> None:
    append(scene, scene.events(1), 77)


@attack(RULES_GROUP, "Events stand in a retention class that nobody defined.", alone=Code.CLASS_UNDEFINED)
def use_an_unknown_class(scene: Scene) -> None:
    append(scene, loose(facts("release.updated", {}), class_number=9), GITLAB)


@attack(RULES_GROUP, "A source's number is given to another sender.", alone=Code.NUMBER_REUSED)
def reuse_a_source_number(scene: Scene) -> None:
    scene.run(lambda ledger: scene.record(ledger, registered(GITLAB, "impostor")))


@attack(RULES_GROUP, "A second beginning is written in the middle of the log.", alone=Code.BEGINNING_WRONG)
def begin_twice(scene: Scene) -> None:
    begin = genesis_events(ORIGIN, scene.vkey, scene.clock.now_us())[0]
    scene.run(lambda ledger: scene.record(ledger, begin))


@attack(RULES_GROUP, "A change of keys is announced that replaces a key nobody used.", alone=Code.KEYS_BROKEN)
def announce_a_false_rotation(scene: Scene) -> None:
    keys = {name: Ed25519Signer(ORIGIN, bytes([number]) * 32).vkey for number, name in enumerate(("old", "new"))}
    scene.run(lambda ledger: scene.record(ledger, product("key.rotated", dict(keys))))


@attack(RULES_GROUP, "A second event gets the id of an earlier one of the same source.", alone=Code.ID_TWICE)
def use_an_id_twice(scene: Scene) -> None:
    frame = list(scene.attacker.frames())[-1]
    append(scene, loose(facts("release.updated", {}), ids=bytes(frame.ids[:16])), GITLAB)


@attack(
    RULES_GROUP,
    "Facts are committed to that two readers would read in two ways (a member twice).",
    alone=Code.CONTENT_NOT_CANONICAL,
)
def commit_to_two_stories(scene: Scene) -> None:
    double = facts("release.updated", {}).replace(b'"scope":', b'"scope":"acme/payments","scope":')
    append(scene, loose(double), GITLAB)


@attack(RULES_GROUP, "Facts are committed to that are canonical JSON but no event.", alone=Code.CONTENT_UNREADABLE)
def commit_to_no_event(scene: Scene) -> None:
    append(scene, loose(b'{"hello":"world"}'), GITLAB)


# -- with the signing key -----------------------------------------------------------------------------------------------

FORGERY_GROUP = "History is rewritten and signed with the stolen key"
REWRITTEN = {"against": Code.ANCHOR_DIFFERS, "witness": Code.POLICY_NOT_MET}


def edited(attacker: Attacker, index: int = EVENT) -> list[Record]:
    records = attacker.records()
    content = records[index].content
    assert content is not None
    records[index] = recommit(records[index], facts=changed(content.facts))
    return records


@attack(
    FORGERY_GROUP,
    "A fact is rewritten from content to root, everything signed again, cosignatures removed.",
    **REWRITTEN,
)
def rewrite_a_fact_and_sign(scene: Scene) -> None:
    attacker = scene.attacker
    attacker.forge(edited(attacker))


@attack(FORGERY_GROUP, "The same, but what witnesses cosigned is left in the directory.", alone=Code.CHECKPOINT_DIFFERS)
def rewrite_and_forget_the_cosignatures(scene: Scene) -> None:
    attacker = scene.attacker
    shutil.copytree(attacker.ledger / "cosigned", scene.root / "cosigned")
    attacker.forge(edited(attacker))
    shutil.copytree(scene.root / "cosigned", attacker.ledger / "cosigned")


@attack(FORGERY_GROUP, "An event is taken out and the gap closed.", **REWRITTEN)
def take_an_event_out_and_close_the_gap(scene: Scene) -> None:
    attacker = scene.attacker
    records = attacker.records()
    # Behind all that the product's events refer to by index, so that only the numbers of ordinary events shift.
    attacker.forge(renumber(records[:300] + records[301:]))


@attack(FORGERY_GROUP, "An event is invented and put into the past.", **REWRITTEN)
def insert_an_event_into_the_past(scene: Scene) -> None:
    attacker = scene.attacker
    records = attacker.records()
    invented = recommit(records[300], id=bytes(range(16)), salt1=bytes(16))
    attacker.forge(renumber([*records[:301], invented, *records[301:]]))


@attack(FORGERY_GROUP, "Two events change places.", **REWRITTEN)
def reorder_two_events(scene: Scene) -> None:
    attacker = scene.attacker
    records = attacker.records()
    records[300], records[301] = records[301], records[300]
    attacker.forge(renumber(records))


@attack(FORGERY_GROUP, "A witnessed event is back-dated to just behind the one before it.", **REWRITTEN)
def back_date_a_witnessed_event(scene: Scene) -> None:
    attacker = scene.attacker
    records = attacker.records()
    stamps = [next(iter(_stamps([record]))) for record in records]
    at = next(at for at, (one, other) in enumerate(pairwise(stamps), 1) if at > 200 and one < other)
    records[at] = at_time(records[at], stamps[at - 1])
    attacker.forge(records)


def _stamps(records: list[Record]) -> list[int]:
    from tallystick.event.entry import parse_entry

    return [parse_entry(record.entry).received_at for record in records]


@attack(FORGERY_GROUP, "An event is back-dated to before its neighbour.", alone=Code.TIME_DECREASES)
def back_date_before_the_neighbour(scene: Scene) -> None:
    attacker = scene.attacker
    records = attacker.records()
    records[300] = at_time(records[300], _stamps(records)[6] - 1)
    attacker.forge(records)


@attack(
    FORGERY_GROUP,
    "The log is cut off behind an event and signed as shorter.",
    against=Code.ANCHOR_AHEAD,
    witness=Code.POLICY_NOT_MET,
)
def truncate_and_sign(scene: Scene) -> None:
    attacker = scene.attacker
    attacker.forge(attacker.records()[:300])


@attack(
    FORGERY_GROUP,
    "The whole directory is rolled back to an older copy of itself.",
    against=Code.ANCHOR_AHEAD,
    note="With only a policy the report says *witnessed* up to the old size: ask the witness for its newest checkpoint and give it to `--against`. The running program notices by itself, through its last-signed record.",
)
def roll_back_to_an_old_copy(scene: Scene) -> None:
    shutil.rmtree(scene.data)
    shutil.copytree(scene.older, scene.data)


@attack(FORGERY_GROUP, "The log is rolled back and goes on differently (a fork).", **REWRITTEN)
def fork_from_an_old_copy(scene: Scene) -> None:
    attacker = scene.attacker
    records = attacker.records()
    forked = [
        recommit(record, id=record.content.id[::-1]) if record.content and index >= 413 else record
        for index, record in enumerate(records)
    ]
    attacker.forge(forked)


@attack(
    FORGERY_GROUP,
    "A second checkpoint is signed for another history and shown to one reader, who keeps it.",
    alone=Code.CHECKPOINT_DIFFERS,
)
def sign_two_histories(scene: Scene) -> None:
    attacker = scene.attacker
    folder = attacker.ledger / "cosigned/2027-01-15"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "2359").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, 400, bytes(32)), attacker.signer))


@attack(
    FORGERY_GROUP,
    "The whole log is rewritten under the same name with a new key.",
    key=Code.KEY_UNTRUSTED,
    against=Code.ANCHOR_UNSIGNED,
    witness=Code.POLICY_NOT_MET,
)
def replace_the_log_and_its_key(scene: Scene) -> None:
    attacker = scene.attacker
    attacker.signer = Ed25519Signer(ORIGIN, bytes([9]) * 32)
    records = attacker.records()
    first = records[0].content
    assert first is not None
    assert first.facts is not None
    records[0] = recommit(records[0], facts=first.facts.replace(scene.vkey.encode(), attacker.signer.vkey.encode()))
    attacker.forge(records)


@attack(
    FORGERY_GROUP,
    "The key is rotated to one of the attacker's own, and the log goes on with that alone.",
    key=Code.KEY_UNTRUSTED,
    witness=Code.KEY_UNTRUSTED,
    note="The change stands in the log, and a checkpoint kept from before fits. A reader who pinned the old key is told that no trusted key signed a checkpoint which names the new one.",
)
def rotate_to_a_key_of_ones_own(scene: Scene) -> None:
    new = Ed25519Signer(ORIGIN, bytes([9]) * 32)
    records = scene.attacker.records()
    rotated = product("key.rotated", {"old": scene.vkey, "new": new.vkey})
    # The program writes it, then the attacker signs that very tree with the new key alone: no old key ever covers it.
    scene.run(lambda ledger: scene.record(ledger, rotated))
    attacker = scene.attacker
    assert attacker.checkpoint.size == len(records) + 1
    attacker.sign(attacker.checkpoint.size, attacker.checkpoint.root, new)


# -- what witnesses signed ----------------------------------------------------------------------------------------------

WITNESS_GROUP = "What witnesses signed is attacked"


@attack(WITNESS_GROUP, "All cosignatures are removed.", witness=Code.POLICY_NOT_MET)
def drop_the_cosignatures(scene: Scene) -> None:
    scene.attacker.drop_cosigned()


@attack(
    WITNESS_GROUP, "A cosignature is forged: the witness's name, somebody's signature.", witness=Code.CHECKPOINT_INVALID
)
def forge_a_cosignature(scene: Scene) -> None:
    attacker = scene.attacker
    path = attacker.ledger / "checkpoint.witnessed"
    note = path.read_bytes()
    at = note.rstrip(b"\n").rfind(b" ") + 30
    attacker.edit(path, at, b"AAAA" if note[at : at + 4] != b"AAAA" else b"BBBB")


@attack(
    WITNESS_GROUP,
    "A new event is stamped with a time at which the witness saw the log without it.",
    witness=Code.TIME_IMPOSSIBLE,
)
def back_date_a_new_event(scene: Scene) -> None:
    # During the quiet days the witness signed size 413 daily; the next events are now said to have come on the first.
    attacker = scene.attacker
    records = attacker.records()
    quiet = _stamps(records)[412] + 3600 * 1_000_000
    kept = {path: path.read_bytes() for path in sorted((attacker.ledger / "cosigned").glob("*/*"))}
    attacker.forge([at_time(record, quiet) if index >= 413 else record for index, record in enumerate(records)])
    for path, note in kept.items():
        if b"\n413\n" in note or b"\n166\n" in note:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(note)
    scene.kept[-1].unlink()


@attack(
    WITNESS_GROUP,
    "The clock of the server is set forward, so that a witnessed event claims to come from the future.",
    witness=Code.TIME_IMPOSSIBLE,
)
def post_date_a_witnessed_event(scene: Scene) -> None:
    real = scene.clock.now_us()
    scene.clock.step(2 * DAY_S)
    append(scene, scene.events(1), GITLAB)
    scene.clock.step((real - scene.clock.now_us()) / 1_000_000)
    scene.cosign()


# -- what nobody outside can have seen ----------------------------------------------------------------------------------

NOBODY_GROUP = "What nothing outside could have noticed"


@attack(
    NOBODY_GROUP,
    "Only what is younger than the last outside checkpoint is rewritten and signed again.",
    note="The report says how many of the newest entries are only self-consistent. Senders' receipts and sequence numbers narrow this.",
)
def rewrite_the_newest_events(scene: Scene) -> None:
    attacker = scene.attacker
    cosigned = {path: path.read_bytes() for path in [*(attacker.ledger / "cosigned").glob("*/*")]}
    witnessed = (attacker.ledger / "checkpoint.witnessed").read_bytes()
    attacker.forge(edited(attacker, 555))
    for path, note in cosigned.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(note)
    (attacker.ledger / "checkpoint.witnessed").write_bytes(witnessed)


@attack(
    NOBODY_GROUP,
    "Content is read directly from the disk.",
    note="Reading leaves no trace here; only reads through the product are recorded.",
)
def read_the_disk(scene: Scene) -> None:
    assert scene.attacker.records()[EVENT].content


@attack(
    NOBODY_GROUP,
    "The key behind the pseudonyms is exchanged.",
    note="History is untouched, but new events of a person no longer carry the pseudonym of the old ones.",
)
def exchange_the_pseudonym_key(scene: Scene) -> None:
    (scene.data / "keys/pseudonym-key").write_bytes(b"AAAA" * 10 + b"AAA=\n")


@attack(
    NOBODY_GROUP,
    "The product's own tables (`tallystick.db`) are edited.",
    note="They are derived and no evidence: `tallystick rebuild` makes them again from the log.",
)
def edit_the_tables(scene: Scene) -> None:
    (scene.data / "tallystick.db").write_bytes(b"anything")


@attack(
    NOBODY_GROUP,
    "An event is suppressed before it is recorded.",
    note="What never reached the log is in no log; senders' sequence numbers show the gap.",
)
def suppress_an_event(scene: Scene) -> None:
    batch = scene.events(3)
    append(scene, batch.without([1]), CRM)


assert len(CLASSES) == 3  # the attacks on retention rest on class 2 being the standard one
