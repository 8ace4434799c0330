"""Tokens of senders, services and people: list, create, rotate, revoke. A secret is in one answer only."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.permissions import Permission
from tallystick.access.sources.errors import TokenEndedError, TokenSettingsError, TokenUnknownError
from tallystick.access.sources.model import CreatedToken, Network, Owner, OwnerKind, Token, TokenSettings
from tallystick.access.sources.tokens import OVERLAP_S
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.api.sources import parse_scopes
from tallystick.event.occurred import normalise_time, time_of_us, us_of_time
from tallystick.event.refusals import BadTimeError

_Token = Annotated[str, PathParameter(description="The name of a token, never its secret.")]
_REFUSALS: Final = {404: TokenUnknownError.code, 409: TokenEndedError.code, **BODY_PROBLEMS}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["tokens"]}

Addresses = Annotated[
    list[str], msgspec.Meta(max_length=64, description="Networks it may be used from, such as 192.0.2.0/24; none: any.")
]


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be made: for a source, which alone can send events, a service, or the caller (a person)."""

    owner_kind: Literal["source", "service", "person"]
    owner: Annotated[str, msgspec.Meta(description="The name of the source or service, or the person's own id.")]
    permissions: Annotated[list[str], msgspec.Meta(min_length=1, max_length=64)]
    scopes: Annotated[list[str], msgspec.Meta(min_length=1, max_length=32)]
    expires_at: Annotated[str | None, msgspec.Meta(description="RFC 3339 with zone; null for no end.")] = None
    addresses: Addresses = []
    label: Annotated[str, msgspec.Meta(max_length=200, description="What it is for, for people to read.")] = ""


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many seconds the old token stays valid beside the new one."""

    overlap_s: int = OVERLAP_S


class TokenOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a token is."""

    kind: str
    id: str


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret. `state` is active, rotating, replaced, expired or revoked."""

    token: str
    owner: TokenOwner
    label: str
    permissions: list[str]
    scopes: list[str]
    addresses: list[str]
    created_at: str
    expires_at: str | None
    state: str
    predecessor: str | None
    successor: str | None
    ends_at: str | None


class TokensView(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that the caller may see, oldest first."""

    tokens: list[TokenView]


class NewTokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A new token with its secret, for the only time."""

    token: str
    secret: str


@get("/api/v1/tokens", guards=[need_caller], sync_to_thread=True, summary="Tokens", tags=["tokens"])
def tokens(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> TokensView:
    """Return the caller's own tokens and those that the caller manages."""
    caller, now = caller_of(request, services), services.ledger.status().now
    services.recorder.looked(caller, "tokens")
    return TokensView(tokens=[view_of(token, now) for token in services.tokens.list(caller)])


@post(
    "/api/v1/tokens",
    opt={PROBLEMS: {404: "source-unknown", 409: "source-conflict", 422: TokenSettingsError.code, **BODY_PROBLEMS}},
    summary="Create a token",
    **_CHANGING,
)
def create_token(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewToken]
) -> NewTokenView:
    """Make a token that allows no more than its maker may do; sending is in the gift of who manages the source."""
    settings = TokenSettings(
        permissions=parse_permissions(data.permissions),
        scopes=parse_scopes(data.scopes),
        expires_at=None if data.expires_at is None else parse_expiry(data.expires_at),
        addresses=parse_networks(data.addresses),
        label=data.label,
    )
    owner = Owner(OwnerKind(data.owner_kind), data.owner)
    return _new(services.tokens.create(caller_of(request, services), owner, settings))


@post("/api/v1/tokens/{token:str}/rotate", opt={PROBLEMS: _REFUSALS}, summary="Rotate a token", **_CHANGING)
def rotate_token(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: _Token, data: JSONBody[Rotation]
) -> NewTokenView:
    """Make the successor of a token; the old one stays valid for the overlap, so that nothing is refused meanwhile."""
    return _new(services.tokens.rotate(caller_of(request, services), token, data.overlap_s))


@post(
    "/api/v1/tokens/{token:str}/revoke",
    status_code=200,
    opt={PROBLEMS: {404: TokenUnknownError.code}},
    summary="Revoke a token",
    **_CHANGING,
)
def revoke_token(request: Request[Any, Any, Any], services: NamedDependency[Services], token: _Token) -> TokenView:
    """End a token at once; doing it twice does nothing."""
    caller = caller_of(request, services)
    shown = services.tokens.get(caller, token)
    services.tokens.revoke(caller, token)
    # Whoever revokes the token that she came with sees it for the last time.
    return view_of(replace(shown, revoked=True), services.ledger.status().now)


def view_of(token: Token, now_us: int) -> TokenView:
    """Return a token as answers show it."""
    settings = token.settings
    return TokenView(
        token=token.token,
        owner=TokenOwner(kind=token.owner.kind.value, id=token.owner.id),
        label=settings.label,
        permissions=sorted(settings.permissions),
        scopes=[scope or "/" for scope in settings.scopes],
        addresses=[str(network) for network in settings.addresses],
        created_at=time_of_us(token.created_at),
        expires_at=_time(settings.expires_at),
        state=token.state(now_us),
        predecessor=token.predecessor,
        successor=token.successor,
        ends_at=_time(token.ends_at),
    )


def parse_permissions(names: list[str]) -> frozenset[Permission]:
    """Return permissions by their names; raises TokenSettingsError."""
    try:
        return frozenset(map(Permission, names))
    except ValueError as error:
        raise TokenSettingsError(str(error)) from error


def parse_expiry(text: str) -> int:
    """Return a time as microseconds; raises TokenSettingsError."""
    try:
        return us_of_time(normalise_time(text))
    except BadTimeError as error:
        raise TokenSettingsError(error.message) from error


def parse_networks(texts: list[str]) -> tuple[Network, ...]:
    """Return networks, or single addresses, of either version; raises TokenSettingsError."""
    try:
        return tuple(map(ip_network, texts))
    except ValueError as error:
        raise TokenSettingsError(f"an address range is not one: {error}") from error


def _new(created: CreatedToken) -> NewTokenView:
    return NewTokenView(token=created.token, secret=created.secret)


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)


TOKEN_ROUTES: Final = (tokens, create_token, rotate_token, revoke_token)
