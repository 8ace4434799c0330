"""The OpenAPI 3.1 document: made from the routes, and completed with what their signatures cannot say."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from tallystick import __version__
from tallystick.api.problem import MEDIA_TYPE, Problem

PUBLIC: Final = "public"
"""In the `opt` of a route: it answers without a token."""
PROBLEMS: Final = "problems"
"""In the `opt` of a route: an example of what it refuses, by status, besides what every route may answer."""
FILES: Final = "files"
"""In the `opt` of a route: the media types of the files it answers with, where the signature names none or one."""
_OWN_PAGE: Final = "/schema"
_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}
_EVERYWHERE: Final = {422: "parameter-unknown", 500: "unexpected"}
_WITH_TOKEN: Final = {401: "token-invalid", 403: "read-forbidden"}
_WITH_PARAMETERS: Final = {400: "parameter-invalid"}


def describe_api(routes: Sequence[HTTPRouteHandler]) -> dict[str, Any]:
    """Return the document of the routes: every one with its schemas, its problems and their codes."""
    document = _from_signatures(routes)
    for route in routes:
        for path in route.paths:
            operations = document["paths"][re.sub(r"{(\w+):\w+}", r"{\1}", path)]
            for method in route.http_methods:
                _complete(operations[method.lower()], route)
    return document


def _from_signatures(routes: Sequence[HTTPRouteHandler]) -> dict[str, Any]:
    """Return what Litestar says of the routes; the application that it takes for that serves nobody."""
    app = Litestar(
        route_handlers=list(routes),
        dependencies={"services": Provide(lambda: None, sync_to_thread=False)},
        openapi_config=OpenAPIConfig(
            title="Tallystick",
            version=__version__,
            description="Record audit events, find them, and prove them. Errors are RFC 9457 problem documents.",
            components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"token": []}],
            use_handler_docstrings=True,
            operation_id_creator=_operation_id,
            render_plugins=[JsonRenderPlugin(path="/openapi.json")],
            path=_OWN_PAGE,
        ),
    )
    document: dict[str, Any] = app.openapi_schema.to_schema()
    document["paths"] = {path: each for path, each in document["paths"].items() if not path.startswith(_OWN_PAGE)}
    return document


def _operation_id(route: HTTPRouteHandler, _method: Any, path: list[Any]) -> str:
    """Return the route's own name; a second path of it, at the root of the server, is told apart."""
    is_alias = len(route.paths) > 1 and path[:1] != ["api"]
    name = _function(route).__name__
    return f"root_{name}" if is_alias else str(name)


def _function(route: HTTPRouteHandler) -> Any:
    """Return what was written: Litestar has wrapped it for its thread, twice where routes share a path."""
    function: Any = route.fn
    while not hasattr(function, "__name__"):
        function = function.func
    return function


def _complete(operation: dict[str, Any], route: HTTPRouteHandler) -> None:
    operation["description"] = inspect.getdoc(_function(route))
    is_public = bool(route.opt.get(PUBLIC))
    problems = dict(_EVERYWHERE)
    if is_public:
        operation["security"] = []
    else:
        problems |= _WITH_TOKEN
    if operation.get("parameters"):
        problems |= _WITH_PARAMETERS
    problems |= route.opt.get(PROBLEMS, {})
    responses = operation["responses"]
    # What Litestar adds for itself has a shape that this API never answers with.
    named = {str(status) for status in route.responses or {}}
    for status in [status for status in responses if int(status) >= HTTPStatus.BAD_REQUEST and status not in named]:
        del responses[status]
    for status in set(responses) - named:
        responses[status]["description"] = f"{route.summary}."
        if media := route.opt.get(FILES):
            responses[status]["content"] = {each: {"schema": _file_schema(each)} for each in media}
    for status, code in sorted(problems.items()):
        responses[str(status)] = _problem(HTTPStatus(status), code)


def _file_schema(media: str) -> dict[str, Any]:
    """Return the schema of a file: an object or a list where it is JSON, else its bytes."""
    is_json = media.partition(";")[0] == "application/json"
    return {"type": ["object", "array"]} if is_json else {"type": "string", "format": "binary"}


def _problem(status: HTTPStatus, code: str) -> dict[str, Any]:
    example = Problem(
        type=f"urn:tallystick:problem:{code}",
        title=status.phrase,
        status=int(status),
        detail="What was wrong, with the values in question.",
        code=code,
        advice="What to do about it.",
    )
    content = {"schema": _SCHEMA, "examples": {code: {"value": msgspec.to_builtins(example)}}}
    return {"description": f"{status.phrase}; see the reference of errors.", "content": {MEDIA_TYPE: content}}
