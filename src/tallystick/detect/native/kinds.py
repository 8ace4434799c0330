"""The state that a rule of a native kind begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.detect.native.first_seen import FirstSeen
from tallystick.detect.native.grammar import Settings
from tallystick.detect.native.model import Kind, Known
from tallystick.detect.native.off_hours import OffHours
from tallystick.detect.native.silence import Silence
from tallystick.detect.native.volume import Burst, Drop


def make_kind(settings: Settings, known: Known | None = None) -> Kind:
    """Return the state of a rule that has seen nothing; `known` names groups that are there before any event."""
    if settings.kind == "silence":
        return Silence(settings, known)
    return _KINDS[settings.kind](settings)


_KINDS: Final[Mapping[str, Callable[[Settings], Kind]]] = {
    "first_seen": FirstSeen,
    "burst": Burst,
    "drop": Drop,
    "off_hours": OffHours,
}
