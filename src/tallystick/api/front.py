"""What is settled before any route: who really asks, by which name the server was asked, and whether that name is ours.

A proxy's word counts only when the connection comes from one of the configured proxies, and only in the one style of
header that this installation was told its proxy writes: the other style may have come from anybody. Whatever such
headers said, nothing behind this module sees them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from tallystick.api.problem import MEDIA_TYPE, Problem
from tallystick.config import Settings, is_loopback

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Headers = list[tuple[bytes, bytes]]
ALWAYS_OPEN: Final = frozenset({"/healthz", "/readyz"})
"""Asked by machines that know the server by an address of their own; their answers say nothing about anybody."""
_STYLES: Final = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?", re.ASCII)
_PAIR: Final = re.compile(r'\s*([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*))\s*', re.ASCII | re.IGNORECASE)


def with_front(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return the application behind the checks that `settings` ask for."""
    proxies = [ipaddress.ip_network(text) for text in settings.proxies] if settings.behind_proxy else []
    is_ours = allowed_hosts(settings)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        _settle_origin(scope, proxies, settings.proxy_headers)
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if scope["path"] not in ALWAYS_OPEN and (len(hosts) != 1 or not is_ours(hosts[0].decode("latin-1"))):
            await _refuse(send)
            return
        await app(scope, receive, send)

    return front


def allowed_hosts(settings: Settings) -> Callable[[str], bool]:
    """Return what says whether a Host header names this server.

    With a public address that is its host and port; without one, any address: a name could be a stranger's whose
    DNS leads here. This machine's own names and `allowed_hosts` always do.
    """
    public = urlsplit(settings.public_url).netloc if settings.public_url else None
    usual = {"https": "443", "http": "80"}[urlsplit(settings.public_url).scheme] if settings.public_url else ""

    def is_ours(text: str) -> bool:
        found = _HOST.fullmatch(text.lower())
        if found is None:
            return False
        host, port = found[1].strip("[]"), found[2]
        if is_loopback(host) or host in settings.allowed_hosts:
            return True
        if public is None:
            return _address(host) is not None
        return public == (found[1] if port in {None, usual} else f"{found[1]}:{port}")

    return is_ours


def _settle_origin(scope: Scope, proxies: list[ipaddress.IPv4Network | ipaddress.IPv6Network], style: str) -> None:
    """Make client, scheme and Host of a request what its proxy says, where it came from one."""
    headers: Headers = list(scope["headers"])
    said = [(name, value.decode("latin-1")) for name, value in headers if name in _STYLES]
    client = scope["client"]
    scope["headers"] = headers = [each for each in headers if each[0] not in _STYLES]

    def is_proxy(text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in proxies)

    if client is None or not said or not is_proxy(client[0]):
        return
    hops, proto, host = _forwarded(said) if style == "forwarded" else _x_forwarded(said)
    scope["client"] = (_first_stranger(hops, client[0], is_proxy), 0)
    if proto in {"http", "https"}:
        scope["scheme"] = proto
    if host is not None:
        scope["headers"] = [each for each in headers if each[0] != b"host"] + [(b"host", host.encode("latin-1"))]


def _first_stranger(hops: Iterable[str], nearest: str, is_proxy: Callable[[str], bool]) -> str:
    """Return the first address, from the nearest on, that is no proxy; what is no address ends the way before it."""
    for hop in hops:
        address = _address(_without_port(hop))
        if address is None:
            return nearest
        nearest = str(address)
        if not is_proxy(nearest):
            return nearest
    return nearest


def _x_forwarded(said: list[tuple[bytes, str]]) -> tuple[list[str], str | None, str | None]:
    """Return the hops, nearest first, the scheme and the host that X-Forwarded-* name; of several, the last."""
    lists = {
        name: [part.strip() for given, value in said if given == name for part in value.split(",")]
        for name in (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
    }
    proto, host = lists[b"x-forwarded-proto"], lists[b"x-forwarded-host"]
    return lists[b"x-forwarded-for"][::-1], proto[-1].lower() if proto else None, host[-1] if host else None


def _forwarded(said: list[tuple[bytes, str]]) -> tuple[list[str], str | None, str | None]:
    """Return the same of Forwarded (RFC 7239); scheme and host are what the nearest proxy says."""
    elements = [dict(_pairs(part)) for name, value in said if name == b"forwarded" for part in _split(value, ",")]
    elements.reverse()
    nearest = elements[0] if elements else {}
    return [each.get("for", "") for each in elements], nearest.get("proto", "").lower() or None, nearest.get("host")


def _pairs(element: str) -> Iterator[tuple[str, str]]:
    for part in _split(element, ";"):
        if found := _PAIR.fullmatch(part):
            quoted = found[2]
            yield found[1].lower(), found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def _split(text: str, separator: str) -> list[str]:
    """Return the parts between separators that stand outside quotes."""
    parts, start, quoted, escaped = [], 0, False, False
    for at, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    # An IPv4 caller of an IPv6 socket is the same caller.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


async def _refuse(send: Send) -> None:
    problem = Problem(
        type="urn:tallystick:problem:host-refused",
        title=HTTPStatus.BAD_REQUEST.phrase,
        status=int(HTTPStatus.BAD_REQUEST),
        detail="the Host header does not name this server",
        code="host-refused",
        advice="Use the server's public address; its operator sets public_url and allowed_hosts.",
    )
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send(
        {"type": "http.response.start", "status": problem.status, "headers": [*headers, (b"connection", b"close")]}
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
