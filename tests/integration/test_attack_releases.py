"""Those who try to see, change or slip in what is not theirs, through releases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.release_world import MANAGE, NEW, READ, ROUTE, SCOPE, ReleaseWorld, digest, releasing
from tests.web_pages import HTML, assert_sound

from tallystick.access.permissions import Permission
from tallystick.releases.errors import ReleaseNotFoundError
from tallystick.releases.model import Draft
from tallystick.web.releases.upload import UPLOAD_BYTES_MAX

MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
BIDI = "\u202egpj.exe"
SAME_SITE = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReleaseWorld]:
    with releasing(tmp_path_factory.mktemp("attacked")) as opened:
        yield opened


@pytest.fixture
def release(world: ReleaseWorld, request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a release of the scope with a stored file."""
    made = world.create(tag=f"v{abs(hash(request.node.name)) % 10**9}", description="a secret plan")
    world.ask(
        "PUT", f"{ROUTE}/{made['id']}/assets/a.bin", b"a file", params={"sha256": digest(b"a file")}
    ).raise_for_status()
    found: dict[str, Any] = world.get(made)
    return found


def requests_of(found: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Return every request about a release."""
    path = f"{ROUTE}/{found['release']['id']}"
    return [
        ("GET", path, None),
        ("PATCH", path, {"name": "Mine"}),
        ("POST", f"{path}/delete", None),
        ("POST", f"{path}/assets", {"name": "mine", "url": "https://example.org/"}),
        ("PUT", f"{path}/assets/mine?sha256={digest(b'x')}", b"x"),
        ("DELETE", f"{path}/assets/a.bin", None),
        ("GET", f"{path}/assets/a.bin/file", None),
        ("POST", f"{path}/evidence", None),
        ("GET", f"{path}/evidence/{found['evidence'][0]['sha256']}", None),
        ("GET", f"{path}/dossier", None),
    ]


@pytest.mark.parametrize("number", range(10))
def test_a_release_of_another_scope_answers_like_one_that_is_not_there(
    world: ReleaseWorld, release: dict[str, Any], number: int
) -> None:
    everything = frozenset(Permission) & frozenset(
        {*MANAGE, Permission.EVENTS_READ, Permission.EVENTS_EXPORT, Permission.PROOFS_READ}
    )
    headers = {**world.token(everything, "acme/other"), "if-match": f'"{release["release"]["version"]}"'}
    method, path, body = requests_of(release)[number]
    before = world.actions()
    real = world.ask(method, path, body, headers=headers)
    missing = world.ask(method, path.replace(release["release"]["id"], "r-" + "0" * 20), body, headers=headers)
    assert real.status_code == missing.status_code == 404
    told = real.text.replace(release["release"]["id"], "r-" + "0" * 20)
    assert told == missing.text
    assert world.actions() == before


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 7])
def test_who_only_views_a_scope_changes_nothing_in_it(
    world: ReleaseWorld, release: dict[str, Any], number: int
) -> None:
    method, path, body = requests_of(release)[number]
    before = world.actions()
    headers = {**world.token(READ), "if-match": f'"{release["release"]["version"]}"'}
    answer = world.ask(method, path, body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-missing")
    assert world.actions() == before


def test_nobody_makes_releases_or_milestones_or_counts_readers_in_scopes_of_others(world: ReleaseWorld) -> None:
    headers = world.token(MANAGE, "acme/other")
    before = world.actions()
    assert world.ask("POST", ROUTE, NEW, headers=headers).status_code == 403
    assert world.ask("POST", "/api/v1/milestones", {"scope": SCOPE, "title": "M"}, headers=headers).status_code == 403
    for asked in (SCOPE, "acme", "/"):
        for path in ("/api/v1/release-usage", "/api/v1/milestones"):
            assert world.ask("GET", path, headers=headers, params={"scope": asked}).status_code == 403
    assert world.ask("GET", ROUTE, headers=headers, params={"scope": SCOPE}).json()["releases"] == []
    assert world.actions() == before


def test_a_page_of_another_scope_is_not_there_either(world: ReleaseWorld, release: dict[str, Any]) -> None:
    path = f"/releases/{release['release']['id']}"
    digest_ = release["evidence"][0]["sha256"]
    for page in ("", "/edit", "/dossier", "/assets/a.bin/file", f"/evidence/{digest_}/file"):
        answer = world.house.http.get(path + page, headers={**world.ned.headers, **HTML})
        assert answer.status_code == 404, page
        assert "secret plan" not in answer.text
    for step, fields in (("edit", {"version": "1", "name": "x"}), ("delete", {"version": "1"}), ("evidence", {})):
        answer = world.house.http.post(f"{path}/{step}", data=fields, headers={**world.ned.headers, **SAME_SITE})
        assert answer.status_code == 404, step


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd", "%2e%2e%2fkeys", "..%5c..%5ckeys", "%2e%2e", ".", "a%00b", "a%0d%0aset-cookie:x=1",
        "%e2%80%aegpj.exe", "%20",
    ],
)  # fmt: skip
def test_no_name_of_an_asset_leaves_its_release(world: ReleaseWorld, release: dict[str, Any], name: str) -> None:
    path = f"{ROUTE}/{release['release']['id']}/assets/{name}"
    objects = world.house.instance.settings.data / "objects"
    before, stored = world.actions(), sorted(objects.rglob("*"))
    sent = world.ask("PUT", f"{path}?sha256={digest(b'evil bytes')}", b"evil bytes")
    assert sent.status_code in {404, 405, 422}, sent.text
    fetched = world.ask("GET", f"{path}/file")
    assert fetched.status_code in {404, 405}
    assert world.actions() == before
    assert sorted(objects.rglob("*")) == stored


@pytest.mark.parametrize("wanted", ["../secrets.db", "..%2f..%2fkeys%2fpseudonym-key", "0" * 64, "%2e%2e%2fwal"])
def test_evidence_is_named_by_the_digests_of_the_release_only(
    world: ReleaseWorld, release: dict[str, Any], wanted: str
) -> None:
    answer = world.ask("GET", f"{ROUTE}/{release['release']['id']}/evidence/{wanted}")
    assert answer.status_code in {404, 405}
    # A file that is stored, of whatever release, is not evidence of this one.
    asset = world.ask("GET", f"{ROUTE}/{release['release']['id']}/evidence/{digest(b'a file')}")
    assert asset.status_code == 404


def test_markup_in_every_text_stays_text_on_every_page(world: ReleaseWorld) -> None:
    olga = world.caller(world.olga)
    register, artifacts = world.releases.register, world.releases.artifacts
    hostile = Draft(
        SCOPE, MARKUP, MARKUP, MARKUP + BIDI + "\n</textarea></pre><script>x</script>", milestones=(MARKUP,)
    )
    made = register.create(olga, hostile, create_milestones=True)
    named = MARKUP.replace("/", "|")
    artifacts.add_file(olga, made, named, b"<script>alert(3)</script>")
    artifacts.add_link(olga, made, f"{named} link", "https://example.org/?x='--")
    artifacts.open_asset(olga, made, named).file.close()
    for path in ("/releases", f"/releases/{made}", f"/releases/{made}/edit", "/releases/usage?scope=acme/app"):
        answer = world.house.http.get(path, headers={**world.olga.headers, **HTML})
        page = assert_sound(answer)
        assert not [each for each in page.all("script") if not each.attributes.get("src", "").startswith("/static/")]
        assert "\u202e" not in answer.text or path.endswith("/edit"), "only a field of a form holds it as it is"
        assert "alert(" in answer.text, "it is shown, as text"
        assert "49" not in "".join(each.text for each in page.all("h1"))
    form = {"version": "0", "name": MARKUP, "description": MARKUP, "milestones": MARKUP}
    refused = world.house.http.post(
        f"/releases/{made}/edit", data=form, headers={**world.olga.headers, **SAME_SITE, **HTML}
    )
    assert refused.status_code == 409
    assert_sound(refused)


def test_a_stored_page_is_never_shown_as_one(world: ReleaseWorld, release: dict[str, Any]) -> None:
    olga = world.caller(world.olga)
    made = release["release"]["id"]
    name = 'x";filename=evil.html;y="ü.html'
    world.releases.artifacts.add_file(olga, made, name, b"<script>alert(1)</script>")
    listed = world.house.http.get(f"/releases/{made}", headers={**world.olga.headers, **HTML})
    (path,) = [href for href in assert_sound(listed).hrefs() if href.endswith("/file") and "evil" in href]
    answer = world.house.http.get(path, headers=world.olga.headers)
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="x__filename_evil.html_y_')
    assert disposition.count('"') == 2


def test_nothing_is_changed_at_the_wish_of_another_site(world: ReleaseWorld, release: dict[str, Any]) -> None:
    before = world.actions()
    path = f"/releases/{release['release']['id']}"
    version = str(release["release"]["version"])
    for step, fields in (("delete", {"version": version}), ("edit", {"version": version, "name": "x"})):
        headers = {**world.olga.headers, "sec-fetch-site": "cross-site"}
        assert world.house.http.post(f"{path}/{step}", data=fields, headers=headers).status_code == 403
    sent = world.house.http.post(
        f"{path}/file", files={"file": ("x", b"x")}, headers={**world.olga.headers, "sec-fetch-site": "cross-site"}
    )
    assert sent.status_code == 403
    assert world.actions() == before


def test_an_upload_with_fields_that_the_page_does_not_have_is_refused(
    world: ReleaseWorld, release: dict[str, Any]
) -> None:
    path = f"/releases/{release['release']['id']}/file"
    headers = {**world.olga.headers, **SAME_SITE, **HTML}
    before = world.actions()
    post = world.house.http.post
    assert post(path, headers=headers, data={"owner": "x"}, files={"file": ("x", b"x")}).status_code == 422
    assert post(path, headers=headers, data={"name": "x"}, files={"name": (None, "x")}).status_code == 422
    broken = {**headers, "content-type": "multipart/form-data; boundary=x"}
    assert post(path, content=b"--x\r\nnonsense", headers=broken).status_code == 422
    declared = {**broken, "content-length": str(UPLOAD_BYTES_MAX + 1)}
    assert post(path, content=b"--x\r\n", headers=declared).status_code == 413
    assert post(path, headers=headers, data={"sha256": "0" * 64}, files={"file": ("x", b"x")}).status_code == 422
    assert world.actions() == before
    path_in_name = {"file": ("C:\\fakepath\\..\\evil.bin", b"x")}
    assert post(path, headers=headers, follow_redirects=False, files=path_in_name).status_code == 303
    assert world.events()[-1]["event"]["metadata"]["asset"] == "evil.bin"


def test_a_member_of_a_neighbour_with_a_similar_name_sees_nothing(world: ReleaseWorld) -> None:
    olga = world.caller(world.olga)
    made = world.releases.register.create(olga, Draft(SCOPE, "v-neighbour", "One"))
    pat = world.caller(world.people.join("pat", ("owner", "acme/ap"), ("viewer", "acme/app2")))
    assert world.releases.register.list(pat).releases == ()
    with pytest.raises(ReleaseNotFoundError):
        world.releases.register.get(pat, made)


def test_the_actions_of_the_register_cannot_be_forged_by_a_sender(world: ReleaseWorld) -> None:
    forged = {
        "action": "release.created",
        "actor": {"id": "mallory", "type": "user"},
        "target": {"id": "r-forged", "type": "release", "name": "Forged"},
        "scope": SCOPE,
        "occurred_at": "2026-03-01T12:00:00Z",
        "metadata": {"tag": "v66", "released_at": "2026-03-01T12:00:00Z"},
    }
    assert world.house.post([forged]).status_code == 201, "a forge of yours may send its own releases"
    world.house.instance.projection.catch_up()
    assert world.ask("GET", f"{ROUTE}/r-forged").status_code == 404, "but the register is made by nobody else"


@pytest.mark.parametrize("who", ["vera", "ned"])
def test_nothing_is_read_of_a_file_from_who_may_not_store_it(
    world: ReleaseWorld, release: dict[str, Any], who: str
) -> None:
    made, headers = release["release"]["id"], getattr(world, who).headers
    refused = {"vera": (403, "permission-missing"), "ned": (404, "release-not-found")}[who]
    path, unread = f"{ROUTE}/{made}/assets/b.bin?sha256={digest(b'x')}", {"content-encoding": "one-that-nobody-knows"}
    token = world.token(READ, SCOPE if who == "vera" else "acme/other")
    answer = world.house.http.put(path, content=b"x", headers={**token, **unread})
    assert (answer.status_code, answer.json()["code"]) == refused
    too_large = {"content-type": "multipart/form-data; boundary=b", "content-length": str(UPLOAD_BYTES_MAX + 1)}
    answer = world.house.http.post(
        f"/releases/{made}/file", content=iter([b"--b"]), headers={**headers, **too_large, **SAME_SITE}
    )
    assert answer.status_code == refused[0]
