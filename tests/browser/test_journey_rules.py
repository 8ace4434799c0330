"""Detection rules as their users accept them: written, tested, approved by another, enabled, tried on history."""

from __future__ import annotations

from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.test_journey_account import sign_in
from tests.installation import sample
from tests.rules_world import rule_text


def test_a_rule_is_written_by_one_and_put_in_force_after_another_approved_it(house: House, browser: Browser) -> None:
    secret = {"action": "secret.read", "target": {"id": "prod/journey", "type": "secret"}}
    house.send(sample(**secret, scope="wrenfield/payments", occurred_at="2026-03-02T12:00:00Z"))
    with house.visit(browser) as pia, house.visit(browser) as lea:
        page = pia.go("/sign-in?next=/rules")
        sign_in(pia, "pia")
        pia.is_at("/rules")
        pia.looked()
        page.get_by_role("link", name="Write a rule").click()
        pia.is_at("/rules/new")
        pia.looked()
        page.locator("#text").fill(rule_text("Read on a journey").replace("owner: security", "owner: nobody"))
        with pia.watch.refusals(422):
            page.get_by_role("button", name="Try it").click()
            expect(page.locator("main").get_by_role("alert")).to_contain_text("is one of security, operations")
            expect(page.locator("main")).to_contain_text("owner: nobody")
            pia.looked()
        page.locator("#text").fill(rule_text("Read on a journey"))
        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_role("status").first).to_contain_text("All samples come out")
        expect(page.get_by_role("table", name="Samples")).to_contain_text("of production")
        pia.looked()
        page.locator("#reason").fill("there was an incident")
        page.get_by_role("button", name="Keep as a draft").click()
        pia.is_at("/rules/dr-")
        rule = pia.path()
        page.get_by_role("button", name="Test version 1").click()
        expect(page.locator("main")).to_contain_text("Somebody else has to approve it")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        expect(page.get_by_role("button", name="Enable")).to_have_count(0)
        pia.looked()

        other = lea.go(f"/sign-in?next={rule}")
        sign_in(lea, "lea")
        lea.is_at(rule)
        expect(other.locator("main")).to_contain_text("there was an incident")
        lea.looked()
        other.get_by_role("button", name="Approve").click()
        expect(other.get_by_role("button", name="Enable")).to_be_visible()

        pia.go(rule)
        page.get_by_role("button", name="Enable").click()
        expect(page.get_by_role("button", name="Disable")).to_be_visible()
        pia.looked()
        page.get_by_role("link", name="Backtest").click()
        pia.is_at(f"{rule}/backtest")
        page.locator("#from").fill("2026-03-01")
        page.get_by_role("button", name="Try it").click()
        expect(page.get_by_role("heading", name="It would have fired 1 time")).to_be_visible()
        pia.looked()
        page.get_by_role("table", name="When it would have fired").get_by_role("link").first.click()
        pia.is_at("/events/")
        index = pia.path().rpartition("/")[2]
        pia.go(f"{rule}/explain")
        page.locator("#event").fill(index)
        page.get_by_role("button", name="Explain").click()
        expect(page.locator("main")).to_contain_text("the event has prod/journey")
        pia.looked()
        page.get_by_role("link", name="Versions").click()
        expect(page.get_by_role("table", name="History")).to_contain_text("rule.enabled")
        expect(page.locator("main")).to_contain_text("Approved by Lea Lind")
        pia.looked()


def test_the_shipped_rules_a_list_and_the_health_of_detection_are_there_to_see(house: House, browser: Browser) -> None:
    with house.visit(browser, "lea") as lea:
        page = lea.go("/rules")
        table = page.get_by_role("table", name="Detection rules")
        expect(table).to_contain_text("The glass was broken")
        lea.looked()
        page.get_by_role("link", name="Mass download").click()
        lea.is_at("/rules/mass-download")
        expect(page.get_by_role("table", name="Samples")).to_contain_text("sixty files in five minutes")
        expect(page.locator("main")).to_contain_text("Suspend the account until")
        lea.looked()
        lea.go("/rules/lists")
        lea.looked()
        page.get_by_role("link", name="malicious_domains").click()
        lea.is_at("/rules/lists/malicious_domains")
        page.locator("#values").fill("bad.journey.example\nworse.journey.example")
        page.locator("#until").fill("+30d")
        page.locator("#source").fill("a partner")
        page.get_by_role("button", name="Put on the list").click()
        values = page.get_by_role("table", name="Values")
        expect(values).to_contain_text("worse.journey.example")
        lea.looked()
        page.get_by_label("Mark bad.journey.example").check()
        page.locator("#reason").fill("it is ours")
        page.get_by_role("button", name="Take the marked values off").click()
        expect(values).not_to_contain_text("bad.journey.example")
        lea.go("/rules/health")
        expect(page.get_by_role("heading", name="Self-test")).to_be_visible()
        lea.looked()
