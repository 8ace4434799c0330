"""Finding events: search, filters as links, the brush, addresses that can be kept, columns, pages, following live."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.visitor import Visitor

AGES_DAYS = "times => times.map((each) => (Date.now() - Date.parse(each.dateTime)) / 86_400_000)"


def asked(visitor: Visitor) -> dict[str, str]:
    """Return what the address asks for."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(visitor.page.url).query).items()}


def found(visitor: Visitor) -> int:
    """Return how many events the page says there are."""
    return int(re.sub(r"\D", "", visitor.status().split("event")[0]))


def test_a_search_narrows_a_facet_narrows_further_and_chips_take_both_away(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events")
        everything = found(ana)
        page.get_by_label("Query").fill("action:release.*")
        ana.does(lambda: page.get_by_role("button", name="Search").click(), then=r"/events\?.*q=action")
        releases = found(ana)
        assert 0 < releases < everything
        facet = page.locator(".facets a.only", has_text="release.created").first
        ana.does(facet.click, then=r"/events\?.*release\.created")
        narrowed = found(ana)
        assert 0 < narrowed < releases
        chips = page.get_by_role("list", name="Filters").get_by_role("link")
        expect(chips.filter(has_text="release.created")).to_have_count(1)
        ana.does(lambda: chips.filter(has_text="release.created").click(), then=r"/events\?.*q=action")
        assert found(ana) == releases
        ana.does(lambda: page.get_by_role("link", name="Clear all").click(), then=r"/events$")
        assert found(ana) >= everything


def test_excluding_a_value_leaves_the_others(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.*")
        before = found(ana)
        ana.does(
            page.get_by_role("link", name="not release.created, exclude").first.click,
            then=r"/events\?.*-action",
        )
        assert 0 < found(ana) < before
        assert "release.created" not in page.locator("table.events").inner_text()


def test_dragging_over_the_bars_and_enter_on_one_choose_a_range(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events")
        everything = found(ana)
        box = page.locator("svg[data-brush]").bounding_box()
        assert box is not None
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.3, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
        ana.does(page.mouse.up, then=r"/events\?.*from=.*to=")
        brushed = found(ana)
        assert 0 < brushed < everything
        page.locator("svg[data-brush] a[tabindex='0']").focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        ana.does(lambda: page.keyboard.press("Enter"), then=r"/events\?.*from=.*to=")
        assert found(ana) == int(label.split(", ")[1].split(" ")[0].replace(",", ""))


def test_a_typed_range_holds_only_what_was_recorded_in_it(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events")
        everything = found(ana)
        page.locator("#from").fill("-60d")
        page.locator("#to").fill("-30d")
        ana.does(page.get_by_role("button", name="Search").click, then=r"/events\?.*from=-60d.*to=-30d")
        assert 0 < found(ana) < everything
        ages = ana.rows().locator("td.k-time time").evaluate_all(AGES_DAYS)
        assert ages
        assert all(29.9 < age < 60.1 for age in ages), ages


def test_a_link_with_absolute_times_shows_the_same_in_another_profile(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.*&from=-90d")
        ana.does(lambda: page.get_by_role("link", name="Link with absolute times").click(), then=r"/events\?.*from=20")
        kept, rows, count = ana.path(), ana.rows().evaluate_all("rows => rows.map((row) => row.id)"), found(ana)
    with house.visit(browser, "lea") as lea:
        lea.go(kept)
        assert lea.rows().evaluate_all("rows => rows.map((row) => row.id)") == rows
        assert found(lea) == count


def test_back_and_forward_go_through_the_searches(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events")
        for text in ("action:release.*", "outcome:failure"):
            page.get_by_label("Query").fill(text)
            page.get_by_label("Query").press("Enter")
            ana.is_at(r"/events\?.*q=" + text.split(":", maxsplit=1)[0])
            ana.looked()
        failures = found(ana)
        ana.does(page.go_back, then=r"/events\?.*q=action")
        expect(page.get_by_label("Query")).to_have_value("action:release.*")
        assert found(ana) != failures
        ana.does(page.go_forward, then=r"/events\?.*q=outcome")
        expect(page.get_by_label("Query")).to_have_value("outcome:failure")
        assert found(ana) == failures


def test_columns_are_chosen_from_a_list_that_can_be_searched_and_stay_in_the_address(
    house: House, browser: Browser
) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events")
        page.locator("summary", has_text="Columns").click()
        page.get_by_label("Find a column").fill("ip addr")
        ana.does(page.get_by_role("link", name="Add IP address").click, then=r"/events\?.*cols=")
        expect(page.locator("table.events thead")).to_contain_text("IP address")
        page.locator("summary", has_text="Columns").click()
        ana.does(lambda: page.get_by_role("link", name="Remove IP address").click(), then=r"/events")
        expect(page.locator("table.events thead")).not_to_contain_text("IP address")


def test_older_pages_follow_without_a_gap_or_a_repeat(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.*")
        everything, seen = found(ana), list[str]()
        while True:
            seen += ana.rows().evaluate_all("rows => rows.map((row) => row.id)")
            older = page.get_by_role("link", name="Older")
            if not older.count():
                break
            ana.does(older.click, then=r"/events\?.*cursor=")
        assert len(seen) == len(set(seen)) == everything


def test_a_row_opens_in_its_place_and_closes_again(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=has:changes.field")
        row = ana.rows().first
        opener = row.locator("[data-expand]")
        opener.click()
        expect(page.locator("tr.more .sentence")).to_have_count(1)
        expect(opener).to_have_attribute("aria-expanded", "true")
        ana.looked()
        opener.click()
        expect(page.locator("tr.more")).to_have_count(0)
        expect(opener).to_have_attribute("aria-expanded", "false")


def test_what_cannot_be_asked_is_marked_where_it_fails(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana, ana.watch.refusals(422, 400):
        page = ana.go("/events")
        page.get_by_label("Query").fill("actor:ana (outcome:failure")
        page.get_by_label("Query").press("Enter")
        expect(page.locator(".alert")).to_be_visible()
        expect(page.get_by_label("Query")).to_have_value("actor:ana (outcome:failure")
        ana.looked()


def test_an_empty_answer_shows_ways_out(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.created+actor:nobody-at-all")
        expect(page.get_by_role("heading", name="No event matches")).to_be_visible()
        ana.does(page.get_by_role("link", name="actor:nobody-at-all").first.click, then=r"/events\?")
        assert found(ana) > 0
