"""One handler, three answers: the whole page, the part of it that changed, or the same as JSON."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from litestar import Request, Response

from tallystick.api.problem import Problem
from tallystick.api.services import Services
from tallystick.web.chrome import make_chrome
from tallystick.web.flash import drop_flash
from tallystick.web.headers import JSON, page_response
from tallystick.web.templating import render_template
from tallystick.web.twin import wants_json

_WHOLE: Final = "base.html"
_PART: Final = "fragment.html"


def render(
    request: Request[Any, Any, Any],
    services: Services,
    template: str,
    view: msgspec.Struct,
    *,
    title: str,
    status: int = 200,
    fragment: str | None = None,
    problem: Problem | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """Return `view` as the page of a template.

    The template begins with `{% extends layout %}` and fills the block `main`; it sees `view`, `page` (the chrome:
    `page.title`, `page.caller`, `page.path` ...) and `problem`. At `<path>.json` the answer is the view as JSON. With
    `HX-Request` it is the block `main` alone, or the template `fragment` where that is the part that changes; the page
    includes that very template, so a fragment is always a piece of its page. A `problem` is what a form was refused
    for: it is shown above the content, and is the JSON twin of the answer.
    """
    if wants_json(request):
        body = msgspec.json.encode(view if problem is None else problem)
        return page_response(request, body, status=status, media_type=JSON, headers=headers)
    started = time.perf_counter()
    chrome = make_chrome(request, services, title)
    values: dict[str, Any] = {"view": view, "page": chrome, "problem": problem}
    if is_fragment(request):
        text = render_template(fragment or template, layout=_PART, **values)
        cookies = []
    else:
        text = render_template(template, layout=_WHOLE, **values)
        cookies = drop_flash(request) if chrome.flash else []
    spent = {"server-timing": f"render;dur={(time.perf_counter() - started) * 1000:.1f}", **(headers or {})}
    return page_response(request, text.encode("utf-8", "replace"), status=status, headers=spent, cookies=cookies)


def is_fragment(request: Request[Any, Any, Any]) -> bool:
    """Return whether a script asks for the part that changes; going back in history asks for the whole page."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"
