"""The server's certificate, which is renewed while connections go on."""

from __future__ import annotations

import ssl
from pathlib import Path

import structlog

from tallystick.errors import ConfigurationError

_Mark = tuple[tuple[int, int, int] | None, ...]
_telemetry = structlog.get_logger("tallystick.server")


class CertificateError(ConfigurationError):
    """The files of --tls-cert and --tls-key are missing, unreadable, malformed or do not belong together."""

    code = "certificate-unusable"
    advice = "Give a PEM file with the certificate and its chain, and one with the unencrypted key that belongs to it."


class LiveCertificate:
    """A TLS context whose certificate is that of the files as they last were usable.

    Each handshake takes the newest one; connections that stand keep theirs. Used by one thread.
    """

    def __init__(self, cert: Path, key: Path) -> None:
        self._files = (cert, key)
        self._seen = self._look()
        self._newest = self._load()
        self.context = self._newest
        self.context.sni_callback = self._choose

    def refresh(self, *, always: bool = False) -> None:
        """Take the files when they changed since the last look; unusable ones are reported and change nothing."""
        seen = self._look()
        if seen == self._seen and not always:
            return
        self._seen = seen
        try:
            self._newest = self._load()
        except CertificateError as error:
            _telemetry.error("the certificate on disk cannot be used; the old one stays", reason=error.message)
        else:
            _telemetry.info("the certificate was read again")

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(*self._files, password=_no_password)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise CertificateError(f"the certificate or its key cannot be used: {error}") from error
        return context

    def _look(self) -> _Mark:
        return tuple(_mark(path) for path in self._files)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is replaced or written anew, also behind a symbolic link."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal, and the server would stand still.
    raise ValueError("the key is encrypted")
