"""Take the pictures of the main pages for README and guide: `python -m tools.screenshots`, from the repository.

The demo organisation is loaded with a fixed seed into a new directory, a real server shows it in headless Chromium, once
in light and once in dark. Events and people are the same each time; times are those of the day on which it runs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser
from tests.browser.chromium import browsing
from tests.browser.house import House, housing

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
TALL = 1500
"""High enough for an event with its proof."""
BYTES_MAX = 250_000
SCHEMES = ("light", "dark")
PAGES = {
    "events": ("ana", "/events?scope=wrenfield"),
    "event": ("ana", "/events?q=has:changes.field&scope=wrenfield"),
    "log": ("ana", "/log"),
    "access": ("lea", "/access"),
    "sources": ("ada", "/sources"),
    "health": ("ada", "/health"),
}


def main() -> None:
    """Take all pictures; a picture that is too large for a README fails."""
    with tempfile.TemporaryDirectory() as folder, housing(Path(folder)) as house, browsing() as browser:
        for name in PAGES:
            for scheme in SCHEMES:
                take(house, browser, name, scheme)


def take(house: House, browser: Browser, name: str, scheme: str) -> None:
    """Take the picture of one page in one colour scheme."""
    handle, path = PAGES[name]
    target = IMAGES / f"{name}-{scheme}.png"
    with house.visit(browser, handle, viewport=SIZE, color_scheme=scheme) as visitor:
        visitor.page.goto(visitor.origin + path)
        visitor.settle()
        if name == "event":
            visitor.page.set_viewport_size({"width": SIZE["width"], "height": TALL})
            visitor.page.locator("tr[data-row] td.k-time a").first.click()
            visitor.page.locator("#proof svg").wait_for()
            visitor.settle()
        visitor.page.screenshot(path=target, animations="disabled", scale="css")
    size = target.stat().st_size
    if size > BYTES_MAX:
        raise SystemExit(f"{target.name} has {size:,} bytes, more than {BYTES_MAX:,}")


if __name__ == "__main__":
    main()
