"""What a destination may be: the checks of everything that a person sets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tallystick.event.identifier import hidden_character
from tallystick.event.visible import show
from tallystick.stream.errors import DestinationInvalidError
from tallystick.stream.gitlab import TOKEN_HEADER, TYPE_HEADER
from tallystick.stream.model import BATCH_MAX, HEADERS_MAX, Format, Settings

NAME_CHARS_MAX: Final = 72
URL_CHARS_MAX: Final = 2048
HEADER_CHARS_MAX: Final = 4096
QUERY_CHARS_MAX: Final = 16_384
TOKEN_CHARS: Final = (16, 128)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)
_HEADER_VALUE = re.compile(r"[\x21-\x7e\xa1-\xff]([\x20-\x7e\xa1-\xff]*[\x21-\x7e\xa1-\xff])?")
_TOKEN = re.compile(r"[\x21-\x7e]+")
_RESERVED: Final = frozenset(
    {
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect",
        "keep-alive", "webhook-id", "webhook-timestamp", "webhook-signature", TOKEN_HEADER.lower(), TYPE_HEADER.lower(),
    }
)  # fmt: skip


def check_settings(settings: Settings) -> None:
    """Raise DestinationInvalidError, with the place, for what no destination may have."""
    name = settings.name
    if not 1 <= len(name) <= NAME_CHARS_MAX or name != name.strip() or hidden_character(name) is not None:
        raise DestinationInvalidError(f"a name has 1 to {NAME_CHARS_MAX} readable characters", pointer="/name")
    parse_url(settings.url)
    most = BATCH_MAX if settings.format is Format.STANDARD else 1
    if not 1 <= settings.batch <= most:
        why = f"a request carries 1 to {most} events"
        raise DestinationInvalidError(why if most > 1 else "GitLab's form carries one event", pointer="/batch")
    if len(settings.query) > QUERY_CHARS_MAX:
        raise DestinationInvalidError("the query is too long", pointer="/query")
    check_headers(settings.headers)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise DestinationInvalidError for headers that cannot be sent; their values are secrets, so none is repeated."""
    if len(headers) > HEADERS_MAX:
        raise DestinationInvalidError(f"at most {HEADERS_MAX} headers", pointer="/headers")
    if len({name.lower() for name in headers}) != len(headers):
        raise DestinationInvalidError("a header is given twice", pointer="/headers")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise DestinationInvalidError(f"{show(name, 80)!r} is not the name of a header", pointer="/headers")
        if name.lower() in _RESERVED:
            raise DestinationInvalidError(f"the header {name} is set by the product itself", pointer="/headers")
        if len(value) > HEADER_CHARS_MAX or not _HEADER_VALUE.fullmatch(value):
            raise DestinationInvalidError(f"the value of {name} cannot be sent in a header", pointer="/headers")


def check_token(token: str) -> None:
    """Raise DestinationInvalidError for a verification token that cannot be one."""
    least, most = TOKEN_CHARS
    if not least <= len(token) <= most or not _TOKEN.fullmatch(token):
        raise DestinationInvalidError(
            f"a verification token has {least} to {most} characters without spaces", pointer="/token"
        )


def parse_url(url: str) -> SplitResult:
    """Return the parts of a destination's address; raises DestinationInvalidError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url("it cannot be read") from None
    if len(url) > URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _bad_url("it has other characters than an address may have, or too many")
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise _bad_url("it does not begin with https:// and a host")
    if "@" in parts.netloc:
        raise _bad_url("a password in an address is shown to many; give it as a header")
    if parts.fragment or port == 0:
        raise _bad_url("it has a fragment, or no port that can be reached")
    return parts


def _bad_url(why: str) -> DestinationInvalidError:
    return DestinationInvalidError(f"this address cannot be sent to: {why}", pointer="/url")
