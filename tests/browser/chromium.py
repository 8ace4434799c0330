"""Headless Chromium as the machine has it, and what a journey may not leave behind on any page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from tests.absent import lacking

TIMEOUT_MS = 60_000
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOUR_RULES = ("color-contrast", "link-in-text-block")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (found) =>
  window.reportViolation(`${found.effectiveDirective} refused ${found.blockedURI} at ${found.sourceFile}`));
"""
_KINDS = """
() => {
  const kind = (node) => `${node.localName}.${node.className?.baseVal ?? node.className}`;
  const all = [...document.querySelectorAll("*")].map((node) =>
    `${kind(node.parentElement ?? node)}>${kind(node)}[${node.getAttributeNames().join()}]`);
  return [document.title, ...new Set(all)].sort().join(" ");
}
"""
_RUN_AXE = """
async (only) => {
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return found.violations.map((each) => ({
    rule: each.id, help: each.help,
    nodes: each.nodes.slice(0, 5).map((node) => `${node.html.slice(0, 200)} (${node.failureSummary})`),
  }));
}
"""
_judged: set[str] = set()


@contextmanager
def browsing() -> Iterator[Browser]:
    """Yield a browser with nothing in it; skips where there is none, unless everything is required."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        lacking("there is no chromium on this machine; Debian's package is `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=list(ARGUMENTS), timeout=TIMEOUT_MS)
        yield browser
        browser.close()


@cache
def axe_source() -> str:
    """Return axe-core's text; skips where it is not installed, unless everything is required."""
    if not AXE.exists():
        lacking("axe-core is not installed; run `npm ci` in tests/browser")
    return AXE.read_text(encoding="utf-8")


@dataclass
class Watch:
    """Everything that went wrong in one browser profile: faults are kept as sentences."""

    origin: str
    faults: list[str] = field(default_factory=list)
    allowed_origins: set[str] = field(default_factory=set)
    _expected: set[int] = field(default_factory=set)

    def over(self, context: BrowserContext) -> None:
        """Look at every page of a profile from now on."""
        context.expose_binding("reportViolation", lambda _, what: self.faults.append(f"content policy: {what}"))
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        context.on("request", self._sent)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    @contextmanager
    def refusals(self, *statuses: int) -> Iterator[None]:
        """Within it, answers of these statuses are what the journey is about."""
        before = self._expected
        self._expected = before | set(statuses)
        yield
        self._expected = before

    def assert_clean(self) -> None:
        """Fail with every fault so far."""
        assert not self.faults, "\n".join(self.faults)

    def _own(self, url: str) -> bool:
        return url.startswith(f"{self.origin}/") or url == self.origin

    def _sent(self, request: Request) -> None:
        place = "{0.scheme}://{0.netloc}".format(urlsplit(request.url))
        if request.url.startswith("http") and not self._own(request.url) and place not in self.allowed_origins:
            self.faults.append(f"asked somebody else: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # Answers that were refused are judged as answers; Chromium's line about them has no more to say.
        if message.type == "error" and not message.text.startswith("Failed to load resource: the server responded"):
            self.faults.append(f"console: {message.text} ({message.location.get('url')})")

    def _failed(self, request: Request) -> None:
        # Leaving a page ends its streams and its pending requests: that is no failure.
        if self._own(request.url) and request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if self._own(response.url) and response.status >= 400 and response.status not in self._expected:
            self.faults.append(f"answered {response.status}: {response.request.method} {response.url}")


def assert_accessible(page: Page) -> None:
    """Fail with what axe finds: every rule in light, and those that look at colours in dark too.

    Structure is the same in both schemes, so that judging it once is enough; and so it is for pages of one title whose
    elements are all of the same kinds, with the same attributes, inside the same.
    """
    kinds = page.evaluate(_KINDS)
    if kinds in _judged:
        return
    page.evaluate(axe_source())
    found: dict[str, list[Any]] = {}
    for scheme, only in (
        ("light", {"type": "tag", "values": RULES}),
        ("dark", {"type": "rule", "values": COLOUR_RULES}),
    ):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found[scheme] = page.evaluate(_RUN_AXE, only)
    page.emulate_media(color_scheme="light")
    assert not any(found.values()), f"{page.url}\n" + json.dumps(found, indent=1, ensure_ascii=False)
    _judged.add(kinds)
