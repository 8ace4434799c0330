"""The verbs of tokens: create, rotate, revoke, list. A secret is shown once and kept as a hash."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller, Door
from tallystick.access.permissions import close
from tallystick.access.rights import NOTHING, Rights
from tallystick.access.sources.authenticate import KIND, PREFIX, Authenticator
from tallystick.access.sources.errors import (
    SourceUnknownError,
    TokenEndedError,
    TokenRotatingError,
    TokenSettingsError,
    TokenUnknownError,
)
from tallystick.access.sources.limits import (
    check_in_source,
    check_may_hold,
    check_name,
    check_token,
    check_until,
    may_revoke,
    may_see_source,
    may_see_token,
)
from tallystick.access.sources.model import CreatedToken, Owner, OwnerKind, Token, TokenSettings
from tallystick.access.sources.ports import Lasting, Now, RightsOf
from tallystick.access.sources.rows import all_tokens, find_source, find_token
from tallystick.access.sources.service import event_scope, revocation
from tallystick.errors import PermissionMissingError, TallystickError
from tallystick.event.occurred import time_of_us
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.secrets import NONCE_BYTES, Secret, Secrets, hash_secret

US: Final = 1_000_000
FOR_EVER: Final = 1 << 62
OVERLAP_S: Final = 86_400
OVERLAP_S_MAX: Final = 30 * 86_400


class TokenService:
    """The tokens of one installation; may be used from any thread.

    A token that the caller may not see is answered like one that there is not.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        secrets: Secrets,
        now: Now,
        rights_of: RightsOf,
        lasting: Lasting,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._secrets = secrets
        self._now = now
        self._lasting = lasting
        self._authenticator = Authenticator(projection, secrets, now, rights_of)

    def authenticate(self, authorization: str | None, *, address: str, via: Door) -> Caller:
        """Return who sent this `Authorization` header. Raises TokenMissingError, TokenInvalidError."""
        return self._authenticator.authenticate(authorization, address=address, via=via)

    def list(self, caller: Caller, owner: Owner | None = None) -> Sequence[Token]:
        """Return the tokens that the caller may see, oldest first: one's own, and those one manages."""
        with self._projection.engine.connect() as connection:
            return [token for token in all_tokens(connection, owner) if may_see_token(caller, token)]

    def get(self, caller: Caller, token: str) -> Token:
        """Return one token. Raises TokenUnknownError."""
        with self._projection.engine.connect() as connection:
            return _visible(connection, caller, token)

    def create(self, caller: Caller, owner: Owner, settings: TokenSettings) -> CreatedToken:
        """Return a new token; its secret is shown here and never again.

        Permissions are closed over what they require. Raises TokenSettingsError, TokenExceedsError, SourceUnknownError,
        SourceConflictError, PermissionMissingError.
        """
        closed = replace(settings, permissions=close(settings.permissions))
        if owner.kind is not OwnerKind.PERSON:
            check_name(owner.id)
        made, record = _new_secret()

        def decide(connection: Connection) -> Sequence[dict[str, Any]]:
            self._check(connection, caller, owner, closed)
            return [self._creation(caller, owner, closed, record, None)]

        self._keep(record, decide)
        return made

    def rotate(self, caller: Caller, token: str, overlap_s: int = OVERLAP_S) -> CreatedToken:
        """Return the successor of a token, for as long as that was made for; both are valid until the overlap ends.

        It takes what making the token took. Raises TokenEndedError, TokenRotatingError, and what `create` raises.
        """
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise TokenSettingsError(f"an overlap has 0 to {OVERLAP_S_MAX:,} seconds, not {overlap_s:,}")
        made, record = _new_secret()

        def decide(connection: Connection) -> Sequence[dict[str, Any]]:
            old, now = _visible(connection, caller, token), self._now()
            if not old.is_in_force(now):
                raise TokenEndedError(f"token {token} is {old.state(now)}")
            before = find_token(connection, old.predecessor) if old.predecessor else None
            if old.successor is not None or (before is not None and before.is_in_force(now)):
                raise TokenRotatingError(f"token {token} is being rotated already")
            ends = old.settings.expires_at
            settings = replace(old.settings, expires_at=None if ends is None else now + ends - old.created_at)
            self._check(connection, caller, old.owner, settings)
            metadata = {"token": token, "successor": made.token, "ends_at": time_of_us(now + overlap_s * US)}
            return [
                self._creation(caller, old.owner, settings, record, token),
                self._event(caller, "token.rotated", Target("token", token), settings, metadata),
            ]

        self._keep(record, decide)
        return made

    def revoke(self, caller: Caller, token: str) -> None:
        """End a token at once; doing it twice does nothing. Raises TokenUnknownError, PermissionMissingError."""

        def decide(connection: Connection) -> Sequence[dict[str, Any]]:
            found = _visible(connection, caller, token)
            if not may_revoke(caller, found):
                raise PermissionMissingError("you may see this token, not revoke it")
            return [] if found.revoked else [revocation(caller, found, self._now())]

        self._commands.run(decide)
        self._secrets.delete(KIND, token)

    @staticmethod
    def revocations(connection: Connection, caller: Caller, person: str, now_us: int) -> Sequence[dict[str, Any]]:
        """Return the events that end every token of a person, to stand in one batch with what else ends for a leaver."""
        tokens = all_tokens(connection, Owner(OwnerKind.PERSON, person))
        return [revocation(caller, token, now_us) for token in tokens if token.is_in_force(now_us)]

    def _check(self, connection: Connection, caller: Caller, owner: Owner, settings: TokenSettings) -> None:
        check_token(owner, settings, self._now())
        if owner.kind is OwnerKind.SOURCE:
            source = find_source(connection, owner.id)
            if source is None or not may_see_source(caller, source):
                raise SourceUnknownError(f"there is no source {owner.id!r}")
            check_in_source(source, settings.scopes)
        if owner.kind is OwnerKind.PERSON:
            check_may_hold(caller, owner, settings)
            return
        # The token of a service asks nobody again what its maker may do: it would outlive her emergency, and her access.
        check_may_hold(replace(caller, rights=self._lasting(connection, caller)), owner, settings)
        until = FOR_EVER if settings.expires_at is None else settings.expires_at
        check_until(self._until(connection, caller, until), settings)

    def _until(self, connection: Connection, caller: Caller, until_us: int) -> Rights:
        """Return what the caller may do until a time at least; with a token nothing beyond its own end."""
        token = find_token(connection, caller.token) if caller.token else None
        ends = [] if token is None else [at for at in (token.settings.expires_at, token.ends_at) if at is not None]
        return self._lasting(connection, caller, until_us) if min(ends, default=FOR_EVER) >= until_us else NOTHING

    def _creation(
        self, caller: Caller, owner: Owner, settings: TokenSettings, record: Secret, predecessor: str | None
    ) -> dict[str, Any]:
        expires_at = settings.expires_at
        metadata = {
            "token": record.name,
            "owner_kind": owner.kind.value,
            "owner": owner.id,
            "permissions": sorted(settings.permissions),
            "scopes": [scope or "/" for scope in settings.scopes],
            "addresses": [str(network) for network in settings.addresses],
            "expires_at": None if expires_at is None else time_of_us(expires_at),
            "predecessor": predecessor,
            "digest": record.digest,
        }
        target = Target("token", record.name, settings.label or None)
        return self._event(caller, "token.created", target, settings, metadata)

    def _event(
        self, caller: Caller, action: str, target: Target, settings: TokenSettings, metadata: dict[str, Any]
    ) -> dict[str, Any]:
        return act(caller, action, target, metadata, self._now(), scope=event_scope(settings.scopes))

    def _keep(self, record: Secret, decide: Any) -> None:
        # A crash after this leaves a hash without an event: it opens nothing.
        self._secrets.save(record)
        try:
            self._commands.run(decide)
        except TallystickError:
            self._secrets.delete(KIND, record.name)
            raise


def _new_secret() -> tuple[CreatedToken, Secret]:
    name = randomness.token_hex(6)
    secret = f"{PREFIX}_{name}_{randomness.token_urlsafe(32)}"
    nonce = randomness.token_bytes(NONCE_BYTES)
    return CreatedToken(name, secret), Secret(KIND, name, nonce, hash_secret(nonce, secret))


def _visible(connection: Connection, caller: Caller, token: str) -> Token:
    found = find_token(connection, token)
    if found is None or not may_see_token(caller, found):
        raise TokenUnknownError(f"there is no token {token[:64]!r}")
    return found
