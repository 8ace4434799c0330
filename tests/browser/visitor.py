"""Somebody who uses the pages in a browser of her own; what goes wrong on any page she sees fails the journey."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from tests.browser.chromium import TIMEOUT_MS, Watch, assert_accessible

expect.set_options(timeout=TIMEOUT_MS)


@dataclass
class Visitor:
    """One browser profile at one server, with the page that is looked at."""

    origin: str
    context: BrowserContext
    page: Page
    watch: Watch
    scripts: bool = True

    def go(self, path: str) -> Page:
        """Open a path of the server, wait until nothing is awaited any more, and judge the page."""
        self.page.goto(self.origin + path)
        self.looked()
        return self.page

    def looked(self) -> None:
        """Judge the page as it is now: axe in both schemes, and no fault so far."""
        self.settle()
        if self.scripts:
            assert_accessible(self.page)
        self.watch.assert_clean()

    def settle(self) -> None:
        """Wait until the page and what it loads after itself are there."""
        self.page.wait_for_load_state("load")
        expect(self.page.locator(".pending")).to_have_count(0)

    def path(self) -> str:
        """Return path and query of the address bar."""
        return self.page.url.removeprefix(self.origin)

    def rows(self) -> Locator:
        """Return the rows of the table of events."""
        return self.page.locator("tr[data-row]")

    def status(self) -> str:
        """Return what the page says that it found."""
        return self.page.locator("p.status").inner_text()

    def is_at(self, pattern: str) -> None:
        """Wait until the address is one that matches, after the origin."""
        expect(self.page).to_have_url(re.compile(re.escape(self.origin) + pattern))

    def does(self, act: Callable[[], Any], *, then: str) -> None:
        """Do something, wait for the address that it leads to, and judge the page there."""
        act()
        self.is_at(then)
        self.looked()


@contextmanager
def visiting(
    browser: Browser, origin: str, cookies: dict[str, str] | None = None, *, scripts: bool = True, **more: Any
) -> Iterator[Visitor]:
    """Yield a visitor with a fresh profile; ends with every fault that any page had."""
    context = browser.new_context(java_script_enabled=scripts, locale="en-GB", timezone_id="UTC", **more)
    context.set_default_timeout(TIMEOUT_MS)
    watch = Watch(origin)
    watch.over(context)
    for name, value in (cookies or {}).items():
        context.add_cookies([{"name": name, "value": value, "url": origin, "httpOnly": True, "sameSite": "Lax"}])
    try:
        yield Visitor(origin, context, context.new_page(), watch, scripts)
        watch.assert_clean()
    finally:
        context.close()
