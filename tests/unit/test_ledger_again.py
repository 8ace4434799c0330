"""Segments are read again where a merge or an erasure replaced them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.ledger.again import read_again


def test_what_was_replaced_is_read_again_from_what_is_there_now(tmp_path: Path) -> None:
    names = iter(["old", "older", "new"])
    (tmp_path / "new").write_text("content")

    def read() -> str:
        return (tmp_path / next(names)).read_text()

    assert read_again(read) == "content"


def test_what_is_gone_for_good_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_again((tmp_path / "gone").read_text)


def test_any_other_fault_is_raised_at_once(tmp_path: Path) -> None:
    tried = []

    def read() -> str:
        tried.append(1)
        return tmp_path.read_text()

    with pytest.raises(IsADirectoryError):
        read_again(read)
    assert len(tried) == 1
