"""The manifest is whole, ordered and without overlaps, or it is refused."""

from __future__ import annotations

import msgspec
import pytest

from tallystick.segment.errors import ManifestError
from tallystick.segment.manifest import (
    Manifest,
    SegmentEntry,
    SegmentName,
    format_manifest,
    parse_manifest,
    parse_segment_name,
    segment_name,
)


def entry(first: int, size: int, class_number: int = 2, generation: int = 0, events: int = 1) -> SegmentEntry:
    return SegmentEntry(
        first=first,
        size=size,
        class_number=class_number,
        generation=generation,
        events=events,
        path=segment_name(first, size, class_number, generation),
        content_sha256="ab" * 32,
        received_from=1,
        received_to=2,
        occurred_from=-5,
        occurred_to=9,
    )


MANIFEST = Manifest(version=7, sealed_size=300, segments=(entry(0, 100, 1), entry(0, 200, 2), entry(100, 200, 1, 3)))


def test_a_manifest_comes_back_as_it_was() -> None:
    data = format_manifest(MANIFEST)
    assert parse_manifest(data) == MANIFEST
    assert len(data.splitlines()) == 5


def test_an_empty_ledger_has_a_manifest() -> None:
    empty = Manifest(version=0, sealed_size=0)
    assert parse_manifest(format_manifest(empty)) == empty


def test_segments_covering_an_index_are_one_for_each_class() -> None:
    assert [found.path for found in MANIFEST.covering(150)] == ["0-200.c2.g0", "100-200.c1.g3"]
    assert list(MANIFEST.covering(300)) == []


@pytest.mark.parametrize(
    "segments",
    [
        (entry(100, 100), entry(0, 100)),
        (entry(0, 100), entry(0, 100)),
        (entry(0, 101), entry(100, 100)),
        (entry(0, 100, 2), entry(0, 100, 1)),
        (entry(250, 100),),
        (entry(0, 10, events=11),),
        (entry(0, 10, events=0),),
        (msgspec.structs.replace(entry(0, 10), path="0-10.c2.g1"),),
        (msgspec.structs.replace(entry(0, 10), path="../elsewhere"),),
    ],
)
def test_segments_that_cannot_be_are_refused(segments: tuple[SegmentEntry, ...]) -> None:
    manifest = Manifest(version=1, sealed_size=300, segments=segments)
    with pytest.raises(ManifestError):
        format_manifest(manifest)
    body = msgspec.json.encode({"format": 1, **msgspec.to_builtins(manifest)})
    with pytest.raises(ManifestError):
        parse_manifest(body)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":2,"version":0,"sealed_size":0,"segments":[]}',
        b'{"format":1,"version":0,"sealed_size":0,"segments":[],"more":1}',
        b'{"format":1,"version":"0","sealed_size":0,"segments":[]}',
        format_manifest(MANIFEST)[:-3],
    ],
)
def test_what_is_not_a_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_manifest(data)


def test_a_folder_name_says_what_the_segment_is() -> None:
    assert parse_segment_name("262144-262144.c12.g3") == SegmentName(262144, 262144, 12, 3)


@pytest.mark.parametrize("name", ["", "0-0.c1.g0", "00-1.c1.g0", "0-1.c1", "0-1.c1.g0/", "a-1.c1.g0", "0-1.c1.g0\n"])
def test_other_folder_names_are_refused(name: str) -> None:
    with pytest.raises(ManifestError):
        parse_segment_name(name)
