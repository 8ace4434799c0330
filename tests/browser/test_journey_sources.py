"""From nothing to the first event, and what becomes of a sender's tokens."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Locator, expect
from tests.browser.house import House
from tests.browser.test_journey_account import set_up, sign_in
from tests.browser.visitor import Visitor, visiting
from tests.server_process import serving


def register(visitor: Visitor, name: str, scope: str) -> None:
    """Register a sender on the page that lists them, and arrive at its own."""
    visitor.page.locator("#name").fill(name)
    visitor.page.locator("#scopes").fill(scope)
    visitor.page.get_by_role("button", name="Register").click()
    visitor.is_at(f"/sources/{name}")
    visitor.looked()


def make_token(visitor: Visitor) -> str:
    """Make a token on the page of a sender, and return it as it is shown for the only time."""
    visitor.page.get_by_role("button", name="Make a token that sends").click()
    expect(shown(visitor)).to_be_visible()
    visitor.looked()
    return shown(visitor).inner_text()


def shown(visitor: Visitor) -> Locator:
    """Return where a new token stands, by itself."""
    return visitor.page.locator(".copyable code", has_text=re.compile(r"^\s*tsk_"))


def paste(visitor: Visitor) -> str:
    """Run the command that a page shows beside a new token, as a shell would, and return it."""
    command = visitor.page.locator("pre", has_text="curl").first.inner_text()
    sent = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert sent.returncode == 0, sent.stderr
    assert '"index"' in sent.stdout, sent.stdout
    return command


def accepts(visitor: Visitor, token: str) -> bool:
    """Return whether a token is known; nothing is sent with it."""
    answer = httpx.post(f"{visitor.origin}/api/v1/events", headers={"authorization": f"Bearer {token}"}, timeout=60)
    return answer.status_code != 401


def test_an_empty_installation_leads_from_the_setup_link_to_the_first_event(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path) as server, visiting(browser, server.url) as ada:
        set_up(ada, server)
        page = ada.go("/events")
        first_steps = page.get_by_role("region", name="First steps")
        expect(first_steps).to_contain_text("Nobody has sent an event yet")
        ada.does(first_steps.get_by_role("link", name="Register a source").click, then="/sources")
        register(ada, "first-sender", "acme")
        make_token(ada)
        paste(ada)
        expect(page.locator("#arrival")).to_contain_text("The first event came")
        ada.looked()
        ada.does(page.locator("#arrival").get_by_role("link").click, then="/events")
        expect(ada.rows()).to_have_count(1)
        expect(first_steps).to_have_count(0)


def test_a_sender_is_registered_and_its_first_event_arrives_from_the_pasted_command(
    house: House, browser: Browser
) -> None:
    with house.visit(browser) as ada:
        page = ada.go("/sign-in?next=/sources")
        sign_in(ada, "ada")
        ada.is_at("/sources")
        ada.looked()
        register(ada, "ticket-desk", "wrenfield/tickets")
        expect(page.locator("#arrival")).to_contain_text("Waiting for the first event")
        token = make_token(ada)
        assert token in paste(ada)
        ada.go("/sources/ticket-desk")
        expect(page.locator("#figures-title + dl")).to_contain_text("Last event")
        assert token not in page.content(), "the token is shown once"


def test_a_token_is_rotated_with_both_valid_and_then_revoked(house: House, browser: Browser) -> None:
    with house.visit(browser) as ada:
        page = ada.go("/sign-in?next=/sources")
        sign_in(ada, "ada")
        ada.is_at("/sources")
        register(ada, "rotating", "wrenfield/rotating")
        first = make_token(ada)
        ada.go("/sources/rotating")
        page.get_by_role("button", name="Rotate").click()
        expect(shown(ada)).to_be_visible()
        ada.looked()
        second = shown(ada).inner_text()
        assert second != first
        assert accepts(ada, first)
        assert accepts(ada, second)
        ada.go("/sources/rotating")
        newest = page.get_by_role("row").filter(has_text="active").get_by_role("button", name="Revoke")
        newest.click()
        expect(page.get_by_role("row").filter(has_text="active")).to_have_count(0)
        ada.looked()
        assert not accepts(ada, second)
