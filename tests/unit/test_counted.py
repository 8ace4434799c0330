"""Numbers of things in sentences."""

from __future__ import annotations

import pytest

from tallystick.counted import counted


@pytest.mark.parametrize(
    ("number", "nouns", "shown"),
    [
        (0, ("event",), "0 events"),
        (1, ("event",), "1 event"),
        (2_104, ("event",), "2,104 events"),
        (1, ("address", "addresses"), "1 address"),
        (2, ("address", "addresses"), "2 addresses"),
    ],
)
def test_a_noun_follows_its_number(number: int, nouns: tuple[str, ...], shown: str) -> None:
    assert counted(number, *nouns) == shown
