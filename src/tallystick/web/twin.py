"""JSON twins: `<path>.json` is answered by the handler of `<path>`."""

from __future__ import annotations

from typing import Any, Final

from litestar import Litestar, Request
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

_SUFFIX: Final = ".json"
_NOT_PAGES: Final = ("/api/", "/static/")
_ASKED: Final = "tallystick_json"


class TwinApp(Litestar):
    """The application, with the suffix `.json` of a page's path taken as a wish for JSON.

    It is taken off before the routes are looked at, so no page can forget its twin.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # type: ignore[override]
        path = scope.get("path", "")
        if scope["type"] == ScopeType.HTTP and path.endswith(_SUFFIX) and not path.startswith(_NOT_PAGES):
            path = path.removesuffix(_SUFFIX)
            scope["path"], scope["raw_path"] = path, path.encode()
            scope.setdefault("state", {})[_ASKED] = True
        await super().__call__(scope, receive, send)


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """Return whether the JSON twin of a page was asked for."""
    return bool(request.scope.get("state", {}).get(_ASKED))
