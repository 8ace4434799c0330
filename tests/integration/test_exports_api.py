"""Views, exports and who-read-it over HTTP."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation, sample

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as made:
        made.post([sample(), sample(scope="acme/payments")]).raise_for_status()
        yield made


def finished(house: Installation, export_id: str) -> dict[str, Any]:
    """Return an export once it has ended; ten seconds are longer than it ever takes."""
    for _ in range(1000):
        export: dict[str, Any] = house.get(f"/api/v1/exports/{export_id}").json()
        if export["state"] not in {"requested", "running"}:
            return export
        time.sleep(0.01)
    raise AssertionError("it never ended")


def asked(house: Installation, **body: Any) -> dict[str, Any]:
    answer = house.http.post("/api/v1/exports", json=body, headers=house.token())
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_an_export_is_asked_for_made_fetched_and_deleted(house: Installation) -> None:
    question = {"query": "action:user.signed_in", "scope": "acme/intranet"}
    export_id = asked(house, question=question, format="csv")["export"]
    export = finished(house, export_id)
    assert (export["state"], export["events"], export["question"]["query"]) == ("finished", 1, question["query"])
    answer = house.get(f"/api/v1/exports/{export_id}/file")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == export["sha256"]
    assert answer.headers["content-disposition"] == f'attachment; filename="{export_id}.csv"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert int(answer.headers["content-length"]) == export["bytes"] == len(answer.content)
    assert [each["export"] for each in house.get("/api/v1/exports").json()["exports"]] == [export_id]
    assert house.http.delete(f"/api/v1/exports/{export_id}", headers=house.token()).status_code == 204
    gone = house.get(f"/api/v1/exports/{export_id}/file")
    assert (gone.status_code, gone.json()["code"]) == (409, "export-not-ready")
    assert house.actions()[-1] == "export.deleted"
    assert [each for each in house.actions() if each.startswith("export.")] == [
        "export.requested",
        "export.finished",
        "export.downloaded",
        "export.deleted",
    ]


def test_the_exports_of_another_token_are_not_there(house: Installation) -> None:
    export_id = asked(house)["export"]
    finished(house, export_id)
    other = house.token("read", "acme", "somebody-else")
    assert house.get("/api/v1/exports", headers=other).json() == {"exports": []}
    for path in (f"/api/v1/exports/{export_id}", f"/api/v1/exports/{export_id}/file"):
        there, absent = (house.get(each, headers=other) for each in (path, path.replace(export_id, "x-nothing")))
        assert there.status_code == absent.status_code == 404
        assert there.json()["code"] == absent.json()["code"] == "export-not-found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"format": "xlsx"}, 422, "export-format-unknown"),
        ({"question": {"query": "("}}, 422, "query-invalid"),
        ({"question": {"scope": "/x/"}}, 422, "scope-invalid"),
        ({"owner": "somebody"}, 400, "parameter-invalid"),
    ],
)
def test_what_cannot_be_exported_is_said_at_once(
    house: Installation, body: dict[str, Any], status: int, code: str
) -> None:
    answer = house.http.post("/api/v1/exports", json=body, headers=house.token())
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def sharing(house: Installation) -> dict[str, str]:
    """Return the headers of a service that may share views in acme."""
    settings = TokenSettings(close([Permission.VIEWS_SHARE]), ("acme",))
    made = house.instance.services.tokens.create(OPERATOR, Owner(OwnerKind.SERVICE, "sharer"), settings)
    return {"authorization": f"Bearer {made.secret}"}


def test_a_view_is_saved_changed_shared_and_deleted(house: Installation) -> None:
    body = {"name": "Sign-ins", "question": {"query": "action:user.*", "from": "-7d"}, "columns": ["actor"]}
    owner = sharing(house)
    saved = house.http.post("/api/v1/views", json=body, headers=owner)
    assert saved.status_code == 201, saved.text
    view = saved.json()
    assert view["question"] == {"query": "action:user.*", "from": "-7d", "to": None, "scope": None, "reading": False}
    reader = house.token("read", "acme", "reader")
    assert house.get("/api/v1/views", headers=reader).json() == {"views": []}
    path = f"/api/v1/views/{view['view']}"
    changed = house.http.put(path, json={**body, "shared_in": "acme"}, headers=owner)
    assert changed.json()["shared_in"] == "acme"
    assert [each["view"] for each in house.get("/api/v1/views", headers=reader).json()["views"]] == [view["view"]]
    taken = house.http.put(path, json=body, headers=reader)
    assert (taken.status_code, taken.json()["code"]) == (404, "view-not-found")
    assert house.http.delete(path, headers=owner).status_code == 204
    assert house.http.delete(path, headers=owner).status_code == 404


def test_who_read_an_event_is_told_to_who_may_know(house: Installation) -> None:
    event_id = house.get("/api/v1/events", query="scope:acme/intranet").json()["events"][0]["id"]
    house.get(f"/api/v1/events/{event_id}").raise_for_status()
    readers = house.get(f"/api/v1/events/{event_id}/readers").json()
    assert [each["event"]["action"] for each in readers["events"]] == ["event.viewed", "events.searched"]
    strange = house.get(f"/api/v1/events/{event_id}/readers", headers=house.token("read", "globex", "stranger"))
    absent = house.get("/api/v1/events/no-such-event/readers", headers=house.token("read", "globex", "stranger"))
    assert strange.status_code == absent.status_code == 404
    assert strange.json()["detail"].replace(event_id, "") == absent.json()["detail"].replace("no-such-event", "")


def test_exports_and_views_survive_a_restart_and_a_rebuild(house: Installation, tmp_path: Path) -> None:
    export_id = asked(house)["export"]
    export = finished(house, export_id)
    house.instance.rebuild()
    assert house.get(f"/api/v1/exports/{export_id}").json() == export
    lines = house.get(f"/api/v1/exports/{export_id}/file").content.splitlines()
    assert json.loads(lines[-1])["events"] == export["events"] == len(lines) - 2
    assert [path.name for path in (tmp_path / "data" / "exports").iterdir()] == [f"{export_id}.jsonl"]
