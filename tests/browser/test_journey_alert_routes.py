"""Setting a receiver and routes up, trying them, seeing what was told, and keeping alerts quiet for a while."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.visitor import visiting
from tests.installation import settings
from tests.people_world import settle
from tests.server_process import serving
from tests.stream_world import receiving, wait_until

from tallystick.access.permissions import Permission
from tallystick.follow.alarm import Alarm
from tallystick.server import open_instance

P = Permission
ROUTES = """\
route:
  receiver: hook
  group_by: [scope]
  routes:
  - matchers: ['severity="critical"']
    receiver: hook
    escalation: [{after: 15m, receiver: nobody}]
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routes")


def test_an_alert_is_routed_told_and_later_ones_are_silenced(root: Path, browser: Browser) -> None:
    with open_instance(settings(root)) as instance:
        people = settle(instance)
        mia = people.join("mia", (people.role((P.ALERTS_ROUTE, P.ALERTS_READ)), ""))
        now = instance.ledger.status().now
        instance.services.alerts.book.raise_alarms(
            [Alarm("door", "k", "o", "acme/door", "critical", "Door <b>open</b>", "It is open.", now)]
        )
    config = root / "tallystick.toml"
    config.write_text('[stream]\nnetworks = ["127.0.0.1"]\n')
    with (
        receiving(root / "receiver") as receiver,
        serving(root, "--config", config) as server,
        visiting(browser, server.url, {"tallystick": mia.cookie}) as visitor,
    ):
        page = visitor.go("/alerts/routes")
        expect(page.get_by_text("Nobody has set any routes")).to_be_visible()
        visitor.looked()
        page.locator("#name").fill("hook")
        page.locator("#way").select_option("webhook")
        page.locator("#url").fill(receiver.url())
        page.get_by_role("button", name="Set the receiver").click()
        expect(page.get_by_role("heading", name="The signing secret of hook")).to_be_visible()
        visitor.looked()
        visitor.go("/alerts/routes")
        page.get_by_role("button", name="Send a test").click()
        expect(page.get_by_text("The test was taken with 200")).to_be_visible()

        page.locator("#text").fill(ROUTES.replace("group_by", "colour"))
        with visitor.watch.refusals(422):
            page.get_by_role("button", name="Put in force").click()
            expect(page.locator(".alert")).to_contain_text("line 3, column 3")
            visitor.looked()
        page.locator("#text").fill(ROUTES)
        page.get_by_role("button", name="Put in force").click()
        expect(page.get_by_text("The routes are in force.")).to_be_visible()

        page.locator("#severity").select_option("critical")
        page.locator("#scope").fill("acme/payments")
        page.get_by_role("button", name="Try").click()
        expect(page.get_by_role("status").filter(has_text="goes to hook after 0s")).to_be_visible()
        visitor.looked()

        wait_until(lambda: len(receiver.taken()) >= 2)  # the test, and the alert that was open already
        visitor.go("/alerts/notifications")
        wait_until(lambda: bool(page.reload()) and page.get_by_role("cell", name="delivered").count() > 0)
        visitor.looked()

        page = visitor.go("/alerts/silences")
        page.locator("#severity").select_option("critical")
        page.locator("#until").fill("2h")
        page.locator("#reason").fill("we paint the door")
        with visitor.watch.refusals(422):
            page.get_by_role("button", name="Silence", exact=True).click()
            expect(page.locator(".alert")).to_contain_text("critical alerts of everything")
            visitor.looked()
        page.locator("#scope").fill("acme/door")
        page.get_by_role("button", name="Silence", exact=True).click()
        expect(page.get_by_text("critical ones too")).to_be_visible()
        visitor.looked()
        page.locator("input[name=reason]").fill("the paint is dry")
        page.get_by_role("button", name="Change or end").click()
        expect(page.get_by_role("heading", name="Nothing is silenced")).to_be_visible()
        visitor.go("/alerts/silences?ended=true")
        expect(page.get_by_role("cell", name="ended")).to_be_visible()
        visitor.looked()
