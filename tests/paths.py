"""Where tests find published vectors and vendor samples, when they are there."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def shared(relative: str) -> Path:
    """Return a file or folder of the shared material, or skip the test in plain words when it is absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"the shared material {relative} is not on this machine")
    return path
