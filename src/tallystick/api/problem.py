"""Errors as problem documents (RFC 9457): the one place where a family of errors becomes an HTTP status."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Protocol

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from tallystick.errors import (
    ConfigurationError,
    ConflictError,
    CorruptionError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    StorageFullError,
    TallystickError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    VerificationError,
)

MEDIA_TYPE: Final = "application/problem+json"
#: From the narrowest family to the widest: the first that fits decides.
STATUS_OF: Final[Mapping[type[TallystickError], HTTPStatus]] = {
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidInputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageFullError: HTTPStatus.INSUFFICIENT_STORAGE,
    ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    CorruptionError: HTTPStatus.INTERNAL_SERVER_ERROR,
    VerificationError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_CODE_OF_STATUS: Final = {
    HTTPStatus.NOT_FOUND: "route-unknown",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.BAD_REQUEST: "parameter-invalid",
}
_ADVICE_OF_HTTP: Final = (
    "docs/reference/api.md lists the routes, their methods and parameters; so does /api/v1/openapi.json."
)
_telemetry = structlog.get_logger("tallystick.api")


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document. `item` is the 0-based position in a batch, `pointer` an RFC 6901 pointer into the event,
    `line` and `column` count from 1.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    advice: str = ""
    item: int | None = None
    pointer: str | None = None
    line: int | None = None
    column: int | None = None
    incident: str | None = None


def status_of(error: TallystickError | type[TallystickError]) -> HTTPStatus:
    """Return the HTTP status of an error or of a class of errors."""
    kind = error if isinstance(error, type) else type(error)
    return next((status for family, status in STATUS_OF.items() if issubclass(kind, family)), _UNEXPECTED)


def problem_of(error: TallystickError) -> Problem:
    """Return the problem document of an error."""
    status = status_of(error)
    place: dict[str, Any] = {}
    if isinstance(error, InvalidInputError):
        place = {"item": error.item, "pointer": error.pointer, "line": error.line, "column": error.column}
    elif isinstance(item := getattr(error, "item", None), int):
        place = {"item": item}
    return _problem(status, error.code, error.message, error.advice, **place)


class ErrorPage(Protocol):
    """Answers errors for browsers."""

    def __call__(
        self, request: Request[Any, Any, Any], problem: Problem, headers: dict[str, str]
    ) -> Response[bytes] | None:
        """Return the page of a problem, or None where a problem document is wanted."""
        ...


def error_handlers(page: ErrorPage | None = None) -> ExceptionHandlersMap:
    """Return what answers every error: the page of it where one is wanted, and otherwise a problem document."""

    def answering(explain: Callable[[Any, Any], tuple[Problem, dict[str, str]]]) -> Any:
        def answer(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
            problem, headers = explain(request, error)
            shown = None if page is None else page(request, problem, headers)
            return shown or respond(problem, headers)

        return answer

    return {
        TallystickError: answering(explain_known),
        HTTPException: answering(explain_http),
        Exception: answering(explain_unexpected),
    }


def explain_known(_: Request[Any, Any, Any], error: TallystickError) -> tuple[Problem, dict[str, str]]:
    """Return the problem of an error that the product knows by name, and the headers that go with it."""
    if isinstance(error, (CorruptionError, ConfigurationError, VerificationError)):
        _telemetry.error("request failed", code=error.code, message=error.message)
    headers = {}
    if isinstance(error, UnavailableError):
        headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, UnauthenticatedError):
        headers["www-authenticate"] = 'Bearer realm="tallystick"'
    return problem_of(error), headers


def explain_http(_: Request[Any, Any, Any], error: HTTPException) -> tuple[Problem, dict[str, str]]:
    """Return the problem of what the framework refused: a wrong path, method or parameter."""
    status = HTTPStatus(error.status_code)
    detail = error.detail if status < HTTPStatus.INTERNAL_SERVER_ERROR else ""
    if isinstance(error.extra, list) and error.extra:
        detail = "; ".join(f"{each.get('key', 'request')}: {each.get('message', '')}" for each in error.extra)
    code = _CODE_OF_STATUS.get(status, "request-refused")
    return _problem(status, code, detail or status.phrase, _ADVICE_OF_HTTP), dict(error.headers or {})


def explain_unexpected(request: Request[Any, Any, Any], error: Exception) -> tuple[Problem, dict[str, str]]:
    """Return the problem of a bug of ours: an incident number for the caller, the rest for the operator's telemetry."""
    incident = uuid.uuid4().hex[:12]
    _telemetry.error("unexpected error", incident=incident, path=request.url.path, exc_info=error)
    advice = "Tell the operator the incident number; nothing is known about what was done."
    return _problem(_UNEXPECTED, "unexpected", "something went wrong on our side", advice, incident=incident), {}


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return the response that carries a problem."""
    return Response(
        msgspec.json.encode(problem), status_code=problem.status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


_UNEXPECTED: Final = HTTPStatus.INTERNAL_SERVER_ERROR


def _problem(status: HTTPStatus, code: str, detail: str, advice: str, **place: Any) -> Problem:
    return Problem(
        type=f"urn:tallystick:problem:{code}",
        title=status.phrase,
        status=int(status),
        detail=detail,
        code=code,
        advice=advice,
        **place,
    )
