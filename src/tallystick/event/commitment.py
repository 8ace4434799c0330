"""The digests that stand for an event's content in the log (format 1, DESIGN section 5).

Facts and personal data are committed apart, each behind its own salt, so that the personal part can be
destroyed, salt and all, while the facts still verify against the entry.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

SALT_BYTES: Final = 16
ID_BYTES: Final = 16
DIGEST_BYTES: Final = 32

FACTS_PREFIX: Final = b"tallystick/1 facts\n"
PERSONAL_PREFIX: Final = b"tallystick/1 personal\n"
CONTENT_PREFIX: Final = b"tallystick/1 content\n"


def facts_digest(salt1: bytes, facts: bytes) -> bytes:
    """Return the 32-byte commitment to the canonical facts."""
    assert len(salt1) == SALT_BYTES
    return sha256(FACTS_PREFIX + salt1 + facts).digest()


def personal_digest(salt2: bytes, personal: bytes) -> bytes:
    """Return the 32-byte commitment to the canonical personal part (`{}` when there is none)."""
    assert len(salt2) == SALT_BYTES
    return sha256(PERSONAL_PREFIX + salt2 + personal).digest()


def content_digest(event_id: bytes, facts: bytes, personal: bytes) -> bytes:
    """Return the 32 bytes that the entry holds, from the event's 16-byte id and the two digests."""
    assert len(event_id) == ID_BYTES
    assert len(facts) == len(personal) == DIGEST_BYTES
    return sha256(CONTENT_PREFIX + event_id + facts + personal).digest()
