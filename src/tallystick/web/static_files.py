"""Style sheet, scripts and icons, served from the package under a URL that changes when any of them does."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.params import PathParameter

from tallystick.errors import NotFoundError

_TYPES: Final = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "txt": "text/plain",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_DIGEST_CHARS: Final = 16


class StaticFileUnknownError(NotFoundError):
    """There is no such file among those that pages are made of."""

    code = "static-file-unknown"
    advice = "Load the page again: its files change their address with every release."


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent, plain and compressed."""

    media_type: str
    body: bytes
    compressed: bytes


@cache
def static_files() -> dict[str, StaticFile]:
    """Return every file below `static/` by its path there; read once."""
    found: dict[str, StaticFile] = {}
    _collect(files("tallystick.web") / "static", "", found)
    return found


@cache
def static_root() -> str:
    """Return the URL that all static files share. Scripts import each other by relative path, so one digest is over all
    of them.
    """
    digest = hashlib.sha256()
    for path, file in sorted(static_files().items()):
        digest.update(f"{path}\0{len(file.body)}\0".encode() + file.body)
    return f"/static/{digest.hexdigest()[:_DIGEST_CHARS]}"


def static_url(path: str) -> str:
    """Return the URL of a static file; raises StaticFileUnknownError, so that no page links to nothing."""
    if path not in static_files():
        raise StaticFileUnknownError(f"there is no static file {path}")
    return f"{static_root()}/{path}"


@get("/static/{digest:str}/{path:path}", include_in_schema=False)
async def static_file(
    request: Request[Any, Any, Any],
    digest: Annotated[str, PathParameter(description="Of all static files together.")],
    path: Annotated[str, PathParameter(description="Below the folder of static files.")],
) -> Response[bytes]:
    """Return one static file. Its URL names its content, so that it never needs to be asked for again."""
    file = static_files().get(path.lstrip("/"))
    if file is None or static_root() != f"/static/{digest}":
        raise StaticFileUnknownError("there is no such static file")
    headers = {
        "cache-control": _FOR_EVER,
        "vary": "Accept-Encoding",
        "cross-origin-resource-policy": "same-origin",
    }
    body = file.body
    if "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["content-encoding"] = file.compressed, "gzip"
    return Response(body, media_type=file.media_type, headers=headers)


def _collect(folder: Traversable, prefix: str, found: dict[str, StaticFile]) -> None:
    for entry in folder.iterdir():
        path = f"{prefix}{entry.name}"
        if entry.is_dir():
            _collect(entry, f"{path}/", found)
        elif media_type := _TYPES.get(entry.name.rpartition(".")[2]):
            body = entry.read_bytes()
            found[path] = StaticFile(media_type, body, gzip.compress(body, 9, mtime=0))
