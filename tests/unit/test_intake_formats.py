from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tallystick.intake.formats import SKIPPED_BYTES_MAX, read_records
from tallystick.intake.inputs import CompressedDataError, MissingInputError, expand_inputs, open_input, open_stream
from tallystick.intake.json_text import NumberText
from tallystick.intake.model import BadRecord, Record


def read(data: bytes, **options: Any) -> list[Record | BadRecord]:
    return list(read_records(io.BytesIO(data).read, wrappers=("Records",), **options))


def values(data: bytes, **options: Any) -> list[Any]:
    return [found.value if isinstance(found, Record) else found.reason for found in read(data, **options)]


def places(data: bytes, **options: Any) -> list[tuple[int, int, int]]:
    return [(found.place.line, found.place.column, found.place.offset) for found in read(data, **options)]


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1}\n{"a":2}\n',
        b'{"a":1}\r\n\r\n{"a":2}',
        b'[{"a":1},{"a":2}]',
        b'[\n  {\n    "a": 1\n  },\n  {"a": 2}\n]\n',
        b'{"Records":[{"a":1},{"a":2}]}',
        b'{"next": {"x": []}, "Records": [{"a":1}\n, {"a":2}], "after": [{"b": "]}"}]}\n',
        b'{"Records":[{"a":1}]}\n{"Records":[{"a":2}]}',
        b'{"a":1}{"a":2}',
        b'{\n"a": 1}\n\n{\n "a":\n2\n}',
        b'\xef\xbb\xbf{"a":1}\n{"a":2}',
        b'\x1e{"a":1}\n\x1e{"a":2}\n',
        b'[{"a":1}]\n[{"a":2}]',
    ],
)
def test_records_are_found_however_they_are_wrapped(data: bytes) -> None:
    assert values(data) == [{"a": 1}, {"a": 2}]


def test_a_member_that_merely_looks_like_a_wrapper_is_left_alone() -> None:
    assert values(b'{"a":{"Records":[{"b":1}]}}') == [{"a": {"Records": [{"b": 1}]}}]
    assert values(b'{"Records":["push","fork"]}') == [{"Records": ["push", "fork"]}]


def test_an_empty_wrapper_holds_nothing() -> None:
    assert values(b'{"Records": []}') == []
    assert values(b"") == []
    assert values(b" \n ") == []


def test_a_bad_line_costs_one_line_and_is_named_with_its_place() -> None:
    data = b'{"a":1}\n{"a":tru}\n{"b": "cut\nnot json\n{"a":2} rest\n{"a":3}\n'
    found = read(data)
    assert [each.value for each in found if isinstance(each, Record)] == [{"a": 1}, {"a": 3}]
    assert [(each.place.record, each.place.line, each.place.column) for each in found if isinstance(each, BadRecord)] == [
        (1, 2, 6), (2, 3, 7), (3, 4, 1), (4, 5, 8),
    ]  # fmt: skip


def test_a_broken_first_line_does_not_swallow_the_second() -> None:
    assert values(b'{"a": {"b": 1}\n{"a":2}\n')[1:] == [{"a": 2}]


def test_a_bad_item_of_a_written_out_list_costs_that_item() -> None:
    data = b'[\n  {\n    "a": 1,\n    "b": "open\n  },\n  {\n    "a": 2\n  }\n]'
    found = read(data)
    assert isinstance(found[0], BadRecord)
    assert (found[0].place.line, found[0].place.column) == (4, 10)
    assert [each.value for each in found[1:] if isinstance(each, Record)] == [{"a": 2}]


def test_what_is_no_object_in_a_list_is_refused_and_the_rest_read() -> None:
    reasons = values(b'[1, "x\\"]", null, [{"z":1}], {"a":1}]')
    assert reasons == ["a record must be an object"] * 4 + [{"a": 1}]


def test_a_list_cut_short_says_so_once() -> None:
    assert values(b'[{"a":1},{"a"')[1:] == ["the record is never closed; the file may be cut short"]
    assert values(b'[{"a":1},\n')[1:] == ["the list is never closed; the file may be cut short"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":2}', "stands twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b'{"a":-Infinity}', "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
        (b'{"a":"\x01"}', "not JSON"),
        (b"\xff\xfe{\x00", "a record begins with"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(data: bytes, reason: str) -> None:
    (found,) = read(data + b"\n")
    assert isinstance(found, BadRecord)
    assert reason in found.reason


def test_a_record_too_long_is_passed_over_without_being_held() -> None:
    for data in (b'{"a":"%s"}\n{"b":1}\n', b'[{"a":"%s\\"]}", "z":[{}]},{"b":1}]', b'{"q":1}\n{"a":"%s"}\n{"b":1}\n'):
        found = read(data % (b"x" * 5000), record_bytes_max=1000)
        assert [each.value for each in found if isinstance(each, Record)][-1] == {"b": 1}
        assert ["longer than 1000" in each.reason for each in found if isinstance(each, BadRecord)] == [True]


def test_a_bomb_of_blanks_or_noise_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.intake.formats.SKIPPED_BYTES_MAX", 1_000_000)
    left = [50]

    def endless(size: int) -> bytes:
        left[0] -= 1
        assert left[0] > 0, "the reader should have given up"
        return b"x" * size

    found = list(read_records(endless))
    assert isinstance(found[-1], BadRecord)
    assert "given up" in found[-1].reason
    assert SKIPPED_BYTES_MAX >= 1_000_000


def test_numbers_that_would_lose_digits_are_kept_as_written() -> None:
    (found,) = read(b'{"a":1.50,"b":9007199254740993,"c":9007199254740991,"d":-0.0,"e":1e400}')
    assert isinstance(found, Record)
    assert found.value == {"a": "1.50", "b": "9007199254740993", "c": 9007199254740991, "d": "-0.0", "e": "1e400"}
    assert type(found.value["a"]) is NumberText


def test_places_count_lines_and_bytes() -> None:
    assert places(b'{"a":1}\n  {"b":2}\n[{"c":3},\n{"d":4}]') == [(1, 1, 0), (2, 3, 10), (3, 2, 19), (4, 1, 28)]


def test_reading_goes_on_from_any_record() -> None:
    data = b'{"next":1,"Records":[{"a":1},{"a":2},\n{"a":3}]}\n{"a":4}\n{"a":5}\n'
    found = read(data)
    for position, each in enumerate(found):
        rest = io.BytesIO(data[each.after.offset :])
        again = list(read_records(rest.read, wrappers=("Records",), start=each.after))
        assert again == found[position + 1 :]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress, bytes])
def test_the_form_of_a_file_is_told_by_its_bytes(compress: Any, tmp_path: Path) -> None:
    file = tmp_path / "events.txt"
    file.write_bytes(compress(b'{"a":1}\n{"a":2}\n'))
    with open_input(file) as content:
        content.skip(8)
        assert content.read(100) == b'{"a":2}\n'
        assert content.position() == file.stat().st_size
    pipe = io.BytesIO(file.read_bytes())
    pipe.seekable = lambda: False  # type: ignore[method-assign]
    assert open_stream(pipe, "-", None).read(7) == b'{"a":1}'


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    file = tmp_path / "events.gz"
    file.write_bytes(gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n'))
    with open_input(file) as content:
        assert len(list(read_records(content.read))) == 2


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_compressed_data_cut_short_is_named_after_what_was_good(compress: Any, tmp_path: Path) -> None:
    file = tmp_path / "events"
    whole = compress(
        "".join(json.dumps({"n": number, "x": str(number * 7919)}) + "\n" for number in range(9000)).encode()
    )
    file.write_bytes(whole[: len(whole) // 2] if compress is gzip.compress else whole[:-5] + b"\x00" * 5)
    with open_input(file) as content, pytest.raises(CompressedDataError):
        list(read_records(content.read))


def test_a_folder_stands_for_the_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.json.gz", "1.jsonl", "notes.md"):
        (tmp_path / name).write_bytes(b"")
    assert [file.name for file in expand_inputs([tmp_path])] == ["1.jsonl", "2.json.gz"]
    with pytest.raises(MissingInputError, match="cannot read"):
        expand_inputs([tmp_path / "missing.json"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInputError, match="nothing to import"):
        expand_inputs([tmp_path / "empty"])


def test_short_values_on_one_line_do_not_spoil_the_ones_written_out_after_them() -> None:
    assert values(b'{}\n{\n "a": 1\n}\n{"b":2}\n{"c":3} {\n "d": 4}\n') == [{}, {"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]
