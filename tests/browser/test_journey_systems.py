"""Systems and exceptions as their users accept them: a gap that opens and closes, an exception that somebody else agrees to."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Browser, Page, expect
from tests.browser.house import House
from tests.browser.test_journey_account import sign_in
from tests.browser.visitor import Visitor

SCOPE = "wrenfield/vault"
CATEGORIES = ("system", "network", "application", "security")


def event(action: str) -> dict[str, object]:
    return {
        "action": action,
        "actor": {"id": "otto", "type": "user"},
        "target": {"id": "vault", "type": "application"},
        "scope": SCOPE,
        "occurred_at": "2026-03-01T12:00:00Z",
    }


def until(
    page: Page, locator: str, text: str, *, gone: bool = False, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Load the page again until it shows a text in a place, or no longer: coverage follows the log by itself."""
    for _ in range(180):
        found = page.locator(locator).filter(has_text=re.compile(re.escape(text))).count()
        if bool(found) != gone:
            return
        meanwhile()
        page.wait_for_timeout(1000)
        page.reload()
    raise AssertionError(f"{text!r} is {'still' if gone else 'not'} in {locator}")


def decided(visitor: Visitor, handle: str, path: str, button: str) -> None:
    """Sign in and decide about what waits on a page."""
    page = visitor.go(f"/sign-in?next={path}")
    sign_in(visitor, handle)
    visitor.is_at(path)
    visitor.looked()
    page.get_by_role("button", name=button, exact=True).first.click()


def test_a_declaration_shows_a_real_gap_that_closes_when_events_arrive(house: House, browser: Browser) -> None:
    with house.visit(browser, "lea") as lea, house.visit(browser, "otto") as otto, house.visit(browser) as pia:
        page = lea.go("/systems")
        page.get_by_role("link", name="Register a system").first.click()
        lea.is_at("/systems/register")
        page.locator("#name").fill("Vault")
        page.locator("#scopes").fill(SCOPE)
        page.locator("#data_class").select_option("restricted")
        page.locator("#owner").fill("otto")
        page.locator("#endpoints").fill("vault.wrenfield.example")
        page.locator("#procedure").fill("The vault sends every sign-in and every read of a key.")
        page.get_by_role("button", name="Register").click()
        lea.is_at("/systems/y-")
        lea.looked()
        path = lea.path()
        expect(page.get_by_role("table", name="Gaps between")).to_contain_text("category network")

        page = otto.go(path)
        page.get_by_role("link", name="Declare what is critical").first.click()
        otto.is_at(f"{path}/declare")
        page.get_by_label("authentication 1: activity").fill("sign-ins")
        page.get_by_label("authentication 1: query").fill("action:user.signed_in")
        page.get_by_label("authentication 1: why").fill("Who opens the vault has to be known.")
        page.get_by_label("authentication 1: longest silence").fill("1x")
        page.locator("#reason").fill("The first one")
        with otto.watch.refusals(422):
            page.get_by_role("button", name="Propose").click()
            expect(page.locator("main").get_by_role("alert")).to_contain_text("is not a time")
            otto.looked()
        page.get_by_label("authentication 1: longest silence").fill("1m")
        for category in CATEGORIES:
            page.locator(f"#{category}-reason").fill("The platform logs it.")
        page.get_by_role("button", name="Propose").click()
        otto.is_at(f"{path}$")
        otto.looked()
        expect(page.get_by_role("group", name="Changes")).to_contain_text("authentication/sign-ins")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)

        decided(pia, "pia", path, "Approve")
        pia.is_at(f"{path}$")
        expect(pia.page.locator("main")).to_contain_text("in force")

        house.send(event("vault.key_read"))
        until(page, "main", "vault.key_read")
        otto.looked()
        until(page, "main", "sign-ins has not arrived in 30 days")
        expect(page.locator("h1")).to_contain_text("silent")
        otto.looked()

        def arrive() -> None:
            """Once is not enough: on a busy machine it may take longer than a minute until somebody looks."""
            house.send(event("user.signed_in"))

        system = path.rpartition("/")[2]
        told = f"metadata.system:{system} metadata.gap:silent*"
        lea.go(f"/events?q=action:coverage.gap_opened {told}")
        until(lea.page, "tr[data-row]", "coverage")
        arrive()
        until(page, "main", "silent sign-ins", gone=True, meanwhile=arrive)
        expect(page.get_by_role("table", name="Declared activity")).to_contain_text("arrives")
        otto.looked()
        lea.go(f"/events?q=action:coverage.gap_closed {told}")
        until(lea.page, "tr[data-row]", "coverage", meanwhile=arrive)
        otto.go(f"{path}/runbook")
        expect(page.locator("main")).to_contain_text("Who opens the vault has to be known.")
        lea.go("/systems")
        expect(lea.page.get_by_role("table", name="Systems")).to_contain_text("Vault")


def test_an_exception_is_asked_for_approved_by_another_extended_and_revoked(house: House, browser: Browser) -> None:
    with house.visit(browser, "cora") as cora, house.visit(browser) as pia:
        page = cora.go("/exceptions")
        page.get_by_role("link", name="Ask for an exception").first.click()
        cora.is_at("/exceptions/request")
        page.locator("#kind").select_option("rule")
        page.locator("#subject").fill("mass-download")
        page.locator("#scope").fill("wrenfield/payments")
        page.locator("#query").fill("actor:(")
        page.locator("#justification").fill("The nightly copy fetches everything.")
        page.locator("#control").fill("The copy's own account is watched.")
        page.locator("#risk").select_option("high")
        with cora.watch.refusals(422):
            page.get_by_role("button", name="Ask").click()
            expect(page.locator("main").get_by_role("alert")).to_contain_text("query")
            cora.looked()
        page.locator("#query").fill("actor:backup")
        page.get_by_role("button", name="Ask").click()
        cora.is_at("/exceptions/x-")
        cora.looked()
        path = cora.path()
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)

        decided(pia, "pia", path, "Approve")
        pia.is_at(f"{path}$")
        expect(pia.page.locator("h1")).to_contain_text("active")
        pia.looked()

        cora.go(path)
        page.locator("#until").fill("now+200d")
        page.locator("#justification").fill("The copy goes on until summer.")
        page.get_by_role("button", name="Ask").click()
        expect(page).not_to_have_url(re.compile(re.escape(path)))
        cora.is_at("/exceptions/x-")
        following = cora.path()
        expect(page.locator("main")).to_contain_text("It follows")

        pia.go(following)
        pia.page.get_by_role("button", name="Approve", exact=True).click()
        expect(pia.page.locator("h1")).to_contain_text("agreed")
        pia.looked()
        cora.go(path)
        expect(page.locator("main")).to_contain_text("It goes on as")
        expect(page.locator("h1")).to_contain_text("active")
        page.locator("#revoke-reason").fill("The copy was replaced.")
        page.get_by_role("button", name="Revoke").click()
        expect(page.locator("h1")).to_contain_text("revoked")
        cora.looked()
        cora.go(following)
        expect(page.locator("h1")).to_contain_text("revoked")
        cora.go("/exceptions?state=revoked")
        expect(page.get_by_role("table", name="Exceptions and requests").get_by_role("row")).to_have_count(3)
