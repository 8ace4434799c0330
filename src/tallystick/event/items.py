"""Takes a body apart into the events it holds, without judging them: one object, an array, or one object per line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

import msgspec

from tallystick.event.limits import Limits
from tallystick.event.refusals import BatchTooLargeError, ByteOrderMarkError, EmptyBatchError
from tallystick.event.strict import BYTE_ORDER_MARK, Place, Scanned, decode_text, scan_array


class Media(StrEnum):
    """How events are written in a body. `AUTO` looks: an array begins with `[`, and where the first line is a whole
    object and more follows, there is one per line.
    """

    AUTO = "auto"
    JSON = "json"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Item:
    """One event's bytes and their place; `scanned` where the strict reader has read it already."""

    data: bytes
    place: Place
    scanned: Scanned | None = None


def check_body(body: bytes, limits: Limits) -> None:
    """Refuse a body that is too large, blank, or begins with a byte order mark."""
    if len(body) > limits.batch_bytes_max:
        limit = limits.batch_bytes_max
        raise BatchTooLargeError(f"the batch has {len(body):,} bytes; at most {limit:,} are accepted")
    if body.startswith(BYTE_ORDER_MARK):
        raise ByteOrderMarkError("the text begins with a byte order mark", line=1, column=1)
    if not body or body.isspace():
        raise EmptyBatchError("there is no event in what was sent", line=1, column=1)


def check_count(count: int, limits: Limits) -> None:
    """Refuse a batch without events, or with too many."""
    if count == 0:
        raise EmptyBatchError("there is no event in what was sent", line=1, column=1)
    if count > limits.batch_events_max:
        limit = limits.batch_events_max
        raise BatchTooLargeError(f"the batch has too many events; at most {limit:,} are accepted")


def resolve_media(body: bytes, media: Media) -> Media:
    """Return how events are written in `body`: JSON or NDJSON."""
    if media is not Media.AUTO:
        return media
    first, _, rest = body.strip().partition(b"\n")
    if first.startswith(b"{") and rest and _is_one_value(first):
        return Media.NDJSON
    return Media.JSON


def split_items(body: bytes, media: Media, limits: Limits) -> list[Item]:
    """Return the events of a checked body. Raises for an array that is not JSON, and for a wrong count of events;
    what is wrong inside an event shows when its item is read.
    """
    if resolve_media(body, media) is Media.NDJSON:
        items = list(islice(_lines(body), limits.batch_events_max + 1))
    elif body.lstrip().startswith(b"["):
        items = _array(body, limits)
    else:
        start = len(body) - len(body.lstrip())
        items = [Item(body.strip(), _advance(Place(item=0), body[:start], 0))]
    check_count(len(items), limits)
    return items


def _lines(body: bytes) -> Iterator[Item]:
    item = 0
    for number, line in enumerate(body.split(b"\n"), start=1):
        data = line.strip(b" \t\r")
        if data:
            yield Item(data, Place(number, len(line) - len(line.lstrip(b" \t\r")) + 1, item))
            item += 1


def _array(body: bytes, limits: Limits) -> list[Item]:
    decode_text(body, Place())
    try:
        raws = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return [Item(b"", scanned.place, scanned) for scanned in scan_array(body, limits)]
    items, place, end = [], Place(), 0
    for number, raw in enumerate(raws):
        data = bytes(raw)
        # Only white space and a comma lie between two items, so the first match is the item itself.
        start = body.index(data, end if number else body.index(b"[") + 1)
        place = _advance(place, body[end:start], number)
        items.append(Item(data, place))
        place = _advance(place, data, number)
        end = start + len(data)
    return items


def _advance(place: Place, data: bytes, item: int) -> Place:
    line, column = place.after(data.decode("utf-8"))
    return Place(line, column, item)


def _is_one_value(data: bytes) -> bool:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True
