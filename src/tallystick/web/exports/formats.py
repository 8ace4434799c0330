"""The formats that a page offers: every one that exports know and the caller may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.api.services import Services

TITLES: Final[Mapping[str, str]] = {
    "csv": "CSV",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
    "package": "Evidence package, with proofs",
}
_PROVEN: Final = frozenset({"package"})


def export_formats(services: Services, caller: Caller) -> tuple[tuple[str, str], ...]:
    """Return the name and title of each format that the caller may export somewhere; none without the right to export."""
    if not caller.rights.anywhere(Permission.EVENTS_EXPORT):
        return ()
    may_prove = caller.rights.anywhere(Permission.PROOFS_READ)
    offered = [name for name in services.exports.exporter.formats if may_prove or name not in _PROVEN]
    return tuple((name, TITLES[name]) for name in TITLES if name in offered)
