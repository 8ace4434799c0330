"""What every verb about people works on: the tables, the one way to change them, the secrets, the time."""

from __future__ import annotations

import hmac
import secrets as randomness
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from tallystick.access.people.model import new_id
from tallystick.clock import Clock
from tallystick.errors import TallystickError
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.secrets import NONCE_BYTES, Secret, Secrets
from tallystick.store.tables.people import CREDENTIAL

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Book:
    """Shared by the services of this room; may be used from any thread.

    `newest` returns the `received_at` of the log's newest event: a clock that is set back revives nothing. `key` makes
    keyed hashes of what must be told apart and not be read.
    """

    projection: Projection
    commands: Commands
    secrets: Secrets
    clock: Clock
    newest: Callable[[], int]
    key: bytes

    def now_us(self) -> int:
        """Return the time that decisions count from."""
        return max(self.clock.now_us(), self.newest())

    def mark(self, *parts: str) -> str:
        """Return a keyed hash of `parts` that cannot be traced back without the key."""
        return hmac.digest(self.key, "\0".join(parts).encode(), "sha256").hex()

    def prepare(self, kind: str, record: bytes) -> Secret:
        """Return a new secret, saved and without effect until an event carries its digest."""
        secret = Secret(kind, new_id("c"), randomness.token_bytes(NONCE_BYTES), record)
        self.secrets.save(secret)
        return secret

    def run(
        self,
        decide: Callable[[Connection], Sequence[Event]],
        *,
        activates: Sequence[Secret] = (),
    ) -> None:
        """Run a decision that activates secrets, and forget them where it is refused.

        A crash between saving and the event leaves records without an event: they open nothing.
        """
        try:
            self.commands.run(decide)
        except TallystickError:
            for secret in activates:
                self.secrets.delete(secret.kind, secret.name)
            raise

    def in_force(self, connection: Connection, kind: str, person: str, now_us: int) -> Secret | None:
        """Return the secret of a kind that counts for a person: its row, and a record with that very digest."""
        row = connection.execute(
            select(CREDENTIAL).where(CREDENTIAL.c.person == person, CREDENTIAL.c.kind == kind)
        ).first()
        if row is None or (row.until is not None and row.until <= now_us):
            return None
        return self.genuine(kind, row.name, row.digest)

    def genuine(self, kind: str, name: str, digest: str) -> Secret | None:
        """Return a record if it is the one that the log speaks of; one that was swapped is none."""
        secret = self.secrets.find(kind, name)
        return secret if secret is not None and hmac.compare_digest(secret.digest, digest) else None

    def sweep(self, kind: str) -> None:
        """Forget the records of a kind that no row speaks of any more."""
        with self.projection.engine.connect() as connection:
            kept = set(connection.scalars(select(CREDENTIAL.c.name).where(CREDENTIAL.c.kind == kind)))
        for name in self.secrets.all(kind).keys() - kept:
            self.secrets.delete(kind, name)
