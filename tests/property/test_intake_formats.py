from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallystick.intake.formats import read_records
from tallystick.intake.model import BadRecord, Record

SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=12)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
OBJECTS = st.lists(
    st.dictionaries(st.text(max_size=6).filter(lambda key: key != "Records"), JSON, max_size=4), max_size=6
)
WRAPPINGS: dict[str, Callable[[list[Any]], str]] = {
    "lines": lambda objects: "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in objects),
    "array": lambda objects: json.dumps(objects, ensure_ascii=False),
    "written out": lambda objects: json.dumps(objects, indent=2),
    "wrapped": lambda objects: json.dumps({"first": [1], "Records": objects, "last": {"x": ["]"]}}),
    "one after another": lambda objects: " ".join(json.dumps(each, indent=1) for each in objects),
}
CHUNKS = st.integers(1, 40)


def reader(data: bytes, chunk: int) -> Callable[[int], bytes]:
    stream = io.BytesIO(data)
    return lambda size: stream.read(min(size, chunk))


@given(objects=OBJECTS, wrapping=st.sampled_from(sorted(WRAPPINGS)), chunk=CHUNKS)
def test_the_same_records_come_out_of_every_wrapping_and_every_size_of_read(
    objects: list[Any], wrapping: str, chunk: int
) -> None:
    data = WRAPPINGS[wrapping](objects).encode()
    found = list(read_records(reader(data, chunk), wrappers=("Records",)))
    assert [each.value for each in found if isinstance(each, Record)] == objects
    assert not [each for each in found if isinstance(each, BadRecord)]
    for each in found:
        assert isinstance(each, Record)
        assert data[each.place.offset :].startswith(each.data)
        before = data[: each.place.offset]
        assert each.place.line == before.count(b"\n") + 1
        assert each.place.column == each.place.offset - (before.rfind(b"\n") + 1) + 1


@given(objects=OBJECTS, wrapping=st.sampled_from(sorted(WRAPPINGS)), chunk=CHUNKS, data=st.data())
def test_an_interrupted_reading_goes_on_without_losing_or_repeating(
    objects: list[Any], wrapping: str, chunk: int, data: st.DataObject
) -> None:
    text = WRAPPINGS[wrapping](objects).encode()
    found = list(read_records(reader(text, chunk), wrappers=("Records",)))
    if found:
        stop = data.draw(st.integers(0, len(found) - 1))
        after = found[stop].after
        again = list(read_records(reader(text[after.offset :], chunk), wrappers=("Records",), start=after))
        assert again == found[stop + 1 :]


@given(
    lines=st.lists(
        st.tuples(st.booleans(), st.dictionaries(st.text(max_size=6), SCALARS, min_size=1, max_size=3)), max_size=6
    ),
    noise=st.text(
        alphabet=st.characters(blacklist_characters="{}[]\n\r", blacklist_categories=["Cs"]), min_size=1, max_size=20
    ),
    chunk=CHUNKS,
)
def test_bad_lines_never_cost_a_good_one(lines: list[tuple[bool, dict[str, Any]]], noise: str, chunk: int) -> None:
    good = [value for is_good, value in lines if is_good]
    text = "".join(
        json.dumps(value) + "\n" if is_good else json.dumps(value)[:-2] + "\n" + noise + "\n"
        for is_good, value in lines
    )
    found = list(read_records(reader(text.encode(), chunk)))
    assert [each.value for each in found if isinstance(each, Record) and each.value in good] == good


@given(data=st.binary(max_size=200), chunk=CHUNKS)
def test_no_bytes_whatever_stop_the_reader(data: bytes, chunk: int) -> None:
    for each in read_records(reader(data, chunk), wrappers=("Records",), record_bytes_max=64):
        assert 0 <= each.place.offset <= len(data)


@given(
    pieces=st.lists(
        st.sampled_from(
            [b'{"a":1}', b'{"', b'"', b"[", b"]", b"{", b"}", b",", b"\n", b" ", b"\\", b'"Records":[', b"1"]
        ),
        max_size=30,
    ),
    chunk=CHUNKS,
)
def test_no_order_of_brackets_and_quotes_stops_the_reader(pieces: list[bytes], chunk: int) -> None:
    data = b"".join(pieces)
    found = list(read_records(reader(data, chunk), wrappers=("Records",), record_bytes_max=64))
    assert len(found) <= len(data)
    offsets = [each.after.offset for each in found]
    assert offsets == sorted(offsets)
