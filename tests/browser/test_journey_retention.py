"""Retention as a compliance manager accepts it: a person's erasure is asked for while a hold forbids part of it."""

from __future__ import annotations

from pathlib import Path

import httpx
from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.test_journey_account import sign_in

from tallystick.verify.service import load_trust, verify_target


def found(house: House, query: str) -> list[dict[str, object]]:
    """Return events as the API has them, the newest first."""
    answer = httpx.get(
        f"{house.server.url}/api/v1/events",
        params={"query": query, "limit": "200"},
        headers={"authorization": f"Bearer {house.token}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, object]] = answer.json()["events"]
    return rows


def somebody(house: House) -> tuple[str, list[int]]:
    """Return the address of a person of the organisation, and where events have her as their actor."""
    for row in found(house, "actor.type:user"):
        event = row["event"]
        assert isinstance(event, dict)
        address = event["actor"].get("email")
        rows = found(house, f'"{address}"') if address else []
        if len(rows) > 3:
            return address, sorted(int(str(each["index"])) for each in rows)
    raise AssertionError("nobody in the organisation has an address")


def test_a_hold_keeps_part_of_an_erasure_and_the_answer_says_so(house: House, browser: Browser, tmp_path: Path) -> None:
    address, places = somebody(house)
    with house.visit(browser, "cora") as cora, house.visit(browser) as rita:
        page = cora.go("/retention")
        cora.looked()
        page.get_by_text("Place a hold").click()
        page.locator("#hold").fill("case-7")
        page.locator("#owner").fill("cora")
        page.locator("#reason").fill("A court wants it")
        page.locator("#ranges").fill(f"{places[0]}-{places[0]}")
        page.get_by_role("button", name="Place the hold").click()
        expect(page.get_by_role("table", name="Holds")).to_contain_text("case-7")
        cora.looked()

        cora.go("/retention/person")
        page.locator("#names").fill(address)
        page.get_by_role("button", name="Find").click()
        expect(page.locator("main")).to_contain_text("1 of them stay until hold case-7 is released")
        cora.looked()
        page.locator("#reason").fill("The person asked")
        page.get_by_role("button", name="Ask for the erasure").click()
        cora.is_at("/retention/changes/rc-")
        expect(page.locator("main")).to_contain_text("somebody else decides")
        cora.looked()
        path = cora.path()

        other = rita.go(f"/sign-in?next={path}")
        sign_in(rita, "rita")
        rita.is_at(path)
        rita.looked()
        other.get_by_role("button", name="Approve").click()
        expect(other.locator("main")).to_contain_text("Approved by")
        rita.go("/retention")
        other.get_by_role("button", name="Run now").click()
        expect(other.get_by_role("table", name="Past runs")).to_contain_text("finished")
        rita.looked()
        rita.go(path)
        expect(other.locator("main")).to_contain_text("1 stay until hold case-7 is released")
        with other.expect_download() as download:
            other.get_by_role("link", name="Proof of the deletion").click()
        proof = tmp_path / "proof.zip"
        download.value.save_as(proof)

        rita.go(f"/events/{places[1]}")
        expect(other.locator("main")).to_contain_text("two people decided so")
        rita.looked()
        rita.go("/retention/classes/standard")
        other.locator("#retention_days").fill("370")
        other.get_by_role("button", name="Simulate").click()
        expect(other.locator("main")).to_contain_text("What would go")
        rita.looked()
    report = verify_target(str(proof), load_trust())
    assert report.findings == ()
    assert sum(each.covers for each in report.erasures) >= 1
    assert address.encode() not in proof.read_bytes()
    whole = verify_target(str(house.server.root / "data"), load_trust())
    assert whole.findings == ()
