"""The HTTP application: routes, error handlers, the OpenAPI document, and what every answer carries."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, ControllerRouterHandler, Message, Receive, Scope, Send

from tallystick.api.alert_acts import ALERT_ACT_ROUTES
from tallystick.api.alert_routes import ALERT_ROUTE_ROUTES
from tallystick.api.alerts import ALERT_ROUTES
from tallystick.api.catalogue import CATALOGUE_ROUTES
from tallystick.api.duties import DUTY_ROUTES
from tallystick.api.exceptions import EXCEPTION_ROUTES
from tallystick.api.exports import EXPORT_ROUTES
from tallystick.api.failures import FAILURES
from tallystick.api.gitlab import GITLAB_ROUTES
from tallystick.api.grants import GRANT_ROUTES
from tallystick.api.health import healthz, metrics, readyz
from tallystick.api.log import checkpoint, tile, witnessed_checkpoint
from tallystick.api.metrics import REQUESTS, SECONDS
from tallystick.api.openapi import describe_api
from tallystick.api.overview import OVERVIEW_ROUTES
from tallystick.api.people import PEOPLE_ROUTES
from tallystick.api.policies import POLICY_ROUTES
from tallystick.api.problem import ErrorPage, error_handlers
from tallystick.api.read import disclosures, event, events, export, facets, histogram, proof, readers
from tallystick.api.record import record_events
from tallystick.api.releases import RELEASE_ROUTES
from tallystick.api.retention import RETENTION_ROUTES
from tallystick.api.review_calendar import CALENDAR_ROUTES
from tallystick.api.reviews import REVIEW_ROUTES
from tallystick.api.roles import ROLE_ROUTES
from tallystick.api.rules import RULE_ROUTES
from tallystick.api.rules_lists import LIST_ROUTES
from tallystick.api.services import SERVICES, Services, caller_of, services_of
from tallystick.api.settings import SETTING_ROUTES
from tallystick.api.silences import SILENCE_ROUTES
from tallystick.api.sources import SOURCE_ROUTES
from tallystick.api.streams import STREAM_ROUTES
from tallystick.api.system_declarations import DECLARATION_ROUTES
from tallystick.api.systems import SYSTEM_ROUTES
from tallystick.api.tokens import TOKEN_ROUTES
from tallystick.api.views import VIEW_ROUTES
from tallystick.errors import InvalidInputError

ROUTES: Final = (
    record_events,
    events,
    event,
    proof,
    readers,
    facets,
    histogram,
    export,
    disclosures,
    checkpoint,
    witnessed_checkpoint,
    tile,
    *SOURCE_ROUTES,
    *TOKEN_ROUTES,
    *OVERVIEW_ROUTES,
    *SETTING_ROUTES,
    *ROLE_ROUTES,
    *GRANT_ROUTES,
    *PEOPLE_ROUTES,
    *VIEW_ROUTES,
    *EXPORT_ROUTES,
    *CATALOGUE_ROUTES,
    *RELEASE_ROUTES,
    *POLICY_ROUTES,
    *DUTY_ROUTES,
    *REVIEW_ROUTES,
    *CALENDAR_ROUTES,
    *RETENTION_ROUTES,
    *STREAM_ROUTES,
    *GITLAB_ROUTES,
    *RULE_ROUTES,
    *LIST_ROUTES,
    *ALERT_ROUTES,
    *ALERT_ROUTE_ROUTES,
    *SILENCE_ROUTES,
    *ALERT_ACT_ROUTES,
    *SYSTEM_ROUTES,
    *DECLARATION_ROUTES,
    *EXCEPTION_ROUTES,
    healthz,
    readyz,
    metrics,
)
_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"referrer-policy", b"no-referrer"),
]


class UnknownParameterError(InvalidInputError):
    """The query string has a parameter that the route does not know."""

    code = "parameter-unknown"
    advice = "The API reference lists the parameters of each route; /api/v1/openapi.json does too."


class RepeatedParameterError(InvalidInputError):
    """A parameter stands in the query string more than once, and only one of its values could be meant."""

    code = "parameter-repeated"
    advice = "Give each parameter once; several conditions go into one `query`."


def create_app(
    services: Services,
    *,
    pages: Sequence[ControllerRouterHandler] = (),
    error_page: ErrorPage | None = None,
    kind: type[Litestar] = Litestar,
) -> Litestar:
    """Return the application over the services of one installation.

    `pages` are routes for browsers, and `error_page` answers errors for them; `kind` is the application's class.
    """
    app = kind(
        route_handlers=[*ROUTES, openapi_document, *pages],
        dependencies={"services": Provide(services_of, sync_to_thread=False)},
        exception_handlers=error_handlers(error_page),
        guards=[refuse_odd_parameters],
        middleware=[_time],
        before_send=[_count_and_add_headers],
        openapi_config=None,
        request_max_body_size=None,
        logging_config=None,
        debug=False,
    )
    app.state[SERVICES] = services
    return app


@get("/api/v1/openapi.json", include_in_schema=False)
async def openapi_document(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return the OpenAPI 3.1 document of this API; any token will do."""
    caller_of(request, services)
    return Response(_document(), media_type="application/json")


@cache
def _document() -> bytes:
    return msgspec.json.encode(describe_api(ROUTES))


async def refuse_odd_parameters(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Raise UnknownParameterError or RepeatedParameterError: what is misspelt or contradictory must not quietly widen
    what is answered.

    It has nothing to wait for; a guard that is not a coroutine would cost a thread on every request.
    """
    if not connection.scope["query_string"]:
        return
    known = handler.opt.get("parameters", ())
    seen: set[str] = set()
    for name, _ in connection.query_params.multi_items():
        if name not in known:
            raise UnknownParameterError(
                f"{name[:64]!r} is not a parameter of this route" + (f"; known: {', '.join(known)}" if known else "")
            )
        if name in seen:
            raise RepeatedParameterError(f"the parameter {name!r} is given more than once")
        seen.add(name)


async def _count_and_add_headers(message: Message, scope: Scope) -> None:
    """Count an answer, and add the headers that every one carries, also where no route was found."""
    if message["type"] == "http.response.start":
        REQUESTS.labels(_route_of(scope), str(message["status"])).inc()
        FAILURES.note(message["status"])
        own = {name for name, _ in message["headers"]}
        message["headers"] = [*message["headers"], *(header for header in _HEADERS if header[0] not in own)]


def _time(app: ASGIApp) -> ASGIApp:
    """Wrap the routes: measure how long each answer takes."""

    async def timed(scope: Scope, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        try:
            await app(scope, receive, send)
        finally:
            SECONDS.labels(_route_of(scope)).observe(time.perf_counter() - start)

    return timed


def _route_of(scope: Scope) -> str:
    """Return the pattern of the route, never what a caller wrote in its place."""
    return scope.get("path_template") or "unknown"
