"""The page of exports, and the page that says who read an event, as a browser without scripts uses them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation, sample
from tests.web_pages import HTML, parse

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.model import Owner, OwnerKind, TokenSettings

SAME_SITE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as made:
        made.post([sample(), sample(scope="acme/payments")]).raise_for_status()
        yield made


def sent(house: Installation, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
    return house.http.post(
        path, data=fields, headers={**house.token(), **SAME_SITE, **(headers or {})}, follow_redirects=False
    )


def ended(house: Installation) -> dict[str, Any]:
    """Return the newest export once nothing is being made; ten seconds are longer than it ever takes."""
    for _ in range(1000):
        page: dict[str, Any] = house.get("/exports.json").json()
        if not page["busy"]:
            newest: dict[str, Any] = page["exports"][0]
            return newest
        time.sleep(0.01)
    raise AssertionError("it never ended")


def test_an_export_is_asked_for_seen_downloaded_and_deleted_without_scripts(house: Installation) -> None:
    assert "No exports yet" in house.get("/exports").text
    answer = sent(house, "/exports", query="action:user.signed_in", scope="acme/intranet", format="csv")
    assert (answer.status_code, answer.headers["location"]) == (303, "/exports")
    export = ended(house)
    assert (export["state"], export["asked"], export["events"]) == (
        "finished",
        "action:user.signed_in, in acme/intranet",
        1,
    )
    page = house.get("/exports").text
    assert f'href="/exports/{export["id"]}/file"' in page
    assert "hx-get" not in page[page.index("<main") :]
    file = house.get(f"/exports/{export['id']}/file")
    assert file.headers["content-type"].startswith("text/csv")
    assert len(file.content) == export["bytes"]
    assert sent(house, f"/exports/{export['id']}/delete").status_code == 303
    assert ended(house)["state"] == "deleted"
    again = sent(house, f"/exports/{export['id']}/delete")
    assert again.headers["location"] == "/exports"


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"query": "action:(", "format": "csv"}, 422, "query-invalid"),
        ({"scope": "/no/scope/", "format": "csv"}, 422, "scope-invalid"),
        ({"format": "xlsx"}, 422, "export-format-unknown"),
    ],
)
def test_what_is_refused_is_said_and_what_was_typed_stays(
    house: Installation, fields: dict[str, str], status: int, said: str
) -> None:
    answer = sent(house, "/exports", None, **fields)
    assert answer.status_code == status
    assert said in answer.text
    for typed in fields.values():
        assert typed in answer.text
    assert "export.requested" not in house.actions()


def test_an_unknown_field_and_another_site_are_refused(house: Installation) -> None:
    assert sent(house, "/exports", owner="somebody").status_code == 422
    assert sent(house, "/exports", {"sec-fetch-site": "cross-site"}, format="csv").status_code == 403
    assert "export.requested" not in house.actions()


def test_while_an_export_is_made_the_list_asks_again_by_itself(house: Installation) -> None:
    house.post([sample()] * 5000).raise_for_status()
    for _ in range(3):
        sent(house, "/exports", format="parquet")
    page = house.http.get("/exports", headers={**house.token(), "hx-request": "true"}).text
    assert page.startswith('<div id="exports" hx-get="/exports" hx-trigger="every 2s"')
    assert "<main" not in page
    assert ended(house)["state"] == "finished"


def test_exports_of_somebody_else_are_not_there_on_pages_either(house: Installation) -> None:
    sent(house, "/exports", format="csv")
    export_id = ended(house)["id"]
    other = {**house.token("read", "/", "somebody-else"), **SAME_SITE}
    assert house.http.get("/exports.json", headers=other).json()["exports"] == []
    assert house.http.get(f"/exports/{export_id}/file", headers=other).status_code == 404
    for verb in ("delete", "cancel"):
        assert sent(house, f"/exports/{export_id}/{verb}", other).status_code == 404
    assert house.http.get("/exports.json?everyone=true", headers=other).status_code == 403


def test_who_read_an_event_stands_on_its_page(house: Installation) -> None:
    event_id = house.get("/api/v1/events", query="scope:acme/intranet").json()["events"][0]["id"]
    house.get(f"/api/v1/events/{event_id}").raise_for_status()
    readings = house.get(f"/events/{event_id}/readers.json").json()["readings"]
    assert [(each["who"], each["surely"]) for each in readings] == [("tester", True), ("tester", False)]
    page = house.get(f"/events/{event_id}/readers")
    assert page.status_code == 200
    assert "Viewed event" in page.text
    stranger = house.token("read", "globex", "stranger")
    assert house.get(f"/events/{event_id}/readers", headers=stranger).status_code == 404


def test_the_menu_of_the_events_page_offers_every_format_that_exports_know(house: Installation) -> None:
    known = set(house.instance.services.exports.exporter.formats)
    assert "package" in known
    for path in ("/events", "/exports"):
        page = parse(house.get(path, {**house.token(), **HTML}))
        within = page.elements[page.elements.index(page.one("select", name="format")) + 1 :]
        offered = [each.attributes["value"] for each in within if each.tag == "option"][: len(known)]
        assert set(offered) == known


def test_a_package_is_offered_to_who_may_take_proofs_alone(house: Installation) -> None:
    rights = close({Permission.EVENTS_READ, Permission.EVENTS_EXPORT})
    owner, settings = Owner(OwnerKind.SERVICE, "lists"), TokenSettings(frozenset(rights), ("",))
    made = house.instance.services.tokens.create(OPERATOR, owner, settings)
    headers = {"authorization": f"Bearer {made.secret}"}
    formats = [name for name, _ in house.get("/events.json", headers).json()["export_formats"]]
    assert formats == ["csv", "jsonl", "parquet"]
    reader = house.token("read", source="reads", scope="/")
    assert "package" in [name for name, _ in house.get("/events.json", reader).json()["export_formats"]]
