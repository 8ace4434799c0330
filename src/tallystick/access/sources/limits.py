"""What may be asked of sources and tokens: forms, and who may give what to whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission, close
from tallystick.access.require import require
from tallystick.access.rights import Rights
from tallystick.access.roles import BUILT_IN
from tallystick.access.sources.errors import (
    SourceConflictError,
    SourceNameInvalidError,
    SourceSettingsError,
    TokenExceedsError,
    TokenSettingsError,
)
from tallystick.access.sources.model import Owner, OwnerKind, Source, SourceSettings, Token, TokenSettings
from tallystick.errors import PermissionMissingError
from tallystick.event.identifier import hidden_character, is_within, names_someone

P = Permission

#: Acts of a person who is there, never of a program that holds a secret.
NOT_FOR_TOKENS: Final = frozenset({P.GRANTS_APPROVE, P.GRANTS_BREAK_GLASS, P.REVIEWS_SIGN, P.TOKENS_CREATE_OWN})
_READ: Final = BUILT_IN["analyst"].permissions - NOT_FOR_TOKENS - {P.GRANTS_REQUEST, P.VIEWS_SHARE}
#: Sets of permissions that go by one word.
PRESETS: Final[Mapping[str, frozenset[Permission]]] = {
    "write": close({P.EVENTS_RECORD}),
    "read": _READ,
    "both": close({P.EVENTS_RECORD, *_READ}),
}
SCOPES_MAX: Final = 32
ADDRESSES_MAX: Final = 64
OWNER_CHARS_MAX: Final = 128
LABEL_CHARS_MAX: Final = 200
#: Who else acts in the log: the product, the operator, and whoever has not said who she is.
TAKEN: Final = frozenset({"tallystick", "operator", "anonymous"})
LIFE_US_MAX: Final = 100 * 365 * 86_400 * 1_000_000
_PERSON = re.compile(r"p-[a-z0-9]{10}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def check_name(name: str) -> None:
    """Raise SourceNameInvalidError unless the text can name a source or service: one that is the id of a person, or of
    somebody else who acts, would pass for her in the log and see what is hers.
    """
    if not _NAME.fullmatch(name) or name in TAKEN or _PERSON.fullmatch(name):
        raise SourceNameInvalidError(f"{name[:80]!r} cannot name a source or service")


def check_source(settings: SourceSettings) -> None:
    """Raise SourceSettingsError for what no sender can have; names and owners are facts that stay for ever."""
    if not _NAME.fullmatch(settings.kind):
        raise SourceSettingsError(f"{settings.kind[:80]!r} is no kind of source")
    if len(settings.owner) > OWNER_CHARS_MAX or hidden_character(settings.owner):
        raise SourceSettingsError(f"the owner has more than {OWNER_CHARS_MAX} characters, or some that nobody sees")
    if names_someone(settings.owner):
        raise SourceSettingsError("the owner is an address; name a group, a team or the id of a person")
    if settings.silence_s is not None and settings.silence_s < 1:
        raise SourceSettingsError(f"{settings.silence_s} seconds of silence")
    if not 1 <= len(settings.scopes) <= SCOPES_MAX:
        raise SourceSettingsError(f"a source has 1 to {SCOPES_MAX} scopes, not {len(settings.scopes)}")


def check_token(owner: Owner, settings: TokenSettings, now_us: int) -> None:
    """Raise TokenSettingsError for what no token can be."""
    if not settings.permissions:
        raise TokenSettingsError("a token without a permission opens nothing")
    if not 1 <= len(settings.scopes) <= SCOPES_MAX or len(settings.addresses) > ADDRESSES_MAX:
        raise TokenSettingsError(f"a token has 1 to {SCOPES_MAX} scopes and at most {ADDRESSES_MAX} address ranges")
    if settings.permissions & NOT_FOR_TOKENS:
        named = ", ".join(sorted(settings.permissions & NOT_FOR_TOKENS))
        raise TokenSettingsError(f"{named}: only a person who is signed in can do this")
    if owner.kind is not OwnerKind.SOURCE and P.EVENTS_RECORD in settings.permissions:
        raise TokenSettingsError("only the token of a source can send events")
    if settings.expires_at is not None and not now_us < settings.expires_at <= now_us + LIFE_US_MAX:
        raise TokenSettingsError("a token expires after now, and within 100 years")
    if len(settings.label) > LABEL_CHARS_MAX or hidden_character(settings.label):
        raise TokenSettingsError(f"the label has more than {LABEL_CHARS_MAX} characters, or some that nobody sees")


def check_may_hold(caller: Caller, owner: Owner, settings: TokenSettings) -> None:
    """Raise unless the caller may give this token to its owner, and holds all of it.

    Sending is in the gift of who manages the source; everything else only of who may do it.
    """
    match owner.kind:
        case OwnerKind.SOURCE:
            require(caller, P.SOURCES_MANAGE, *settings.scopes)
        case OwnerKind.SERVICE:
            require(caller, P.TOKENS_MANAGE, *settings.scopes)
        case OwnerKind.PERSON:
            if not is_own(caller, owner):
                raise PermissionMissingError("the token of a person is made and rotated by that person alone")
            require(caller, P.TOKENS_CREATE_OWN)
    held = [*caller.rights.pairs(), *((P.EVENTS_RECORD, scope) for scope in caller.rights.scopes(P.SOURCES_MANAGE))]
    within = settings.rights.within(Rights.of(held))
    if within != settings.rights:
        beyond = sorted({permission for permission, _ in set(settings.rights.pairs()) - set(within.pairs())})
        raise TokenExceedsError(f"you do not hold {', '.join(beyond)} in all of these scopes yourself")


def check_until(held: Rights, settings: TokenSettings) -> None:
    """Raise TokenExceedsError unless all but sending is held for as long as the token lasts."""
    beyond = settings.rights.scopes_of.keys() - {P.EVENTS_RECORD}
    wanted = Rights.of((permission, scope) for permission, scope in settings.rights.pairs() if permission in beyond)
    within = wanted.within(held)
    if within != wanted:
        ending = sorted({permission for permission, _ in set(wanted.pairs()) - set(within.pairs())})
        raise TokenExceedsError(
            f"you hold {', '.join(ending)} for a shorter time than this token would last",
            advice="Make a token with an end that comes no later than that of your own access; to rotate is to make one.",
        )


def check_in_source(source: Source, scopes: tuple[str, ...]) -> None:
    """Raise SourceConflictError unless the source may be used for these scopes."""
    if source.retired:
        raise SourceConflictError(f"source {source.name} is retired")
    for scope in scopes:
        if not any(is_within(scope, root) for root in source.settings.scopes):
            registered = ", ".join(root or "/" for root in source.settings.scopes)
            raise SourceConflictError(
                f"source {source.name} is registered for {registered}, which {scope or '/'} is not in"
            )


def is_own(caller: Caller, owner: Owner) -> bool:
    """Return whether the owner is the caller, a person."""
    return owner.kind is OwnerKind.PERSON and caller.type == "user" and owner.id == caller.id


def may_see_source(caller: Caller, source: Source) -> bool:
    """Return whether the caller may know of the source."""
    return all(caller.rights.allows(P.SOURCES_READ, scope) for scope in source.settings.scopes)


def may_see_token(caller: Caller, token: Token) -> bool:
    """Return whether the caller may know of the token."""
    return is_own(caller, token.owner) or _holds(caller, token, P.TOKENS_MANAGE, P.SOURCES_READ)


def may_revoke(caller: Caller, token: Token) -> bool:
    """Return whether the caller may end the token."""
    return is_own(caller, token.owner) or _holds(caller, token, P.TOKENS_MANAGE, P.SOURCES_MANAGE)


def _holds(caller: Caller, token: Token, everywhere: Permission, of_source: Permission) -> bool:
    wanted = (everywhere, of_source) if token.owner.kind is OwnerKind.SOURCE else (everywhere,)
    scopes = token.settings.scopes
    return any(all(caller.rights.allows(permission, scope) for scope in scopes) for permission in wanted)
