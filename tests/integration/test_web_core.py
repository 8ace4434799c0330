"""What every page rests on: headers, twins, errors, forms, static files, who looks."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.installation import Installation, installation
from tests.web_pages import FRAGMENT, HTML, assert_sound, parse

from tallystick.web.caller import local_path
from tallystick.web.forms import FORM_BYTES_MAX
from tallystick.web.static_files import static_url

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(Path(tmp_path_factory.mktemp("web"))) as made:
        yield made


def test_a_stranger_is_led_to_the_sign_in_page_and_back(house: Installation) -> None:
    answer = house.http.get("/events?q=actor:ana&from=-1h", headers=HTML, follow_redirects=False)
    assert answer.status_code == 303
    place = urlsplit(answer.headers["location"])
    assert place.path == "/sign-in"
    assert parse_qs(place.query)["next"] == ["/events?q=actor:ana&from=-1h"]
    assert not answer.content


def test_a_stranger_with_a_script_is_led_from_the_page_that_is_open(house: Installation) -> None:
    shown = {"hx-current-url": "http://testserver.local/events?q=outcome:failure"}
    answer = house.http.get("/events/overview", headers={**FRAGMENT, **shown}, follow_redirects=False)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?next=%2Fevents%3Fq%3Doutcome%3Afailure"


def test_a_twin_tells_a_stranger_a_problem_and_nothing_else(house: Installation) -> None:
    answer = house.http.get("/events.json", headers=HTML, follow_redirects=False)
    assert answer.status_code == 401
    assert answer.json()["code"] == "sign-in-needed"


def test_an_unknown_page_is_an_error_page_for_browsers_and_a_problem_for_programs(house: Installation) -> None:
    page = assert_sound(house.http.get("/nowhere", headers={**HTML, **house.token()}))
    assert "route-unknown" in page.one("div", role="alert").text
    assert house.http.get("/nowhere").json()["code"] == "route-unknown"
    assert house.http.get("/api/v1/nowhere", headers=HTML).json()["code"] == "route-unknown"


def test_the_fragment_of_an_error_is_a_piece_of_its_page(house: Installation) -> None:
    whole = house.http.get("/nowhere", headers={**HTML, **house.token()})
    part = house.http.get("/nowhere", headers={**FRAGMENT, **house.token()})
    assert part.status_code == whole.status_code == 404
    assert part.text.strip() in whole.text
    assert parse(part).one("div", role="alert")


def test_going_back_in_history_gets_the_whole_page(house: Installation) -> None:
    headers = {**FRAGMENT, "hx-history-restore-request": "true", **house.token()}
    assert "<!doctype html>" in house.http.get("/events", headers=headers).text


def test_a_page_is_compressed_for_who_reads_that_and_only_then(house: Installation) -> None:
    plain = house.http.get("/events", headers={**HTML, **house.token(), "accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = house.http.get("/events", headers={**HTML, **house.token(), "accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]


def test_static_files_stay_for_ever_under_an_address_that_names_their_content(house: Installation) -> None:
    answer = house.http.get(static_url("tallystick.css"), headers={"accept-encoding": "identity"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    packed = house.http.get(static_url("tallystick.css"), headers={"accept-encoding": "gzip"})
    assert packed.content == answer.content
    assert gzip.compress(answer.content, 9, mtime=0)[:2] == b"\x1f\x8b"


@pytest.mark.parametrize(
    "path",
    ["app.js", "../app.js", "%2e%2e/page.py", "vendor/../../page.py", "vendor/VENDOR.toml", "/etc/passwd", ""],
)
def test_only_listed_files_are_served_and_only_under_their_own_address(house: Installation, path: str) -> None:
    for root in ("/static/0000000000000000", static_url("app.js").removesuffix("/app.js")):
        if path == "app.js" and not root.endswith("0000"):
            continue
        assert house.http.get(f"{root}/{path}").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://testserver.local.evil.example"},
        {"sec-fetch-site": "cross-site", "origin": "http://testserver.local"},
    ],
)
def test_a_change_that_another_site_asks_for_is_refused(house: Installation, headers: dict[str, str]) -> None:
    answer = house.http.post("/views", content="name=x", headers={**FORM, **house.token(), **headers})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site-refused")


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        ("name=x&role=administrator", {}, "form-invalid"),
        ('{"name": "x"}', {"content-type": "application/json"}, "form-invalid"),
        ("name=%ff", {}, "form-invalid"),
        ("name=x&" + "q=1&" * 1001, {}, "form-too-large"),
        ("name=" + "x" * FORM_BYTES_MAX, {}, "form-too-large"),
    ],
)
def test_a_form_that_no_page_has_is_refused(house: Installation, body: str, more: dict[str, str], code: str) -> None:
    answer = house.http.post("/views", content=body, headers={**FORM, **house.token(), **more})
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    "wanted",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *("/ok\r\nset-cookie: a=b", "/\tevil", "", "evil", "/\u2025evil", "/" * 5000),
    ],
)
def test_only_paths_of_this_site_are_gone_on_to(wanted: str) -> None:
    assert local_path(wanted) == "/events"


def test_a_path_of_this_site_is_gone_on_to() -> None:
    assert local_path("/events?q=actor:ana%20b") == "/events?q=actor:ana%20b"


def test_a_sentence_after_a_change_is_said_once(house: Installation) -> None:
    answer = house.http.post(
        "/views", content="name=mine&q=outcome:failure", headers={**FORM, **house.token()}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/events?q=outcome%3Afailure")
    said = answer.cookies["tallystick-said"]
    headers = {**HTML, **house.token(), "cookie": f"tallystick-said={said}"}
    shown = house.http.get("/events", headers=headers)
    assert "Saved the view mine." in parse(shown).one("p", class_="flash done").text
    assert 'tallystick-said=""; HttpOnly; Max-Age=0' in shown.headers["set-cookie"]


@pytest.mark.parametrize("cookie", ["x", "====", "gaNmb28", "%00", "k" * 5000])
def test_a_forged_sentence_is_dropped(house: Installation, cookie: str) -> None:
    headers = {**HTML, **house.token(), "cookie": f"tallystick-said={cookie}"}
    assert not parse(house.http.get("/events", headers=headers)).all("p", class_="flash done")


def test_the_theme_is_one_of_two_words(house: Installation) -> None:
    for theme, expected in (("dark", 'data-theme="dark"'), ('"><script>', '<html lang="en">')):
        headers = {**HTML, **house.token(), "cookie": f"tallystick-theme={theme}"}
        assert expected in house.http.get("/events", headers=headers).text


def test_the_host_header_stands_in_no_page(house: Installation) -> None:
    headers = {**HTML, **house.token(), "host": "evil.example", "x-forwarded-host": "evil.example"}
    for path in ("/events", "/nowhere", "/events?live=yes"):
        assert "evil.example" not in house.http.get(path, headers=headers).text
