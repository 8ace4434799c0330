"""The table of requirements names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/requirements.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([a-z_]+/[a-z_/.*]*)`", TEXT)))
NUMBERS = [
    f"{letter}{number}"
    for letter, last in (("P", 10), ("L", 20), ("S", 10), ("R", 10), ("C", 11))
    for number in range(1, last + 1)
]


@pytest.mark.parametrize("name", NAMED)
def test_every_file_and_room_named_is_there(name: str) -> None:
    assert any(True for root in (ROOT, ROOT / "src/tallystick") for _ in root.glob(name.rstrip("/")))


def test_every_requirement_has_a_row() -> None:
    rows = [line.split("|")[1] for line in TEXT.splitlines() if re.match(r"\| [PLSRC]\d", line)]
    told = set()
    for row in rows:
        told |= {f"{letter}{number}" for letter, number in re.findall(r"\b([PLSRC])(\d+)\b", row)}
        for letter, first, last in re.findall(r"\b([PLSRC])(\d+) to [PLSRC](\d+)\b", row):
            told |= {f"{letter}{number}" for number in range(int(first), int(last) + 1)}
    assert set(NUMBERS) <= told
