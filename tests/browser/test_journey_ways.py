"""Every way of using the pages: without script, by keyboard alone, on a narrow screen, enlarged, and with hostile data."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.test_journey_account import sign_in
from tests.browser.visitor import Visitor
from tests.web_routes import pages

NOT_LOOKED_AT = ("/", "/sign-in", "/setup", "/invitation", "/confirm", "/events/live", "/log/consistency")
FILES = ("/export", ".ics")
PAGES = [
    route.path
    for route in pages("GET")
    if "{" not in route.path
    and route.path not in NOT_LOOKED_AT
    and not route.path.startswith("/sign-in/")
    and not route.path.endswith(FILES)
]
HIDDEN = dict.fromkeys(map(ord, "\u202e\u2066\u200b\u0007\u001b"))
WIDE = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
HOSTILE = (
    "<script>window.broken = 1</script>",
    '"><img src=x onerror="window.broken = 1">',
    "'\" onmouseover=window.broken=1 x='",
    "<svg onload=window.broken=1><a xlink:href='javascript:window.broken=1'>x</a></svg>",
    "javascript:window.broken=1",
    "{{ 7 * 7 }}${7 * 7}<%= 7 * 7 %>",
    "safe\u202etxt.exe\u2066\u200b\u0007\u001b[31m",
    "</textarea></pre></title><h1>taken over</h1>",
    '=HYPERLINK("http://192.0.2.1","click")',
)


def test_searching_paging_and_signing_in_need_no_script(house: House, browser: Browser) -> None:
    with house.visit(browser, scripts=False) as ana:
        page = ana.go("/events")
        ana.is_at("/sign-in")
        sign_in(ana, "ana")
        ana.is_at("/events")
        page.get_by_label("Query").fill("action:release.*")
        ana.does(page.get_by_role("button", name="Search").click, then=r"/events\?.*q=action")
        first = ana.rows().first.get_attribute("id")
        ana.does(page.get_by_role("link", name="Older").click, then=r"/events\?.*cursor=")
        assert ana.rows().first.get_attribute("id") != first
        ana.does(ana.rows().first.locator("[data-expand]").click, then=r"/events/[0-9a-f-]{36}")
        expect(page.get_by_role("heading", name="Proof")).to_be_visible()


def test_everything_on_the_events_page_can_be_reached_by_keyboard_alone(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events")
        page.keyboard.press("/")
        expect(page.get_by_label("Query")).to_be_focused()
        page.keyboard.type("action:release.*")
        ana.does(lambda: page.keyboard.press("Enter"), then=r"/events\?.*q=action")
        page.get_by_role("heading", level=1).click()
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(ana.rows().nth(1).locator(":focus")).to_have_count(1)
        page.keyboard.press("e")
        expect(page.locator("tr.more")).to_have_count(1)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
        ana.looked()
        page.keyboard.press("Escape")
        page.keyboard.press("k")
        page.keyboard.press("Tab")
        ana.does(lambda: page.keyboard.press("Enter"), then=r"/events/[0-9a-f-]{36}")


@pytest.mark.parametrize("handle", ["ada", "ana"])
def test_no_page_scrolls_sideways_at_360_pixels_or_at_200_percent(house: House, browser: Browser, handle: str) -> None:
    for size in ({"width": 360, "height": 740}, {"width": 640, "height": 360}):
        with house.visit(browser, handle, viewport=size) as visitor, visitor.watch.refusals(403):
            for path in PAGES:
                visitor.page.goto(visitor.origin + path)
                visitor.settle()
                assert visitor.page.evaluate(WIDE) <= 0, (path, size)
                assert visitor.page.get_by_role("heading", level=1).count() == 1, path


def test_an_event_full_of_attacks_is_shown_as_text_on_every_page(house: House, browser: Browser) -> None:
    for number, text in enumerate(HOSTILE):
        visible = text.translate(HIDDEN)
        house.send(
            {
                "action": "attack.attempted",
                "actor": {"id": visible, "type": "user", "name": visible, "email": visible},
                "target": {"id": visible, "type": "thing", "name": visible},
                "scope": "hostile",
                "occurred_at": "2026-11-20T12:00:00Z",
                "message": text,
                "reason": text,
                "changes": [{"field": visible, "old": visible, "new": text}],
                "metadata": {"note": text, f"key{number}": visible},
                "context": {"user_agent": visible, "request_id": visible},
            }
        )
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?scope=hostile")
        expect(ana.rows()).to_have_count(len(HOSTILE))
        for link in [row.locator("[data-expand]").get_attribute("href") for row in ana.rows().all()]:
            for show in ("changes", "fields", "json", "bytes"):
                ana.page.goto(f"{ana.origin}{link}?show={show}")
                inert(ana)
        ana.go("/events?scope=hostile&cols=time,actor,actor.name,target,target.name,what,metadata.note")
        for row in ana.rows().all():
            row.locator("[data-expand]").click()
        expect(page.locator("tr.more")).to_have_count(len(HOSTILE))
        inert(ana)


def inert(visitor: Visitor) -> None:
    """Fail when anything of an event became more than text."""
    assert visitor.page.evaluate("window.broken") is None
    assert visitor.page.locator("main script, main img, main [onerror], main [onload], main [onmouseover]").count() == 0
    assert visitor.page.locator("a[href^='javascript:']").count() == 0
    assert visitor.page.get_by_text("taken over", exact=True).count() == 0
    assert "\u202e" not in visitor.page.locator("body").inner_text()
    visitor.watch.assert_clean()


def test_a_stranger_learns_nothing_from_any_page(house: House, browser: Browser) -> None:
    with house.visit(browser) as stranger, house.visit(browser, "ned") as ned:
        for path in PAGES:
            stranger.page.goto(stranger.origin + path)
            stranger.is_at(r"/sign-in\?next=")
            assert "wrenfield" not in stranger.page.content()
        stranger.looked()
        with ned.watch.refusals(403):
            for path in PAGES:
                ned.page.goto(ned.origin + path)
                assert "wrenfield" not in ned.page.content(), path
            ned.looked()
