"""Roles and grants over HTTP: every verb, who is refused, and closed lists of members."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation

from tallystick.access.grants.model import Subject
from tallystick.access.operator import OPERATOR


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    path: Path = tmp_path_factory.mktemp("grants")
    with installation(path) as opened:
        yield opened


WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/api/v1/roles", {"name": "reader", "title": "Reader", "permissions": ["events.read"]}),
    ("PUT", "/api/v1/roles/viewer", {"title": "Viewer", "permissions": ["events.read"]}),
    ("POST", "/api/v1/roles/viewer/retire", {}),
    (
        "POST",
        "/api/v1/grants",
        {
            "subject": {"kind": "group", "id": "x"},
            "role": "viewer",
            "scope": "/",
            "reason": "work",
            "until": "now+1d",
        },
    ),
    ("POST", "/api/v1/grants/break-glass", {"role": "viewer", "scope": "/", "reason": "fire", "minutes": 5}),
    ("POST", "/api/v1/grants/g-1/approve", {}),
    ("POST", "/api/v1/grants/g-1/reject", {"reason": "no"}),
    ("POST", "/api/v1/grants/g-1/withdraw", {}),
    ("POST", "/api/v1/grants/g-1/revoke", {"reason": "no"}),
    ("POST", "/api/v1/grants/g-1/extend", {"reason": "no", "until": "now+1d"}),
)
READS = ("/api/v1/roles", "/api/v1/roles/viewer", "/api/v1/grants", "/api/v1/grants/g-1", "/api/v1/access")


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_neither_a_stranger_nor_a_service_changes_access(
    house: Installation, method: str, path: str, body: dict[str, Any]
) -> None:
    before = house.actions()
    assert house.http.request(method, path, json=body).status_code == 401
    assert house.http.request(method, path, json=body, headers=house.token("read")).status_code == 403
    assert [action for action in house.actions()[len(before) :] if action.startswith(("access.r", "access.g"))] == []


@pytest.mark.parametrize("path", READS)
def test_a_stranger_reads_nothing_about_access(house: Installation, path: str) -> None:
    assert house.http.get(path).status_code == 401


@pytest.mark.parametrize("path", READS)
def test_a_sender_reads_nothing_about_access(house: Installation, path: str) -> None:
    assert house.get(path, house.token("write")).status_code in {403, 404}


@pytest.mark.parametrize(("method", "path", "body"), [each for each in WRITES if each[2]])
def test_a_member_that_no_command_has_is_refused(
    house: Installation, method: str, path: str, body: dict[str, Any]
) -> None:
    answer = house.http.request(method, path, json={**body, "authority": ["g-1"]}, headers=house.token("read"))
    assert answer.status_code == 400


def test_the_life_of_a_grant_is_shown_with_its_steps(house: Installation) -> None:
    service = house.instance.services.grants
    grant = service.request(
        OPERATOR,
        subject=Subject("group", "staff"),
        role="viewer",
        scope="acme",
        reason="work",
        until_us=house.instance.ledger.status().now + 86_400_000_000,
    )
    service.approve(OPERATOR, grant)
    found = service.get(OPERATOR, grant)
    assert [step.step for step in found.steps] == ["requested", "approved"]
    assert {step.via for step in found.steps} == {"command-line"}


def test_replaying_the_log_of_an_installation_gives_the_same_grants(house: Installation) -> None:
    service = house.instance.services.grants
    before = service.list(OPERATOR)
    house.instance.projection.rebuild()
    assert service.list(OPERATOR) == before
