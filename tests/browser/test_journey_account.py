"""Coming in, going out, and what a session is worth: as people meet it in a browser."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.visitor import Visitor, visiting
from tests.people_world import PASSWORD
from tests.server_process import ServerProcess, serving

LINK = re.compile(r"https?://\S+(/setup\?link=\S+)")


def setup_path(server: ServerProcess) -> str:
    """Return the path of the link that a server prints when nobody can sign in yet."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := LINK.search(server.said()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"no setup link: {server.said()}")


def sign_in(visitor: Visitor, handle: str, password: str = PASSWORD) -> None:
    """Fill in the form that is shown and send it."""
    visitor.page.locator("#handle").fill(handle)
    visitor.page.locator("#password").fill(password)
    visitor.page.get_by_role("button", name="Sign in").click()


def set_up(visitor: Visitor, server: ServerProcess) -> None:
    """Make the first account with the link that a server printed."""
    page = visitor.go(setup_path(server))
    page.locator("#handle").fill("ada")
    page.locator("#name").fill("Ada Lind")
    page.locator("#password").fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    visitor.does(page.get_by_role("button", name="Make the account").click, then="/")
    expect(page.locator("a.account")).to_have_text("Ada Lind")


def test_the_setup_link_makes_the_first_account_once_and_signs_it_in(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path) as server, visiting(browser, server.url) as ada:
        page = ada.go("/")
        ada.is_at("/sign-in")
        expect(page.get_by_role("main")).to_contain_text("Nobody has an account yet")
        path = setup_path(server)
        ada.go(path)
        page.locator("#handle").fill("ada")
        page.locator("#name").fill("Ada Lind")
        page.locator("#password").fill("password1234")
        page.get_by_label("The same password again").fill("password1234")
        with ada.watch.refusals(422):
            page.get_by_role("button", name="Make the account").click()
            expect(page.locator(".alert")).to_be_visible()
            ada.looked()
        set_up(ada, server)
        ada.go("/events")
        expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
        with visiting(browser, server.url) as stranger, stranger.watch.refusals(401, 403, 404, 409, 410, 422):
            stranger.go(path)
            expect(stranger.page.get_by_role("button", name="Make the account")).to_have_count(0)


def test_a_wrong_password_says_nothing_and_the_right_one_leads_where_one_wanted(house: House, browser: Browser) -> None:
    with house.visit(browser) as ana:
        page = ana.go("/events?q=outcome:failure")
        ana.is_at(r"/sign-in\?next=")
        told = []
        with ana.watch.refusals(401, 403, 422, 429):
            for handle, password in (("ana", "wrong password here"), ("nobody-at-all", "wrong password here")):
                sign_in(ana, handle, password)
                expect(page.locator(".alert")).to_be_visible()
                told.append(page.locator(".alert").inner_text())
        ana.looked()
        assert told[0] == told[1], "who has an account must not show"
        sign_in(ana, "ana")
        ana.is_at(r"/events\?q=outcome")
        ana.looked()
        expect(page.get_by_label("Query")).to_have_value("outcome:failure")


def test_a_second_factor_is_asked_for_once_on_and_a_recovery_code_stands_in_once(
    house: House, browser: Browser
) -> None:
    with house.visit(browser) as tom:
        page = tom.go("/sign-in?next=/account")
        sign_in(tom, "tom")
        tom.is_at("/account")
        tom.looked()
        page.get_by_role("button", name="Switch it on").click()
        expect(page.get_by_role("heading", name="Switch the second factor on")).to_be_visible()
        tom.looked()
        totp = pyotp.TOTP(page.locator(".copyable code").inner_text().replace(" ", ""))
        page.get_by_label("Code").fill(totp.now())
        page.get_by_role("button", name="Switch it on").click()
        expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
        tom.looked()
        code = page.locator("main ul code").first.inner_text()
        for right in (True, False):
            tom.go("/account")
            tom.does(page.get_by_role("button", name="Sign out", exact=True).first.click, then="/sign-in")
            sign_in(tom, "tom")
            tom.is_at("/sign-in/code")
            tom.looked()
            page.get_by_label("Or a recovery code").fill(code)
            with tom.watch.refusals(401, 403, 422):
                page.get_by_role("button", name="Sign in").click()
                if right:
                    tom.is_at("/events")
                else:
                    expect(page.locator(".alert")).to_be_visible()
        tom.does(page.get_by_role("link", name="Begin again").click, then="/sign-in")
        sign_in(tom, "tom")
        page.get_by_label("Code from your authenticator").fill(totp.at(time.time() + 30))
        tom.does(page.get_by_role("button", name="Sign in").click, then="/events")


def test_after_signing_out_back_shows_nothing(house: House, browser: Browser) -> None:
    with house.visit(browser, "sid") as sid:
        page = sid.go("/events")
        shown = sid.rows().first.inner_text()
        sid.go("/account")
        sid.does(page.get_by_role("button", name="Sign out", exact=True).first.click, then="/sign-in")
        for _ in range(2):
            page.go_back()
            sid.is_at("/sign-in")
            assert shown not in page.content()
        assert sid.context.request.get(f"{sid.origin}/events.json").status == 401


def test_a_session_that_ends_in_the_middle_of_a_search_comes_back_to_it(house: House, browser: Browser) -> None:
    with house.visit(browser, "eli") as eli:
        page = eli.go("/events")
        eli.context.clear_cookies()
        page.get_by_label("Query").fill("outcome:failure")
        with eli.watch.refusals(401):
            page.get_by_role("button", name="Search").click()
            eli.is_at(r"/sign-in\?next=")
        sign_in(eli, "eli")
        eli.is_at("/events")
        eli.looked()


def test_a_device_that_is_signed_out_elsewhere_is_out_at_once(house: House, browser: Browser) -> None:
    with house.visit(browser, "dora") as phone, house.visit(browser) as desk:
        desk.go("/sign-in?next=/account")
        sign_in(desk, "dora")
        desk.is_at("/account")
        desk.looked()
        phone.go("/events")
        desk.does(desk.page.get_by_role("button", name="Sign out all others").click, then="/account")
        expect(desk.page.get_by_role("table", name="Devices").locator("tbody tr")).to_have_count(1)
        phone.page.reload()
        phone.is_at(r"/sign-in\?next=")


def test_somebody_who_is_disabled_is_out_at_once_and_cannot_come_back(house: House, browser: Browser) -> None:
    with house.visit(browser, "leo") as leo, house.visit(browser) as ada:
        leo.go("/events")
        page = ada.go("/sign-in?next=/access/people")
        sign_in(ada, "ada")
        ada.is_at("/access/people")
        ada.looked()
        ada.does(page.get_by_role("link", name="Leo Lind").click, then="/access/people/p-")
        page.get_by_role("button", name="Disable").click()
        expect(page.get_by_role("button", name="Enable")).to_be_visible()
        ada.looked()
        leo.page.reload()
        leo.is_at(r"/sign-in\?next=")
        with leo.watch.refusals(401, 403, 422):
            sign_in(leo, "leo")
            expect(leo.page.locator(".alert")).to_be_visible()
        assert leo.context.request.get(f"{leo.origin}/events.json").status == 401


def test_an_invitation_lets_somebody_in_who_may_do_nothing_yet(house: House, browser: Browser) -> None:
    with house.visit(browser) as ada, house.visit(browser) as mia:
        page = ada.go("/sign-in?next=/access/people")
        sign_in(ada, "ada")
        ada.is_at("/access/people")
        page.locator("#handle").fill("mia")
        page.locator("#name").fill("Mia Berg")
        page.get_by_role("button", name="Invite").click()
        expect(page.get_by_role("heading", name="Invitation for Mia Berg")).to_be_visible()
        ada.looked()
        link = page.locator(".copyable code").inner_text()
        mia.go(link[link.index("/invitation") :])
        mia.page.locator("#password").fill(PASSWORD)
        mia.page.get_by_label("The same password again").fill(PASSWORD)
        with mia.watch.refusals(403):
            mia.page.get_by_role("button", name="Set the password").click()
            expect(mia.page.locator("a.account")).to_have_text("Mia Berg")
            mia.page.goto(f"{mia.origin}/events")
            expect(mia.page.locator(".alert")).to_contain_text("permission")
            mia.looked()


def test_changing_a_setting_asks_again_who_is_there_and_is_an_event(house: House, browser: Browser) -> None:
    with house.visit(browser) as ada:
        page = ada.go("/sign-in?next=/settings")
        sign_in(ada, "ada")
        ada.is_at("/settings")
        ada.looked()
        field = page.locator("main form input[inputmode=numeric]").first
        before = field.input_value()
        field.fill(str(int(before) + 1))
        field.press("Enter")
        ada.is_at("/settings")
        expect(page.locator("main form input[inputmode=numeric]").first).to_have_value(str(int(before) + 1))
        expect(page.get_by_role("link", name="Changed 20").first).to_be_visible()
        ada.looked()
