"""The verbs of access: register, create, revoke, authenticate."""

from __future__ import annotations

import hmac
import re
import secrets as randomness
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection, func, select

from tallystick.access.errors import (
    SourceConflictError,
    SourceNameInvalidError,
    TokenInvalidError,
    TokenMissingError,
    TokenUnknownError,
)
from tallystick.access.model import Caller, Door
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.roles import BUILT_IN
from tallystick.access.scopes import parse_scope
from tallystick.access.sources.model import Can, CreatedToken, Source, Token
from tallystick.clock import Clock
from tallystick.errors import TallystickError
from tallystick.event.gate import SourceRules
from tallystick.event.identifier import is_within
from tallystick.event.occurred import time_of_us
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.secrets import NONCE_BYTES, Secret, Secrets, hash_secret
from tallystick.store.tables import SOURCE, TOKEN

PREFIX: Final = "tsk"
KIND: Final = "token"
"""Of its records in `secrets.db`."""
DAY_US: Final = 86_400 * 1_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SECRET = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_[A-Za-z0-9_-]{{43}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Known:
    """A token in memory: all that is needed to judge a request."""

    secret: Secret
    can: Can
    scope: str
    expires_at: int | None
    rules: SourceRules


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The tokens in force by name, as the tables had them at one version."""

    version: int
    known: Mapping[str, _Known]


class AccessService:
    """Sources and tokens of one installation; may be used from any thread.

    `newest` returns the `received_at` of the log's newest event: a clock that is set back revives no token.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        secrets: Secrets,
        clock: Clock,
        newest: Callable[[], int] = lambda: 0,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._secrets = secrets
        self._clock = clock
        self._newest = newest
        self._tokens: _Tokens | None = None  # replaced, never changed

    def create_token(
        self,
        *,
        source: str,
        scope: str,
        can: str,
        expires_in_days: int | None = None,
        personal_ids: bool = False,
    ) -> CreatedToken:
        """Return a new token for a source, which is registered when new; the secret is shown here and never again.

        `scope` is a slash path or `/`. Raises ScopeInvalidError, SourceNameInvalidError, SourceConflictError.
        """
        path = parse_scope(scope)
        name = randomness.token_hex(6)
        secret = f"{PREFIX}_{name}_{randomness.token_urlsafe(32)}"
        nonce = randomness.token_bytes(NONCE_BYTES)
        record = Secret(KIND, name, nonce, hash_secret(nonce, secret))
        expires_at = None if expires_in_days is None else self._now_us() + expires_in_days * DAY_US
        # A crash after this leaves a hash without an event: it opens nothing.
        self._secrets.save(record)

        def decide(connection: Connection) -> list[dict[str, Any]]:
            events, number = self._registration(connection, source, path, "api", personal_ids=personal_ids)
            metadata: dict[str, Any] = {"token": name, "source": number, "can": Can(can).value, "scope": path}
            metadata["digest"] = record.digest
            if expires_at is not None:
                metadata["expires_at"] = expires_at
            return [*events, self._event("token.created", ("token", name), metadata)]

        try:
            self._commands.run(decide)
        except TallystickError:
            self._secrets.delete(KIND, name)
            raise
        return CreatedToken(name, secret)

    def ensure_source(self, name: str, *, scope: str = "/", kind: str, personal_ids: bool = False) -> Source:
        """Return the source of this name, registered when new."""
        path = parse_scope(scope)
        self._commands.run(
            lambda connection: self._registration(connection, name, path, kind, personal_ids=personal_ids)[0]
        )
        return next(source for source in self.sources() if source.name == name)

    def revoke_token(self, token: str) -> None:
        """End a token at once. Raises TokenUnknownError; doing it twice does nothing."""

        def decide(connection: Connection) -> list[dict[str, Any]]:
            row = connection.execute(select(TOKEN).where(TOKEN.c.token == token)).first()
            if row is None:
                raise TokenUnknownError(f"there is no token {token!r}")
            if row.revoked_index is not None:
                return []
            return [self._event("token.revoked", ("token", token), {"token": token})]

        self._commands.run(decide)
        self._secrets.delete(KIND, token)

    def tokens(self) -> list[Token]:
        """Return every token ever made, oldest first."""
        query = (
            select(TOKEN, SOURCE.c.name.label("source_name"))
            .join(SOURCE, SOURCE.c.number == TOKEN.c.source)
            .order_by(TOKEN.c.created_index)
        )
        with self._projection.engine.connect() as connection:
            return [
                Token(
                    row.token, row.source_name, Can(row.can), row.scope, row.expires_at, row.revoked_index is not None
                )
                for row in connection.execute(query)
            ]

    def sources(self) -> list[Source]:
        """Return every registered source by number."""
        with self._projection.engine.connect() as connection:
            rows = connection.execute(select(SOURCE).order_by(SOURCE.c.number))
            return [Source(row.number, row.name, row.kind, row.scope, row.actor_ids, row.strict) for row in rows]

    def authenticate(self, authorization: str | None, *, address: str, via: Door) -> Caller:
        """Return who sent this `Authorization` header. Raises TokenMissingError, TokenInvalidError.

        A wrong secret takes as long as a right one; a revoked, expired or unknown token is answered alike.
        """
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise TokenMissingError("this needs a token")
        match = _SECRET.fullmatch(secret.strip())
        known = self._find(match[1]) if match else None
        offered = hash_secret(known.secret.nonce if known else b"", secret.strip())
        if known is None or not hmac.compare_digest(offered, known.secret.record):
            raise TokenInvalidError("the token is not in force")
        if known.expires_at is not None and known.expires_at <= self._now_us():
            raise TokenInvalidError("the token is not in force")
        return _caller(known, address, via)

    def local_caller(self, source: Source) -> Caller:
        """Return the operator at the data directory itself: everything, recorded as `source`."""
        rules = _rules(source, source.scope)
        everything = Rights.of((permission, "") for permission in Permission)
        return Caller(source.name, "user", source.name, everything, "local", "command-line", write=rules)

    def _now_us(self) -> int:
        return max(self._clock.now_us(), self._newest())

    def _find(self, token: str) -> _Known | None:
        # The version is read before the tables: what is kept may be older than it says, never newer.
        tokens, version = self._tokens, self._projection.version
        if tokens is None or tokens.version != version:
            tokens = self._tokens = _Tokens(version, self._load_tokens())
        return tokens.known.get(token)

    def _load_tokens(self) -> dict[str, _Known]:
        """Return the tokens in force. One whose record in `secrets.db` is not the one the log speaks of is left out."""
        query = (
            select(TOKEN, *_SOURCE_COLUMNS)
            .join(SOURCE, SOURCE.c.number == TOKEN.c.source)
            .where(TOKEN.c.revoked_index.is_(None))
        )
        with self._projection.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        secrets = self._secrets.all(KIND)
        known: dict[str, _Known] = {}
        for row in rows:
            secret = secrets.get(row[TOKEN.c.token])
            if secret is None or not hmac.compare_digest(secret.digest, row[TOKEN.c.digest]):
                continue
            source, scope = Source(*(row[column] for column in _SOURCE_COLUMNS)), row[TOKEN.c.scope]
            known[secret.name] = _Known(
                secret, Can(row[TOKEN.c.can]), scope, row[TOKEN.c.expires_at], _rules(source, scope)
            )
        return known

    def _registration(
        self, connection: Connection, name: str, scope: str, kind: str, *, personal_ids: bool
    ) -> tuple[list[dict[str, Any]], int]:
        """Return the events that register a source, none when it is there, and its number."""
        if not _NAME.fullmatch(name):
            raise SourceNameInvalidError(f"{name[:80]!r} cannot name a source")
        row = connection.execute(select(SOURCE).where(SOURCE.c.name == name)).first()
        if row is not None:
            if not is_within(scope, row.scope):
                raise SourceConflictError(
                    f"source {name} is registered for {row.scope or '/'}, which {scope or '/'} is not in"
                )
            if personal_ids and row.actor_ids != "personal":
                raise SourceConflictError(
                    f"source {name} is registered with opaque actor ids: they stand in the facts",
                    advice="Use another source name for events whose actor ids name people.",
                )
            return [], row.number
        number = 1 + (connection.scalar(select(func.max(SOURCE.c.number))) or 0)
        metadata = {
            "number": number,
            "name": name,
            "kind": kind,
            "scope": scope,
            "actor_ids": "personal" if personal_ids else "opaque",
            "strict": False,
        }
        return [self._event("source.registered", ("source", name), metadata)], number

    def _event(self, action: str, target: tuple[str, str], metadata: dict[str, Any]) -> dict[str, Any]:
        return {
            "action": action,
            "actor": {"id": "operator", "type": "system"},
            "target": {"type": target[0], "id": target[1]},
            "scope": metadata.get("scope") or "tallystick",
            "occurred_at": time_of_us(self._clock.now_us()),
            "metadata": metadata,
        }


_SOURCE_COLUMNS = (
    SOURCE.c.number,
    SOURCE.c.name,
    SOURCE.c.kind,
    SOURCE.c.scope,
    SOURCE.c.actor_ids,
    SOURCE.c.strict,
)


def _rules(source: Source, scope: str) -> SourceRules:
    actor_ids: Literal["opaque", "personal"] = "personal" if source.actor_ids == "personal" else "opaque"
    return SourceRules(source.number, source.name, scope, actor_ids, source.strict)


#: What a token that reads may do.
_READING = BUILT_IN["analyst"].permissions - {Permission.GRANTS_BREAK_GLASS, Permission.TOKENS_CREATE_OWN}


def _caller(known: _Known, address: str, via: Door) -> Caller:
    granted = [(permission, known.scope) for permission in _READING] if known.can.reads else []
    return Caller(
        id=known.rules.name,
        type="service",
        name=known.rules.name,
        rights=Rights.of(granted),
        address=address,
        via=via,
        write=known.rules if known.can.writes else None,
        token=known.secret.name,
    )
