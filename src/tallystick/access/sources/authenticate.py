"""Who sent an `Authorization` header: judged from memory, for every request.

What a token allows is worked out when the tables have changed, not for each request. Only the token of a person is
held against what that person may do now, and that too is worked out once for each change of the person's rights.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final, Literal

from sqlalchemy import select

from tallystick.access.errors import TokenInvalidError, TokenMissingError
from tallystick.access.model import Caller, Door
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.access.sources.model import Network, OwnerKind, Source, Token
from tallystick.access.sources.ports import Now, RightsOf
from tallystick.access.sources.rows import all_sources, token_of
from tallystick.access.sources.service import rules_of
from tallystick.follow.projection import Projection
from tallystick.store.secrets import Secret, Secrets, hash_secret
from tallystick.store.tables import TOKEN

PREFIX: Final = "tsk"
KIND: Final = "token"
"""Of its records in `secrets.db`."""
_SECRET = re.compile(rf"{PREFIX}_([0-9a-f]{{12}})_[A-Za-z0-9_-]{{43}}", re.ASCII)
_REFUSED: Final = "the token is not in force"


@dataclass(frozen=True, slots=True)
class _Known:
    """A token in memory: all that is needed to judge a request. `caller` lacks address and door."""

    secret: Secret
    caller: Caller
    person: bool
    ends_at: int | None
    networks: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The tokens in force by name, as the tables had them at one version."""

    version: int
    known: Mapping[str, _Known]


class Authenticator:
    """Safe to share between threads. `now` never lies before the newest event: a clock set back revives no token."""

    def __init__(self, projection: Projection, secrets: Secrets, now: Now, rights_of: RightsOf) -> None:
        self._projection = projection
        self._secrets = secrets
        self._now = now
        self._rights_of = rights_of
        self._tokens: _Tokens | None = None  # replaced, never changed
        self._limited: dict[str, tuple[Rights, Rights, Rights]] = {}  # by token: its own, the person's, what both allow

    def authenticate(self, authorization: str | None, *, address: str, via: Door) -> Caller:
        """Return the caller. Raises TokenMissingError, TokenInvalidError.

        A wrong secret takes as long as a right one; a token that is revoked, expired, unknown, or used from a network that
        is not among its own is answered alike.
        """
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise TokenMissingError("this needs a token")
        match = _SECRET.fullmatch(secret.strip())
        known = self._find(match[1]) if match else None
        offered = hash_secret(known.secret.nonce if known else b"", secret.strip())
        if known is None or not hmac.compare_digest(offered, known.secret.record):
            raise TokenInvalidError(_REFUSED)
        if known.ends_at is not None and known.ends_at <= self._now():
            raise TokenInvalidError(_REFUSED)
        if known.networks and not _is_inside(address, known.networks):
            raise TokenInvalidError(_REFUSED)
        if known.person:
            return self._person(known.caller, address, via)
        return replace(known.caller, address=address, via=via)

    def _person(self, caller: Caller, address: str, via: Door) -> Caller:
        standing = self._rights_of(caller.id, self._now())
        if standing is None:
            raise TokenInvalidError(_REFUSED)
        assert caller.token is not None
        kept = self._limited.get(caller.token)
        if kept is None or kept[0] is not caller.rights or kept[1] is not standing.rights:
            both = caller.rights.within(standing.rights)
            kept = self._limited[caller.token] = (caller.rights, standing.rights, both)
        return replace(caller, name=standing.name, rights=kept[2], address=address, via=via, aliases=standing.aliases)

    def _find(self, token: str) -> _Known | None:
        # The version is read before the tables: what is kept may be older than it says, never newer.
        tokens, version = self._tokens, self._projection.version
        if tokens is None or tokens.version != version:
            tokens = self._tokens = _Tokens(version, self._load())
        return tokens.known.get(token)

    def _load(self) -> dict[str, _Known]:
        """Return the tokens in force. One whose record in `secrets.db` is not the one the log speaks of is left out."""
        with self._projection.engine.connect() as connection:
            sources = {source.name: source for source in all_sources(connection)}
            rows = connection.execute(select(TOKEN).where(TOKEN.c.revoked_index.is_(None))).mappings().all()
        secrets = self._secrets.all(KIND)
        known: dict[str, _Known] = {}
        for row in rows:
            secret = secrets.get(row["token"])
            if secret is None or not hmac.compare_digest(secret.digest, row["digest"]):
                continue
            token = token_of(row)
            caller = _caller(token, sources.get(token.owner.id))
            ends = [at for at in (token.settings.expires_at, token.ends_at) if at is not None]
            is_person = token.owner.kind is OwnerKind.PERSON
            if caller is not None:
                known[secret.name] = _Known(
                    secret, caller, is_person, min(ends, default=None), token.settings.addresses
                )
        return known


def _caller(token: Token, source: Source | None) -> Caller | None:
    """Return who comes with a token, or None when it is the token of a source that is retired."""
    rights, write = token.settings.rights, None
    if token.owner.kind is OwnerKind.SOURCE:
        if source is None or source.retired:
            return None
        # A source whose scopes were narrowed takes its tokens along.
        of_source = Rights.of((permission, root) for permission in Permission for root in source.settings.scopes)
        rights = rights.within(of_source)
        scopes = rights.scopes(Permission.EVENTS_RECORD)
        write = rules_of(source, scopes) if scopes else None
    kind: Literal["user", "service"] = "user" if token.owner.kind is OwnerKind.PERSON else "service"
    return Caller(
        id=token.owner.id,
        type=kind,
        name=token.owner.id,
        rights=rights,
        address="",
        via="api",
        write=write,
        token=token.token,
    )


def _is_inside(address: str, networks: tuple[Network, ...]) -> bool:
    """Return whether the address lies in one of the networks; what is no IP address lies in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)
