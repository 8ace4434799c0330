"""One-time links: the first account, and invitations. Only their hashes are kept."""

from __future__ import annotations

import hmac
import re
import secrets as randomness
from typing import Any, Final, Literal

from sqlalchemy import Connection, select

from tallystick.access.people.book import Book
from tallystick.access.people.errors import LinkInvalidError
from tallystick.access.people.model import new_id
from tallystick.store.secrets import NONCE_BYTES, Secret, hash_secret
from tallystick.store.tables.people import CREDENTIAL

Kind = Literal["setup", "invitation"]
HOUR_US: Final = 3600 * 1_000_000
SETUP_US: Final = 24 * HOUR_US
INVITATION_US: Final = 72 * HOUR_US
_TOKEN: Final = re.compile(r"tsl_(c-[a-z0-9]{10})_[A-Za-z0-9_-]{43}", re.ASCII)


def new_link(book: Book, kind: Kind) -> tuple[str, Secret]:
    """Return a token, and its hash saved without effect until an event carries the digest."""
    name, nonce = new_id("c"), randomness.token_bytes(NONCE_BYTES)
    token = f"tsl_{name}_{randomness.token_urlsafe(32)}"
    secret = Secret(kind, name, nonce, hash_secret(nonce, token))
    book.secrets.save(secret)
    return token, secret


def find_link(book: Book, connection: Connection, kind: Kind, token: str, now_us: int) -> Any:
    """Return the row of a link in force. Raises LinkInvalidError for every other text alike."""
    match = _TOKEN.fullmatch(token)
    query = select(CREDENTIAL).where(CREDENTIAL.c.name == (match[1] if match else ""), CREDENTIAL.c.kind == kind)
    row = connection.execute(query).first()
    secret = book.genuine(kind, row.name, row.digest) if row is not None else None
    offered = hash_secret(secret.nonce if secret else b"", token)
    if row is None or secret is None or not hmac.compare_digest(offered, secret.record) or row.until <= now_us:
        raise LinkInvalidError("the link is not in force")
    return row
