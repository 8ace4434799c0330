"""Canonical JSON against an independent library."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from tests.event_samples import free_objects, free_values

from tallystick.event.canonical import NotCanonicalError, canonical_json, check_canonical
from tallystick.event.canonical_quick import check_canonical_quickly


@given(free_values)
def test_every_value_has_the_form_that_the_rfc8785_package_writes(value: Any) -> None:
    canonical = canonical_json(value)
    assert canonical == rfc8785.dumps(value)
    check_canonical(canonical)
    check_canonical_quickly(canonical)
    assert canonical_json(json.loads(canonical)) == canonical


@given(st.binary(min_size=8, max_size=8))
def test_every_double_has_the_form_that_the_rfc8785_package_writes(bits: bytes) -> None:
    (number,) = struct.unpack(">d", bits)
    if number - number == 0:
        assert canonical_json([number]) == rfc8785.dumps([number])
        assert float(canonical_json(number)) == number


@given(free_objects, st.data())
def test_any_other_text_of_the_same_value_is_refused(value: dict[str, Any], data: st.DataObject) -> None:
    canonical = canonical_json(value)
    members = data.draw(st.permutations(sorted(value)))
    other = json.dumps({name: value[name] for name in members}, ensure_ascii=data.draw(st.booleans())).encode()
    if other != canonical:
        with pytest.raises(NotCanonicalError):
            check_canonical(other)


@given(free_objects, st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_makes_another_canonical_value(
    value: dict[str, Any], position: int, flip: int
) -> None:
    changed = bytearray(canonical_json(value))
    changed[position % len(changed)] ^= flip
    try:
        check_canonical(bytes(changed))
    except NotCanonicalError:
        with pytest.raises(NotCanonicalError):
            check_canonical_quickly(bytes(changed))
        return
    check_canonical_quickly(bytes(changed))
    assert rfc8785.dumps(json.loads(changed)) == changed
