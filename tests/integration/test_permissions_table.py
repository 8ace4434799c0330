"""Who may do what, on every route: one row each, and a route without a row fails.

Each route is asked by somebody who holds just what it needs, by somebody who holds everything else, and by a stranger.
Callers are tokens of services, which can hold any set of permissions; pages judge them as they judge people.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.installation import installation, sample
from tests.people_world import settle
from tests.permission_rows import NO_TOKEN, NOBODY, OWN, ROWS, SOMEBODY, Request, Row, World, without
from tests.web_routes import routes

from tallystick.access.permissions import Permission

REFUSED = {403, 404}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with installation(tmp_path_factory.mktemp("house"), stream_networks=("127.0.0.1/32",)) as house:
        house.post([sample(scope="acme/payments"), sample()]).raise_for_status()
        yield World(house, settle(house.instance))


def ask(world: World, row: Row, headers: dict[str, str], request: Request | None = None) -> httpx.Response:
    """Return the answer; a page is asked for its JSON twin, which the same handler makes."""
    request = request or row.request(world)
    extra = {"sec-fetch-site": "same-origin"} if row.route.is_page else {}
    return world.house.http.request(
        row.route.method,
        request.path + (".json" if row.route.is_page and row.route.path != "/" else ""),
        params=request.query,
        content=request.content,
        headers={**extra, **request.headers, **headers},
        follow_redirects=False,
    )


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert sorted(row.route for row in ROWS) == list(routes())


@pytest.mark.parametrize("row", [row for row in ROWS if row.permissions], ids=str)
def test_whoever_holds_just_what_a_route_needs_is_let_in(world: World, row: Row) -> None:
    for enough in row.enough:
        answer = ask(world, row, world.headers(row.route, enough))
        assert answer.status_code in row.allowed, (enough, answer.text)


@pytest.mark.parametrize("row", [row for row in ROWS if row.permissions], ids=str)
def test_whoever_holds_everything_else_is_refused(world: World, row: Row) -> None:
    headers, request = world.headers(row.route, without(row.permissions)), row.request(world)
    size = world.events()
    answer = ask(world, row, headers, request)
    assert answer.status_code in REFUSED, answer.text
    if row.route.method != "GET":
        assert world.events() == size, "a refused change left something in the log"


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs == OWN], ids=str)
def test_what_is_somebody_elses_own_is_not_there(world: World, row: Row) -> None:
    others = frozenset(Permission) - {Permission.EXPORTS_MANAGE}
    assert ask(world, row, world.headers(row.route, others)).status_code == 404


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs == NO_TOKEN], ids=str)
def test_what_only_people_and_the_operator_do_is_refused_to_every_token(world: World, row: Row) -> None:
    answer = ask(world, row, world.headers(row.route, frozenset(Permission)))
    assert answer.status_code == 403, answer.text


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.permissions or row.needs in {SOMEBODY, NO_TOKEN, OWN}], ids=str
)
@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Bearer tsk_000000000000_" + "a" * 43, "Basic eDp5"])
def test_a_stranger_is_told_only_that_nobody_is_known(world: World, row: Row, authorization: str) -> None:
    answer = ask(world, row, {"authorization": authorization} if authorization else {})
    assert answer.status_code == 401
    assert answer.json()["code"] in {"token-missing", "token-invalid", "sign-in-needed"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs == SOMEBODY], ids=str)
def test_some_routes_are_open_to_whoever_is_known_and_may_do_nothing(world: World, row: Row) -> None:
    answer = ask(world, row, world.headers(row.route, frozenset({Permission.REVIEWS_READ})))
    assert answer.status_code in row.allowed, answer.text


@pytest.mark.parametrize("row", [row for row in ROWS if row.needs == NOBODY], ids=str)
def test_what_is_open_to_all_answers_a_stranger(world: World, row: Row) -> None:
    assert ask(world, row, {}).status_code in row.allowed
