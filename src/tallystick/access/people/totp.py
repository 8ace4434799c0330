"""Six digits that change every half minute (RFC 6238), and the codes for the day the authenticator is lost."""

from __future__ import annotations

import base64
import hmac
import json
import secrets as randomness
from typing import Final

import pyotp

from tallystick.store.secrets import Secret, hash_secret

STEP_US: Final = 30 * 1_000_000
SEED_BYTES: Final = 20
CODES: Final = 10
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE_CHARS: Final = 16
_GROUP: Final = 4


def new_seed() -> str:
    """Return a random seed in base 32, as authenticators take it."""
    return base64.b32encode(randomness.token_bytes(SEED_BYTES)).decode()


def seed_uri(seed: str, handle: str, issuer: str) -> str:
    """Return the `otpauth:` link that an authenticator opens."""
    return pyotp.TOTP(seed).provisioning_uri(name=handle, issuer_name=issuer)


def step_of(seed: str, code: str, now_us: int) -> int | None:
    """Return the half minute since 1970 that a code belongs to: this one, the one before or the next; or None."""
    typed = code.replace(" ", "").encode(errors="replace")
    generator, current = pyotp.TOTP(seed), now_us // STEP_US
    found = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(generator.generate_otp(step).encode(), typed)
    ]
    return found[-1] if found else None


def new_codes() -> list[str]:
    """Return recovery codes as they are shown, once: 79 random bits each."""
    return [
        "-".join("".join(randomness.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_CODE_CHARS // _GROUP))
        for _ in range(CODES)
    ]


def codes_record(nonce: bytes, codes: list[str]) -> bytes:
    """Return what is kept of the codes: their hashes in order."""
    return json.dumps([hash_secret(nonce, _plain(code)).hex() for code in codes]).encode()


def code_number(secret: Secret, code: str) -> int | None:
    """Return which of the codes this is, or None; every one is compared."""
    offered = hash_secret(secret.nonce, _plain(code)).hex()
    hashes: list[str] = json.loads(secret.record)
    found = [number for number, kept in enumerate(hashes) if hmac.compare_digest(offered, kept)]
    return found[0] if found else None


def _plain(code: str) -> str:
    return code.replace("-", "").replace(" ", "").strip().casefold()
