"""What every page says to the browser about itself."""

from __future__ import annotations

import gzip
from typing import Any, Final

from litestar import Request, Response
from litestar.datastructures import Cookie

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Pages show events, and nothing of them stays behind in a browser's cache or leaks to another origin.
PAGE_HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "vary": "HX-Request, Accept, Accept-Encoding, Cookie",
}
_COMPRESS_FROM: Final = 1024
_LEVEL: Final = 5
HTML: Final = "text/html"
JSON: Final = "application/json"


def page_response(
    request: Request[Any, Any, Any],
    body: bytes,
    *,
    status: int = 200,
    media_type: str = HTML,
    headers: dict[str, str] | None = None,
    cookies: list[Cookie] | None = None,
) -> Response[bytes]:
    """Return a page with the headers that every page has, compressed where the browser can read that.

    No secret stands in a page beside what a stranger can put there, so compressing it tells nobody anything.
    """
    sent = {**PAGE_HEADERS, **(headers or {})}
    if len(body) >= _COMPRESS_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body, sent["content-encoding"] = gzip.compress(body, _LEVEL, mtime=0), "gzip"
    return Response(body, status_code=status, media_type=media_type, headers=sent, cookies=cookies)
