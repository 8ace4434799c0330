"""Forms: where they may come from, how large they may be, and which fields they may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler

from tallystick.errors import ForbiddenError, InvalidInputError, TooLargeError

FORM_BYTES_MAX: Final = 256 << 10
FIELDS_MAX: Final = 1000
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"


class CrossSiteError(ForbiddenError):
    """The request was caused by a page of another site."""

    code = "cross-site-refused"
    advice = "Open the page here and send its form; a proxy in front must pass on Host and X-Forwarded-Proto."


class FormInvalidError(InvalidInputError):
    """The body is not a form as this page sends it."""

    code = "form-invalid"
    advice = "Load the page again and send its form as it is."


class FormTooLargeError(TooLargeError):
    """The form is larger than any that a page has."""

    code = "form-too-large"
    advice = f"A form holds up to {FORM_BYTES_MAX >> 10} KiB and {FIELDS_MAX:,} fields."


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in. Texts have no white space at their ends, and lines end with a line feed."""

    values: Mapping[str, tuple[str, ...]]

    def __getitem__(self, name: str) -> str:
        """Return a field, empty when it was not sent; of several the last."""
        found = self.values.get(name)
        return found[-1] if found else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, in order."""
        return self.values.get(name, ())

    def flag(self, name: str) -> bool:
        """Return whether a box was ticked."""
        return bool(self[name])


async def refuse_cross_site(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Raise CrossSiteError for a change that a page of another site asks for.

    Browsers say where a request comes from (`Sec-Fetch-Site`, and `Origin` before that), and pages cannot change it. Who
    sends neither is no browser, and carries no cookie by itself.
    """
    if connection.scope.get("method") in _SAFE_METHODS:
        return
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise CrossSiteError("this change was asked for by a page of another site")
        return
    origin = connection.headers.get("origin")
    if origin is None:
        return
    if urlsplit(origin).netloc != connection.headers.get("host"):
        raise CrossSiteError("this change was asked for by a page of another site")


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """Return the form of a request; raises FormTooLargeError, and FormInvalidError for a field that the route does not
    name in `opt={"fields": (...)}`: nothing is set that no page offers.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _read_body(request)
    if declared != _MEDIA_TYPE and body:
        raise FormInvalidError(f"the body is {declared[:80] or 'of no declared type'}, not a form")
    known = request.route_handler.opt.get("fields", ())
    values: dict[str, list[str]] = {}
    for name, value in _pairs(body):
        if name not in known:
            raise FormInvalidError(f"{name[:64]!r} is not a field of this form")
        values.setdefault(name, []).append(value.replace("\r\n", "\n").replace("\r", "\n").strip())
    return Form({name: tuple(found) for name, found in values.items()})


#: For `dependencies=FORM` on a route, whose handler then takes `form: NamedDependency[Form]`.
FORM: Final = {"form": Provide(read_form)}


async def _read_body(request: Request[Any, Any, Any]) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise FormTooLargeError(f"the form is larger than {FORM_BYTES_MAX:,} bytes")
    return body


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except UnicodeDecodeError as error:
        raise FormInvalidError("the form is not UTF-8 text in URL encoding") from error
    except ValueError as error:
        raise FormTooLargeError(f"the form has more than {FIELDS_MAX:,} fields") from error
