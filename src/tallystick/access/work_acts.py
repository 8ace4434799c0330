"""The events of saved views and exports, as people and tokens cause them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller


def work_act(
    caller: Caller,
    action: str,
    target: tuple[str, str, str | None],
    metadata: Mapping[str, Any],
    now_us: int,
    *,
    scope: str,
    changes: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the event that says that the caller did this; `changes` are the personal values that it sets."""
    kind, number, name = target
    made = [Change(field, None, value) for field, value in changes.items()]
    return act(caller, action, Target(kind, number, name), metadata, now_us, scope=scope, changes=made)
