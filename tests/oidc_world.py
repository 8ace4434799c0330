"""Identity providers for tests: the certified one in a process of its own, and a hostile one that says what it is told."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.absent import required

from tallystick.access.people.oidc_provider import ProviderSettings

FOLDER = Path(__file__).parent / "oidc"
REDIRECT = "http://127.0.0.1:8400/sign-in/provider/back"
SECRET = "a secret that only this test knows"


def missing() -> str | None:
    """Return why the certified provider cannot run here, or None: also where everything is required, so that tests fail."""
    if required():
        return None
    if shutil.which("node") is None:
        return "node is not installed"
    if not (FOLDER / "node_modules" / "oidc-provider").exists():
        return "oidc-provider is not installed: npm ci --prefix tests/oidc"
    return None


def settings_of(issuer: str) -> ProviderSettings:
    """Return how the product is told of a provider."""
    scopes = ("openid", "profile", "email")
    return ProviderSettings(issuer, "tallystick", SECRET, scopes, "groups", "Example SSO")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def certified_provider(redirect: str = REDIRECT) -> Iterator[str]:
    """Yield the issuer of a running `oidc-provider`."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    command = ["node", "provider.mjs", str(port), redirect, issuer]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("listening") for line in process.stdout)
            yield issuer
        finally:
            process.terminate()


def browse(url: str) -> dict[str, str]:
    """Follow a browser's way through the provider and return what it brings back to us."""
    with httpx.Client() as browser:
        for _ in range(10):
            if url.startswith(REDIRECT):
                return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
            answer = browser.get(url)
            assert answer.is_redirect, answer.text
            url = str(answer.next_request.url) if answer.next_request else ""
    raise AssertionError("the provider never sends anybody back")


@dataclass
class Hostile:
    """A provider of our own whose next token is whatever a test says: changed claims, another key or no signature."""

    issuer: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    signer: Any = None
    raw: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)

    def token(self) -> str:
        """Return the ID token that is handed out next."""
        if self.raw:
            return self.raw
        header = {"alg": self.algorithm, "kid": "one"}
        return jwt.encode(header, self.claims, self.signer or self.key, algorithms=[self.algorithm])

    def unsigned(self) -> str:
        """Return a token with `alg: none`."""
        parts = [json.dumps(each).encode() for each in ({"alg": "none"}, self.claims)]
        return ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts) + "."

    def answer(self, path: str) -> dict[str, Any]:
        """Return what a path of the provider says."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **self.metadata,
            }
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return {"access_token": "access", "token_type": "Bearer", "id_token": self.token()}


@contextmanager
def hostile_provider() -> Iterator[Hostile]:
    """Yield a provider that listens on this machine."""
    hostile = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(hostile.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hostile.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hostile
        finally:
            server.shutdown()
            thread.join()


def at_hash(access_token: str) -> str:
    """Return the hash that binds an access token to an ID token signed with SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).decode().rstrip("=")
