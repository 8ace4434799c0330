"""Serving a data directory to the command's own process, over a socket that nobody else can open."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from tallystick.access.model import Caller, Door
from tallystick.access.operator import OPERATOR, operator_as
from tallystick.access.sources.model import SourceSettings
from tallystick.access.sources.service import SourceService, rules_of
from tallystick.api.app import create_app
from tallystick.api.services import Authenticate
from tallystick.client import Client
from tallystick.config import settings_for
from tallystick.errors import ConflictError
from tallystick.ledger.errors import LedgerLockedError
from tallystick.server import open_instance

START_S_MAX = 30


class ServedElsewhereError(ConflictError):
    """Another process, most likely a server, holds the data directory."""

    code = "data-in-use"
    advice = "If it is a server, use --url with its address and a token in TALLYSTICK_TOKEN; if a command, let it end."


@contextmanager
def serve_locally(data: Path, state: Path | None, source: str) -> Iterator[Client]:
    """Yield a client whose server lives in this process, for as long as the command takes.

    Whoever can open the directory may do everything in it; what is written is recorded as `source`.
    """
    # No telemetry: whatever goes wrong reaches the person as the command's own error.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        opened = open_instance(settings_for(data, state), authenticate=lambda sources: _operator(sources, source))
        with opened as instance, tempfile.TemporaryDirectory(prefix="tallystick-") as folder:
            path = str(Path(folder) / "socket")
            config = uvicorn.Config(
                create_app(instance.services),
                uds=path,
                http="httptools",
                log_config=None,
                access_log=False,
                lifespan="off",
            )
            server = _QuietServer(config)
            thread = threading.Thread(target=server.run, name="local-server")
            thread.start()
            try:
                _wait_until_open(server, thread)
                with Client("http://local", transport=httpx.HTTPTransport(uds=path)) as client:
                    yield client
            finally:
                server.should_exit = True
                thread.join()
    except LedgerLockedError as error:
        raise ServedElsewhereError(error.message) from error


class _QuietServer(uvicorn.Server):
    """A server in a thread: signals belong to the command."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _operator(sources: SourceService, source: str) -> Authenticate:
    """Return what takes every request for the operator's, registering the source with the first that writes or reads."""
    known: list[Caller] = []
    lock = threading.Lock()

    def authenticate(authorization: str | None, *, address: str, via: Door) -> Caller:
        del authorization, address, via
        with lock:
            if not known:
                registered = sources.ensure(OPERATOR, source, SourceSettings(kind="command-line"))
                known.append(operator_as(rules_of(registered)))
        return known[0]

    return authenticate


def _wait_until_open(server: uvicorn.Server, thread: threading.Thread) -> None:
    start = time.monotonic()
    while not server.started:
        assert thread.is_alive(), "the local server ended before it began"
        assert time.monotonic() - start < START_S_MAX, "the local server does not start"
        time.sleep(0.005)
