"""A witness over HTTP: POST /add-checkpoint and GET /<hex SHA-256 of the origin>/checkpoint.

Made for few logs and hostile networks: no more connections than `CONNECTIONS_MAX`, no request longer than
`REQUEST_BYTES_MAX`, and each request must have been read and answered `REQUEST_S` seconds after its connection became
free for it, however slowly its bytes arrive. TLS is the business of whatever stands in front.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tallystick.clock import Clock, SystemClock
from tallystick.note import Ed25519Verifier, parse_log_vkey
from tallystick.witness.record import WitnessStorageError
from tallystick.witness.rules import REFUSALS, REQUEST_BYTES_MAX, StaleSizeError
from tallystick.witness.service import Witness, open_witness

CONNECTIONS_MAX = 128
REQUEST_S = 20.0

_MONITORING = re.compile(r"/([0-9a-f]{64})/checkpoint")
_TEXT = "text/plain; charset=utf-8"
_telemetry = logging.getLogger("tallystick.witness")


class WitnessServer(ThreadingHTTPServer):
    """The HTTP face of one witness. `serve_forever` runs it; `shutdown` from another thread ends it."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], witness: Witness, *, clock: Clock | None = None, request_s: float = REQUEST_S
    ) -> None:
        self.witness = witness
        self._clock = clock or SystemClock()
        self._request_s = request_s
        self._lock = threading.Lock()
        self._deadlines: dict[socket.socket, float] = {}  # guarded by _lock; one per open connection
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def renew_deadline(self, connection: socket.socket) -> None:
        """Give the connection its time for one more request."""
        with self._lock:
            self._deadlines[connection] = self._clock.monotonic_s() + self._request_s

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            full = len(self._deadlines) >= CONNECTIONS_MAX
        if full:
            self.shutdown_request(request)
            return
        self.renew_deadline(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._deadlines.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut the connections whose time is over; called by `serve_forever` at least twice a second."""
        now = self._clock.monotonic_s()
        with self._lock:
            for connection in [late for late, deadline in self._deadlines.items() if deadline < now]:
                # The thread that serves it wakes up with an end of file and closes it.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the standard library's signature
        _telemetry.warning("a connection from %s broke off", client_address[0], exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = REQUEST_S
    server: WitnessServer

    def handle_one_request(self) -> None:
        self.server.renew_deadline(self.connection)
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def do_POST(self) -> None:
        body = self._read_body()
        if body is None:
            return
        if self.path != "/add-checkpoint":
            self._answer(HTTPStatus.NOT_FOUND, b"not found\n")
            return
        try:
            self._answer(HTTPStatus.OK, self.server.witness.add_checkpoint(body))
        except StaleSizeError as refusal:
            self._answer(refusal.status, b"%d\n" % refusal.size, "text/x.tlog.size")
        except REFUSALS as refusal:
            self._answer(refusal.status, refusal.message.encode() + b"\n")
        except WitnessStorageError as error:
            _telemetry.error("%s", error.message)
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"the record cannot be written now\n")

    def do_GET(self) -> None:
        self.close_connection = self.close_connection or "Content-Length" in self.headers
        asked = _MONITORING.fullmatch(self.path)
        try:
            note = self.server.witness.find_checkpoint(asked[1]) if asked else None
        except WitnessStorageError as error:
            _telemetry.error("%s", error.message)
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, b"the record cannot be read now\n")
            return
        if note is None:
            self._answer(HTTPStatus.NOT_FOUND, b"not found\n")
        else:
            self._answer(HTTPStatus.OK, note)

    def _read_body(self) -> bytes | None:
        """Return the whole body; None when it was refused or broke off, and the connection ends."""
        lengths = self.headers.get_all("Content-Length") or []
        if "Transfer-Encoding" in self.headers or not lengths:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "the request must state its length")
        elif len(lengths) > 1 or re.fullmatch(r"[0-9]{1,18}", lengths[0], re.ASCII) is None:
            self._refuse(HTTPStatus.BAD_REQUEST, "the stated length is not a number")
        elif int(lengths[0]) > REQUEST_BYTES_MAX:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {REQUEST_BYTES_MAX} bytes")
        else:
            body = self.rfile.read(int(lengths[0]))
            if len(body) == int(lengths[0]):
                return body
            self.close_connection = True
        return None

    def _refuse(self, status: int, message: str) -> None:
        """Answer without having read the body, which makes the connection useless for another request."""
        self.close_connection = True
        self._answer(status, message.encode() + b"\n")

    def _answer(self, status: int, body: bytes, content_type: str = _TEXT) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "tallystick-witness"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the standard library
        _telemetry.info("%s %r", self.client_address[0], format % args)


def make_server(
    host: str, port: int, data_dir: Path, name: str | None, logs: Iterable[Ed25519Verifier]
) -> WitnessServer:
    """Return a server that is bound and listening but not yet running; port 0 takes any free one."""
    return WitnessServer((host, port), open_witness(data_dir, name, logs))


def serve(
    host: str,
    port: int,
    data_dir: Path,
    name: str | None,
    logs: Iterable[str],
    *,
    ready: Callable[[WitnessServer], None] | None = None,
) -> None:
    """Run a witness until KeyboardInterrupt; `ready` is called once when it accepts connections.

    `logs` are the verification keys of the logs as text; `name` is needed on first use, when the witness's own key is
    made. Raises NoteKeyError, WitnessRecordError for an unusable directory, OSError for an address that is taken.
    """
    server = make_server(host, port, data_dir, name, [parse_log_vkey(log) for log in logs])
    try:
        if ready is not None:
            ready(server)
        server.serve_forever(poll_interval=0.25)
    except KeyboardInterrupt:
        _telemetry.info("stopped by the keyboard")
    finally:
        server.server_close()
        server.witness.close()
