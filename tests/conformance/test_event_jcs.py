"""RFC 8785 by its published vectors (github.com/cyberphone/json-canonicalization, see SOURCE.txt beside them)."""

from __future__ import annotations

import json
import struct

import pytest
from tests.paths import shared

from tallystick.event.canonical import canonical_json, check_canonical, format_number

DOCUMENTS = ["arrays", "french", "structures", "unicode", "values", "weird"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_published_document_has_the_published_form(name: str) -> None:
    value = json.loads(shared(f"vectors/jcs/input/{name}.json").read_bytes())
    expected = shared(f"vectors/jcs/output/{name}.json").read_bytes()
    assert canonical_json(value) == expected
    assert expected == bytes.fromhex(shared(f"vectors/jcs/outhex/{name}.txt").read_text())
    check_canonical(expected)


def test_ten_thousand_published_numbers_have_the_published_text() -> None:
    lines = shared("vectors/jcs/es6numbers_10000.txt").read_text().splitlines()
    assert len(lines) == 10_000
    for line in lines:
        bits, text = line.split(",")
        (number,) = struct.unpack(">d", bytes.fromhex(bits.zfill(16)))
        assert format_number(number) == text
