"""My account: name, password, second factor, devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from tallystick.access.model import Caller
from tallystick.access.people.model import Profile, Session
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.counted import counted
from tallystick.errors import InvalidInputError
from tallystick.web.account.links import MismatchError
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

Page = Response[bytes]
PATH: Final = "/account"


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A browser in which somebody is signed in."""

    session: str
    agent: str
    address: str
    method: str
    opened_at: int
    seen_at: int
    is_this: bool


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """One's own account. `rights` are the permissions held, each with where."""

    handle: str
    name: str
    email: str
    groups: tuple[str, ...]
    has_password: bool
    has_totp: bool
    codes_left: int
    devices: tuple[Device, ...]
    rights: tuple[tuple[str, str], ...]
    now: int


class SecondFactorPage(msgspec.Struct, frozen=True, kw_only=True):
    """A new seed, to be confirmed with a code."""

    seed: str
    uri: str
    name: str


class CodesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Recovery codes, shown once."""

    codes: tuple[str, ...]


@get(PATH, sync_to_thread=True)
def account_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return one's own account."""
    return _page(request, services)


@post("/account/name", sync_to_thread=True, dependencies=FORM, opt={"fields": ("name",)})
def change_name(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Change what one is called."""

    def change(caller: Caller) -> Page:
        me = services.account.me(caller)
        services.people.change(caller, caller.id, Profile(me.handle, form["name"], me.email))
        return see_other(request, PATH, "Your name is changed.")

    return _try(request, services, change)


@post("/account/password", sync_to_thread=True, dependencies=FORM, opt={"fields": ("password", "again")})
def change_password(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Set a new password; all other sessions end."""

    def change(caller: Caller) -> Page:
        if form["password"] != form["again"]:
            raise MismatchError("the two passwords are not the same", pointer="/again")
        services.account.change_password(caller, form["password"])
        return see_other(request, PATH, "Your password is changed, and every other device is signed out.")

    return _try(request, services, change)


@post("/account/second-factor", sync_to_thread=True, dependencies=FORM, opt={"fields": ()})
def start_second_factor(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Show a seed for an authenticator; it counts once it is confirmed."""
    del form  # read for its own check: no field belongs here

    def start(caller: Caller) -> Page:
        seed = services.account.start_totp(caller)
        return _seed_page(request, services, seed.name, seed.text, seed.uri)

    return _try(request, services, start)


@post("/account/second-factor/confirm", sync_to_thread=True, dependencies=FORM, opt={"fields": ("name", "code")})
def confirm_second_factor(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Switch the second factor on and show the recovery codes, once."""

    def confirm(caller: Caller) -> Page:
        codes = services.account.confirm_totp(caller, form["name"], form["code"])
        return _codes_page(request, services, codes)

    return _try(request, services, confirm)


@post("/account/second-factor/off", sync_to_thread=True, dependencies=FORM, opt={"fields": ()})
def end_second_factor(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Switch the second factor off."""
    del form  # read for its own check: no field belongs here

    def end(caller: Caller) -> Page:
        services.account.disable_totp(caller)
        return see_other(request, PATH, "The second factor is off.", kind="attention")

    return _try(request, services, end)


@post("/account/recovery-codes", sync_to_thread=True, dependencies=FORM, opt={"fields": ()})
def new_codes(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Show new recovery codes, once; the old ones are void."""
    del form  # read for its own check: no field belongs here

    def make(caller: Caller) -> Page:
        return _codes_page(request, services, services.account.new_recovery_codes(caller))

    return _try(request, services, make)


@post("/account/devices", sync_to_thread=True, dependencies=FORM, opt={"fields": ("session",)})
def end_device(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Page:
    """Sign one device out, or all others when none is named."""

    def end(caller: Caller) -> Page:
        if form["session"]:
            services.sessions.revoke(caller, form["session"])
            return see_other(request, PATH, "That device is signed out.")
        count = services.sessions.revoke_others(caller)
        return see_other(request, PATH, f"Signed out {counted(count, 'other device')}.")

    return _try(request, services, end)


def _try(request: Request[Any, Any, Any], services: Services, do: Callable[[Caller], Page]) -> Page:
    """Do something with one's own account; what was typed wrong is said on the account page."""
    caller = person(request, services)
    try:
        return do(caller)
    except InvalidInputError as error:
        return _page(request, services, problem_of(error))


def _page(request: Request[Any, Any, Any], services: Services, problem: Problem | None = None) -> Page:
    caller = person(request, services)
    me = services.account.me(caller)
    view = AccountPage(
        handle=me.handle,
        name=me.name,
        email=me.email,
        groups=me.groups,
        has_password=me.has_password,
        has_totp=me.has_totp,
        codes_left=services.account.codes_left(caller),
        devices=tuple(device_of(session, caller) for session in services.sessions.mine(caller)),
        rights=tuple((permission.value, scope or "/") for permission, scope in caller.rights.pairs()),
        now=services.ledger.status().now,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "account/page.html", view, title="My account", status=status, problem=problem)


def device_of(session: Session, caller: Caller) -> Device:
    """Return a session as it is listed."""
    return Device(
        session=session.id,
        agent=session.agent,
        address=session.address,
        method=session.method,
        opened_at=session.opened_at,
        seen_at=session.seen_at,
        is_this=session.id == caller.session,
    )


def _seed_page(request: Request[Any, Any, Any], services: Services, name: str, seed: str, uri: str) -> Page:
    view = SecondFactorPage(seed=seed, uri=uri, name=name)
    return render(request, services, "account/second_factor.html", view, title="Switch the second factor on")


def _codes_page(request: Request[Any, Any, Any], services: Services, codes: list[str]) -> Page:
    return render(request, services, "account/codes.html", CodesPage(codes=tuple(codes)), title="Recovery codes")
