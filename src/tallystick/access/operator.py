"""Whoever can open the data directory: nothing in it is closed to them, and what they do is on record all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.event.gate import SourceRules

EVERYTHING: Final = Rights.of((permission, "") for permission in Permission)
OPERATOR: Final = Caller("operator", "system", "operator", EVERYTHING, "local", "command-line")


def operator_as(rules: SourceRules) -> Caller:
    """Return the operator, acting and recording as a source."""
    return replace(OPERATOR, id=rules.name, type="user", name=rules.name, write=rules)
