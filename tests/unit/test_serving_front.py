"""Who asks and for whom: proxies are believed only where they are configured, and only our own names are answered to."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tallystick.api.front import with_front
from tallystick.config import Settings, settings_for

PROXY = "10.0.0.9"
STRANGER = "203.0.113.5"


def ask(settings: Settings, *headers: tuple[str, str], client: str = PROXY, path: str = "/events") -> Any:
    """Return the scope that the application sees of a request, or the problem document that answers it."""
    seen: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("no body is read")

    scope = {
        "type": "http",
        "path": path,
        "scheme": "http",
        "client": (client, 40000),
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(with_front(app, settings)(scope, receive, send))  # type: ignore[arg-type]
    if seen:
        return seen[0]
    assert sent[0]["status"] == 400
    return msgspec.json.decode(sent[1]["body"])


def behind(root: Path, **changes: Any) -> Settings:
    usual = {"behind_proxy": True, "proxies": ("10.0.0.0/8",), "allowed_hosts": ("here",)}
    return settings_for(root / "data", **{**usual, **changes})


def asked_by(scope: Any) -> str:
    client: str = scope["client"][0]
    return client


HOST = ("host", "here")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([STRANGER], STRANGER),
        ([f"{STRANGER}:5555"], STRANGER),
        (["2001:db8::1"], "2001:db8::1"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["::ffff:203.0.113.5"], STRANGER),
        ([f"{STRANGER}, 10.1.2.3"], STRANGER),  # two proxies, one behind the other
        ([STRANGER, "10.1.2.3"], STRANGER),  # the same in two headers
        ([f"192.0.2.1, {STRANGER}"], STRANGER),  # the caller made up the first
        ([f"192.0.2.1, {STRANGER}, 10.1.2.3"], STRANGER),
        (["10.1.2.3"], "10.1.2.3"),  # a proxy asks for itself
        (["unknown"], PROXY),
        ([f"{STRANGER}, garbage"], PROXY),  # what is no address ends the way before it
        ([f"{STRANGER}, garbage, 10.1.2.3"], "10.1.2.3"),
        ([""], PROXY),
        ([f"{STRANGER},"], PROXY),
    ],
)
def test_the_caller_is_the_nearest_address_that_is_no_proxy(tmp_path: Path, given: list[str], expected: str) -> None:
    headers = [("x-forwarded-for", value) for value in given]
    assert asked_by(ask(behind(tmp_path), HOST, *headers)) == expected


FORGED = (("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example.org"))
FORGED_7239 = (("forwarded", "for=192.0.2.1;proto=https;host=evil.example.org"),)


@pytest.mark.parametrize("forged", [FORGED, FORGED_7239], ids=["x-forwarded", "forwarded"])
@pytest.mark.parametrize(
    ("changes", "client"),
    [
        pytest.param({}, STRANGER, id="from somebody who is no proxy"),
        pytest.param({"behind_proxy": False, "proxies": (PROXY,)}, PROXY, id="without a proxy configured"),
        pytest.param({"behind_proxy": False}, "127.0.0.1", id="from this machine"),
    ],
)
def test_nobody_else_chooses_what_is_recorded_of_them(
    tmp_path: Path, forged: Any, changes: dict[str, Any], client: str
) -> None:
    for style in ("x-forwarded", "forwarded"):
        scope = ask(behind(tmp_path, proxy_headers=style, **changes), HOST, *forged, client=client)
        assert (asked_by(scope), scope["scheme"]) == (client, "http")
        assert scope["headers"] == [(b"host", b"here")]


@pytest.mark.parametrize(("style", "other"), [("x-forwarded", FORGED_7239), ("forwarded", FORGED)])
def test_headers_of_the_style_that_the_proxy_does_not_write_come_from_the_caller(
    tmp_path: Path, style: str, other: Any
) -> None:
    scope = ask(behind(tmp_path, proxy_headers=style), HOST, *other)
    assert (asked_by(scope), scope["scheme"], scope["headers"]) == (PROXY, "http", [(b"host", b"here")])


@pytest.mark.parametrize(
    ("value", "client", "scheme"),
    [
        (f"for={STRANGER};proto=https", STRANGER, "https"),
        (f'For="{STRANGER}:80" ; Proto=HTTPS', STRANGER, "https"),
        ('for="[2001:db8::1]:47011"', "2001:db8::1", "http"),
        (f"for=192.0.2.1;proto=http, for={STRANGER};proto=https", STRANGER, "https"),
        (f'for=192.0.2.1, for="{STRANGER}, for=192.0.2.2"', PROXY, "http"),  # a comma in quotes parts nothing
        (f'for="192.0.2.1\\", for={STRANGER}', PROXY, "http"),  # nor one behind a quote that is not closed
        ("for=_hidden", PROXY, "http"),
        ("proto=https", PROXY, "https"),
        ("garbage", PROXY, "http"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_says(tmp_path: Path, value: str, client: str, scheme: str) -> None:
    scope = ask(behind(tmp_path, proxy_headers="forwarded"), HOST, ("forwarded", value))
    assert (asked_by(scope), scope["scheme"]) == (client, scheme)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["https"], "https"),
        (["HTTPS"], "https"),
        (["http, https"], "https"),
        (["https", "http"], "http"),
        (["ftp"], "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(tmp_path: Path, given: list[str], expected: str) -> None:
    scope = ask(behind(tmp_path), HOST, *(("x-forwarded-proto", value) for value in given))
    assert scope["scheme"] == expected


def test_the_name_that_was_asked_for_is_what_the_proxy_says_and_still_has_to_be_ours(tmp_path: Path) -> None:
    settings = behind(tmp_path, public_url="https://audit.example.org", allowed_hosts=())
    inner = ("host", "127.0.0.1:8400")
    scope = ask(settings, inner, ("x-forwarded-host", "audit.example.org"))
    assert scope["headers"] == [(b"host", b"audit.example.org")]
    assert ask(settings, inner, ("x-forwarded-host", "evil.example.org"))["code"] == "host-refused"
    assert ask(settings, inner, ("x-forwarded-host", "audit.example.org, evil.example.org"))["code"] == "host-refused"


def is_answered(settings: Settings, *hosts: str, path: str = "/events") -> bool:
    found = ask(settings, *(("host", host) for host in hosts), client=STRANGER, path=path)
    return "code" not in found


@pytest.mark.parametrize(
    "host",
    ["audit.example.org", "AUDIT.example.org", "audit.example.org:443", "localhost", "127.0.0.1:8400", "[::1]:8400"],
)
def test_the_public_name_and_this_machines_own_are_answered_to(tmp_path: Path, host: str) -> None:
    assert is_answered(settings_for(tmp_path / "data", public_url="https://audit.example.org"), host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org",
        "audit.example.org.evil.org",
        "evil.audit.example.org",
        "audit.example.org:8443",
        "audit.example.org:80",
        "audit.example.org@evil.org",
        "audit.example.org/",
        "audit.example.org:",
        "audit.example.org:443:443",
        "audit.example.org, evil.org",
        "audit.example.org\t",
        "192.0.2.1",
        "audit.example.org.",
        "",
    ],
)
def test_no_other_name_is_answered_to(tmp_path: Path, host: str) -> None:
    settings = settings_for(tmp_path / "data", public_url="https://audit.example.org")
    assert not is_answered(settings, host)
    assert is_answered(settings, host, path="/healthz")


def test_there_must_be_one_name_exactly(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", public_url="https://audit.example.org")
    assert not is_answered(settings)
    assert not is_answered(settings, "audit.example.org", "audit.example.org")
    assert not is_answered(settings, "audit.example.org", "evil.example.org")


def test_more_names_can_be_allowed_at_any_port(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", public_url="https://audit.example.org", allowed_hosts=("tallystick",))
    assert is_answered(settings, "tallystick:8400")
    assert not is_answered(settings, "tallystick.evil.org:8400")


def test_without_a_public_name_only_addresses_are_answered_to(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data")
    assert is_answered(settings, "192.0.2.1:8400")
    assert is_answered(settings, "[2001:db8::1]")
    assert not is_answered(settings, "rebound.example.org:8400")


def test_a_public_port_is_part_of_the_name(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data", public_url="https://audit.example.org:8443")
    assert is_answered(settings, "audit.example.org:8443")
    assert not is_answered(settings, "audit.example.org")
