"""Routes of senders: the list, one of them, registering, changing, retiring."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.sources.errors import SourceSettingsError
from tallystick.access.sources.limits import PRESETS
from tallystick.access.sources.model import Owner, OwnerKind, Source, SourceSettings, TokenSettings
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.api.sources import SourceView, parse_scopes
from tallystick.api.sources import view_of as source_view
from tallystick.api.sources import views_of as source_views
from tallystick.api.tokens import TokenView
from tallystick.api.tokens import view_of as token_view
from tallystick.errors import InvalidInputError
from tallystick.event.occurred import time_of_us
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render

_FIELDS: Final = ("kind", "owner", "scopes", "actor_ids", "silence_hours", "strict")
_HOUR_S: Final = 3600
_DAY_US: Final = 86_400_000_000
_Name = Annotated[str, PathParameter(description="The name of a source.")]


class SourcesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The senders that the caller may see, and the form for a new one as it was filled in."""

    sources: list[SourceView]
    can_manage: bool
    typed: dict[str, str]


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was made just now, and the command that sends an event with it. Shown in this one answer."""

    token: str
    secret: str
    command: str


class SourcePage(msgspec.Struct, frozen=True, kw_only=True):
    """One sender with its tokens; `made` is the secret of a new one."""

    source: SourceView
    tokens: list[TokenView]
    can_manage: bool
    typed: dict[str, str]
    made: NewToken | None = None


@get("/sources", sync_to_thread=True)
def sources_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return the senders, with how each one does. The look is recorded."""
    return _list(request, services)


@post("/sources", sync_to_thread=True, dependencies=FORM, opt={"fields": ("name", *_FIELDS)}, status_code=200)
def register_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form]
) -> Response[bytes]:
    """Register a sender, and go to its page, where it gets its token."""
    caller = person(request, services)
    try:
        source = services.sources.register(caller, form["name"], _settings(form))
    except InvalidInputError as error:
        typed = {name: form[name] for name in ("name", *_FIELDS)}
        return _list(request, services, typed=typed, problem=problem_of(error))
    return see_other(request, _path(source.name), f"{source.name} is registered. Make its token next.")


@get("/sources/{name:str}", sync_to_thread=True)
def source_page(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> Response[bytes]:
    """Return one sender: its rules, tokens, figures and gaps. The look is recorded."""
    return _one(request, services, person(request, services), name)


@get("/sources/{name:str}/arrival", sync_to_thread=True)
def arrival_page(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name) -> Response[bytes]:
    """Return whether the first event of a sender came; a page that waits for it asks again and again."""
    source = services.sources.get(person(request, services), name)
    view = SourcePage(source=source_view(services, source), tokens=[], can_manage=False, typed={})
    return render(request, services, "sources/arrival_page.html", view, title=name, fragment="sources/arrival.html")


@post("/sources/{name:str}/change", sync_to_thread=True, dependencies=FORM, opt={"fields": _FIELDS}, status_code=200)
def change_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, form: NamedDependency[Form]
) -> Response[bytes]:
    """Change the rules of a sender."""
    caller = person(request, services)
    try:
        wanted = _settings(form)
        services.sources.change(caller, name, lambda _: wanted)
    except InvalidInputError as error:
        typed = {field: form[field] for field in _FIELDS}
        return _one(request, services, caller, name, typed=typed, problem=problem_of(error))
    return see_other(request, _path(name), f"{name} is changed.")


@post("/sources/{name:str}/retire", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200)
def retire_from_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, form: NamedDependency[Form]
) -> Response[bytes]:
    """End a sender for ever."""
    del form
    caller = person(request, services)
    require_fresh(services, caller)
    services.sources.retire(caller, name)
    return see_other(request, _path(name), f"{name} is retired; its tokens are refused from now on.")


@post(
    "/sources/{name:str}/token",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("days", "label")},
    status_code=200,
)
def make_source_token(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Name, form: NamedDependency[Form]
) -> Response[bytes]:
    """Make a token that sends into the scopes of a sender, and show it once, in the command that uses it."""
    caller = person(request, services)
    require_fresh(services, caller)
    source = services.sources.get(caller, name)
    try:
        settings = TokenSettings(
            permissions=PRESETS["write"],
            scopes=source.settings.scopes,
            expires_at=expiry(form["days"], services.ledger.status().now),
            label=form["label"],
        )
        created = services.tokens.create(caller, Owner(OwnerKind.SOURCE, name), settings)
    except InvalidInputError as error:
        return _one(request, services, caller, name, problem=problem_of(error))
    command = first_command(request, source, created.secret, services.ledger.status().now)
    made = NewToken(token=created.token, secret=created.secret, command=command)
    return _one(request, services, caller, name, made=made)


def require_fresh(services: Services, caller: Caller) -> None:
    """Ask who comes with a session to prove again who they are, before a secret is made or something ends for ever."""
    if caller.session is not None:
        services.sessions.require_fresh(caller)


def expiry(days: str, now_us: int) -> int | None:
    """Return when a token ends that lives for so many days; None for an empty field."""
    return None if not days else now_us + whole(days, "days") * _DAY_US


def whole(text: str, what: str) -> int:
    """Return the number in a field; raises SourceSettingsError."""
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise SourceSettingsError(
            f"{text[:20]!r} is no whole number of {what}",
            advice="Write digits alone, such as 30, or leave the field empty.",
        )
    return int(text)


def first_command(request: Request[Any, Any, Any], source: Source, secret: str, now_us: int) -> str:
    """Return the command that sends a first event as the source."""
    event = {
        "action": "user.signed_in",
        "actor": {"id": "first-test", "type": "service"},
        "target": {"id": source.name, "type": "application"},
        "scope": source.settings.scopes[0] or "test",
        "occurred_at": time_of_us(now_us),
    }
    address = f"{request.url.scheme}://{request.url.netloc}/api/v1/events"
    return (
        f"curl {address} \\\n  -H 'Authorization: Bearer {secret}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n  -d '{json.dumps(event)}'"
    )


def _list(
    request: Request[Any, Any, Any],
    services: Services,
    *,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
) -> Response[bytes]:
    caller = person(request, services)
    sources = services.sources.list(caller)
    services.recorder.looked(caller, "sources")
    view = SourcesPage(
        sources=source_views(services, sources),
        can_manage=caller.rights.anywhere(Permission.SOURCES_MANAGE),
        typed=typed or {"name": "", **_typed(SourceSettings(scopes=()))},
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "sources/list.html", view, title="Sources", status=status, problem=problem)


def _one(
    request: Request[Any, Any, Any],
    services: Services,
    caller: Caller,
    name: str,
    *,
    typed: dict[str, str] | None = None,
    problem: Problem | None = None,
    made: NewToken | None = None,
) -> Response[bytes]:
    source = services.sources.get(caller, name)
    services.recorder.looked(caller, "sources")
    now = services.ledger.status().now
    tokens = services.tokens.list(caller, Owner(OwnerKind.SOURCE, name))
    manages = all(caller.rights.allows(Permission.SOURCES_MANAGE, scope) for scope in source.settings.scopes)
    view = SourcePage(
        source=source_view(services, source),
        tokens=[token_view(token, now) for token in tokens],
        can_manage=manages and not source.retired,
        typed=typed or _typed(source.settings),
        made=made,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "sources/source.html", view, title=name, status=status, problem=problem)


def _settings(form: Form) -> SourceSettings:
    """Return the settings in a form."""
    actor_ids = form["actor_ids"]
    if actor_ids not in {"opaque", "personal"}:
        raise SourceSettingsError("actor ids are opaque or personal")
    hours = form["silence_hours"]
    settings = SourceSettings(
        owner=form["owner"],
        scopes=parse_scopes(form["scopes"].replace(",", " ").split()),
        actor_ids=cast("Literal['opaque', 'personal']", actor_ids),
        silence_s=whole(hours, "hours") * _HOUR_S if hours else None,
        strict=form.flag("strict"),
    )
    return replace(settings, kind=form["kind"]) if form["kind"] else settings


def _typed(settings: SourceSettings) -> dict[str, str]:
    """Return the settings as the form shows them."""
    hours = None if settings.silence_s is None else settings.silence_s / _HOUR_S
    return {
        "kind": settings.kind,
        "owner": settings.owner,
        "scopes": " ".join(scope or "/" for scope in settings.scopes),
        "actor_ids": settings.actor_ids,
        "silence_hours": "" if hours is None else f"{max(1, round(hours))}",
        "strict": "yes" if settings.strict else "",
    }


def _path(name: str) -> str:
    return f"/sources/{quote(name, safe='')}"


SOURCE_PAGES: Final = (
    sources_page,
    register_from_page,
    source_page,
    arrival_page,
    change_from_page,
    retire_from_page,
    make_source_token,
)
