"""Giving access and taking it away, following live, and taking data along."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.test_journey_account import sign_in

from tallystick.access.permissions import Permission


def test_access_is_asked_for_decided_by_another_works_and_is_taken_back(house: House, browser: Browser) -> None:
    with house.visit(browser, "gus") as gus, house.visit(browser) as lea:
        assert gus.context.request.get(f"{gus.origin}/events.json").status == 403
        grant = house.request
        page = lea.go(f"/sign-in?next=/access/grants/{grant}")
        sign_in(lea, "lea")
        lea.is_at(f"/access/grants/{grant}")
        lea.looked()
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("main")).to_contain_text("active")
        lea.looked()
        gus.go("/events")
        expect(gus.rows().first).to_be_visible()
        lea.go(f"/access/grants/{grant}")
        page.locator("#revoke-reason").fill("no longer needed")
        page.get_by_role("button", name="Revoke").click()
        expect(page.locator("main")).to_contain_text("revoked")
        assert gus.context.request.get(f"{gus.origin}/events.json").status == 403


def test_whoever_asks_for_herself_cannot_approve_it(house: House, browser: Browser) -> None:
    with house.visit(browser) as lea:
        page = lea.go("/sign-in?next=/access/request")
        sign_in(lea, "lea")
        lea.is_at("/access/request")
        lea.looked()
        page.locator("#role").select_option("auditor")
        page.locator("#scope").fill("wrenfield")
        page.locator("#reason").fill("the yearly audit")
        page.get_by_role("button", name="Ask", exact=True).click()
        lea.is_at("/access")
        lea.looked()
        lea.go("/access?state=requested")
        page.locator("main table a").first.click()
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        expect(page.get_by_role("button", name="Take the request back")).to_be_visible()
        lea.looked()


def test_breaking_the_glass_shouts_on_every_page(house: House, browser: Browser) -> None:
    with house.visit(browser) as ana, house.visit(browser) as ada:
        page = ana.go("/sign-in?next=/access/break-glass")
        sign_in(ana, "ana")
        ana.is_at("/access/break-glass")
        ana.looked()
        page.locator("#scope").fill("wrenfield/payments")
        page.locator("#minutes").fill("5")
        page.locator("#reason").fill("payments are down")
        page.get_by_role("button", name="Break the glass").click()
        ana.is_at("/access")
        ada.go("/sign-in?next=/sources")
        sign_in(ada, "ada")
        ada.is_at("/sources")
        expect(ada.page.locator(".banner[role=alert]")).to_be_visible()
        ada.looked()


def test_who_could_read_what_is_answered_for_a_time(house: House, browser: Browser) -> None:
    with house.visit(browser, "lea") as lea:
        page = lea.go("/access/who")
        page.locator("#scope").fill("wrenfield/payments")
        page.locator("#at").fill("now")
        page.get_by_role("button", name="Ask").click()
        lea.is_at(r"/access/who\?")
        lea.looked()
        names = page.locator("main table tbody tr").all_inner_texts()
        assert any("Nora Lind" in each for each in names)
        page.locator("#at").fill("-30d")
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_role("heading", name="Nobody could")).to_be_visible()
        lea.looked()


def test_a_role_of_the_house_is_made_asked_for_and_only_narrowed_at_once(house: House, browser: Browser) -> None:
    with house.visit(browser) as ada:
        page = ada.go("/sign-in?next=/access/roles")
        sign_in(ada, "ada")
        ada.is_at("/access/roles")
        ada.looked()
        matrix = page.get_by_role("table", name="Which role has which permission")
        assert matrix.get_by_role("row").filter(has=page.get_by_role("cell")).count() >= len(Permission)
        page.locator("summary", has_text="Define a role").click()
        ada.looked()
        page.locator("#name").fill("release-reader")
        page.locator("#title").fill("Release reader")
        page.locator("#permission-events\\.read").check()
        page.locator("#permission-events\\.export").check()
        ada.does(page.get_by_role("button", name="Define").click, then="/access/roles/release-reader")
        expect(page.locator("#permission-events\\.export")).to_be_checked()
        page.locator("#permission-events\\.export").uncheck()
        page.get_by_role("button", name="Change", exact=True).click()
        expect(page.get_by_role("status").filter(has_text="What the role lost is gone")).to_be_visible()
        ada.looked()
        expect(page.locator("#permission-events\\.export")).not_to_be_checked()
        ada.go("/access/request")
        page.locator("#role").select_option("release-reader")


def test_an_export_holds_what_the_table_shows(house: House, browser: Browser, tmp_path: Path) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=action:release.created&scope=wrenfield")
        count = int(re.sub(r"\D", "", ana.status().split("event")[0]))
        first = ana.rows().first.locator("[data-expand]").get_attribute("href")
        page.locator("summary", has_text="Export").click()
        page.get_by_role("form", name="Export these events").get_by_role("button", name="Export").click()
        ana.is_at("/exports")
        expect(page.get_by_role("link", name=re.compile("Download the export"))).to_be_visible()
        ana.looked()
        with page.expect_download() as download:
            page.get_by_role("link", name=re.compile("Download the export")).first.click()
        path = tmp_path / "export.csv"
        download.value.save_as(path)
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["index"].isdigit()]
        assert len(rows) == count
        assert first is not None
        assert first.rpartition("/")[2] in {row["id"] for row in rows}


def test_following_live_announces_and_never_moves_what_is_read(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?scope=wrenfield")
        page.get_by_role("link", name="Live", exact=True).click()
        expect(page.locator("[data-live-state]")).to_contain_text("connected")
        before = ana.rows().evaluate_all("rows => rows.map((row) => row.id)")
        house.send(
            {
                "action": "user.signed_in",
                "actor": {"id": "ana", "type": "user"},
                "target": {"id": "intranet", "type": "application"},
                "scope": "wrenfield/payments",
                "occurred_at": "2026-11-20T12:00:00Z",
            }
        )
        expect(page.locator("#live-news a")).to_be_visible()
        assert ana.rows().evaluate_all("rows => rows.map((row) => row.id)") == before
        page.locator("#live-news a").click()
        expect(page.locator(f"#{before[0]}")).to_be_visible()
        expect(ana.rows().first).not_to_have_attribute("id", before[0])
        page.get_by_role("link", name="Pause live").click()
        expect(page.locator("[data-live-state]")).to_have_count(0)


def test_a_question_is_kept_under_a_name(house: House, browser: Browser) -> None:
    with house.visit(browser, "ana") as ana:
        page = ana.go("/events?q=outcome:failure")
        page.locator("summary", has_text="Saved views").click()
        page.get_by_label("Name of this view").fill("What failed")
        page.get_by_role("button", name="Save").click()
        ana.is_at("/events")
        ana.looked()
        ana.go("/events")
        page.locator("summary", has_text="Saved views").click()
        page.get_by_role("link", name="What failed", exact=True).click()
        ana.is_at(r"/events\?.*q=outcome")
        expect(page.get_by_label("Query")).to_have_value("outcome:failure")
