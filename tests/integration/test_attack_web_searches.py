"""SQL through every text that a search takes, and cursors that were forged or belong to somebody else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Installation, installation, make_token, sample

from tallystick.access.operator import OPERATOR

SECRET = "canary7f3k2m9q4t"
INJECTIONS = [
    "' OR '1'='1",
    "') OR 1=1 --",
    "'; DROP TABLE events; --",
    "' UNION SELECT salt FROM content --",
    "\\' OR 1=1 --",
    "%27%20OR%201=1",
    "actor:x' OR scope:secret",
    'actor:"x\\" OR 1=1"',
    "actor:x) OR (1=1",
    "metadata.a'b:1",
    'metadata."a\') OR 1=1 --":1',
    "scope:'||(SELECT 1)||'",
    "read_text('/etc/passwd')",
    "ip:1.2.3.4'/**/OR/**/1=1",
    "ünïcode' OR 1=1",
]
PARAMETERS = ("query", "from", "to", "scope", "cursor", "limit", "after_index", "reading")
ROUTES = ("/api/v1/events", "/api/v1/facets", "/api/v1/histogram", "/api/v1/export")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        events = [sample(metadata={"ticket": f"OPS-{number}"}) for number in range(20)]
        opened.post([*events, sample(scope=f"secret/{SECRET}", actor={"id": SECRET, "type": "user"})])
        yield opened


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("name", PARAMETERS)
def test_no_text_in_any_parameter_reaches_the_database_as_sql(house: Installation, path: str, name: str) -> None:
    """Each is refused as what it is not, or finds what it says: nothing, for a reader of one scope."""
    headers = house.token("read", "acme", "narrow")
    for text in INJECTIONS:
        answer = house.get(path, headers, **{name: text})
        assert answer.status_code in {200, 400, 403, 422}, (text, answer.text)
        assert SECRET not in answer.text, text
        assert "root:" not in answer.text, text
    assert house.get("/api/v1/events").json()["count"]["value"] >= 21


@pytest.mark.parametrize("text", [text for text in INJECTIONS if "'" in text])
def test_a_quoted_attack_is_a_word_like_any_other(house: Installation, text: str) -> None:
    word = text.replace("\\", "\\\\").replace('"', '\\"')
    house.post(sample(actor={"id": text, "type": "user"})).raise_for_status()
    found = house.get("/api/v1/events", query=f'actor:"{word}"').json()
    assert [row["event"]["actor"]["id"] for row in found["events"]] == [text]


def test_a_cursor_serves_only_whom_it_was_given_to_and_for_the_same_question(house: Installation) -> None:
    wide = house.get("/api/v1/events", limit=5).json()
    cursor = wide["next_cursor"]
    assert house.get("/api/v1/events", limit=5, cursor=cursor).status_code == 200
    attempts = [
        house.get("/api/v1/events", house.token("read", "acme", "narrow"), limit=5, cursor=cursor),
        house.get("/api/v1/events", house.token("read", "/", "other"), limit=5, cursor=cursor),
        house.get("/api/v1/events", limit=5, cursor=cursor, query="outcome:failure"),
        house.get("/api/v1/events", limit=5, cursor=cursor, scope="secret"),
        house.get("/api/v1/events", limit=5, cursor=cursor, reading=True),
    ]
    assert [(each.status_code, each.json()["code"]) for each in attempts] == [(422, "cursor-invalid")] * len(attempts)


def test_no_byte_of_a_cursor_can_be_changed(house: Installation) -> None:
    cursor = house.get("/api/v1/events", limit=5).json()["next_cursor"]
    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for at in range(len(sealed)):
        forged = bytearray(sealed)
        forged[at] ^= 1
        text = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
        answer = house.get("/api/v1/events", limit=5, cursor=text)
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor-invalid"), at
    for text in ("A", "AAAA", "é", "=" * 40, "A" * 9_000, cursor[:-4], cursor + "AAAA"):
        assert house.get("/api/v1/events", limit=5, cursor=text).status_code == 422, text


def test_a_cursor_ends_with_the_right_it_was_made_under(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        house.post([sample() for _ in range(20)])
        created = make_token(house.instance, "read", "/", "soon-gone")
        headers = {"authorization": f"Bearer {created.secret}"}
        cursor = house.get("/api/v1/events", headers, limit=5).json()["next_cursor"]
        house.instance.services.tokens.revoke(OPERATOR, created.token)
        assert house.get("/api/v1/events", headers, limit=5, cursor=cursor).status_code == 401
