"""Errors as pages: what happened, what to do, and the place in the text when there is one."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from litestar import Request, Response
from litestar.routes import HTTPRoute

from tallystick.access.people.errors import ReauthenticationNeededError
from tallystick.api.problem import Problem
from tallystick.api.services import services_of
from tallystick.web.caller import HOME, local_path
from tallystick.web.flash import see_other
from tallystick.web.page import is_fragment, render
from tallystick.web.twin import wants_json

_MACHINES: Final = ("/api/", "/static/", "/checkpoint", "/tile/", "/healthz", "/readyz", "/metrics")
_UNAUTHENTICATED: Final = 401
_NO_ROUTE: Final = "route-unknown"
SIGN_IN: Final = "/sign-in"
_NOWHERE: Final = "No page has this address."
_NOWHERE_ADVICE: Final = "Look whether the address was cut or mistyped, or begin at the start page."


class ErrorView(msgspec.Struct, frozen=True, kw_only=True):
    """A problem, and the text of the query that it is about."""

    problem: Problem
    before: str = ""
    at: str = ""
    after: str = ""


def error_page(request: Request[Any, Any, Any], problem: Problem, headers: dict[str, str]) -> Response[bytes] | None:
    """Return the page of a problem for a browser, or None where a problem document is wanted."""
    if not wants_page(request):
        return None
    if problem.status == _UNAUTHENTICATED:
        return _to_sign_in(request)
    if problem.code == ReauthenticationNeededError.code:
        return _to_confirmation(request)
    if problem.code == _NO_ROUTE:
        problem = msgspec.structs.replace(problem, detail=_NOWHERE, advice=_NOWHERE_ADVICE)
    before, at, after = mark_place(request.query_params.get("q", ""), problem)
    view = ErrorView(problem=problem, before=before, at=at, after=after)
    headers = {name: value for name, value in headers.items() if name != "www-authenticate"}
    return render(
        request,
        services_of(request),
        "errors/page.html",
        view,
        title=problem.title,
        status=problem.status,
        headers=headers,
    )


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Return whether HTML is wanted rather than JSON."""
    if request.scope["path"].startswith(_MACHINES) or wants_json(request):
        return False
    if request.headers.get("hx-request") == "true":
        return True
    accepted = request.headers.get("accept", "")
    html, json = accepted.find("text/html"), accepted.find("json")
    return html >= 0 and (json < 0 or html < json)


def mark_place(text: str, problem: Problem) -> tuple[str, str, str]:
    """Return the text before, at and after the place that a problem names; nothing marked when it names none."""
    if not text or problem.line is None or problem.column is None:
        return text, "", ""
    lines = text.split("\n")
    start = sum(len(line) + 1 for line in lines[: problem.line - 1]) + problem.column - 1
    end = start
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[:start], text[start : max(end, start + 1)], text[max(end, start + 1) :]


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lead to the sign-in page, and from there back to what was asked for."""
    headers = {"cache-control": "no-store"}
    if is_fragment(request):
        shown = urlsplit(request.headers.get("hx-current-url", ""))
        headers["hx-redirect"] = _sign_in(shown.path, shown.query)
        return Response(b"", media_type="text/plain", status_code=401, headers=headers)
    query = request.scope["query_string"].decode("ascii", "replace")
    wanted = request.scope["path"] if request.method == "GET" else ""
    headers["location"] = _sign_in(wanted, query if wanted else "")
    return Response(b"", media_type="text/plain", status_code=303, headers=headers)


def _to_confirmation(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Lead to the page that asks who is there to show that it is her, and from there back to the form."""
    following = urlencode({"next": _page_of_form(request)})
    return see_other(request, f"/confirm?{following}", "Confirm that it is you, and do it again.", kind="attention")


def _page_of_form(request: Request[Any, Any, Any]) -> str:
    """Return the page that a form is on: the nearest one above its own path, as browsers here send no referrer."""
    if request.headers.get("hx-request") == "true":
        shown = urlsplit(request.headers.get("hx-current-url", ""))
        return local_path(f"{shown.path}?{shown.query}" if shown.query else shown.path)
    pages = [route for route in request.app.routes if isinstance(route, HTTPRoute) and "GET" in route.methods]
    parts = request.scope["path"].strip("/").split("/")
    for count in range(len(parts), 0, -1):
        if any(_fits(route, parts[:count]) for route in pages):
            return local_path("/" + "/".join(quote(part) for part in parts[:count]))
    return HOME


def _fits(route: HTTPRoute, parts: list[str]) -> bool:
    components = route.path_components
    return len(components) == len(parts) and all(
        not isinstance(component, str) or component == part for component, part in zip(components, parts, strict=True)
    )


def _sign_in(path: str, query: str) -> str:
    wanted = f"{path}?{query}" if query else path
    return f"{SIGN_IN}?next={quote(wanted, safe='')}" if wanted and wanted != "/" else SIGN_IN
