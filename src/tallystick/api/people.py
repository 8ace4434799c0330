"""People and one's own sessions: list, invite, disable, enable; a link is in one answer only."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.people.errors import HandleTakenError, PersonInvalidError, PersonStateError, PersonUnknownError
from tallystick.access.people.model import Person, Profile
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.event.occurred import time_of_us

_Id = Annotated[str, PathParameter(description="The id of a person, such as p-7f3k2m9q4t.")]
_UNKNOWN: Final = {404: PersonUnknownError.code}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "tags": ["people"]}


class NewPerson(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to be invited."""

    handle: Annotated[str, msgspec.Meta(max_length=64, description="What they sign in with: small letters and digits.")]
    name: Annotated[str, msgspec.Meta(max_length=128)]
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""


class Leaving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an account ends."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the log has them; what was erased is empty. `state` is enabled, invited or disabled."""

    id: str
    handle: str
    name: str
    email: str
    state: str
    has_password: bool
    has_totp: bool
    external: bool
    groups: list[str]
    created_at: str
    signed_in_at: str | None


class PeopleView(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody with an account, in the order in which they came."""

    people: list[PersonView]


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time link, for the only time: open `path` on this server until `until`. `url` is the whole address, where the
    server was told by which it is reached.
    """

    person: PersonView
    path: str
    url: str | None
    until: str


class RightView(msgspec.Struct, frozen=True, kw_only=True):
    """A permission, and the scope below which it is held."""

    permission: str
    scope: str


class MeView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, and what they may do."""

    id: str
    type: str
    name: str
    via: str
    rights: list[RightView]


@get("/api/v1/me", guards=[need_caller], sync_to_thread=True, summary="Who is asking", tags=["people"])
def me(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> MeView:
    """Return who the caller is and what the caller may do."""
    caller = caller_of(request, services)
    rights = [RightView(permission=permission, scope=scope or "/") for permission, scope in caller.rights.pairs()]
    return MeView(id=caller.id, type=caller.type, name=caller.name, via=caller.via, rights=rights)


@get("/api/v1/people", guards=[need_caller], sync_to_thread=True, summary="People", tags=["people"])
def people(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> PeopleView:
    """Return everybody with an account. The look is recorded."""
    return PeopleView(people=[person_view(each) for each in services.people.list(caller_of(request, services))])


@get(
    "/api/v1/people/{person_id:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: _UNKNOWN},
    summary="One person",
    tags=["people"],
)
def person(request: Request[Any, Any, Any], services: NamedDependency[Services], person_id: _Id) -> PersonView:
    """Return one person. The look is recorded."""
    return person_view(services.people.get(caller_of(request, services), person_id))


@post(
    "/api/v1/people",
    opt={PROBLEMS: {409: HandleTakenError.code, 422: PersonInvalidError.code, **BODY_PROBLEMS}},
    summary="Invite somebody",
    **_CHANGING,
)
def invite_person(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewPerson]
) -> InvitationView:
    """Make an account, and the link by which its first password is set."""
    invited, link = services.people.invite(caller_of(request, services), Profile(data.handle, data.name, data.email))
    return InvitationView(
        person=person_view(invited),
        path=invitation_path(link.token),
        url=full_url(services, invitation_path(link.token)),
        until=time_of_us(link.until),
    )


@post(
    "/api/v1/people/{person_id:str}/disable",
    opt={PROBLEMS: {**_UNKNOWN, **BODY_PROBLEMS}},
    summary="Disable a person",
    **_CHANGING,
)
def disable_person(
    request: Request[Any, Any, Any], services: NamedDependency[Services], person_id: _Id, data: JSONBody[Leaving]
) -> PersonView:
    """End an account with its sessions, tokens and grants at once."""
    caller = caller_of(request, services)
    services.people.disable(caller, person_id, reason=data.reason)
    return person_view(services.people.get(caller, person_id))


@post(
    "/api/v1/people/{person_id:str}/enable",
    opt={PROBLEMS: {**_UNKNOWN, 409: PersonStateError.code}},
    summary="Enable a person",
    **_CHANGING,
)
def enable_person(request: Request[Any, Any, Any], services: NamedDependency[Services], person_id: _Id) -> PersonView:
    """Let a person sign in again; grants and tokens do not come back."""
    caller = caller_of(request, services)
    services.people.enable(caller, person_id)
    return person_view(services.people.get(caller, person_id))


def invitation_path(token: str) -> str:
    """Return where the holder of an invitation goes."""
    return f"/invitation?link={token}"


def full_url(services: Services, path: str) -> str | None:
    """Return the whole address of a path, or None where nobody told the server by which it is reached."""
    return None if services.public_url is None else f"{services.public_url}{path}"


def person_view(found: Person) -> PersonView:
    """Return a person as it is shown."""
    return PersonView(
        id=found.id,
        handle=found.handle,
        name=found.name,
        email=found.email,
        state=found.state,
        has_password=found.has_password,
        has_totp=found.has_totp,
        external=found.external,
        groups=list(found.groups),
        created_at=time_of_us(found.created_at),
        signed_in_at=None if found.signed_in_at is None else time_of_us(found.signed_in_at),
    )


PEOPLE_ROUTES: Final = (me, people, person, invite_person, disable_person, enable_person)
