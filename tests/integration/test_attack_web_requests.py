"""Requests that no page of ours makes: from other sites, with fields that no form has, with names that are not files.

The routes are the application's own list, so a new page is attacked from the day that it exists.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.installation import Installation, installation
from tests.web_routes import Route, pages, routes

from tallystick.web.static_files import static_root

FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://testserver.local"},
    {"origin": "https://evil.example"},
    {"origin": "http://testserver.local:8401"},
    {"origin": "http://testserver.local.evil.example"},
    {"origin": "null"},
]
OWN = {"sec-fetch-site": "same-origin"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
EVIL = "evil.example"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        yield opened


def unread(route: Route) -> set[tuple[int, str]]:
    """Return the refusals that come before a body is read; of files nothing is, unless they may be stored."""
    takes_file = route.path == "/releases/{release_id:str}/file"
    return {(401, "sign-in-needed"), *([(404, "release-not-found")] if takes_file else ())}


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("route", pages("POST"), ids=str)
def test_no_page_of_another_site_can_cause_a_change(house: Installation, route: Route, headers: dict[str, str]) -> None:
    """Even with rights for everything: what is judged is where the request comes from, before who sends it."""
    headers = {**house.token(), **FORM, **headers}
    before = house.actions()
    answer = house.http.post(route.filled() + ".json", content=b"", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site-refused")
    assert set(house.actions()[len(before) :]) <= {"export.finished"}, "exports that others asked for end by themselves"


@pytest.mark.parametrize("route", [each for each in routes() if each.is_page], ids=str)
def test_pages_change_nothing_by_get_and_have_no_other_methods(route: Route) -> None:
    """A link, an image or a prefetch of another site is a GET, and browsers send cookies with a link."""
    assert route.method in {"GET", "POST"}


@pytest.mark.parametrize("route", pages("POST"), ids=str)
def test_a_form_with_more_than_its_fields_is_refused(house: Installation, route: Route) -> None:
    for extra in ("smuggled=1", "__class__=x", "state=approved", "is_admin=1"):
        answer = house.http.post(
            route.filled() + ".json", content=extra.encode(), headers={**house.token(), **FORM, **OWN}
        )
        assert (answer.status_code, answer.json()["code"]) in {(422, "form-invalid"), *unread(route)}, extra


@pytest.mark.parametrize("route", pages("POST"), ids=str)
def test_a_form_of_any_size_is_bounded(house: Installation, route: Route) -> None:
    headers = {**house.token(), **FORM, **OWN, "accept": "application/json"}
    for body in (b"a=" + b"x" * (1 << 20), b"&".join(b"a=1" for _ in range(5_000))):
        answer = house.http.post(route.filled() + ".json", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) in {(413, "form-too-large"), *unread(route)}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""])
@pytest.mark.parametrize("route", pages("POST"), ids=str)
def test_only_forms_are_read_as_forms(house: Installation, route: Route, kind: str) -> None:
    """`text/plain` and multipart are what a form of another site can send without being asked."""
    answer = house.http.post(
        route.filled() + ".json", content=b'{"a":1}', headers={**house.token(), **OWN, "content-type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) in {(422, "form-invalid"), *unread(route)}


@pytest.mark.parametrize(
    "name",
    [
        "../page.py",
        "..%2fpage.py",
        "%2e%2e/page.py",
        "....//page.py",
        "..\\page.py",
        "..%5cpage.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "vendor/../../page.py",
        "app.js%00.css",
        ".",
        "vendor",
        "VENDOR.toml",
    ],
)
def test_static_files_are_a_list_and_not_a_folder(house: Installation, name: str) -> None:
    assert house.http.get(f"{static_root()}/app.js").status_code == 200
    answer = house.http.get(f"{static_root()}/{name}")
    assert answer.status_code == 404
    assert "import" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize(
    "headers", [{"host": EVIL}, {"x-forwarded-host": EVIL}, {"forwarded": f"host={EVIL}"}], ids=str
)
@pytest.mark.parametrize("route", pages("GET"), ids=str)
def test_a_made_up_host_reaches_no_link_and_no_redirect(
    house: Installation, route: Route, headers: dict[str, str]
) -> None:
    for who in ({}, house.token()):
        answer = house.http.get(
            route.filled(), headers={**who, **headers, "accept": "text/html"}, follow_redirects=False
        )
        assert EVIL not in answer.text
        assert EVIL not in str(answer.headers)


@pytest.mark.parametrize("route", pages("GET"), ids=str)
def test_every_page_says_how_a_browser_may_treat_it(house: Installation, route: Route) -> None:
    """Also where it refuses, and where it redirects nothing is kept."""
    for who in ({}, house.token()):
        answer = house.http.get(route.filled(), headers={**who, "accept": "text/html"}, follow_redirects=False)
        headers = answer.headers
        assert "no-store" in headers["cache-control"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policies = [each for each in headers.get_list("content-security-policy") if "default-src 'none'" in each]
        assert policies
        assert "unsafe" not in policies[0]


@pytest.mark.parametrize("route", pages("GET"), ids=str)
def test_no_page_has_script_or_style_of_its_own(house: Installation, route: Route) -> None:
    answer = house.http.get(route.filled(), headers={**house.token(), "accept": "text/html"}, follow_redirects=False)
    for forbidden in ("<style", " style=", " onclick=", " onload=", "javascript:", "hx-on", "hx-live", "<script>"):
        assert forbidden not in answer.text, forbidden


@pytest.mark.parametrize("route", pages("GET"), ids=str)
def test_a_stranger_is_led_to_sign_in_and_told_nothing_else(house: Installation, route: Route) -> None:
    open_to_all = {"/", "/sign-in", "/setup", "/invitation"}
    answer = house.http.get(route.filled(), headers={"accept": "text/html"}, follow_redirects=False)
    if route.path in open_to_all or route.path.startswith(("/sign-in/", "/setup/", "/invitation/")):
        assert answer.status_code < 500
        return
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")
    assert answer.text == ""
    twin = house.http.get(route.filled() + ".json", follow_redirects=False)
    assert (twin.status_code, twin.json()["code"]) == (401, "sign-in-needed")
