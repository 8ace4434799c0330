"""Everything that a verification can find, by name, and what each means for a person."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """A kind of finding; the value is stable."""

    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT_INVALID = "checkpoint-invalid"
    CHECKPOINT_UNSIGNED = "checkpoint-unsigned"
    CHECKPOINT_DIFFERS = "checkpoint-differs"
    KEY_UNTRUSTED = "key-untrusted"
    KEYS_BROKEN = "keys-broken"
    BEGINNING_WRONG = "beginning-wrong"
    ROOT_DIFFERS = "root-differs"
    TILE_MISSING = "tile-missing"
    TILE_DIFFERS = "tile-differs"
    BUNDLE_MISSING = "bundle-missing"
    BUNDLE_DIFFERS = "bundle-differs"
    ENTRY_INVALID = "entry-invalid"
    TIME_DECREASES = "time-decreases"
    FILE_UNEXPECTED = "file-unexpected"
    CONTENT_DIFFERS = "content-differs"
    CONTENT_NOT_CANONICAL = "content-not-canonical"
    CONTENT_UNREADABLE = "content-unreadable"
    CONTENT_TWICE = "content-twice"
    CONTENT_MISSING = "content-missing"
    DERIVED_DIFFERS = "derived-differs"
    SEGMENT_UNREADABLE = "segment-unreadable"
    MANIFEST_WRONG = "manifest-wrong"
    FRAME_DAMAGED = "frame-damaged"
    ID_TWICE = "id-twice"
    SOURCE_UNDEFINED = "source-undefined"
    CLASS_UNDEFINED = "class-undefined"
    NUMBER_REUSED = "number-reused"
    PRODUCT_FORGED = "product-forged"
    PRODUCT_MALFORMED = "product-malformed"
    ANCHOR_UNSIGNED = "anchor-unsigned"
    ANCHOR_AHEAD = "anchor-ahead"
    ANCHOR_DIFFERS = "anchor-differs"
    POLICY_NOT_MET = "policy-not-met"
    TIME_IMPOSSIBLE = "time-impossible"
    PACKAGE_WRONG = "package-wrong"
    PROOF_WRONG = "proof-wrong"
    REVIEW_WRONG = "review-wrong"


MEANING: Final = {
    Code.CHECKPOINT_MISSING: "Without a signed checkpoint nothing says what the log is.",
    Code.CHECKPOINT_INVALID: "The checkpoint was changed, or something else stands in its place.",
    Code.CHECKPOINT_UNSIGNED: "The key that the log itself names did not sign this: the log was forged or cut together.",
    Code.CHECKPOINT_DIFFERS: "The log signed two histories that exclude each other.",
    Code.KEY_UNTRUSTED: "The log may be genuine, but no key that you trust vouches for it.",
    Code.KEYS_BROKEN: "The log does not say which key signs it, so no signature on it counts.",
    Code.BEGINNING_WRONG: "The first event must say which log this is; this is another log, or its beginning was changed.",
    Code.ROOT_DIFFERS: "Entries were changed, added, removed or reordered after the checkpoint was signed.",
    Code.TILE_MISSING: "A part of the tree is gone; proofs through it cannot be made.",
    Code.TILE_DIFFERS: "Hashes of the tree were changed; proofs made from this file would be false.",
    Code.BUNDLE_MISSING: "Entries of the log are gone.",
    Code.BUNDLE_DIFFERS: "Entries of the log were changed.",
    Code.ENTRY_INVALID: "An entry is not of the format that the log promised.",
    Code.TIME_DECREASES: "Time of receipt never decreases: an event was back-dated or put in another place.",
    Code.FILE_UNEXPECTED: "Somebody put a file where only the log writes.",
    Code.CONTENT_DIFFERS: "The event shown is not the one that was recorded: its content was changed, moved or exchanged.",
    Code.CONTENT_NOT_CANONICAL: "Two readers could read two stories from these bytes.",
    Code.CONTENT_UNREADABLE: "The content is not that of an event.",
    Code.CONTENT_TWICE: "An index has one event; somebody put another copy beside it.",
    Code.CONTENT_MISSING: "Content is gone, and the log does not hold a right to its erasure.",
    Code.DERIVED_DIFFERS: "Searches could hide or invent this event; its content is untouched. `tallystick rebuild` derives it again.",
    Code.SEGMENT_UNREADABLE: "The content in this file is lost or damaged. Restore it from a backup, and keep the damaged file.",
    Code.MANIFEST_WRONG: "The list of segments was changed: content is hidden, or other files were put in its place.",
    Code.FRAME_DAMAGED: "Events that were acknowledged but not yet sealed were changed or lost.",
    Code.ID_TWICE: "Two events answer to one id: whoever asks for it may be shown the wrong one.",
    Code.SOURCE_UNDEFINED: "An event claims a sender that nobody had registered.",
    Code.CLASS_UNDEFINED: "An event stands in a retention class that nobody had defined.",
    Code.NUMBER_REUSED: "A number was given twice: earlier events would be read as somebody else's.",
    Code.PRODUCT_FORGED: "Only the product itself may say this; somebody else did, to pass for it.",
    Code.PRODUCT_MALFORMED: "An event about the log itself does not say what it must, so no rule can rest on it.",
    Code.ANCHOR_UNSIGNED: "The checkpoint you hold was not signed by a key of this log: it is of another log, or this one was replaced.",
    Code.ANCHOR_AHEAD: "The log once was larger: it was rolled back to an older copy, and what came later is gone.",
    Code.ANCHOR_DIFFERS: "The log that was shown to you earlier is not this one: its history was rewritten.",
    Code.POLICY_NOT_MET: "The witnesses you trust have not vouched for this log.",
    Code.TIME_IMPOSSIBLE: "A witness saw the log at another time than the event claims: its time of receipt is false.",
    Code.PACKAGE_WRONG: "The package was changed or is not whole.",
    Code.PROOF_WRONG: "The proof does not show that this event is in the log.",
    Code.REVIEW_WRONG: "What the package says of the review is not what the log says was reviewed or signed.",
}
