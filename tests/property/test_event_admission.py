"""The two paths of admission make the same bytes of the same input, and refuse the same."""

from __future__ import annotations

import json
from typing import Any

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.event_samples import (
    EVENT,
    NOW_US,
    OPAQUE,
    PERSONAL,
    SCOPED,
    STRICT,
    STRICT_ONLY,
    admission,
    event,
    events,
)

from tallystick.errors import InvalidInputError
from tallystick.event.admission import Admission, Batch, SourceRules
from tallystick.event.canonical import canonical_json, check_canonical
from tallystick.event.fields import derive
from tallystick.event.merge import merge
from tallystick.event.model import read_event

BOTH = admission()
SLOW = admission(STRICT_ONLY)
sources = st.sampled_from([OPAQUE, PERSONAL, SCOPED, STRICT])
bodies = st.builds(
    lambda value, ascii_only, indent: json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(
        "utf-8", "surrogatepass"
    ),
    events | st.lists(events, min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1]),
)


def outcome(through: Admission, body: bytes, source: SourceRules) -> Batch | tuple[object, ...]:
    try:
        return through.admit(body, source, now_us=NOW_US)
    except InvalidInputError as error:
        return type(error), error.message, error.item, error.pointer, error.line, error.column


@given(body=bodies, source=sources)
def test_the_fast_path_makes_the_bytes_and_the_refusals_of_the_strict_one(body: bytes, source: SourceRules) -> None:
    assert outcome(BOTH, body, source) == outcome(SLOW, body, source)


@given(body=bodies, source=sources)
def test_what_is_accepted_is_what_an_independent_rfc_8785_library_writes(body: bytes, source: SourceRules) -> None:
    batch = outcome(BOTH, body, source)
    if isinstance(batch, Batch):
        for data in (*batch.facts, *batch.personal):
            assert rfc8785.dumps(json.loads(data)) == data
            check_canonical(data)


@given(value=events, source=sources)
def test_facts_and_personal_together_are_the_event_that_was_sent(value: dict[str, Any], source: SourceRules) -> None:
    batch = outcome(BOTH, json.dumps(value).encode(), source)
    if not isinstance(batch, Batch):
        return
    merged = merge(batch.facts[0], batch.personal[0])
    for party in (merged["actor"], merged.get("on_behalf_of", {}), *merged["targets"]):
        party.pop("key", None)
    sent = dict(value)
    sent.setdefault("outcome", "success")
    if "target" in sent:
        sent["targets"] = [sent.pop("target")]
    if "severity" not in sent:
        del merged["severity"]
    sent["occurred_at"] = merged["occurred_at"]
    assert canonical_json(merged) == canonical_json(sent)


@given(value=events, source=sources)
def test_readers_understand_everything_that_is_accepted(value: dict[str, Any], source: SourceRules) -> None:
    batch = outcome(BOTH, json.dumps(value).encode(), source)
    if isinstance(batch, Batch):
        read = read_event(merge(batch.facts[0], batch.personal[0]))
        fields = derive(batch.facts[0], batch.personal[0])
        assert (fields.action, fields.scope) == (read.action, read.scope) == (value["action"], value["scope"])
        assert len(fields.target_id) + len(fields.target_key) == len(read.targets)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A body with a few bytes replaced, inserted, repeated or cut out."""
    body = bytearray(draw(bodies))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        kind = draw(st.sampled_from(["insert", "cut", "repeat"]))
        if kind == "insert":
            body[at:at] = draw(st.sampled_from(FRAGMENTS))
        elif kind == "cut":
            del body[at : at + draw(st.integers(1, 4))]
        else:
            body[at:at] = body[at : at + draw(st.integers(1, 40))]
    return bytes(body)


FRAGMENTS = [
    b'"',
    b"\\",
    b"{",
    b"}",
    b"]",
    b",",
    b'"id":"018f3a7e-4b6c-7d8e-9f00-112233445566",',
    b'"action":"x",',
    b'"key":"x",',
    b'"a":1,"a":2,',
    b"\\u0022",
    b"\\ud800",
    b"\\u202e",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"NaN",
    b"-Infinity",
    b"9007199254740992",
    b"1e400",
    b"1.5",
    b"-0",
    b"1E2",
    b"null",
    b"\x00",
    b"\x7f",
    b"\n",
    b"[" * 40,
]


@settings(max_examples=300)
@given(body=damaged(), source=sources)
def test_damaged_input_is_judged_alike_by_both_paths_and_never_by_accident(body: bytes, source: SourceRules) -> None:
    fast, slow = outcome(BOTH, body, source), outcome(SLOW, body, source)
    assert fast == slow
    if isinstance(fast, Batch):
        assert len(json_values(body)) == len(fast)


def json_values(body: bytes) -> list[Any]:
    """Read `body` with the standard library, refusing what it would let pass."""
    text = body.decode("utf-8")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        assert len(members) == len(pairs)
        return members

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError:
        return [json.loads(line, object_pairs_hook=unique) for line in text.split("\n") if line.strip()]
    return value if isinstance(value, list) else [value]


@given(st.lists(events, min_size=1, max_size=4), sources)
def test_lines_are_judged_like_an_array(values: list[dict[str, Any]], source: SourceRules) -> None:
    lines = b"\n".join(json.dumps(value).encode() for value in values)
    array = json.dumps(values).encode()
    as_lines, as_array = outcome(BOTH, lines, source), outcome(BOTH, array, source)
    if isinstance(as_lines, Batch):
        assert as_lines == as_array
    else:
        assert isinstance(as_array, tuple)
        assert as_lines[:4] == as_array[:4]


@given(st.lists(st.sampled_from([EVENT, event(scope="/"), event(actor=...), {}, 7]), min_size=1, max_size=6))
def test_a_partly_good_batch_keeps_exactly_the_good_events_in_order(values: list[Any]) -> None:
    batch, rejections = BOTH.admit_partial(json.dumps(values).encode(), OPAQUE, now_us=NOW_US)
    good = [position for position, value in enumerate(values) if value == EVENT]
    assert [batch.item(position) for position in range(len(batch))] == good
    assert [rejection.item for rejection in rejections] == [n for n in range(len(values)) if n not in good]
    assert all(rejection.error.item == rejection.item for rejection in rejections)
