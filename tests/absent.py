"""What to do where something real that tests run against is not on this machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = "TALLYSTICK_REQUIRE_ALL"
"""Set where a run that skipped Chromium, PostgreSQL or Node would prove too little; `.ci/run` sets it."""


def required() -> bool:
    """Return whether this run may skip nothing for want of a program."""
    return bool(os.environ.get(REQUIRED))


def lacking(what: str) -> NoReturn:
    """Skip with a plain word, or fail where everything is required."""
    if required():
        pytest.fail(f"{REQUIRED} is set, but {what}")
    pytest.skip(what)
