"""Commitments, entries, disclosures, frames and times: the fixed bytes of format 1."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable

import pytest
import rfc8785
from tests.event_samples import EVENT, KEY, NOW_US, OPAQUE, PRODUCT, admission, body, catalogue, event

from tallystick.event.admission import Admission, Batch, Limits, Media
from tallystick.event.canonical import check_canonical
from tallystick.event.commitment import content_digest, facts_digest, personal_digest
from tallystick.event.disclosure import (
    BadDisclosureError,
    Disclosure,
    IncompleteDisclosureError,
    format_disclosure,
    parse_disclosure,
)
from tallystick.event.entry import BadEntryError, Entry, format_entries, format_entry, parse_entry
from tallystick.event.fast import FastPath
from tallystick.event.frame import BadFrameError, TornFrameError, format_frame, parse_frame
from tallystick.event.gate import Gate
from tallystick.event.normalise import Circumstances, Normaliser
from tallystick.event.occurred import normalise_time, time_of_us, us_of_time
from tallystick.event.pseudonym import Pseudonyms

UUID = "018f3a7e-4b6c-7d8e-9f00-112233445566"


def batch(count: int = 3) -> Batch:
    return admission().admit(body([event(reason="r" * n) for n in range(count)]), OPAQUE, now_us=NOW_US)


def frame_bytes(events: Batch) -> bytes:
    leaves = bytes(32 * len(events))
    return b"".join(
        format_frame(
            events, first_index=7, received_at=NOW_US, source=1, nonce=b"n" * 16, previous=b"p" * 32, leaves=leaves
        )
    )


def test_commitments_are_hashes_over_prefix_salt_and_bytes() -> None:
    salt, event_id = b"s" * 16, b"i" * 16
    facts, personal = facts_digest(salt, b"{}"), personal_digest(salt, b"{}")
    assert facts == hashlib.sha256(b"tallystick/1 facts\n" + salt + b"{}").digest()
    assert personal == hashlib.sha256(b"tallystick/1 personal\n" + salt + b"{}").digest()
    expected = hashlib.sha256(b"tallystick/1 content\n" + event_id + facts + personal).digest()
    assert content_digest(event_id, facts, personal) == expected


def test_an_entry_has_48_big_endian_bytes() -> None:
    entry = Entry(class_number=2, source=7, received_at=NOW_US, content=b"c" * 32)
    data = format_entry(entry)
    assert data == bytes.fromhex("0100000200000007") + NOW_US.to_bytes(8, "big") + b"c" * 32
    assert parse_entry(data) == entry
    assert format_entries((2, 1), 7, NOW_US, b"c" * 32 + b"d" * 32) == [
        data,
        format_entry(Entry(1, 7, NOW_US, b"d" * 32)),
    ]


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-1], lambda d: d + b"\0", lambda d: b"\2" + d[1:], lambda d: b"\1\1" + d[2:]]
)
def test_an_entry_of_another_length_suite_or_reserved_value_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadEntryError):
        parse_entry(damage(format_entry(Entry(2, 7, NOW_US, b"c" * 32))))


def disclosure() -> Disclosure:
    return parse_frame(frame_bytes(batch())).disclosure(1)


def test_a_disclosure_survives_its_line_and_gives_the_entry() -> None:
    whole = disclosure()
    line = format_disclosure(whole)
    assert b"\n" not in line
    assert parse_disclosure(line) == whole
    assert whole.entry().content == batch().contents[32:64]


def test_facts_still_verify_when_only_the_digest_of_the_personal_part_is_left() -> None:
    whole = disclosure()
    assert whole.salt2 is not None
    assert whole.personal is not None
    digest = personal_digest(whole.salt2, whole.personal)
    masked = dataclasses.replace(whole, salt2=None, personal=None, personal_digest=digest)
    assert parse_disclosure(format_disclosure(masked)).entry() == whole.entry()


def test_missing_parts_give_no_entry() -> None:
    for gone in ({"personal": None, "salt2": None}, {"facts": None, "salt1": None}):
        partial = dataclasses.replace(disclosure(), **gone)  # type: ignore[arg-type]
        assert parse_disclosure(format_disclosure(partial)) == partial
        with pytest.raises(IncompleteDisclosureError):
            partial.entry()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"index":', b'"extra":1,"index":'),
        (b'"index":8', b'"index":8.0'),
        (b'"index":8', b'"index":-8'),
        (b'"class":2', b'"class":65536'),
        (b'"class":2', b'"class":true'),
        (b'"salt1":"', b'"salt1":"AAAA'),
        (b'"source":1', b'"source": 1'),
        (b'"salt1"', b'"salt3"'),
        (b'"facts":"{', b'"facts":7,"g":"{'),
        (b'"id":"', b'"id":7,"ie":"'),
        (b'"salt2":"', b'"salt2":7,"salt3":"'),
    ],
)
def test_a_disclosure_in_any_other_form_is_refused(old: bytes, new: bytes) -> None:
    line = format_disclosure(disclosure())
    assert old in line
    with pytest.raises(BadDisclosureError):
        parse_disclosure(line.replace(old, new))


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"7", b"\xff", b"[" * 100_000])
def test_what_is_no_disclosure_at_all_is_refused(line: bytes) -> None:
    with pytest.raises(BadDisclosureError):
        parse_disclosure(line)


@pytest.mark.parametrize("part", ["salt1", "facts"])
def test_half_a_disclosure_is_refused(part: str) -> None:
    with pytest.raises(BadDisclosureError):
        parse_disclosure(format_disclosure(dataclasses.replace(disclosure(), **{part: None})))  # type: ignore[arg-type]


def test_a_frame_gives_back_every_column() -> None:
    events = batch()
    data = frame_bytes(events)
    frame = parse_frame(b"before" + data + b"after", 6)
    frame.check()
    assert frame.size_bytes == len(data)
    assert len(data) % 8 == 0
    assert (frame.first_index, frame.count, frame.source, frame.received_at) == (7, 3, 1, NOW_US)
    assert (frame.nonce, frame.previous, frame.classes) == (b"n" * 16, b"p" * 32, events.classes)
    assert (bytes(frame.ids), bytes(frame.salts), bytes(frame.given)) == (events.ids, events.salts, events.given)
    assert tuple(frame.facts_at(n) for n in range(3)) == events.facts
    assert tuple(frame.personal_at(n) for n in range(3)) == events.personal
    assert frame.header_hash == hashlib.sha256(data[:104]).digest()


def test_a_frame_cut_anywhere_or_never_written_is_torn() -> None:
    data = frame_bytes(batch(1))
    for size in range(len(data)):
        with pytest.raises(TornFrameError):
            parse_frame(data[:size])
    with pytest.raises(TornFrameError):
        parse_frame(bytes(4096))


def test_a_changed_bit_anywhere_in_a_frame_is_noticed() -> None:
    data = frame_bytes(batch(1))
    for position in range(len(data)):
        changed = bytearray(data)
        changed[position] ^= 0x10
        with pytest.raises((BadFrameError, TornFrameError)):
            parse_frame(changed)


def test_content_that_changed_after_admission_is_noticed_though_the_frame_is_whole() -> None:
    events = batch(2)
    swapped = dataclasses.replace(events, facts=(events.facts[0], events.facts[1].replace(b"acme", b"evil")))
    with pytest.raises(BadFrameError):
        parse_frame(frame_bytes(swapped)).check()


def test_leaving_events_out_of_a_batch_leaves_the_others_as_they_were() -> None:
    events = batch(4)
    rest = events.without([0, 2])
    assert (len(rest), rest.items, rest.facts) == (2, (1, 3), (events.facts[1], events.facts[3]))
    assert rest.without([0]).items == (3,)
    parse_frame(frame_bytes(rest)).check()
    assert rest.contents == events.contents[32:64] + events.contents[96:128]


def test_ids_are_the_senders_or_time_ordered() -> None:
    made = Admission(catalogue(), Pseudonyms(KEY)).admit(body([event(id=UUID), EVENT]), OPAQUE, now_us=NOW_US)
    assert made.given == b"\1\0"
    assert made.ids[:16] == uuid.UUID(UUID).bytes
    second = uuid.UUID(bytes=made.ids[16:])
    assert (second.version, second.variant) == (7, uuid.RFC_4122)
    assert int.from_bytes(second.bytes[:6], "big") == NOW_US // 1000


def test_an_event_given_as_members_takes_the_same_way() -> None:
    given = admission().admit_event(EVENT, OPAQUE, now_us=NOW_US, event_id=UUID)
    assert given == admission().admit(body(event(id=UUID)), OPAQUE, now_us=NOW_US)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"),
        ("2026-03-01 12:00:00.1z", "2026-03-01T12:00:00.100000Z"),
        ("2026-03-01T12:00:00.1234569Z", "2026-03-01T12:00:00.123456Z"),
        ("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00.000000Z"),
        ("2026-03-01T12:00:00-00:00", "2026-03-01T12:00:00.000000Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_times_have_one_form_in_utc_cut_to_microseconds(sent: str, kept: str) -> None:
    assert normalise_time(sent) == kept
    assert time_of_us(us_of_time(kept)) == kept


@pytest.mark.parametrize("separator", ["T", " ", "t"])
def test_a_time_of_the_right_length_still_gets_its_one_form(separator: str) -> None:
    moment = f"2026-03-01{separator}12:00:00.000001Z"
    admitted = admission().admit(body(event(occurred_at=moment)), OPAQUE, now_us=NOW_US)
    assert b'"occurred_at":"2026-03-01T12:00:00.000001Z"' in admitted.facts[0]


def test_names_beyond_the_basic_plane_are_sorted_by_utf_16_units() -> None:
    names = {"\ue000": 1, "\U0001f600": 2, "\uffff": 3}
    for action in ("release.updated", "grant.made"):
        value = event(action=action, metadata={"deep": names, **names}, context=names)
        admitted = admission().admit(body([value, EVENT]), PRODUCT, now_us=NOW_US)
        for data in (*admitted.facts, *admitted.personal):
            check_canonical(data)
            assert rfc8785.dumps(json.loads(data)) == data


def test_an_ordinary_batch_is_taken_by_the_fast_path() -> None:
    fast = FastPath(Normaliser(Gate(catalogue()), Pseudonyms(KEY)), Limits())
    circumstances = Circumstances(OPAQUE, "2027", 0)
    lines = b"\n".join([body(EVENT), body(event(id=UUID, reason="naïve 😀"))])
    fractions = body([EVENT, event(metadata={"ratio": 1.50, "list": [1e-7, -0.0, {"x": 1e15}]})])
    for data, media in (
        (body([EVENT] * 3), Media.AUTO),
        (fractions, Media.JSON),
        (lines, Media.AUTO),
        (lines + b"\n", Media.NDJSON),
    ):
        accepted = fast.accept(data, media, circumstances)
        assert accepted is not None
        assert len(accepted.facts) == len(accepted.personal) == len(accepted.ids) == len(accepted.classes)
