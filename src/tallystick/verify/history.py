"""What the log says about itself: its beginning, keys, classes, sources and erasures, from source-0 events alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tallystick.errors import InvalidInputError, VerificationError
from tallystick.event.erasure import ErasureHistory
from tallystick.note import Ed25519Verifier, parse_log_vkey
from tallystick.verify.codes import Code
from tallystick.verify.model import Erased, Findings

PRODUCT_CLASS: Final = 1
FORMAT: Final = 1

ABOUT_THE_LOG: Final = frozenset(
    {
        "ledger.created",
        "class.defined",
        "class.changed",
        "exception.revoked",
        "source.registered",
        "key.rotated",
        "hold.placed",
        "hold.released",
        "erasure.requested",
        "erasure.approved",
        "content.erased",
    }
)
"""The product's events that verification acts on."""


@dataclass(frozen=True, slots=True, order=True)
class ProductEvent:
    """An event of source 0 that is about the log; `facts` are its exact bytes."""

    index: int
    received_at: int
    class_number: int
    facts: bytes


@dataclass(slots=True)
class LogHistory:
    """The log's own account, in order of index. `rotations` holds (index of the event, old key, new key)."""

    origin: str = ""
    first_key: Ed25519Verifier | None = None
    rotations: list[tuple[int, Ed25519Verifier, Ed25519Verifier]] = field(default_factory=list)
    class_defined: dict[int, int] = field(default_factory=dict)
    source_defined: dict[int, int] = field(default_factory=dict)
    erasure: ErasureHistory = field(default_factory=ErasureHistory)
    predecessor: Mapping[str, Any] | None = None

    def key_in_force(self, size: int) -> Ed25519Verifier | None:
        """Return the key that must have signed a checkpoint of that size: the newest one that its entries name."""
        key = self.first_key
        for index, _, new in self.rotations:
            if index < size:
                key = new
        return key

    def keys_known(self) -> list[Ed25519Verifier]:
        """Return every key that the log ever named, oldest first."""
        first = [self.first_key] if self.first_key is not None else []
        return list(dict.fromkeys([*first, *(new for _, _, new in self.rotations)]))


def read_history(events: Iterable[ProductEvent], findings: Findings, place: str) -> LogHistory:
    """Return what the events say; whatever contradicts itself is added to the findings and passed over."""
    history = LogHistory()
    for event in sorted(events):
        if event.class_number != PRODUCT_CLASS:
            message = f"it stands in class {event.class_number}, where events about the log may not stand"
            findings.add(Code.PRODUCT_MALFORMED, message, place, event.index)
            continue
        try:
            _apply(history, event, json.loads(event.facts), findings, place)
        except (VerificationError, InvalidInputError) as error:
            findings.add(Code.PRODUCT_MALFORMED, error.message, place, event.index)
        except (KeyError, TypeError, ValueError) as error:
            findings.add(Code.PRODUCT_MALFORMED, f"it lacks or garbles a member: {error!r}", place, event.index)
    if history.first_key is None:
        findings.add(Code.BEGINNING_WRONG, "the log does not begin with an event that names it and its key", place, 0)
    return history


def check_numbers(
    history: LogHistory, classes: Mapping[int, int], sources: Mapping[int, int], findings: Findings, place: str
) -> None:
    """Find entries whose class or source no earlier event defined; both map numbers to their first index."""
    for number, index in sorted(classes.items(), key=lambda item: item[1]):
        # Class 1 holds the events that define classes, so it is there from the beginning.
        defined = -1 if number == PRODUCT_CLASS else history.class_defined.get(number)
        if defined is None or defined >= index:
            findings.add(Code.CLASS_UNDEFINED, f"class {number} is not defined before it", place, index)
    for number, index in sorted(sources.items(), key=lambda item: item[1]):
        defined = -1 if number == 0 else history.source_defined.get(number)
        if defined is None or defined >= index:
            findings.add(Code.SOURCE_UNDEFINED, f"source {number} is not registered before it", place, index)


def list_erasures(history: LogHistory, covers: Mapping[int, int]) -> tuple[Erased, ...]:
    """Return every erasure in the log with how many absences it accounts for, given by its index."""
    return tuple(
        Erased(
            index=each.index,
            ranges=each.ranges,
            part=each.part.value,
            ground="retention" if each.decision is None else f"request at index {each.decision.request}",
            covers=covers.get(each.index, 0),
        )
        for each in history.erasure.erasures
    )


def _apply(history: LogHistory, event: ProductEvent, facts: dict[str, Any], findings: Findings, place: str) -> None:
    action, metadata, index = facts["action"], facts.get("metadata", {}), event.index
    if (action == "ledger.created") != (index == 0):
        findings.add(Code.BEGINNING_WRONG, f"{action} stands at index {index}", place, index)
        return
    if action == "ledger.created":
        _begin(history, metadata)
    elif action == "key.rotated":
        _rotate(history, index, metadata, findings, place)
    elif action == "source.registered":
        _define(history.source_defined, int(metadata["number"]), index, "source", findings, place)
    elif action == "class.defined":
        _define(history.class_defined, int(metadata["number"]), index, "class", findings, place)
    history.erasure.apply(index, event.received_at, facts)


def _begin(history: LogHistory, metadata: Mapping[str, Any]) -> None:
    if metadata["format"] != FORMAT:
        raise ValueError(f"format {metadata['format']!r}")
    key = parse_log_vkey(metadata["key"])
    if key.name != metadata["origin"]:
        raise ValueError("the key is not of the origin")
    history.origin, history.first_key = key.name, key
    history.predecessor = metadata.get("predecessor")


def _rotate(history: LogHistory, index: int, metadata: Mapping[str, Any], findings: Findings, place: str) -> None:
    old, new = parse_log_vkey(metadata["old"]), parse_log_vkey(metadata["new"])
    if old != history.key_in_force(index) or new.name != history.origin:
        findings.add(
            Code.KEYS_BROKEN, "it replaces a key that was not in force, or by one of another log", place, index
        )
        return
    history.rotations.append((index, old, new))


def _define(defined: dict[int, int], number: int, index: int, what: str, findings: Findings, place: str) -> None:
    if number in defined or number == 0:
        findings.add(Code.NUMBER_REUSED, f"{what} {number} is taken", place, index)
        return
    defined[number] = index
