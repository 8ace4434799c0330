"""One event: what changed, its proof, and verifying it in the reader's own browser."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, Route, expect
from tests.browser.house import House


def open_first(page: Page) -> None:
    """Follow the time of the first row, which is the event's own address."""
    page.locator("tr[data-row] td.k-time a").first.click()


def own_key(page: Page) -> str:
    """Return the key that the page offers to compare."""
    page.locator("summary", has_text="The key that this server says").click()
    return page.locator("#proof details .copyable code").first.inner_text()


def test_an_event_says_what_changed_and_shows_its_place_and_proof(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=has:changes.field&scope=wrenfield")
        sentence = re.compile(r"\w+")
        ana.does(lambda: open_first(page), then=r"/events/[0-9a-f-]{36}")
        expect(page.get_by_role("heading", level=1)).to_have_text(sentence)
        expect(page.get_by_role("table", name="What changed")).to_be_visible()
        expect(page.get_by_role("heading", name="Proof")).to_be_visible()
        expect(page.locator("#proof svg[role=img]")).to_be_visible()
        expect(page.locator("#proof")).to_contain_text("tallystick verify-proof")
        for tab in (
            page.get_by_role("navigation", name="Ways to look at the event").get_by_role("link").all_inner_texts()
        ):
            ana.does(
                page.get_by_role("navigation", name="Ways to look").get_by_role("link", name=tab).click, then=r".*show="
            )
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the proof").click()
        assert download.value.suggested_filename.endswith(".tlog-proof")


def test_the_browser_verifies_a_proof_and_sees_when_a_byte_was_changed(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?scope=wrenfield")
        ana.does(lambda: open_first(page), then=r"/events/[0-9a-f-]{36}")
        page.get_by_label("Key of the log").fill(own_key(page))
        verdict = page.locator("[data-verify-verdict]")
        page.get_by_role("button", name="Verify now").click()
        expect(verdict).to_contain_text("The proof holds")
        ana.looked()

        def tamper(route: Route) -> None:
            answer = route.fetch()
            body = bytearray(answer.body())
            body[len(body) // 2] ^= 1
            route.fulfill(response=answer, body=bytes(body))

        page.route("**/proof", tamper)
        page.get_by_role("button", name="Verify now").click()
        expect(verdict).to_contain_text("does not hold")
        ana.looked()
        page.get_by_label("Key of the log").fill("other.example+00000000+AAAA")
        page.get_by_role("button", name="Verify now").click()
        expect(verdict).to_contain_text("cannot be used")


def test_what_one_may_not_read_is_withheld_and_said_to_be(house: House, browser: Browser) -> None:
    with house.visit(browser, "nora") as nora:
        page = nora.go("/events")
        scopes = set(page.locator("table.events tbody td.k-scope").all_inner_texts())
        assert all(scope.startswith("wrenfield/payments") for scope in scopes if scope)
        expect(page.locator(".withheld").first).to_be_visible()
        with nora.watch.refusals(403):
            nora.go("/events?q=message:release")
            expect(page.locator(".alert")).to_contain_text("personal")
        with house.visit(browser, "ana") as ana:
            ana.go("/events?q=-scope:wrenfield/payments&scope=wrenfield")
            foreign = ana.rows().first.locator("[data-expand]").get_attribute("href")
        with nora.watch.refusals(404, 403):
            nora.page.goto(f"{nora.origin}{foreign}")
            seen = nora.page.locator(".alert").inner_text()
            nora.page.goto(f"{nora.origin}/events/00000000-0000-0000-0000-000000000000")
            unknown = nora.page.locator(".alert").inner_text()
            assert re.sub(r"[0-9a-f-]{36}", "", seen) == re.sub(r"[0-9a-f-]{36}", "", unknown)


def test_a_timeline_tells_what_one_actor_did(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.created")
        ana.does(lambda: open_first(page), then=r"/events/[0-9a-f-]{36}")
        ana.does(page.locator("aside a[href^='/timeline/actor/']").first.click, then="/timeline/actor/")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.locator("main time").count() > 1


def test_the_log_page_proves_that_the_log_only_grew(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/log")
        expect(page.get_by_role("heading", name="Newest checkpoint")).to_be_visible()
        page.get_by_label("Earlier size").fill("100")
        ana.does(page.get_by_role("button", name="Prove it").click, then=r"/log\?old=100")
        expect(page.get_by_role("status").filter(has_text="begins with the log of size 100")).to_be_visible()


def test_who_read_an_event_is_shown_to_whoever_may_know(house: House, browser: Browser) -> None:
    with house.visit(browser, "lea") as lea, house.visit(browser, "ana") as ana:
        page = ana.go("/events?scope=wrenfield")
        ana.does(lambda: open_first(page), then=r"/events/[0-9a-f-]{36}")
        lea.go(ana.path())
        lea.does(lea.page.get_by_role("link", name="Who read this event").click, then="/events")
        expect(lea.page.locator("main")).to_contain_text(house.people["ana"].id)
