"""Signatures as the Standard Webhooks specification has them: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Return a new signing secret as receivers take it."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(signing: Iterable[str], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers; one signature for each secret, so that a receiver may hold either."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    made = [b64encode(hmac.digest(b64decode(each.removeprefix(PREFIX)), signed, "sha256")).decode() for each in signing]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{each}" for each in made),
    }
