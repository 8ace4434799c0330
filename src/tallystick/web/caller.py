"""Who looks at a page: the person of a session, or whoever a token names."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request

from tallystick.access.model import Caller
from tallystick.access.require import require
from tallystick.api.services import Services
from tallystick.errors import UnauthenticatedError

__all__ = ["HOME", "SignInNeededError", "cookie_name", "local_path", "person", "require", "visitor"]

COOKIE_SECURE: Final = "__Host-tallystick"
COOKIE_LOCAL: Final = "tallystick"
HOME: Final = "/events"


class SignInNeededError(UnauthenticatedError):
    """The page needs somebody who is signed in."""

    code = "sign-in-needed"
    advice = "Sign in and you come back to this page."


def visitor(request: Request[Any, Any, Any], services: Services) -> Caller | None:
    """Return who looks at the page, or None for a stranger.

    A browser comes with the cookie of a session; a program that reads the JSON twins comes with a token. What a token
    may do is the same on a page as through the API, and a browser never sends one by itself.
    """
    address = request.client.host if request.client else "local"
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return services.authenticate(authorization, address=address, via="api")
    cookie = request.cookies.get(cookie_name(request))
    if not cookie:
        return None
    try:
        return services.sessions.authenticate(cookie, address)
    except UnauthenticatedError:
        return None  # over, revoked or never there: a stranger, told nothing


def person(request: Request[Any, Any, Any], services: Services) -> Caller:
    """Return who looks at the page; raises SignInNeededError, which leads a browser to the sign-in page and back."""
    caller = visitor(request, services)
    if caller is None:
        raise SignInNeededError("nobody is signed in")
    return caller


def cookie_name(request: Request[Any, Any, Any]) -> str:
    """Return the name of the session's cookie; over TLS the browser keeps others from setting it."""
    return COOKIE_SECURE if request.url.scheme == "https" else COOKIE_LOCAL


def local_path(text: str | None) -> str:
    """Return a path of this site to go on to, and the home page for whatever else was asked for.

    Browsers read backslashes as slashes and drop control characters, so none are let through.
    """
    if not text or not text.startswith("/") or text.startswith("//") or len(text) > 4096:
        return HOME
    if "\\" in text or not text.isascii() or not text.isprintable():
        return HOME
    parts = urlsplit(text)
    return HOME if parts.scheme or parts.netloc else text
