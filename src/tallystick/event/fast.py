"""The fast path: a whole batch through typed structs, taken only where nothing about it is in doubt.

What it must guard against, because the decoder or the encoder alone would let it pass (each has its test):
duplicate members are dropped silently when decoding; control and invisible characters in identifiers; several
values on one line; fractions, whose layout is not canonical; member names above U+FFFF, which sort differently
by code point and by UTF-16 unit; an event above its size limit hidden in a small batch.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from msgspec import UNSET

from tallystick.errors import InvalidInputError
from tallystick.event.canonical import canonical_json
from tallystick.event.identifier import IDENTIFIER_CHARS_MAX
from tallystick.event.items import Media, check_count
from tallystick.event.limits import Limits
from tallystick.event.normalise import Accepted, Circumstances, Normaliser
from tallystick.event.rules import CONTEXT_FACTS
from tallystick.event.validate import TYPES_WITHOUT_ID
from tallystick.event.wire import DEPTH_MAX, KEY_CHARS_MAX, AnyEvent, FractionalJson, WholeJson, WireActor, WireEvent

# A UTF-8 sequence that begins with one of these may be, or stand beside, a character that UTF-16 sorts otherwise.
_MISSORTED: Final = re.compile(rb"[\xee-\xff]")
_FRACTION_CHARS_MAX: Final = 32


class FastPath:
    """Decodes, normalises and encodes batches; safe to share between threads."""

    def __init__(self, normaliser: Normaliser, limits: Limits) -> None:
        self._normaliser = normaliser
        self._limits = limits
        # The wire types hold the default limits; tighter ones are judged by the strict reader alone.
        self._usable = limits.key_chars_max >= KEY_CHARS_MAX and limits.depth_max >= DEPTH_MAX
        self._whole = _Decoder(WireEvent[WholeJson])
        self._fractional = _Decoder(WireEvent[FractionalJson])
        self._encode_lines = msgspec.json.Encoder(order="deterministic").encode_lines

    def accept(self, body: bytes, media: Media, circumstances: Circumstances) -> Accepted | None:
        """Return the events of `body` in canonical form, or None when anything at all is in doubt.

        Raises only for a wrong count of events.
        """
        if not self._usable:
            return None
        events = self._whole.decode(body, media)
        fractions: list[int] = []
        if events is None:
            events = self._fractional.decode(body, media)
            if events is None:
                return None
            fractions = [_count_fractions_of(event) for event in events]
        check_count(len(events), self._limits)
        compact = self._encode_lines(events)
        # An encoding of what was decoded has the quotes of what was sent, unless a member was dropped; only a
        # quote written as a number could make up for one.
        if compact.count(b'"') != body.count(b'"'):
            return None
        if not _shows_everything(body) and (b"\\u0022" in body or any(map(_is_disguised, events))):
            return None
        accepted, personal = Accepted(), []
        normalise = self._normaliser.normalise
        try:
            for event in events:
                event_id, class_number, hidden = normalise(event, circumstances)
                if _is_incomplete(event):
                    return None
                accepted.ids.append(event_id)
                accepted.classes.append(class_number)
                personal.append(hidden)
        except InvalidInputError:
            return None
        accepted.facts = _canonical_lines(self._encode_lines(events), fractions)
        accepted.personal = _canonical_lines(self._encode_lines(personal), fractions)
        # No event was longer than its two parts together and all that was shortened in the whole batch. Fractions
        # alone may have been lengthened, which hides what was shortened, or shortened only in the canonical form.
        shortened = max(len(body) + len(events) - len(compact), 0) + 2 * _FRACTION_CHARS_MAX * sum(fractions)
        longest = max(map(len, accepted.facts)) + max(map(len, accepted.personal))
        return accepted if longest + shortened <= self._limits.event_bytes_max else None


class _Decoder:
    """Decodes bodies of one type of event, or gives up."""

    def __init__(self, event_type: Any) -> None:
        self._one = msgspec.json.Decoder(event_type)
        self._many = msgspec.json.Decoder(list[event_type])

    def decode(self, body: bytes, media: Media) -> list[AnyEvent] | None:
        try:
            if body[:1] == b"[" and media is not Media.NDJSON:
                return self._many.decode(body)
            if media is Media.NDJSON or (media is Media.AUTO and b"}\n{" in body):
                events = self._one.decode_lines(body)
                return events if _is_one_a_line(body, len(events)) else None
            return [self._one.decode(body)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def _is_one_a_line(body: bytes, count: int) -> bool:
    """Say whether `count` values stand one on each line; `}` newline `{` can only be where two values meet."""
    newlines = body.count(b"\n")
    return body.count(b"}\n{") == count - 1 and newlines == count - (not body.endswith(b"\n"))


def _shows_everything(body: bytes) -> bool:
    """Say whether no text in `body` can hold a control or formatting character."""
    return body.isascii() and b"\\" not in body and b"\x7f" not in body


def _is_disguised(event: AnyEvent) -> bool:
    """Say whether an identifier might hold a character that is not seen."""
    identifiers = [event.actor.id, event.action, event.scope]
    if event.on_behalf_of is not UNSET:
        identifiers.append(event.on_behalf_of.id)
    targets = [] if event.targets is UNSET else list(event.targets)
    if event.target is not UNSET:
        targets.append(event.target)
    for target in targets:
        identifiers += (target.id, target.type)
    if event.changes is not UNSET:
        identifiers += [change.field for change in event.changes]
    if event.sequence is not UNSET:
        identifiers.append(event.sequence.stream)
    if event.context is not UNSET:
        identifiers += [event.context[name] for name in CONTEXT_FACTS & event.context.keys()]
    return not all(isinstance(text, str) and text.isprintable() for text in identifiers if text is not UNSET)


def _is_incomplete(event: AnyEvent) -> bool:
    """Say whether a split event lacks what the types cannot ask for: ids of actors, and text in `context`."""
    actor, party, context = event.actor, event.on_behalf_of, event.context
    if type(actor) is WireActor and actor.id is UNSET and actor.type not in TYPES_WITHOUT_ID:
        return True
    if type(party) is WireActor and party.id is UNSET and party.type not in TYPES_WITHOUT_ID:
        return True
    if context:
        for value in context.values():
            if type(value) is not str or len(value) > IDENTIFIER_CHARS_MAX:
                return True
    return False


def _count_fractions_of(event: AnyEvent) -> int:
    count = _count_fractions(event.context) + _count_fractions(event.metadata) + _count_fractions(event.raw)
    if event.changes is not UNSET:
        count += sum(_count_fractions(change.old) + _count_fractions(change.new) for change in event.changes)
    return count


def _count_fractions(value: Any) -> int:
    kind = type(value)
    if kind is dict:
        return sum(map(_count_fractions, value.values()))
    if kind is list:
        return sum(map(_count_fractions, value))
    return 1 if kind is float else 0


def _canonical_lines(text: bytes, fractions: list[int]) -> list[bytes]:
    """Return encoded values as canonical JSON; `fractions` counts those in each event, or is empty when there is none."""
    lines = text.split(b"\n")  # text in JSON never holds a newline
    lines.pop()
    if not text.isascii():
        lines = [_canonical(line) if _MISSORTED.search(line) else line for line in lines]
    if fractions:
        lines = [_canonical(line) if count else line for line, count in zip(lines, fractions, strict=True)]
    return lines


def _canonical(line: bytes) -> bytes:
    return canonical_json(msgspec.json.decode(line))
