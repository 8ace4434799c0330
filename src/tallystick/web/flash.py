"""One sentence carried over a redirect: what was just done. Never a secret."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

_CHARS_MAX: Final = 400
_SECONDS: Final = 60


class Flash(msgspec.Struct, frozen=True):
    """What was just done, in words; `kind` is `done` or `attention`."""

    text: str
    kind: str = "done"


def see_other(request: Request[Any, Any, Any], path: str, flash: str = "", *, kind: str = "done") -> Response[bytes]:
    """Return the answer to a POST that was done: go to `path` of this site, and say `flash` there.

    A script that posted by htmx is sent there as well. What must be shown only once, such as a token, does not go
    through here: it is rendered in the answer to the POST itself.
    """
    headers = {"cache-control": "no-store"}
    cookies = [_cookie(request, Flash(flash[:_CHARS_MAX], kind))] if flash else []
    if request.headers.get("hx-request") == "true":
        return Response(
            b"", media_type="text/plain", status_code=200, headers={**headers, "hx-redirect": path}, cookies=cookies
        )
    return Response(
        b"", media_type="text/plain", status_code=303, headers={**headers, "location": path}, cookies=cookies
    )


def read_flash(request: Request[Any, Any, Any]) -> Flash | None:
    """Return what the page before left to say, or None."""
    text = request.cookies.get(_name(request))
    if not text:
        return None
    try:
        return msgspec.msgpack.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Flash)
    except (ValueError, msgspec.MsgspecError):
        return None


def drop_flash(request: Request[Any, Any, Any]) -> list[Cookie]:
    """Return the cookie that ends the flash: it has been shown."""
    return [_made(request, "", 0)]


def _cookie(request: Request[Any, Any, Any], flash: Flash) -> Cookie:
    return _made(request, urlsafe_b64encode(msgspec.msgpack.encode(flash)).decode().rstrip("="), _SECONDS)


def _made(request: Request[Any, Any, Any], value: str, seconds: int) -> Cookie:
    secure = request.url.scheme == "https"
    name = _name(request)
    return Cookie(name, value=value, path="/", max_age=seconds, secure=secure, httponly=True, samesite="strict")


def _name(request: Request[Any, Any, Any]) -> str:
    return "__Host-tallystick-said" if request.url.scheme == "https" else "tallystick-said"
