"""The one door: bytes that a sender sent become committed events, or an error that names the place.

Two paths make the same bytes. The fast one takes a whole batch through typed structs and gives up at the first
doubt. The strict one reads one event at a time with every place noted, and its judgement counts. Pure: time
comes as an argument, randomness from the port given in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tallystick.errors import InvalidInputError
from tallystick.event.assignment import Assignments
from tallystick.event.batch import Batch
from tallystick.event.canonical import canonical_json
from tallystick.event.catalogue import Catalogue
from tallystick.event.commit import commit
from tallystick.event.fast import FastPath
from tallystick.event.gate import Gate, SourceRules
from tallystick.event.items import Item, Media, check_body, split_items
from tallystick.event.limits import Limits
from tallystick.event.normalise import Accepted, Circumstances, Normaliser
from tallystick.event.occurred import time_of_us
from tallystick.event.pseudonym import Pseudonyms
from tallystick.event.refusals import DuplicateIdError
from tallystick.event.strict import scan_event
from tallystick.event.validate import Validator
from tallystick.event.wire import from_fields

__all__ = ["Admission", "Batch", "Limits", "Media", "Rejection", "SourceRules"]


@dataclass(frozen=True, slots=True)
class Rejection:
    """One event of a batch that was refused while others were accepted."""

    item: int
    error: InvalidInputError


class Admission:
    """Admits events of any source against one catalogue. Safe to share between threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        pseudonyms: Pseudonyms,
        limits: Limits | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.catalogue = catalogue
        self.limits = limits or Limits()
        self._entropy = entropy
        self._normaliser = Normaliser(Gate(catalogue), pseudonyms)
        self._fast = FastPath(self._normaliser, self.limits)

    @property
    def assignments(self) -> Assignments:
        """The operator's rules of which class events go to."""
        return self._normaliser.assignments

    def assign(self, assignments: Assignments) -> None:
        """Send events to classes by these rules from now on."""
        self._normaliser.assignments = assignments

    def admit(self, body: bytes, source: SourceRules, *, now_us: int, media: Media = Media.AUTO) -> Batch:
        """Return all events of `body`, committed, or raise InvalidInputError at the first that is refused.

        `body` is one JSON object, an array of them, or one per line, already decompressed.
        """
        circumstances = self._circumstances(source, now_us)
        check_body(body, self.limits)
        accepted = self._fast.accept(body, media, circumstances)
        if accepted is not None and not _has_repeat(accepted.ids):
            return commit(accepted, now_us=now_us, entropy=self._entropy)
        accepted, _, rejections = self._accept_items(body, media, circumstances, stop_at_first=True)
        if rejections:
            raise rejections[0].error
        return commit(accepted, now_us=now_us, entropy=self._entropy)

    def admit_partial(
        self, body: bytes, source: SourceRules, *, now_us: int, media: Media = Media.AUTO
    ) -> tuple[Batch, tuple[Rejection, ...]]:
        """Return the events of `body` that pass, committed, and why each other one is refused.

        Still raises when the body as a whole cannot be taken apart: too large, not UTF-8, an array that is not JSON.
        """
        circumstances = self._circumstances(source, now_us)
        check_body(body, self.limits)
        accepted = self._fast.accept(body, media, circumstances)
        if accepted is not None and not _has_repeat(accepted.ids):
            return commit(accepted, now_us=now_us, entropy=self._entropy), ()
        accepted, items, rejections = self._accept_items(body, media, circumstances, stop_at_first=False)
        kept = tuple(items) if rejections else None
        return commit(accepted, now_us=now_us, entropy=self._entropy, items=kept), tuple(rejections)

    def admit_event(
        self, fields: Mapping[str, Any], source: SourceRules, *, now_us: int, event_id: str | None = None
    ) -> Batch:
        """Return one event given as members, by the same path as any other; `event_id` makes a retry recognisable."""
        members = dict(fields) if event_id is None else {**fields, "id": event_id}
        return self.admit(canonical_json(members), source, now_us=now_us, media=Media.JSON)

    def _circumstances(self, source: SourceRules, now_us: int) -> Circumstances:
        latest = time_of_us(now_us + self.limits.future_s_max * 1_000_000)
        return Circumstances(source, latest, self.limits.future_s_max)

    def _accept_items(
        self, body: bytes, media: Media, circumstances: Circumstances, *, stop_at_first: bool
    ) -> tuple[Accepted, list[int], list[Rejection]]:
        accepted, kept, rejections = Accepted(), [], []
        seen: dict[bytes, int] = {}
        for item in split_items(body, media, self.limits):
            number = item.place.item
            assert number is not None
            try:
                one = self._accept_item(item, circumstances)
                self._check_repeat(one.ids[0], item, seen)
            except InvalidInputError as error:
                rejections.append(Rejection(number, error))
                if stop_at_first:
                    break
                continue
            accepted.extend(one)
            kept.append(number)
        return accepted, kept, rejections

    def _accept_item(self, item: Item, circumstances: Circumstances) -> Accepted:
        if item.scanned is None:
            fast = self._fast.accept(item.data, Media.JSON, circumstances)
            if fast is not None and len(fast.facts) == 1 and not item.data.startswith(b"["):
                return fast
        scanned = item.scanned or scan_event(item.data, self.limits, item.place)
        event = from_fields(Validator(scanned).fields())
        try:
            event_id, class_number, personal = self._normaliser.normalise(event, circumstances)
        except InvalidInputError as error:
            raise scanned.locate(error) from error.__cause__
        facts = canonical_json(msgspec.to_builtins(event))
        return Accepted([event_id], [class_number], [facts], [canonical_json(personal)])

    def _check_repeat(self, event_id: bytes | None, item: Item, seen: dict[bytes, int]) -> None:
        if event_id is None:
            return
        number = item.place.item
        assert number is not None
        earlier = seen.setdefault(event_id, number)
        if earlier != number:
            scanned = item.scanned or scan_event(item.data, self.limits, item.place)
            message = f"item {number} has the same id as item {earlier}"
            raise scanned.locate(DuplicateIdError(message, pointer="/id", earlier_item=earlier))


def _has_repeat(ids: list[bytes | None]) -> bool:
    given = [event_id for event_id in ids if event_id is not None]
    return len(set(given)) != len(given)
