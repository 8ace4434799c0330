from __future__ import annotations

import pytest

from tallystick.event.canonical import NotCanonicalError, UncanonicalValueError, canonical_json, check_canonical
from tallystick.event.canonical_quick import check_canonical_quickly


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"-0",
        b"1E2",
        b"1e400",
        b"NaN",
        b"9007199254740993",
        b'"\\u0041"',
        b'"\\ud800"',
        b'"\\/"',
        b'"\xff"',
        b"",
        b"{}\n",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"[" * 900 + b"1.5" + b"]" * 900 + b" ",
        '{"\ue000":1,"\U0001f600":2}'.encode(),
    ],
)
def test_text_that_is_not_the_canonical_form_is_refused(data: bytes) -> None:
    for check in (check_canonical, check_canonical_quickly):
        with pytest.raises(NotCanonicalError):
            check(data)


@pytest.mark.parametrize(
    "data", [b"{}", b"1.5", b"1e+21", b"100000000000000000000", '{"\U0001f600":2,"\ue000":1}'.encode()]
)
def test_canonical_text_passes(data: bytes) -> None:
    check_canonical(data)
    check_canonical_quickly(data)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, -(2**53), "\ud800", {1: 2}, {"\udfff": 1}, {1, 2}, b"x"]
)
def test_a_value_without_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(UncanonicalValueError):
        canonical_json(value)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UncanonicalValueError):
        canonical_json(deep)
    while deep:
        deep = deep.pop()  # type: ignore[assignment]
