"""The event of a changed setting, with whoever changed it as its actor."""

from __future__ import annotations

from typing import Any

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller


def setting_changed(caller: Caller, name: str, old: Any, new: Any, now_us: int) -> dict[str, Any]:
    """Return `setting.changed`; values are plain JSON."""
    target = Target("setting", name)
    return act(
        caller, "setting.changed", target, {"setting": name, "value": new}, now_us, changes=[Change(name, old, new)]
    )
