"""An alert from its first firing to its reopening, in the browsers of two people who answer for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.alert_world import SCOPE, alarm
from tests.browser.house import House
from tests.browser.visitor import Visitor
from tests.installation import make_token, sample, settings
from tests.people_world import settle
from tests.server_process import serving

from tallystick.access.operator import OPERATOR
from tallystick.event.admission import Media
from tallystick.server import Instance, open_instance

GUESSED = "12 failed sign-ins of ana, then one that succeeded, in 5 minutes"
TITLES = {
    "a": "Failed sign-ins, then success",
    "b": "Stream was changed",
    "c": "New administrator",
    "d": "Source is silent",
}
SEVERITIES = {"a": "critical", "b": "high", "c": "medium", "d": "low"}


@pytest.fixture(scope="module")
def duty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with on_duty(tmp_path_factory.mktemp("alerts")) as opened:
        yield opened


@contextmanager
def on_duty(root: Path) -> Iterator[House]:
    """Yield a server in which four things fired, and where grave alerts are closed by two people."""
    with open_instance(settings(root)) as instance:
        people = settle(instance)
        joined = {"ada": people.first, "aud": people.join("aud", ("auditor", ""))}
        for handle, role in (("olga", "owner"), ("pia", "analyst"), ("vic", "viewer")):
            joined[handle] = people.join(handle, (role, SCOPE))
        raise_alarms(instance)
        instance.services.settings.change(OPERATOR, {"alerts.second_person": True})
    with serving(root) as server:
        yield House(server, joined, "", "")


def raise_alarms(instance: Instance) -> None:
    """Record an event, and let four things fire, the gravest of them twice."""
    services = instance.services
    source = services.authenticate(f"Bearer {make_token(instance).secret}", address="127.0.0.1", via="api").write
    assert source is not None
    admitted = services.record.admit(json.dumps([sample(scope=SCOPE)]).encode(), source, Media.JSON, partial=False)
    index = services.record.submit(admitted.batch, source.number).result().indexes[0]
    services.alerts.book.raise_alarms(
        [
            alarm(key=key, severity=SEVERITIES[key], title=title, count=12, sentence=GUESSED, indexes=(index,))
            for key, title in TITLES.items()
        ]
    )
    services.alerts.book.raise_alarms([alarm(key="a", severity="critical", count=3, sentence=GUESSED)])


def history(page: Page) -> list[str]:
    """Return the messages of an alert's history, oldest first, without its id."""
    said = page.locator(".timeline li > div > b").all_inner_texts()
    return [re.sub(r"alert al-\w+", "it", text) for text in reversed(said)]


def press(visitor: Visitor, name: str) -> None:
    """Press a button of an alert's page, and look at the alert as it is then."""
    visitor.page.get_by_role("button", name=name, exact=True).click()
    expect(visitor.page.locator(".flash")).to_be_visible()
    visitor.looked()


def open_alert(visitor: Visitor, title: str) -> str:
    """Open an alert from the queue, and return its path."""
    page = visitor.go("/alerts")
    row = page.get_by_role("row").filter(has_text=title)
    visitor.does(row.get_by_role("link").first.click, then="/alerts/al-")
    return visitor.path()


def test_an_alert_is_acknowledged_worked_closed_by_two_and_reopened(duty: House, browser: Browser) -> None:
    with duty.visit(browser, "olga") as olga, duty.visit(browser, "pia") as pia:
        path = open_alert(olga, TITLES["a"])
        page = olga.page
        expect(page.get_by_text("15 times")).to_be_visible()
        press(olga, "Acknowledge")
        press(olga, "Give it to me")
        press(olga, "Start work")
        page.locator("#done").fill("Locked the account")
        press(olga, "Record it")
        page.locator("#text").fill("Called ana: it was not her")
        press(olga, "Comment")
        page.locator("#verdict").select_option("true_positive")
        page.locator("#reason").fill("A guessed password")
        press(olga, "Close the alert")
        expect(page.get_by_role("heading", name="Closing waits for a second person")).to_be_visible()
        expect(page.get_by_role("button", name="Approve and close")).to_have_count(0)

        pia.go(path)
        expect(pia.page.locator(".marked", has_text="A guessed password").first).to_be_visible()
        press(pia, "Approve and close")
        expect(pia.page.locator(".tag", has_text="closed: true positive")).to_be_visible()

        olga.go(path)
        page.locator("#again").fill("It happened again")
        press(olga, "Reopen")
        assert history(page) == [
            f"Opened it: {TITLES['a']}",
            "Counted 3 more into it",
            "Acknowledged it",
            f"Assigned it to {duty.people['olga'].id}",
            "Began to work on it",
            "Recorded a response to it",
            "Commented on it",
            "Asked to close it as true_positive",
            "Closed it as true_positive",
            "Reopened it",
        ]


def test_marked_alerts_are_closed_with_one_reason(duty: House, browser: Browser) -> None:
    with duty.visit(browser, "pia") as pia:
        page = pia.go("/alerts")
        for title in (TITLES["c"], TITLES["d"]):
            page.get_by_role("row").filter(has_text=title).get_by_role("checkbox").check()
        page.locator("#verdict").select_option("benign_true_positive")
        page.locator("#reason").fill("The yearly drill")
        press(pia, "Close the marked alerts")
        expect(page.locator(".flash")).to_contain_text("2 closed.")
        page = pia.go("/alerts?state=closed")
        expect(page.get_by_role("row").filter(has_text="benign true positive")).to_have_count(2)


def test_an_event_of_an_alert_leads_to_its_page_and_its_proof(duty: House, browser: Browser) -> None:
    with duty.visit(browser, "pia") as pia:
        open_alert(pia, TITLES["b"])
        row = pia.page.get_by_role("region", name="Events of this alert").get_by_role("row").nth(1)
        with pia.page.expect_download() as download:
            row.get_by_role("link", name=re.compile("Proof of event")).click()
        assert download.value.suggested_filename.endswith(".tlog-proof")
        pia.does(row.get_by_role("link").first.click, then="/events/")


def test_who_may_only_look_sees_no_form_and_who_may_not_sees_nothing(duty: House, browser: Browser) -> None:
    with duty.visit(browser, "aud") as auditor, duty.visit(browser, "vic") as viewer:
        open_alert(auditor, TITLES["b"])
        expect(auditor.page.locator("main form")).to_have_count(0)
        auditor.go("/alerts/figures")
        with auditor.page.expect_download() as download:
            auditor.page.get_by_role("link", name="CSV").click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
        assert '""reconciles"":true' in text
        assert viewer.page.goto(f"{viewer.origin}/") is not None
        expect(viewer.page.get_by_role("link", name="Alerts", exact=True)).to_have_count(0)


def test_what_was_typed_stays_where_a_step_is_refused(duty: House, browser: Browser) -> None:
    with duty.visit(browser, "pia") as pia:
        open_alert(pia, TITLES["b"])
        page = pia.page
        page.locator("#verdict").select_option("duplicate")
        page.locator("#reason").fill("Seen before")
        with pia.watch.refusals(422):
            page.get_by_role("button", name="Close the alert").click()
            expect(page.get_by_text("say of which alert it is a duplicate")).to_be_visible()
        expect(page.locator("#reason")).to_have_value("Seen before")
