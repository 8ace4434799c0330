"""What the engine knows of lists and senders, as they were when it looked last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tallystick.detect.events import LIST_WORD, RULE_WORD, SOURCE_WORD
from tallystick.detect.ports import EnginePorts, Sender
from tallystick.follow.log_reader import Told
from tallystick.follow.product_log import LEDGER_CLASS, PRODUCT_SOURCE
from tallystick.sigma.correlate_groups import Group

UNKNOWN_SENDER: Final = ("unknown", "unknown")
_CHANGES: Final = tuple(f'"action":"{word}.'.encode() for word in (RULE_WORD, LIST_WORD, SOURCE_WORD))


class Around:
    """Senders by number, and the values of the lists that rules in force name."""

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports
        self._senders: Mapping[int, Sender] = {}
        self._lists: dict[str, tuple[str, ...] | None] = {}

    def look(self) -> bool:
        """Take up what senders are now; returns whether a list in use has other values than it had."""
        self._senders = dict(self._ports.senders())
        return any(self._values(name) != known for name, known in self._lists.items())

    def forget_lists(self) -> None:
        """Begin anew: what is asked for from now on is in use."""
        self._lists = {}

    def listed(self, name: str) -> Sequence[str] | None:
        """Return the values of a list that a rule names, None where there is no such list."""
        values = self._lists[name] = self._values(name)
        return values

    def known(self) -> list[tuple[Group, int, int | None]]:
        """Return the sources in use: each as a group, since when it is registered, and how long it may be silent."""
        return [
            ((each.name,), each.registered_at, None if each.silence_s is None else each.silence_s * 1_000_000)
            for each in self._senders.values()
            if not each.retired
        ]

    def scope_of(self, source: str) -> str:
        """Return the scope of a source by its name, "" where it has several."""
        return next((each.scope for each in self._senders.values() if each.name == source), "")

    def source(self, number: int) -> tuple[str, str]:
        """Return the name and kind of a source."""
        sender = self._senders.get(number)
        return UNKNOWN_SENDER if sender is None else (sender.name, sender.kind)

    def _values(self, name: str) -> tuple[str, ...] | None:
        values = self._ports.lists(name)
        return None if values is None else tuple(values)


def changes_rules(row: Told) -> bool:
    """Whether an event may change rules, lists or sources, and so how what follows it is judged."""
    return (
        row.source == PRODUCT_SOURCE
        and row.class_number == LEDGER_CLASS
        and any(each in (row.facts or b"") for each in _CHANGES)
    )
