"""A receiver of streamed events, as a process of its own: `python stream_receiver.py PORT FOLDER`.

Every request that it takes stands in `FOLDER/taken.jsonl` before it is answered. How it behaves is asked for by the
path: `/ok`, `/status/500`, `/redirect`, `/slow` (an answer a byte at a time), `/silent`, `/huge` (a body without end),
`/reset` (200, then the connection is torn), `/hang` (nothing is read). `/ok` refuses with 422 what holds a text that
stands in `FOLDER/refuse`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Receiver(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    folder: Path
    lock = threading.Lock()

    def do_POST(self) -> None:
        if self.path == "/hang":
            time.sleep(60)
            return
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        way = self.path.partition("?")[0].strip("/").split("/")
        if way[0] == "ok" and self._is_refused(body):
            self._answer(422, b"not this one")
            return
        self._keep({"path": self.path, "headers": dict(self.headers), "body": body})
        if way[0] == "status":
            self._answer(int(way[1]), b"as asked")
        elif hasattr(self, f"_{way[0]}"):
            getattr(self, f"_{way[0]}")()
        else:
            self._answer(200, b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _is_refused(self, body: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "refuse").read_text() in body
        return False

    def _keep(self, taken: dict[str, Any]) -> None:
        line = json.dumps(taken).encode() + b"\n"
        with self.lock, (self.folder / "taken.jsonl").open("ab", buffering=0) as file:
            os.write(file.fileno(), line)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _redirect(self) -> None:
        self.send_response(307)
        self.send_header("location", f"http://127.0.0.1:{self.connection.getsockname()[1]}/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def _slow(self) -> None:
        self._drip(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100_000)

    def _drip(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            for byte in data:
                self.connection.sendall(bytes([byte]))
                time.sleep(0.2)
        self.close_connection = True

    def _silent(self) -> None:
        time.sleep(60)

    def _huge(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                self.wfile.write(b"x" * 65_536)
        self.close_connection = True

    def _reset(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: Any) -> None:
        """A sender that hangs up is nothing to report."""


def main() -> None:
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    Receiver.folder = folder
    with Server(("127.0.0.1", port), Receiver) as server:
        (folder / "port").write_text(str(server.server_port))
        server.serve_forever()


if __name__ == "__main__":
    main()
