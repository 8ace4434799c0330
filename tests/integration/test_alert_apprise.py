"""Apprise makes real requests, and is kept from the house as far as that can be done around it."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from apprise.plugins.pagerduty import NotifyPagerDuty
from apprise.plugins.slack import NotifySlack
from tests.certificates import write_certificate
from tests.notify_world import notifying
from tests.stream_world import LOOPBACK, receiving, wait_until

from tallystick.access.operator import OPERATOR
from tallystick.alert.notify.apprise_channel import check_apprise, send_by_apprise
from tallystick.alert.notify.errors import ReceiverInvalidError
from tallystick.alert.notify.message import test_message as make_test
from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.alert.notify.sending import NotSentError
from tallystick.stream.address import parse_networks

HERE = parse_networks(LOOPBACK)
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
PAGERDUTY = "pagerduty://A1BRTD4JD1234567890123456789012@TIiajkdnlazkcOXrIdevi7FQ0000000"


@contextmanager
def answering(cert: tuple[Path, Path], status: int = 200) -> Iterator[tuple[int, list[tuple[str, Any]]]]:
    """Yield the port of a receiver over TLS, and what it takes."""
    taken: list[tuple[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            taken.append((self.path, None))
            self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((self.path, json.loads(body)))
            self.send_response(status)
            if status == 302:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*cert)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port, taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def cert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    made = write_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made[0]))
    return made


def teams(port: int) -> str:
    return f"workflows://127.0.0.1:{port}/643a8e2f2b0c4a7a8a5e1b3c4d5e6f70/signature"


def test_teams_gets_a_card_by_a_workflow(cert: tuple[Path, Path]) -> None:
    with answering(cert) as (port, taken):
        send_by_apprise(make_test("team", "key"), teams(port), HERE)
    ((path, body),) = taken
    assert path.startswith("/workflows/643a8e2f")
    assert "Test of the receiver team" in json.dumps(body)


def test_slack_and_pagerduty_get_their_own_requests(cert: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The hosts of both are Apprise's constants: only these are turned to a receiver here, the request is Apprise's own."""
    with answering(cert) as (port, taken):
        base = f"https://127.0.0.1:{port}"
        monkeypatch.setattr(NotifySlack, "webhook_url", f"{base}/services")
        send_by_apprise(make_test("chat", "key"), SLACK, ())
        from apprise.plugins import pagerduty

        lookup = dict.fromkeys(pagerduty.PAGERDUTY_API_LOOKUP, f"{base}/v2/enqueue")
        monkeypatch.setattr(pagerduty, "PAGERDUTY_API_LOOKUP", lookup)
        assert NotifyPagerDuty.setup_url
        send_by_apprise(make_test("pager", "key"), PAGERDUTY, ())
    (slack, pager) = taken
    assert slack[0] == "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert "Test of the receiver chat" in json.dumps(slack[1])
    assert pager[0] == "/v2/enqueue"
    assert pager[1]["event_action"] == "trigger"
    assert "Test of the receiver pager" in json.dumps(pager[1])


def test_an_address_inside_the_house_is_not_sent_to_unless_an_operator_allows_it(cert: tuple[Path, Path]) -> None:
    with answering(cert) as (port, taken), pytest.raises(NotSentError, match="private") as caught:
        send_by_apprise(make_test("team", "key"), teams(port), ())
    assert caught.value.lasting
    assert taken == []


def test_a_zulip_of_ones_own_is_kept_out_of_the_house_like_any_host_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def looked_up(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    for organization in ("chat.inside.example", "chat"):
        with pytest.raises(NotSentError, match="private"):
            send_by_apprise(make_test("team", "key"), f"zulip://bot@{organization}/{'a' * 32}", ())
    assert asked == ["chat.inside.example", "chat.zulipchat.com"]


def test_a_matrix_server_cannot_send_the_notification_to_another_host(cert: tuple[Path, Path]) -> None:
    with answering(cert) as (port, taken), pytest.raises(NotSentError):
        send_by_apprise(make_test("team", "key"), f"matrixs://user:pass@127.0.0.1:{port}/#room", HERE)
    assert taken
    assert not any(".well-known" in path for path, _ in taken)


def test_a_redirect_is_not_followed(cert: tuple[Path, Path]) -> None:
    with answering(cert, 302) as (port, taken), pytest.raises(NotSentError):
        send_by_apprise(make_test("team", "key"), teams(port), HERE)
    assert len(taken) == 1


def test_a_certificate_that_nobody_vouches_for_stops_it(tmp_path: Path) -> None:
    with answering(write_certificate(tmp_path)) as (port, taken), pytest.raises(NotSentError):
        send_by_apprise(make_test("team", "key"), teams(port), HERE)
    assert taken == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "syslog://",
        "dbus://",
        "mailto://user:pass@example.org",
        "https://example.org",
        "slack://",
        "jsons://example.org/?verify=no",
        "",
    ],
)
def test_only_services_of_the_list_are_taken_and_none_without_certificates(url: str) -> None:
    with pytest.raises(ReceiverInvalidError) as caught:
        check_apprise(url)
    assert "pass" not in caught.value.message


def test_an_alert_goes_out_through_apprise_with_its_evidence(tmp_path: Path) -> None:
    with receiving(tmp_path / "other") as other, notifying(tmp_path) as world:
        url = f"json://127.0.0.1:{other.port}/ok"
        world.room.receivers.set(OPERATOR, ReceiverSettings(name="chat", way=Way.APPRISE, url=url))
        world.routes("route: {receiver: chat}")
        world.alarm(title="Seen by Apprise")
        wait_until(lambda: world.evidence().settled)
        (request,) = other.taken()
        assert "Seen by Apprise" in json.loads(request["body"])["message"]
        ((attempt),) = world.evidence().settled[0].attempts
        assert attempt.code == 0, "Apprise tells no code"
        (found, _), *_ = world.room.receivers.list(OPERATOR)
        assert found.place == "json://…"
