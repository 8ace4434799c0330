"""What the browser keeps: the session, the mark of a known device, the ticket between two steps of a sign-in."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import Cookie

from tallystick.access.people.model import SignedIn, Visit
from tallystick.web.caller import cookie_name

DEVICE: Final = "device"
TICKET: Final = "ticket"
_DEVICE_S: Final = 400 * 86_400
_TICKET_S: Final = 300
_ENDED: Final = 0


def visit_of(request: Request[Any, Any, Any]) -> Visit:
    """Return where a request comes from."""
    address = request.client.host if request.client else "local"
    return Visit(address, request.headers.get("user-agent", ""), kept(request, DEVICE))


def kept(request: Request[Any, Any, Any], what: str) -> str:
    """Return what the browser kept under a name of ours, or nothing."""
    return request.cookies.get(_name(request, what), "")


def begin_session(request: Request[Any, Any, Any], answer: Response[bytes], signed_in: SignedIn) -> Response[bytes]:
    """Hand over the cookie of a new session, in place of any that the browser had."""
    answer.set_cookie(_cookie(request, cookie_name(request), signed_in.cookie, None))
    answer.set_cookie(_cookie(request, _name(request, DEVICE), signed_in.device, _DEVICE_S))
    answer.set_cookie(_cookie(request, _name(request, TICKET), "", _ENDED))
    return answer


def keep_ticket(request: Request[Any, Any, Any], answer: Response[bytes], ticket: str) -> Response[bytes]:
    """Let the browser go on to the second step."""
    answer.set_cookie(_cookie(request, _name(request, TICKET), ticket, _TICKET_S))
    return answer


def end_session(request: Request[Any, Any, Any], answer: Response[bytes]) -> Response[bytes]:
    """Take the cookie of the session back; the device stays known."""
    answer.set_cookie(_cookie(request, cookie_name(request), "", _ENDED))
    return answer


def _name(request: Request[Any, Any, Any], what: str) -> str:
    return f"{cookie_name(request)}-{what}"


def _cookie(request: Request[Any, Any, Any], name: str, value: str, seconds: int | None) -> Cookie:
    # Lax, not strict: whoever comes back from the identity provider would otherwise be asked to sign in once more.
    secure = request.url.scheme == "https"
    return Cookie(name, value=value, path="/", max_age=seconds, secure=secure, httponly=True, samesite="lax")
