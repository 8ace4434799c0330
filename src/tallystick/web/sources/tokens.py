"""Routes of tokens: one's own and those one manages; making, rotating, revoking."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import PERMISSIONS, Permission
from tallystick.access.sources.limits import NOT_FOR_TOKENS
from tallystick.access.sources.model import CreatedToken, Owner, OwnerKind, TokenSettings
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.api.sources import parse_scopes
from tallystick.api.tokens import TokenView, parse_networks, parse_permissions
from tallystick.api.tokens import view_of as token_view
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.sources.page import expiry, require_fresh, whole

_NEW: Final = ("service", "label", "permissions", "scopes", "days", "addresses")
_HOUR_S: Final = 3600
_Token = Annotated[str, PathParameter(description="The name of a token.")]


class PermissionChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A permission that a token of the caller may have."""

    name: str
    description: str


class TokensPage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, and what the caller may make. `secret` is that of a token that was made just now, shown this once."""

    tokens: list[TokenView]
    own: bool
    services: bool
    permissions: list[PermissionChoice]
    made: str = ""
    secret: str = ""


@get("/tokens", sync_to_thread=True)
def tokens_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return the caller's own tokens and those that the caller manages. The look is recorded."""
    return _page(request, services, person(request, services))


@post("/tokens", sync_to_thread=True, dependencies=FORM, opt={"fields": _NEW}, status_code=200)
def make_token(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Make a token for oneself, or for a service that is named, and show it once."""
    caller = person(request, services)
    require_fresh(services, caller)
    service = form["service"]
    owner = Owner(OwnerKind.SERVICE, service) if service else Owner(OwnerKind.PERSON, caller.id)
    try:
        settings = TokenSettings(
            permissions=parse_permissions(list(form.all("permissions"))),
            scopes=parse_scopes(form["scopes"].replace(",", " ").split()),
            expires_at=expiry(form["days"], services.ledger.status().now),
            addresses=parse_networks(form["addresses"].replace(",", " ").split()),
            label=form["label"],
        )
        created = services.tokens.create(caller, owner, settings)
    except (InvalidInputError, ForbiddenError) as error:
        return _page(request, services, caller, problem=problem_of(error))
    return _page(request, services, caller, made=created)


@post(
    "/tokens/{token:str}/rotate",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("overlap_hours",)},
    status_code=200,
)
def rotate_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: _Token, form: NamedDependency[Form]
) -> Response[bytes]:
    """Make the successor of a token and show it once; the old one stays valid for the hours given."""
    caller = person(request, services)
    require_fresh(services, caller)
    try:
        created = services.tokens.rotate(caller, token, whole(form["overlap_hours"] or "24", "hours") * _HOUR_S)
    except (InvalidInputError, ForbiddenError, ConflictError) as error:
        return _page(request, services, caller, problem=problem_of(error))
    return _page(request, services, caller, made=created)


@post("/tokens/{token:str}/revoke", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def revoke_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], token: _Token, form: NamedDependency[Form]
) -> Response[bytes]:
    """End a token at once."""
    del form
    caller = person(request, services)
    owner = services.tokens.get(caller, token).owner
    services.tokens.revoke(caller, token)
    back = f"/sources/{quote(owner.id, safe='')}" if owner.kind is OwnerKind.SOURCE else "/tokens"
    return see_other(request, back, f"Token {token} is revoked.")


def _page(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    *,
    problem: Problem | None = None,
    made: CreatedToken | None = None,
) -> Response[bytes]:
    now = services.ledger.status().now
    tokens = services.tokens.list(caller)
    services.recorder.looked(caller, "tokens")
    held = [each for each in Permission if caller.rights.anywhere(each)]
    offered = [each for each in held if each not in NOT_FOR_TOKENS and each is not Permission.EVENTS_RECORD]
    view = TokensPage(
        tokens=[token_view(token, now) for token in tokens],
        own=caller.type == "user" and caller.rights.anywhere(Permission.TOKENS_CREATE_OWN),
        services=caller.rights.anywhere(Permission.TOKENS_MANAGE),
        permissions=[PermissionChoice(name=each.value, description=PERMISSIONS[each].description) for each in offered],
        made="" if made is None else made.token,
        secret="" if made is None else made.secret,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "tokens/page.html", view, title="Tokens", status=status, problem=problem)


TOKEN_PAGES: Final = (tokens_page, make_token, rotate_from_page, revoke_from_page)
