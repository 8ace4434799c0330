"""The worked examples of `docs/format` are recomputed from what they say was sent."""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType

import pytest
from tests.paths import ROOT

from tallystick.event.admission import Admission, Batch, SourceRules
from tallystick.event.catalogue import ActionType, Catalogue
from tallystick.event.commitment import facts_digest, personal_digest
from tallystick.event.disclosure import format_disclosure
from tallystick.event.entry import format_entries
from tallystick.event.frame import format_frame, parse_frame
from tallystick.event.pseudonym import Pseudonyms

FORMATS = ROOT / "docs" / "format"
RECEIVED_AT = 1_772_366_400_000_000
SOURCE = SourceRules(7, "app", ("",), "opaque")


def block(page: str, label: str) -> str:
    found = re.search(rf"^```\w+ {label}\n(.*?)\n```$", (FORMATS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def value(page: str, name: str) -> bytes:
    found = re.search(rf"^\| {name} \| `([0-9a-f]+)` \|$", (FORMATS / page).read_text(), re.MULTILINE)
    assert found is not None
    return bytes.fromhex(found[1])


@pytest.fixture
def example() -> Batch:
    release = ActionType(
        name="release.updated",
        description="The type that the page describes.",
        category="application",
        origin="any",
        severity="informational",
        message="{actor} updated {target}",
        facts=("/target/name",),
    )
    salts = value("event.md", "salt1") + value("event.md", "salt2")
    catalogue = Catalogue(MappingProxyType({release.name: release}))
    admission = Admission(catalogue, Pseudonyms(bytes(range(32))), entropy=lambda count: salts + bytes(count - 32))
    return admission.admit(block("event.md", "sent").encode(), SOURCE, now_us=RECEIVED_AT)


def test_the_example_event_has_the_bytes_and_digests_of_its_page(example: Batch) -> None:
    assert example.facts == (block("event.md", "facts").encode(),)
    assert example.personal == (block("event.md", "personal").encode(),)
    assert facts_digest(example.salts[:16], example.facts[0]) == value("event.md", "facts_digest")
    assert personal_digest(example.salts[16:], example.personal[0]) == value("event.md", "personal_digest")
    assert example.contents == value("event.md", "content") == value("entry.md", "content")


def test_the_example_entry_has_the_bytes_and_leaf_of_its_page(example: Batch) -> None:
    (entry,) = format_entries(example.classes, SOURCE.number, RECEIVED_AT, example.contents)
    assert entry == value("entry.md", "entry")
    assert hashlib.sha256(b"\0" + entry).digest() == value("entry.md", "leaf")


def test_the_example_frame_and_disclosure_have_the_bytes_of_their_pages(example: Batch) -> None:
    frame = b"".join(
        format_frame(
            example,
            first_index=41,
            received_at=RECEIVED_AT,
            source=SOURCE.number,
            nonce=bytes(range(16)),
            previous=bytes(32),
            leaves=value("entry.md", "leaf"),
        )
    )
    assert frame == bytes.fromhex(block("frame.md", "frame"))
    assert format_disclosure(parse_frame(frame).disclosure(0)).decode() == block("event.md", "disclosure")
