"""Gives accepted events their ids and salts and commits to them."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from struct import Struct
from typing import Final

from tallystick.event.batch import SALTS_BYTES, Batch, admission_checksum
from tallystick.event.commitment import CONTENT_PREFIX, FACTS_PREFIX, ID_BYTES, PERSONAL_PREFIX, SALT_BYTES
from tallystick.event.normalise import Accepted

_ID: Final = Struct(f"{ID_BYTES}s")
_SALTS: Final = Struct(f"{SALT_BYTES}s{SALT_BYTES}s")
_VERSION_7: Final = bytes(0x70 | byte & 0x0F for byte in range(256))
_VARIANT: Final = bytes(0x80 | byte & 0x3F for byte in range(256))


def commit(
    accepted: Accepted, *, now_us: int, entropy: Callable[[int], bytes], items: tuple[int, ...] | None = None
) -> Batch:
    """Return the batch of `accepted` events; asks `entropy` once for all their random bytes."""
    count = len(accepted.facts)
    random = entropy(count * (SALTS_BYTES + ID_BYTES))
    salts, ids = random[: count * SALTS_BYTES], random[count * SALTS_BYTES :]
    ids = time_ordered_ids(ids, now_us // 1000)
    given = bytes(count)
    if any(accepted.ids):
        made = [ids[start : start + ID_BYTES] for start in range(0, len(ids), ID_BYTES)]
        ids = b"".join([own or other for own, other in zip(accepted.ids, made, strict=True)])
        given = bytes(own is not None for own in accepted.ids)
    contents = _contents(ids, salts, accepted.facts, accepted.personal)
    return Batch(
        ids=ids,
        given=given,
        salts=salts,
        classes=tuple(accepted.classes),
        contents=contents,
        facts=tuple(accepted.facts),
        personal=tuple(accepted.personal),
        checksum=admission_checksum(ids, salts, contents, accepted.facts, accepted.personal),
        items=items,
    )


def time_ordered_ids(random: bytes, now_ms: int) -> bytes:
    """Return UUIDv7s (RFC 9562 section 5.7), joined: the time over the first bytes of each 16 random ones."""
    ids = bytearray(random)
    count = len(ids) // ID_BYTES
    for position, byte in enumerate(now_ms.to_bytes(6, "big")):
        ids[position::ID_BYTES] = bytes([byte]) * count
    ids[6::ID_BYTES] = ids[6::ID_BYTES].translate(_VERSION_7)
    ids[8::ID_BYTES] = ids[8::ID_BYTES].translate(_VARIANT)
    return bytes(ids)


def _contents(ids: bytes, salts: bytes, facts: list[bytes], personal: list[bytes]) -> bytes:
    """Return the joined content digests; `event.commitment` says the same of one event, a call per digest."""
    contents = []
    parts = zip(_ID.iter_unpack(ids), _SALTS.iter_unpack(salts), facts, personal, strict=True)
    for (event_id,), (salt1, salt2), known, hidden in parts:
        facts_digest = sha256(FACTS_PREFIX + salt1 + known).digest()
        personal_digest = sha256(PERSONAL_PREFIX + salt2 + hidden).digest()
        contents.append(sha256(CONTENT_PREFIX + event_id + facts_digest + personal_digest).digest())
    return b"".join(contents)
