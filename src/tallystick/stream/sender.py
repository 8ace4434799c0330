"""One HTTP POST to a checked address, bounded in time and bytes whatever the other side does."""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import os
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tallystick import __version__
from tallystick.stream.address import Network, check_address
from tallystick.stream.errors import AddressRefusedError, SendFailedError

CONNECT_S: Final = 5.0
READ_S: Final = 10.0
TOTAL_S: Final = 15.0
ANSWER_BYTES_MAX: Final = 64 << 10
KEPT_S: Final = 60.0
"""How long a connection is used again before the name is looked up and checked anew."""
RETRY_AFTER_S_MAX: Final = 3600
STEP_S: Final = 0.1
"""How long `abort` may wait to be seen where nothing can be woken."""
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK})
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a destination said; `body` is the beginning of it."""

    status: int
    body: bytes
    retry_after_s: int | None = None


def resolve_name(host: str, port: int) -> list[str]:
    """Return every address of a name."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Sender:
    """Posts to one URL and keeps the connection while that works. One thread posts; `abort` may come from any other."""

    def __init__(
        self,
        url: str,
        networks: Sequence[Network],
        *,
        resolve: Resolve = resolve_name,
        tls: ssl.SSLContext | None = None,
        total_s: float = TOTAL_S,
    ) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._authority = parts.netloc
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._networks = tuple(networks)
        self._resolver = _Resolver(resolve)
        self._tls = tls
        self._total_s = total_s
        self._socket: socket.socket | None = None
        self._opened = 0.0
        self._aborted = False

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer, whatever its status; redirects are not followed.

        Raises AddressRefusedError, and SendFailedError when there is no answer in time.
        """
        deadline = time.monotonic() + self._total_s
        reused = self._socket is not None and time.monotonic() - self._opened < KEPT_S
        if not reused:
            self.close()
        try:
            return self._exchange(body, headers, deadline)
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError) as error:
            self.close()
            if not reused or self._aborted:
                raise SendFailedError(f"the connection ended: {_words(error)}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise SendFailedError(_words(error)) from error
        try:  # the other side closed a connection that was kept: that says nothing about this request
            return self._exchange(body, headers, deadline)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise SendFailedError(_words(error)) from error

    def check(self) -> None:
        """Look the host up now, and raise AddressRefusedError when nothing may be sent to where it leads.

        Raises SendFailedError when that cannot be said.
        """
        try:
            self._allowed_addresses(time.monotonic() + CONNECT_S)
        except OSError as error:
            raise SendFailedError(_words(error)) from error

    def close(self) -> None:
        """Close the connection, if one is open."""
        held, self._socket = self._socket, None
        if held is not None:
            with contextlib.suppress(OSError):
                held.close()

    def abort(self) -> None:
        """Let a post that waits fail at once, and every later one."""
        self._aborted = True
        held = self._socket
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def _exchange(self, body: bytes, headers: Mapping[str, str], deadline: float) -> Answer:
        held = self._socket or self._connect(deadline)
        wire = _Bounded(held, deadline)
        wire.write(self._head(body, headers) + body)
        response = http.client.HTTPResponse(wire, method="POST")  # type: ignore[arg-type]  # it needs makefile alone
        response.begin()
        said = response.read(ANSWER_BYTES_MAX)
        if not response.isclosed() or response.will_close:
            self.close()
        return Answer(response.status, said, _retry_after(response.headers.get("retry-after")))

    def _head(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        usual = {
            "Host": self._authority,
            "User-Agent": f"tallystick/{__version__}",
            "Accept": "*/*",
            "Content-Type": "application/json",
        }
        chosen = {name.lower() for name in headers}
        lines = [f"{name}: {value}" for name, value in usual.items() if name.lower() not in chosen]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join((f"POST {self._path} HTTP/1.1", *lines, "", "")).encode("latin-1")

    def _connect(self, deadline: float) -> socket.socket:
        """Connect to the first address that answers. Every address of the name must be one that may be sent to."""
        until = min(deadline, time.monotonic() + CONNECT_S)
        addresses = self._allowed_addresses(until)
        failure: OSError = TimeoutError("no address answered in time")
        for address in addresses:
            if time.monotonic() >= until or self._aborted:
                break
            try:
                return self._open(address, until, deadline)
            except OSError as error:
                self.close()
                failure = error
        raise failure

    def _allowed_addresses(self, until: float) -> Sequence[str]:
        """Return the addresses of the host; raises AddressRefusedError, and OSError when it has none."""
        addresses = self._resolver.addresses(self._host, self._port, until, lambda: self._aborted)
        allowed = [check_address(each, self._networks) for each in addresses]
        if not self._secure and not all(allowed):
            raise AddressRefusedError(f"{self._host} is sent to over https only")
        return addresses

    def _open(self, address: str, until: float, deadline: float) -> socket.socket:
        """Return a connection to one address, encrypted where the URL says so; `abort` finds it at every step."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = raw = socket.socket(family, socket.SOCK_STREAM)
        raw.setblocking(False)
        started = raw.connect_ex((address, self._port))
        while started in _UNDER_WAY:
            if self._aborted or time.monotonic() >= until:
                raise TimeoutError("no address answered in time")
            if select.select([], [raw], [], STEP_S)[1]:
                break
        if started := raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or (started not in _UNDER_WAY and started):
            raise OSError(started, os.strerror(started))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        raw.settimeout(max(0.01, min(READ_S, deadline - time.monotonic())))
        self._opened = time.monotonic()
        if not self._secure:
            return raw
        context = self._tls or ssl.create_default_context()
        self._socket = secured = context.wrap_socket(raw, server_hostname=self._host, do_handshake_on_connect=False)
        secured.do_handshake()  # within the time limit of the socket as a whole
        return secured


class _Resolver:
    """Looks a name up in a thread of its own, since that cannot be interrupted; at most one lookup hangs at a time."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._pending: threading.Thread | None = None

    def addresses(self, host: str, port: int, until: float, aborted: Callable[[], bool]) -> Sequence[str]:
        if self._pending is not None and self._pending.is_alive():
            raise TimeoutError("the name is still being looked up")
        answer: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def look() -> None:
            try:
                answer.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answer.put(error)

        self._pending = threading.Thread(target=look, name="stream-resolver", daemon=True)
        self._pending.start()
        self._pending.join(STEP_S)
        while self._pending.is_alive() and time.monotonic() < until and not aborted():
            self._pending.join(STEP_S)
        try:
            found = answer.get_nowait()
        except queue.Empty as error:
            raise TimeoutError("the name was not found in time") from error
        if isinstance(found, Exception):
            raise OSError(f"the name {host} is not found: {_words(found)}") from found
        if not found:
            raise OSError(f"the name {host} has no address")
        return found


class _Bounded(io.RawIOBase):
    """A socket that gives up at a deadline, however little at a time the other side sends or takes."""

    def __init__(self, held: socket.socket, deadline: float) -> None:
        super().__init__()
        self._held = held
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._wait()
        return self._held.recv_into(buffer)

    def write(self, data: Any, /) -> int:
        """Write all of it, or raise."""
        view = memoryview(data)
        while view:
            self._wait()
            view = view[self._held.send(view) :]
        return len(data)

    def _wait(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        self._held.settimeout(min(READ_S, left))


def _retry_after(text: str | None) -> int | None:
    """Return the seconds that a destination asks to be left alone; dates are not read."""
    if text is None or not (text.isascii() and text.strip().isdigit()) or len(text) > 9:
        return None
    return min(int(text), RETRY_AFTER_S_MAX)


def _words(error: Exception) -> str:
    """Return what went wrong, without what the other side said: that may be our own words, secrets and all."""
    if isinstance(error, http.client.HTTPException | ValueError) and not isinstance(error, ConnectionError | OSError):
        return f"what it answers is not HTTP ({type(error).__name__})"
    return str(error)[:300] or type(error).__name__
