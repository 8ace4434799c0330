"""Every kind of file that events can be exported to, behind one door for background work.

Tables and lines come from search, packages from search and evidence together; so this stands above both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import msgspec

from tallystick.clock import Clock
from tallystick.errors import InvalidInputError
from tallystick.event.occurred import time_of_us
from tallystick.evidence.package import choose_checkpoint, package_events
from tallystick.ledger.ledger import Ledger
from tallystick.search.export import FORMATS, UnknownFormatError, start_disclosures, start_export
from tallystick.search.model import Search
from tallystick.search.recorder import describe
from tallystick.search.service import SearchService
from tallystick.work.model import Question
from tallystick.work.ports import Prepared

PACKAGE: Final = "package"
PACKAGE_EVENTS_MAX: Final = 100_000
_FILES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {**{name: (name, media_type) for name, media_type in FORMATS.items()}, PACKAGE: ("zip", "application/zip")}
)


class PackageTooLargeError(InvalidInputError):
    """More events match than a package may hold."""

    code = "package-too-large"
    advice = "Narrow the question by time or scope, and make several packages."


class EventFiles:
    """Makes exports of one ledger. Meets `work.ports.Exporter`."""

    def __init__(self, search: SearchService, ledger: Ledger, clock: Clock) -> None:
        self._search = search
        self._ledger = ledger
        self._clock = clock

    @property
    def formats(self) -> Mapping[str, tuple[str, str]]:
        """The name of each format with the suffix and media type of its files."""
        return _FILES

    def check(self, question: Question, caller: Any, format_name: str) -> None:
        """Return if the caller may export this; raises UnknownFormatError, QueryError, PersonalWithheldError,
        PermissionMissingError.
        """
        if format_name not in _FILES:
            raise UnknownFormatError(
                f"there is no export format {format_name[:32]!r}", advice=f"Formats: {', '.join(_FILES)}."
            )
        self._search.check_export(_search(question), caller, proofs=format_name == PACKAGE)

    def prepare(self, question: Question, caller: Any, format_name: str) -> Prepared:
        """Return the export, on record; raises what `check` raises, and PackageTooLargeError."""
        self.check(question, caller, format_name)
        search = _search(question)
        if format_name != PACKAGE:
            export = start_export(self._search, self._ledger, search, caller, format_name)

            def write(sink: BinaryIO, count: Callable[[int], object]) -> None:
                sink.writelines(export.chunks(count))

            return Prepared(export.events, write)
        events, size, disclosures = start_disclosures(self._search, search, caller, format_name)
        if events > PACKAGE_EVENTS_MAX:
            raise PackageTooLargeError(f"{events} events match, a package holds at most {PACKAGE_EVENTS_MAX}")
        made = package_events(
            self._ledger,
            self._ledger.vkeys,
            disclosures,
            checkpoint=choose_checkpoint(self._ledger, size),
            created_at=time_of_us(self._clock.now_us()),
            about={"query": describe(search), "made_for": caller.id},
        )
        return Prepared(events, made)


def _search(question: Question) -> Search:
    return Search(**msgspec.structs.asdict(question))
