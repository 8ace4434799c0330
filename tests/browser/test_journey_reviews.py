"""Four weekly reviews as reviewers do them: one late, all taken away, and verified without the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, expect
from tests.browser.visitor import Visitor, visiting
from tests.review_world import WEEK_S, World, review_world

from tallystick.review.model import Review
from tallystick.verify.anchors import Trust
from tallystick.verify.package import verify_package
from tallystick.web.site import create_site

START_S_MAX = 60


@contextmanager
def served(world: World) -> Iterator[str]:
    """Yield the address of pages over a world, whose clock the test moves."""
    server = uvicorn.Server(uvicorn.Config(create_site(world.house.instance.services), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_S_MAX
    while not server.started:
        assert time.monotonic() < until, "the server does not start"
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def as_somebody(world: World, browser: Browser, url: str, handle: str) -> Iterator[Visitor]:
    """Yield a browser in which somebody has just signed in: sessions end while the weeks pass."""
    with visiting(browser, url, {"tallystick": world.member(handle).cookie}) as visitor:
        yield visitor


def mark_by_hand(visitor: Visitor, review: Review, *, finding: str = "", hers: str = "") -> None:
    """Mark each section that holds something on its page: one of them with a finding, and not the one that is all about
    herself.
    """
    page = visitor.page
    for each in review.sections:
        if not each.count:
            continue
        visitor.go(f"/reviews/{review.id}/sections/{each.section}")
        visitor.looked()
        if each.section == hers:
            with visitor.watch.refusals(403):
                page.get_by_role("button", name="No finding", exact=True).click()
                expect(page.locator("main").get_by_role("alert")).to_contain_text(
                    "Everything in this section is about you"
                )
            visitor.looked()
            continue
        if each.section == finding:
            page.locator("#note").fill("the same address three nights in a row")
        page.get_by_role("button", name="Finding" if each.section == finding else "No finding", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("arked")


def sign(visitor: Visitor, review: Review, reason: str = "") -> None:
    page = visitor.go(f"/reviews/{review.id}")
    visitor.looked()
    if reason:
        page.locator("#reason").fill(reason)
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The review is signed")
    visitor.looked()


def take_away(visitor: Visitor, review: Review, folder: Path) -> Path:
    """Return the package of a review as the browser saves it."""
    page = visitor.go(f"/reviews/{review.id}")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Package with proofs").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_four_weekly_reviews_are_done_one_late_and_verify_without_the_server(browser: Browser, tmp_path: Path) -> None:
    with review_world(tmp_path) as world, served(world) as url:
        with as_somebody(world, browser, url, "lea") as lea:
            world.member("mia")
            page = lea.go("/reviews/duties")
            lea.looked()
            page.locator("#title").fill("Weekly log review")
            page.locator("#sample").fill("5")
            page.get_by_role("button", name="Set up").click()
            lea.is_at("/reviews/duties/d-")
            lea.looked()
            duty = lea.path().rpartition("/")[2]
        world.send({"action": "user.sign_in_failed", "outcome": "denied"})
        world.week_later()
        first = world.reviews(duty)[0]
        with as_somebody(world, browser, url, "lea") as lea:
            page = lea.go("/reviews")
            expect(page.get_by_role("table")).to_contain_text("2027-W02")
            lea.looked()
            page = lea.go(f"/reviews/{first.id}")
            page.get_by_role("button", name="that hold nothing").click()
            expect(page.get_by_role("status")).to_contain_text("are marked")
            lea.looked()
            mark_by_hand(lea, first, finding="failed_sign_ins", hers="readers")
            page = lea.go(f"/reviews/{first.id}")
            expect(page.locator("main")).to_contain_text("not done")
            page.locator("#text").fill("block the address at the gateway")
            page.locator("#owner").fill("ops")
            page.locator("#due").fill("2027-02-20")
            page.get_by_role("button", name="Open the follow-up").click()
            expect(page.get_by_role("table", name="Follow-ups")).to_contain_text("block the address")
        with as_somebody(world, browser, url, "mia") as mia:
            mark_by_hand(mia, first)
            sign(mia, first)
        for _ in range(3):
            world.week_later()
            review = world.reviews(duty)[0]
            world.mark_all(review, world.caller("lea"), world.caller("mia"))
            is_late = review.period == "2027-W04"
            if is_late:
                world.clock.advance(WEEK_S)
            with as_somebody(world, browser, url, "lea") as lea:
                if is_late:
                    expect(lea.go(f"/reviews/{review.id}").locator("main")).to_contain_text("overdue")
                sign(lea, review, "she was ill" if is_late else "")
        with as_somebody(world, browser, url, "mia") as mia:
            page = mia.go(f"/reviews?duty={duty}")
            expect(page.get_by_role("row").filter(has_text="signed late")).to_have_count(1)
            page = mia.go("/calendar?month=2027-02")
            expect(page.get_by_role("table")).to_contain_text("signed")
            mia.looked()
            reviews = [each for each in world.reviews(duty) if each.closed == "signed"]
            assert len(reviews) == 4
            packages = [take_away(mia, each, tmp_path) for each in reviews]
    for package in packages:
        report = verify_package(package, Trust(), lambda *_: None)
        assert not report.findings, package
        assert any("signs the review" in each for each in report.remarks)
