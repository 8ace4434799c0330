"""What the routes share that change something: who sends a body, and how large it may be."""

from __future__ import annotations

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from tallystick.api.services import caller_of, services_of

BODY_PROBLEMS: Final = {400: "parameter-invalid", 413: "request-refused"}
BODY_BYTES_MAX: Final = 64 << 10


async def need_caller(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Raise an UnauthenticatedError before anything of the request's body is read."""
    caller_of(connection, services_of(connection))


#: Of a route that takes a command: a stranger's body is not read, and nobody's beyond its size.
COMMAND: Final[dict[str, Any]] = {
    "guards": [need_caller],
    "request_max_body_size": BODY_BYTES_MAX,
    "sync_to_thread": True,
}
