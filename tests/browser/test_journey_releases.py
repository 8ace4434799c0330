"""The table of release events, walked through: who does what, which words stand in the log, and who sees it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from tests.browser.house import SCOPE, House
from tests.browser.visitor import Visitor

FILE = b"the bytes of a build"
SOURCE = b"the source of a build"


def start(visitor: Visitor, tag: str, *, milestones: str = "") -> Page:
    """Make a release with the form, and return its page."""
    page = visitor.go("/releases/new")
    page.locator("#scope").fill(SCOPE)
    page.locator("#tag").fill(tag)
    page.locator("#name").fill("New Release")
    page.locator("#description").fill("What is new")
    page.locator("#milestones").fill(milestones)
    page.get_by_label("Make the milestones that are not known yet").check()
    visitor.does(page.get_by_role("button", name="Create release").click, then="/releases/r-")
    return page


def edit(visitor: Visitor, path: str, **fields: str) -> None:
    """Fill in fields of the edit form, and save it."""
    page = visitor.go(f"{path}/edit")
    for name, text in fields.items():
        page.locator(f"#{name}").fill(text)
    page.get_by_label("Make the milestones that are not known yet").check()
    visitor.does(page.get_by_role("button", name="Save").click, then=f"{path}$")


def add_file(visitor: Visitor, name: str, data: bytes, *, source: bool = False) -> None:
    """Store a file with the form of a release's page."""
    page = visitor.page
    page.locator("#file").set_input_files({"name": name, "mimeType": "application/gzip", "buffer": data})
    page.locator("#sha256").fill(hashlib.sha256(data).hexdigest())
    if source:
        page.get_by_label("It is the source archive").check()
    page.get_by_role("button", name="Store the file").click()
    expect(page.get_by_role("rowheader", name=name)).to_be_visible()
    visitor.looked()


def history(page: Page) -> list[str]:
    """Return the messages of a release's history, oldest first."""
    return list(reversed(page.locator(".timeline li > div > b").all_inner_texts()))


def newest(visitor: Visitor, query: str) -> tuple[str, str, str]:
    """Return message, author and target of the newest event that a search finds."""
    answer = visitor.context.request.get(
        f"{visitor.origin}/events.json", params={"q": query, "scope": SCOPE}, timeout=60_000
    )
    index = answer.json()["rows"][0]["index"]
    event = visitor.context.request.get(f"{visitor.origin}/events/{index}.json", timeout=60_000).json()
    return event["message"], event["event"]["actor"]["name"], event["event"]["targets"][0]["name"]


def test_every_row_of_the_table_is_recorded_in_its_words(house: House, browser: Browser, tmp_path: Path) -> None:
    with house.visit(browser, "otto") as otto, house.visit(browser, "nora") as nora:
        page = start(otto, "v0.3")
        path = otto.path()
        assert newest(otto, "action:release.created") == ("Created Release v0.3", "Otto Lind", "New Release")

        edit(otto, path, description="What is new\nand what is gone", name="Newer Release")
        assert newest(otto, "action:release.updated") == ("Updated Release v0.3", "Otto Lind", "Newer Release")
        expect(page.locator(".diff ins", has_text="what is gone")).to_be_visible()
        expect(page.locator(".diff del", has_text="New Release")).to_be_visible()

        edit(otto, path, name="New Release", milestones="M1\nM2\nM3")
        changed = "Milestones associated with release changed to M1, M2, M3"
        assert newest(otto, "action:release.milestones_changed") == (changed, "Otto Lind", "New Release")
        assert history(page) == [
            "Created Release v0.3",
            "Collected evidence for Release v0.3",
            "Updated Release v0.3",
            "Updated Release v0.3",
            changed,
        ], "an edit that changes milestones too is two events, the milestones last"

        edit(otto, path)
        expect(page.locator(".flash")).to_have_text("Nothing was different, so nothing was recorded.")
        assert len(history(page)) == 5

        start(otto, "v0.4", milestones="M1\nM2")
        created = newest(otto, "action:release.created")
        assert created == ("Created Release v0.4 with milestones M1, M2", "Otto Lind", "New Release")

        otto.go(path)
        add_file(otto, "app.tar.gz", FILE)
        add_file(otto, "app-source.tar.gz", SOURCE, source=True)
        seen = nora.go("/releases")
        seen.get_by_role("link", name="v0.3", exact=True).click()
        nora.is_at(f"{path}$")
        nora.looked()
        expect(seen.get_by_role("link", name="Edit")).to_have_count(0)
        expect(seen.get_by_role("button", name="Collect evidence")).to_have_count(0)
        for name, data in (("app.tar.gz", FILE), ("app-source.tar.gz", SOURCE)):
            with seen.expect_download() as download:
                seen.get_by_role("link", name=f"Download {name}").click()
            download.value.save_as(tmp_path / name)
            assert (tmp_path / name).read_bytes() == data
        fetched = newest(otto, "action:release.artifact_downloaded")
        assert fetched == ("Release artifact downloaded: app.tar.gz", "Nora Lind", "New Release")
        archive = newest(otto, "action:repository.download_started metadata.release:*")
        assert archive == ("Repository Download Started", "Nora Lind", SCOPE)
        with seen.expect_download() as download:
            seen.get_by_role("link", name="Download the evidence").first.click()
        download.value.save_as(tmp_path / "evidence.json")
        digest = hashlib.sha256((tmp_path / "evidence.json").read_bytes()).hexdigest()
        seen.reload()
        expect(seen.locator("main")).to_contain_text(digest[:16])


def test_the_second_of_two_who_edit_is_told_and_decides(house: House, browser: Browser) -> None:
    with house.visit(browser, "otto") as first, house.visit(browser, "otto") as second:
        start(first, "v1.0-race")
        path = first.path()
        mine = second.go(f"{path}/edit")
        edit(first, path, description="the first")
        mine.locator("#description").fill("the second")
        with second.watch.refusals(409):
            mine.get_by_role("button", name="Save").click()
            expect(mine.locator(".alert")).to_contain_text("was changed by event")
            expect(mine.locator(".note")).to_contain_text("the first")
            second.looked()
        assert mine.locator("#description").input_value() == "the second", "nothing that was written is lost"
        second.does(mine.get_by_role("button", name="Save").click, then=f"{path}$")
        expect(mine.get_by_label("Description", exact=True)).to_have_text("the second")


def test_a_dossier_is_taken_home_and_verifies_there(house: House, browser: Browser, tmp_path: Path) -> None:
    with house.visit(browser, "otto") as otto:
        page = start(otto, "v1.1-dossier")
        page.get_by_role("button", name="Collect evidence").click()
        expect(page.locator(".flash")).to_contain_text("Evidence is taken")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the dossier").click()
        download.value.save_as(tmp_path / "dossier.zip")
    with zipfile.ZipFile(tmp_path / "dossier.zip") as dossier:
        dossier.extractall(tmp_path / "dossier")
    package = tmp_path / "dossier" / "package.zip"
    checked = subprocess.run(
        [str(Path(sys.executable).with_name("tallystick")), "verify", str(package)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert "checked 3" in checked.stdout
    assert len(list((tmp_path / "dossier" / "evidence").iterdir())) == 2


def test_what_is_wrong_is_said_where_it_was_filled_in(house: House, browser: Browser) -> None:
    with house.visit(browser, "otto") as otto:
        page = start(otto, "v1.2-wrong")
        path = otto.path()
        with otto.watch.refusals(422, 409):
            page.locator("#file").set_input_files({"name": "x", "mimeType": "text/plain", "buffer": FILE})
            page.locator("#sha256").fill("0" * 64)
            page.get_by_role("button", name="Store the file").click()
            expect(page.locator(".alert")).to_contain_text("digest-mismatch")
            otto.looked()
            page.locator("#link_name").fill("notes")
            page.locator("#url").fill("http://example.org/notes")
            page.get_by_role("button", name="Add the link").click()
            expect(page.locator(".alert")).to_contain_text("https://")
            assert page.locator("#link_name").input_value() == "notes"
            otto.looked()
            page = otto.go("/releases/new")
            page.locator("#scope").fill(SCOPE)
            page.locator("#tag").fill("v1.3")
            page.locator("#milestones").fill("Never heard of")
            page.get_by_role("button", name="Create release").click()
            expect(page.locator(".alert")).to_contain_text("does not know the milestone")
            otto.looked()
        otto.go(path)
        page.locator("#link_name").fill("notes")
        page.locator("#url").fill("https://example.org/notes")
        page.get_by_role("button", name="Add the link").click()
        expect(page.get_by_role("rowheader", name="notes")).to_be_visible()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("rowheader", name="notes")).to_have_count(0)
        page.get_by_role("button", name="Delete the release").click()
        expect(page.locator(".note.bad")).to_contain_text("Deleted")
        otto.looked()
        otto.go("/releases")
        expect(page.get_by_role("link", name="v1.2-wrong")).to_have_count(0)
        page.get_by_label("Deleted ones too").check()
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("link", name="v1.2-wrong")).to_be_visible()
        otto.looked()


def test_an_owner_sees_how_often_release_history_is_used(house: House, browser: Browser) -> None:
    with house.visit(browser, "otto") as otto:
        start(otto, "v1.4-use")
        page = otto.go("/releases")
        page.get_by_role("link", name="How they are used").click()
        otto.is_at("/releases/usage")
        otto.looked()
        page.locator("#scope").fill(SCOPE)
        page.get_by_role("button", name="Show").click()
        otto.looked()
        readers = page.locator("tbody tr").first.locator("td").first.inner_text()
        assert int(readers) >= 1


def test_who_belongs_elsewhere_finds_nothing(house: House, browser: Browser) -> None:
    with house.visit(browser, "otto") as otto, house.visit(browser, "gus") as gus:
        start(otto, "v1.5-hidden")
        path = otto.path()
        with gus.watch.refusals(403, 404):
            page = gus.go("/access")
            expect(page.get_by_role("link", name="Releases")).to_have_count(0)
            assert gus.context.request.get(f"{gus.origin}{path}.json").status == 404
            assert gus.context.request.get(f"{gus.origin}/releases.json").status == 403


def test_a_release_is_made_and_edited_without_scripts(house: House, browser: Browser) -> None:
    with house.visit(browser, "otto", scripts=False) as otto:
        start(otto, "v1.6-plain")
        path = otto.path()
        edit(otto, path, description="plainly")
        expect(otto.page.get_by_label("Description", exact=True)).to_have_text("plainly")
