"""No secret is anywhere but where it belongs: a real server is used in every way that has one, and then searched."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from tests.oidc_world import Hostile, at_hash, hostile_provider
from tests.server_process import ServerProcess, _wait_for_address, environment, words
from tests.web_pages import HTML

PASSWORD = "nine copper kettles sing 5"
WRONG = "not the password but a secret of hers 8"
INVITED = "four paper boats drift 2"
CLIENT_SECRET = "what the provider knows us by 77"
CODE = "the-code-of-the-provider-91"
ACCESS_TOKEN = "access"
DEADLINE_S = 60.0


@dataclass
class Journey:
    """A browser, and every secret that it has met, by what it is."""

    http: httpx.Client
    secrets: dict[str, str] = field(default_factory=dict)

    def post(self, path: str, **fields: str) -> httpx.Response:
        answer = self.http.post(path, data=fields, headers={**HTML, "sec-fetch-site": "same-origin"})
        self.keep_cookies()
        return answer

    def get(self, path: str, **parameters: str) -> httpx.Response:
        answer = self.http.get(path, params=parameters, headers=HTML)
        self.keep_cookies()
        return answer

    def keep_cookies(self) -> None:
        for name, value in self.http.cookies.items():
            if value and "said" not in name:
                self.secrets[f"cookie {name} {len(self.secrets)}"] = value.rpartition(".")[2]

    def find(self, what: str, pattern: str, text: str) -> str:
        found = re.search(pattern, text)
        assert found is not None, text[:3000]
        self.secrets[what] = found[1]
        return found[1]


@contextmanager
def serving_with(root: Path, config: str) -> Iterator[ServerProcess]:
    file, errors = root / "tallystick.toml", root / "errors"
    file.write_text(config, encoding="utf-8")
    with errors.open("wb") as sink:
        command, surroundings = words(root), environment(TALLYSTICK_CONFIG=str(file))
        child = subprocess.Popen(command, stdout=sink, stderr=sink, env=surroundings, start_new_session=True)
    try:
        with errors.open("rb") as lines:
            url = _wait_for_address(child, lines)
        yield ServerProcess(root, child, url, errors)
    finally:
        child.kill()
        child.wait()


def config_of(root: Path, hostile: Hostile) -> str:
    secret = root / "oidc-secret"
    secret.write_text(CLIENT_SECRET, encoding="utf-8")
    secret.chmod(0o600)
    oidc = {"issuer": hostile.issuer, "client_id": "tallystick", "client_secret_file": str(secret)}
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in oidc.items())
    return f'public_url = "http://127.0.0.1:8400"\n[oidc]\n{lines}\n'


def sign_up(journey: Journey, said: str) -> None:
    """Make the first account, with a second factor, and sign in with it; once with a wrong password."""
    link = journey.find("setup link", r"/setup\?link=(tsl_[A-Za-z0-9_-]+)", said)
    account = {"handle": "ana", "name": "Ana Silva", "email": "ana@example.org"}
    made = journey.post("/setup", link=link, **account, password=PASSWORD, again=PASSWORD)
    assert made.status_code == 303, made.text[:2000]
    page = journey.post("/account/second-factor").text
    name = re.search(r'name="name" value="(c-[a-z0-9]+)"', page)
    assert name is not None
    seed = pyotp.TOTP(journey.find("seed of the second factor", r"<code>([A-Z2-7]{32})</code>", page))
    confirmed = journey.post("/account/second-factor/confirm", name=name[1], code=seed.now()).text
    codes = re.findall(r"<code>([a-z2-9-]{19})</code>", confirmed)
    assert len(codes) == 10
    journey.secrets |= {f"recovery code {number}": code for number, code in enumerate(codes)}
    journey.post("/sign-out")
    assert journey.post("/sign-in", handle="ana", password=WRONG, next="/").status_code == 401
    assert "/sign-in/code" in journey.post("/sign-in", handle="ana", password=PASSWORD, next="/").headers["location"]
    # A code counts once, and that of this half minute is used: a recovery code stands in for it.
    assert journey.post("/sign-in/code", recovery=codes[0], next="/account").headers["location"] == "/account"
    journey.secrets |= {"password": PASSWORD, "wrong password": WRONG}


def make_tokens(journey: Journey) -> None:
    """Make the token of a source, use it, and rotate it; try one that is none."""
    registered = journey.post("/sources", name="till", scopes="acme", kind="api", actor_ids="opaque")
    assert registered.status_code == 303, registered.text[:2000]
    pattern = r"(tsk_[0-9a-f]+_[A-Za-z0-9_-]{20,})"
    secret = journey.find("token", pattern, journey.post("/sources/till/token", days="30").text)
    event = {
        "action": "user.signed_in",
        "actor": {"id": "bo", "type": "user"},
        "target": {"id": "till", "type": "application"},
        "scope": "acme",
        "occurred_at": "2026-03-01T12:00:00Z",
    }
    for sent, status in ((secret, 201), (f"{secret[:-4]}XXXX", 401)):
        headers = {"authorization": f"Bearer {sent}"}
        assert journey.http.post("/api/v1/events", json=event, headers=headers).status_code == status
        journey.secrets[f"token that was answered {status}"] = sent.split("_", 2)[2]
    name = re.search(r"tsk_([0-9a-f]+)_", secret)
    assert name is not None
    rotated = journey.post(f"/tokens/{name[1]}/rotate")
    assert rotated.status_code == 200, rotated.text[:2000]
    journey.find("rotated token", pattern, rotated.text)


def invite(journey: Journey) -> None:
    page = journey.post("/access/people", handle="bo", name="Bo Lind", email="").text
    link = journey.find("invitation", r"/invitation\?link=(tsl_[A-Za-z0-9_-]+)", page)
    journey.post("/sign-out")
    journey.get("/invitation", link=link)
    assert journey.post("/invitation", link=link, password=INVITED, again=INVITED).status_code == 303
    journey.secrets["password of the invited"] = INVITED
    journey.post("/sign-out")


def come_through_the_provider(journey: Journey, hostile: Hostile) -> None:
    led = journey.get("/sign-in/provider", next="/account").headers["location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(led).query).items()}
    now = int(time.time())
    hostile.claims = {"iss": hostile.issuer, "aud": "tallystick", "sub": "mira", "nonce": asked["nonce"], "iat": now}
    hostile.claims |= {"exp": now + 300, "at_hash": at_hash(ACCESS_TOKEN), "preferred_username": "mira"}
    back = journey.get("/sign-in/provider/back", code=CODE, state=asked["state"])
    assert back.headers["location"] == "/account", back.text[:2000]
    assert journey.get("/sign-in/provider/back", code=CODE, state=asked["state"]).status_code == 401
    journey.secrets |= {"client secret": CLIENT_SECRET, "code": CODE, "state": asked["state"], "nonce": asked["nonce"]}


def found_in(data: bytes, secrets: dict[str, str]) -> list[str]:
    return [what for what, secret in secrets.items() if secret.encode() in data]


@pytest.mark.parametrize("stop", ["orderly", "killed"])
def test_what_was_secret_is_in_no_log_no_file_and_no_figure(tmp_path: Path, stop: str) -> None:
    with hostile_provider() as hostile, serving_with(tmp_path, config_of(tmp_path, hostile)) as server:
        with httpx.Client(base_url=server.url, timeout=60) as http:
            journey = Journey(http)
            sign_up(journey, wait_for_link(server))
            make_tokens(journey)
            token = journey.secrets["rotated token"]
            invite(journey)
            come_through_the_provider(journey, hostile)
            figures = http.get("/metrics", headers={"authorization": f"Bearer {token}"})
            assert figures.status_code == 200
        if stop == "killed":
            server.kill()
        else:
            assert server.terminate() == 0
    secrets: dict[str, str] = journey.secrets
    assert len(secrets) > 20
    assert all(len(secret) >= 10 for secret in secrets.values()), secrets
    assert found_in(figures.content, secrets) == []
    # The link for the first account is printed for the operator, who has no other way to it; it has been used up.
    said = server.said()
    assert said.count(secrets["setup link"]) == 1
    assert found_in(said.encode(), {**secrets, "setup link": "\0"}) == []
    files: dict[str, Any] = {
        str(path.relative_to(tmp_path)): path.read_bytes()
        for folder in ("data", "state")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file() and not path.name.startswith("secrets.db")
    }
    assert b"user.signed_in" in b"".join(files.values())
    assert {name: found for name, data in files.items() if (found := found_in(data, secrets))} == {}
    assert any(path.name == "secrets.db" for path in (tmp_path / "data").iterdir())


def wait_for_link(server: ServerProcess) -> str:
    start = time.monotonic()
    while "/setup?link=" not in server.said():
        assert time.monotonic() - start < DEADLINE_S
        time.sleep(0.02)
    return server.said()
