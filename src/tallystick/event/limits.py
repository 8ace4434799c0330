"""How much of anything is accepted; every refusal states the limit it met."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of admission. Operators may change them; what is already in the log is never judged again."""

    event_bytes_max: int = 256 * 1024
    """Bytes of one event as sent, white space around its values included."""
    batch_events_max: int = 10_000
    batch_bytes_max: int = 16 * 1024 * 1024
    """Bytes of a batch after decompression."""
    depth_max: int = 32
    """Objects and arrays inside one another, the event itself counting as one."""
    key_chars_max: int = 256
    """Characters of a member's name anywhere in an event."""
    future_s_max: int = 24 * 60 * 60
    """How far `occurred_at` may lie ahead of the server's clock."""
