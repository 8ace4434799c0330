"""TLS while it is renewed: new handshakes get the new certificate, what stands goes on, and a bad one changes nothing."""

from __future__ import annotations

import http.client
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.certificates import write_certificate
from tests.server_process import ServerProcess, environment, serving, words

from tallystick.api.certificate import CertificateError, LiveCertificate

WAIT_S_MAX = 30


def handshake(server: ServerProcess) -> bytes:
    """Return the certificate that the server shows now."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as line,
        context.wrap_socket(line) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def wait_until(met: Callable[[], bool]) -> None:
    start = time.monotonic()
    while not met():
        assert time.monotonic() - start < WAIT_S_MAX
        time.sleep(0.05)


def der(cert: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(cert.read_text(encoding="ascii"))


def test_a_renewed_certificate_is_shown_while_connections_go_on_and_a_bad_one_is_not(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    with serving(tmp_path, "--tls-cert", cert, "--tls-key", key) as server:
        first = der(cert)
        assert handshake(server) == first
        trusted = ssl.create_default_context(cafile=str(cert))
        standing = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=20, context=trusted)
        standing.request("GET", "/healthz")
        assert standing.getresponse().read()

        write_certificate(tmp_path)  # both files are replaced: nobody is told
        wait_until(lambda: handshake(server) == der(cert))
        second = der(cert)
        assert second != first

        standing.request("GET", "/healthz")  # on the connection that began with the first
        assert standing.getresponse().status == 200
        standing.close()

        key.write_text("nothing that could be a key", encoding="ascii")
        wait_until(lambda: "the old one stays" in server.said())
        assert handshake(server) == second

        other, other_key = write_certificate(tmp_path, "other")
        other_key.replace(key)  # a key that belongs to another certificate
        server.child.send_signal(signal.SIGHUP)
        wait_until(lambda: server.said().count("the old one stays") >= 2)
        assert handshake(server) == second

        other.replace(cert)
        server.child.send_signal(signal.SIGHUP)
        wait_until(lambda: handshake(server) == der(cert))
        assert server.terminate() == 0
        assert "PRIVATE KEY" not in server.said()


def test_without_tls_the_signal_to_read_it_again_stops_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.child.send_signal(signal.SIGHUP)
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        line.request("GET", "/healthz")
        assert line.getresponse().status == 200
        line.close()
        assert server.terminate() == 0


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    assert LiveCertificate(cert, key).context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("what", ["missing", "encrypted", "of another", "no certificate"])
def test_a_certificate_that_cannot_be_used_at_the_start_is_an_error_that_says_so(tmp_path: Path, what: str) -> None:
    cert, key = write_certificate(tmp_path, password=b"x" if what == "encrypted" else None)
    if what == "missing":
        key.unlink()
    if what == "of another":
        write_certificate(tmp_path, "other")[1].replace(key)
    if what == "no certificate":
        cert.write_text("", encoding="ascii")
    with pytest.raises(CertificateError):
        LiveCertificate(cert, key)


def test_the_command_does_not_ask_for_the_password_of_a_key(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path, password=b"x")
    line = words(tmp_path, "--tls-cert", cert, "--tls-key", key)
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 1
    assert "certificate-unusable" in done.stderr
