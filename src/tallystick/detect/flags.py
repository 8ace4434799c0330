"""Why a rule may never fire: it asks for fields that never come, or for a source that is not there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from tallystick.detect.logsources import Logsources
from tallystick.detect.narrowing import can_hold
from tallystick.detect.rulefile import RuleFile
from tallystick.detect.subject import Subject
from tallystick.ledger.again import read_again
from tallystick.sigma import Logsource, Rule, fields_of

EVENTS: Final = 5_000
"""The newest events, whose fields are known."""
LEAST: Final = 50
"""With fewer events of a source, nothing is said about what never comes."""
NO_SOURCE: Final = "no such source"
CANNOT_MATCH: Final = "cannot match"
_DEPTH_MAX: Final = 8
_Names = Mapping[str, str] | None


class Flags:
    """Says what is wrong with rules; may be used from any thread.

    `newest` returns about so many of the newest events, `size` the size of the log: the events are read again once
    enough of them are new. `kinds` are those of the registered sources.
    """

    def __init__(
        self,
        logsources: Logsources,
        kinds: Callable[[], Collection[str]],
        newest: Callable[[int], Iterable[Subject]],
        size: Callable[[], int],
    ) -> None:
        self._logsources = logsources
        self._kinds = kinds
        self._newest = newest
        self._size = size
        self._lock = threading.Lock()
        self._read_at = -EVENTS  # guarded by _lock, as all below
        self._counts: dict[Logsource, int] = {}
        self._fields: dict[Logsource, set[str]] = {}

    def of(self, file: RuleFile) -> tuple[str, ...]:
        """Return what is to be said about a rule, in words; mostly nothing."""
        rules = [each for each in file.documents if isinstance(each, Rule)]
        with self._lock:
            self._look()
            said = [self._said(each) for each in rules]
        return tuple(dict.fromkeys(each for each in said if each))

    def _said(self, rule: Rule) -> str:
        wanted = rule.logsource
        of_it = [each for each in self._counts if wanted.covers(each)]
        if not self._logsources.is_own(wanted) and not of_it and not self._is_registered(wanted):
            return NO_SOURCE
        if sum(self._counts[each] for each in of_it) < LEAST:
            return ""
        fields = set().union(*(self._fields[each] for each in of_it))
        if can_hold(rule, fields):
            return ""
        missing = sorted(each for each in fields_of(rule) if each not in fields)
        return f"{CANNOT_MATCH}: {', '.join(missing[:5])} never came in the newest events of its source"

    def _is_registered(self, wanted: Logsource) -> bool:
        kinds = self._kinds()
        found = [each for each in self._logsources.bindings if wanted.covers(each.logsource)]
        return any(kind in each.kinds for each in found for kind in kinds)

    def _look(self) -> None:
        size = self._size()
        if 0 <= self._read_at <= size and (size - self._read_at) * 5 < min(max(size, 5), EVENTS):
            return  # less than a fifth of what was looked at is new
        read_again(self._read_newest)
        self._read_at = size

    def _read_newest(self) -> None:
        self._counts, self._fields = {}, {}
        for subject in self._newest(EVENTS):
            origins = self._logsources.origins(subject.kind, subject.category, subject.raw)
            for each in origins.event:
                self._note(each, subject.event, None)
            raw = subject.raw if isinstance(subject.raw, dict) else {"message": subject.raw}
            for names, logsources in origins.raw:
                for each in logsources:
                    self._note(each, raw, names)

    def _note(self, logsource: Logsource, event: Mapping[str, Any], names: _Names) -> None:
        self._counts[logsource] = self._counts.get(logsource, 0) + 1
        known = self._fields.setdefault(logsource, set())
        _add_paths(event, "", known, 0)
        for name, path in (names or {}).items():
            if path in known:
                known.add(name)


def _add_paths(value: Any, prefix: str, known: set[str], depth: int) -> None:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, dict):
        for key, member in value.items():
            path = f"{prefix}{key}"
            known.add(path)
            _add_paths(member, f"{path}.", known, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _add_paths(member, prefix, known, depth + 1)
