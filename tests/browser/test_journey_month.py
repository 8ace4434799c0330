"""The demo organisation's month to its end: what it left open is told, answered, closed, reviewed, expired and proven."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.house import House
from tests.browser.test_journey_alerts import press
from tests.browser.test_journey_reviews import sign, take_away
from tests.browser.test_journey_systems import until
from tests.demo_home import demo_month
from tests.installation import make_token
from tests.notify_world import Mailbox, smtp_server
from tests.people_world import ADDRESS, PASSWORD, Member
from tests.retention_world import seal
from tests.server_process import serving

from tallystick.access.operator import OPERATOR
from tallystick.access.people.model import Visit
from tallystick.cli.demo_people import caller
from tallystick.event.occurred import time_of_us
from tallystick.review.errors import OwnReviewError
from tallystick.review.model import Review
from tallystick.server import Instance
from tallystick.verify.anchors import Trust
from tallystick.verify.package import verify_package
from tallystick.verify.service import load_trust, verify_target

CAST = ("callum.grant", "beatriz.lima", "linnea.sand", "divya.pillai")
BY_HAND = ("alerts", "sample")
HOLD = "customers-2026"
AWAITED = "go with the next run"


@dataclass(frozen=True)
class Month:
    house: House
    mailbox: Mailbox
    reviews: tuple[Review, ...]
    root: Path


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    with at_the_end(tmp_path_factory.mktemp("month")) as opened:
        yield opened


@contextmanager
def at_the_end(root: Path) -> Iterator[Month]:
    """Yield a server over the month that has just ended, with a mail server that takes what it tells."""
    with demo_month(root, time.time_ns() // 1000) as instance:
        people = {handle: joined(instance, handle) for handle in CAST}
        token = make_token(instance, source="demo").secret
        instance.services.reviews.upkeep.look()
        reviews = tuple(
            sorted(
                (each.review for each in instance.services.reviews.looking.list(OPERATOR)), key=lambda one: one.start
            )
        )
        mark_most(instance, reviews[-1])
        seal(instance.ledger)
    mailbox = Mailbox()
    with smtp_server(mailbox) as port:
        config = root / "tallystick.toml"
        config.write_text(
            f'[smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "audit@wrenfield.example"\n'
        )
        with serving(root, "--config", config) as server:
            yield Month(House(server, people, token, ""), mailbox, reviews, root)


def joined(instance: Instance, handle: str) -> Member:
    """Let somebody of the demo open her invitation and choose a password."""
    people = instance.services.people
    person = next(each.id for each in people.list(OPERATOR) if each.handle == handle)
    signed_in = people.accept(people.invite_again(OPERATOR, person).token, PASSWORD, Visit(ADDRESS, "tests"))
    assert signed_in is not None
    return Member(person, handle, signed_in.cookie, signed_in.session)


def mark_most(instance: Instance, review: Review) -> None:
    """Mark what the journey does not mark by hand; what is about one of two is marked by the other."""
    for handle in ("linnea.sand", "divya.pillai"):
        who = caller(instance, handle, ADDRESS)
        for section in review.sections:
            if handle == "linnea.sand" and section.section in BY_HAND:
                continue
            with suppress(OwnReviewError):
                instance.services.reviews.reviewing.mark(who, review.id, section.section, review.digest, "no finding")


def test_what_is_open_is_told_to_who_is_on_call_answered_and_closed(month: Month, browser: Browser) -> None:
    with month.house.visit(browser, "beatriz.lima") as lead:
        page = lead.go("/alerts/notifications")
        until(page, "main", "muted")
        lead.looked()
        page = lead.go("/alerts/routes")
        text = page.locator("#text").input_value()
        unmuted = re.sub(r"\n *mute_time_intervals: \[always\]", "", text)
        page.locator("#text").fill(unmuted.replace("receiver: on-call\n    repeat", "receiver: operations\n    repeat"))
        page.get_by_role("button", name="Put in force").click()
        expect(page.get_by_text("The routes are in force.")).to_be_visible()
        month.mailbox.wait(1)
        page = lead.go("/alerts/notifications")
        until(page, "main", "delivered")
        lead.looked()
    subjects = " ".join(
        (each.content or b"").decode() for each in month.mailbox.mails if isinstance(each.content, bytes)
    )
    assert "A listed indicator was contacted" in subjects
    with month.house.visit(browser, "callum.grant") as analyst:
        page = analyst.go("/alerts")
        paths = [str(each.get_attribute("href")) for each in page.locator('a[href^="/alerts/al-"]').all()]
        assert len(paths) >= 2
        for path in paths:
            page = analyst.go(path)
            for step in ("Acknowledge", "Start work"):
                if page.get_by_role("button", name=step, exact=True).count():
                    press(analyst, step)
            page.locator("#done").fill("Took the laptop off the network, and asked its owner")
            press(analyst, "Record it")
            page.locator("#verdict").select_option("true_positive")
            page.locator("#reason").fill("As the sentence says; it is dealt with")
            press(analyst, "Close the alert")
            expect(page.locator(".tag", has_text="closed: true positive")).to_be_visible()
        page = analyst.go("/alerts?state=closed&severity=critical")
        expect(page.get_by_role("row").filter(has_text="A listed indicator was contacted")).to_have_count(1)


def test_the_keys_that_were_silent_arrive_and_the_gap_closes(month: Month, browser: Browser) -> None:
    with month.house.visit(browser, "divya.pillai") as deputy:
        page = deputy.go("/systems")
        deputy.does(page.get_by_role("link", name="Payments", exact=True).click, then="/systems/y-")
        expect(page.get_by_role("table", name="Gaps between")).to_contain_text("settlement-keys has not arrived")
        month.house.send(
            {
                "action": "secret.read",
                "actor": {"id": "settlement", "type": "service"},
                "target": {"id": "settlement-key", "type": "secret"},
                "scope": "wrenfield/payments/settlement",
                "occurred_at": time_of_us(time.time_ns() // 1000),
            }
        )
        until(page, "main", "settlement-keys has not arrived", gone=True)
        expect(page.locator("tr").filter(has_text="settlement-keys").first).to_contain_text("arrives")
        deputy.looked()
        page = deputy.go("/events?q=action:coverage.gap_closed")
        until(page, "tr[data-row]", "coverage")


def test_four_weeks_are_reviewed_one_late_and_all_verify_without_the_server(
    month: Month, browser: Browser, tmp_path: Path
) -> None:
    newest = month.reviews[-1]
    assert [each.late for each in month.reviews] == [False, True, False, False]
    with month.house.visit(browser, "linnea.sand") as reviewer:
        page = reviewer.go("/reviews")
        expect(page.get_by_role("row").filter(has_text="signed late")).to_have_count(1)
        for section in BY_HAND:
            reviewer.go(f"/reviews/{newest.id}/sections/{section}")
            page.locator("#note").fill("Each is followed up in its alert")
            page.get_by_role("button", name="Finding", exact=True).click()
            expect(page.get_by_role("status")).to_contain_text("arked")
        sign(reviewer, newest)
        packages = [take_away(reviewer, each, tmp_path) for each in month.reviews]
    assert len(packages) == 4
    for package in packages:
        report = verify_package(package, Trust(), lambda *_: None)
        assert report.findings == (), package
        assert any("signs the review" in each for each in report.remarks)


def test_a_class_expires_a_hold_keeps_part_of_an_erasure_and_verify_explains_every_absence(
    month: Month, browser: Browser
) -> None:
    with month.house.visit(browser, "linnea.sand") as keeper, month.house.visit(browser, "beatriz.lima") as lead:
        keeper.go("/retention/person")
        page = keeper.page
        page.locator("#names").fill("karim.haddad")
        page.get_by_role("button", name="Find").click()
        expect(page.locator("main")).to_contain_text(f"stay until hold {HOLD} is released")
        keeper.looked()
        page.locator("#reason").fill("He asked for it")
        page.get_by_role("button", name="Ask for the erasure").click()
        keeper.is_at("/retention/changes/rc-")
        path = keeper.path()

        other = lead.go(path)
        other.get_by_role("button", name="Approve").click()
        expect(other.locator("main")).to_contain_text("Approved by")
        lead.go("/retention")
        until(other, 'div[aria-label="Past runs"]', "finished")
        lead.looked()
        lead.go(path)
        until(other, "main", AWAITED, gone=True)
        expect(other.locator("main")).to_contain_text(f"stay until hold {HOLD} is released")
        lead.looked()
    report = verify_target(str(month.root / "data"), load_trust())
    assert report.findings == ()
    covered = [(each.ground.partition(" at ")[0], each.covers) for each in report.erasures if each.covers]
    assert {ground for ground, _ in covered} == {"retention", "request"}
    assert sum(count for _, count in covered) > 50
