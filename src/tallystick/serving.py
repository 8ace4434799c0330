"""Running the server: listening, draining, and the events that mark its life."""

from __future__ import annotations

import gc
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog
import uvicorn

from tallystick import __version__
from tallystick.api.certificate import LiveCertificate
from tallystick.api.connection import BoundedConnection
from tallystick.api.front import with_front
from tallystick.config import Settings
from tallystick.errors import ConfigurationError, TallystickError
from tallystick.search.upkeep import SearchUpkeep
from tallystick.server import Instance, open_instance
from tallystick.telemetry import configure_telemetry
from tallystick.web.site import create_site

DRAIN_S = 30
KEEP_ALIVE_S = 75
BACKLOG = 1024
SWITCH_INTERVAL_S = 0.001


class PortTakenError(ConfigurationError):
    """Nobody can listen on this address: it is taken, not ours, or not allowed."""

    code = "address-unavailable"
    advice = "Choose another --port, or stop the process that listens there."


def serve(settings: Settings, *, ready: Callable[[Instance, str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way and stop.

    `ready` is called with the address once connections are taken. Raises UnsafeListenError, CertificateError,
    PortTakenError, and what `open_instance` raises.
    """
    settings.require_safe_listen()
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    # Until the server takes it as a wish to read the certificate again, it must not end a start that is under way.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    configure_telemetry()
    telemetry = structlog.get_logger("tallystick.server")
    certificate = None
    if settings.tls_cert is not None and settings.tls_key is not None:
        certificate = LiveCertificate(settings.tls_cert, settings.tls_key)
    with _listen(settings) as listener:
        server: list[OrderlyServer] = []
        draining = lambda: bool(server) and server[0].should_exit  # noqa: E731
        with open_instance(settings, draining=draining) as instance:
            server.append(OrderlyServer(_config(settings, instance, certificate), certificate))
            _note(instance, "server.started")
            gc.collect()
            gc.freeze()  # what was loaded by now stays: collections need not look at it again
            address = address_of(settings, listener)
            telemetry.info("listening", address=address, size=instance.ledger.status().acknowledged.size)
            ready(instance, address)
            # Admission computes for some 10 ms a batch. A search gives the interpreter up many times on its way, and
            # each time would wait Python's usual 5 ms to get it back.
            sys.setswitchinterval(SWITCH_INTERVAL_S)
            services = instance.services
            with (
                SearchUpkeep(services.search),
                services.streams.running(),
                services.notify.running(),
                services.detection,
                services.rules.self_testing(services.alerts.book.raise_alarms),
            ):
                server[0].run(sockets=[listener])
            gc.unfreeze()  # so that libraries find nothing leaked at the end
            telemetry.info("stopping")
            _note(instance, "server.stopped")


def _note(instance: Instance, action: str) -> None:
    """Write down that the server starts or stops; a ledger that takes nothing now can still be read and watched."""
    try:
        instance.note(action)
    except TallystickError as error:
        structlog.get_logger("tallystick.server").error("not recorded", action=action, code=error.code)


class OrderlyServer(uvicorn.Server):
    """Leaves `run` when it is told to stop and the requests under way are answered.

    Uvicorn's own would then send the signal once more, and the process would end before the ledger is closed.
    """

    def __init__(self, config: uvicorn.Config, certificate: LiveCertificate | None) -> None:
        super().__init__(config)
        self._certificate = certificate
        self._reload = False

    async def on_tick(self, counter: int) -> bool:
        """Do what uvicorn does ten times a second, and look for a renewed certificate once a second."""
        if self._certificate is not None and (self._reload or counter % 10 == 0):
            self._certificate.refresh(always=self._reload)
        self._reload = False
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def reload(_number: int, _frame: FrameType | None) -> None:
            self._reload = True

        handlers = {signal.SIGTERM: self.handle_exit, signal.SIGINT: self.handle_exit, signal.SIGHUP: reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def address_of(settings: Settings, listener: socket.socket) -> str:
    """Return the URL by which the server is reached."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # Listening at once: whoever connects while the ledger recovers waits instead of being turned away.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTakenError(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from error
    return listener


def _config(settings: Settings, instance: Instance, certificate: LiveCertificate | None) -> uvicorn.Config:
    config = uvicorn.Config(
        with_front(create_site(instance.services), settings),
        http=BoundedConnection,
        ws="none",
        access_log=False,
        log_config=None,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
        headers=[("server", f"tallystick/{__version__}")],
        ssl_context_factory=None if certificate is None else lambda _config, _usual: certificate.context,
    )
    config.load()
    return config
