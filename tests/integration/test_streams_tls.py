"""Sending over TLS: to whom the certificate says it is, on a connection that is kept, and never for longer than allowed."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.certificates import write_certificate

from tallystick.stream.address import parse_networks
from tallystick.stream.errors import SendFailedError
from tallystick.stream.sender import Sender

LOOPBACK = parse_networks(["127.0.0.0/8"])


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.ports.append(self.client_address[1])  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.ports: list[int] = []
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None:
        """A client that refuses the certificate is what a test is about."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[Quiet]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Quiet(context) as opened:
        thread = threading.Thread(target=opened.serve_forever, daemon=True)
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


def sender(server: Quiet, host: str, trusted: Path | None) -> Sender:
    """Return a sender to which every name is this machine."""
    context = ssl.create_default_context(cafile=None if trusted is None else str(trusted))
    url = f"https://{host}:{server.server_address[1]}/in"
    return Sender(url, LOOPBACK, resolve=lambda *_: ["127.0.0.1"], tls=context)


def test_a_connection_is_kept_over_many_requests(server: Quiet, certificate: tuple[Path, Path]) -> None:
    sending = sender(server, "127.0.0.1", certificate[0])
    for _ in range(5):
        assert sending.post(b'{"a":1}', {"X-A": "b"}).status == 200
    sending.close()
    assert len(set(server.ports)) == 1


def test_a_certificate_of_somebody_else_or_for_another_name_is_refused(
    server: Quiet, certificate: tuple[Path, Path]
) -> None:
    for host, trusted in (("127.0.0.1", None), ("other.example", certificate[0])):
        with pytest.raises(SendFailedError, match=r"(?i)certificate"):
            sender(server, host, trusted).post(b"{}", {})
    assert server.ports == []


def test_a_handshake_that_never_ends_is_let_go_at_once_when_it_is_told_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://receiver.example:{listener.getsockname()[1]}/"
        sending = Sender(url, LOOPBACK, resolve=lambda *_: ["127.0.0.1"])
        failures: list[SendFailedError] = []

        def post() -> None:
            try:
                sending.post(b"{}", {})
            except SendFailedError as error:
                failures.append(error)

        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        held, _ = listener.accept()
        held.recv(1)  # its first words came; nothing is answered
        before = time.monotonic()
        sending.abort()
        thread.join(8)
        assert not thread.is_alive()
        assert time.monotonic() - before < 8
        assert failures
        held.close()
        sending.close()
