"""The rooms around the events: what actions mean, how the installation does, and what belongs to one request."""

from __future__ import annotations

from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.test_journey_event import open_first


def test_the_catalogue_is_searched_and_leads_to_the_events_of_an_action(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/catalogue")
        actions = page.get_by_role("table", name="Actions", exact=True).locator("tbody tr")
        everything = actions.count()
        page.get_by_label("Words").fill("release.created")
        ana.does(page.get_by_role("button", name="Find").click, then=r"/catalogue\?q=release")
        assert 0 < actions.count() < everything
        ana.does(page.get_by_role("link", name="release.created", exact=True).click, then="/catalogue/release.created")
        ana.does(page.get_by_role("link", name="Its events").click, then=r"/events\?q=action")
        expect(ana.rows().first).to_contain_text("release.created")
        ana.go("/catalogue?q=no-such-words")
        expect(page.get_by_role("heading", name="No action holds these words")).to_be_visible()


def test_health_names_every_check_with_its_state_the_worst_first(house: House, browser: Browser) -> None:
    with house.visit(browser, "ada") as ada, house.visit(browser, "ana") as ana:
        page = ada.go("/health")
        states = page.locator("dl.checks dt").all_inner_texts()
        assert len(states) > 5
        order = ["problem", "attention", "unknown", "good", "not used"]
        ranks = [next(rank for rank, word in enumerate(order) if each.endswith(word)) for each in states]
        assert ranks == sorted(ranks), states
        with ana.watch.refusals(403):
            ana.go("/health")
            expect(ana.page.locator(".alert")).to_contain_text("permission")


def test_what_happened_to_one_thing_leads_on_to_what_one_request_did(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.created")
        ana.does(lambda: open_first(page), then=r"/events/[0-9a-f-]{36}")
        ana.does(page.locator("aside a[href^='/timeline/target/']").first.click, then="/timeline/target/")
        assert page.locator(".timeline li").count() > 0
        ana.does(page.get_by_role("link", name="The same in Events").click, then="/events")
        expect(ana.rows().first).to_be_visible()
