"""The harness itself: a fault of each kind on a page is seen, so that a clean journey means something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser
from tests.browser.chromium import TIMEOUT_MS, Watch, assert_accessible

HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>a page</title><main><h1>A page</h1>'
PAGES = {
    "/clean": HEAD + '<p><a href="/clean">a link</a></p></main>',
    "/inline-script": HEAD + "<script>document.title = 'changed'</script></main>",
    "/console": HEAD + '</main><script src="/console.js"></script>',
    "/console.js": "console.error('broken on purpose')",
    "/uncaught": HEAD + '</main><script src="/uncaught.js"></script>',
    "/uncaught.js": "throw new Error('broken on purpose')",
    "/lost-image": HEAD + '<img src="/nowhere.png" alt="lost"></main>',
    "/elsewhere": HEAD + '<img src="http://192.0.2.1/x.png" alt="elsewhere"></main>',
    "/no-label": HEAD + "<input></main>",
    "/pale-in-dark": HEAD + '<link rel="stylesheet" href="/pale.css"><p>hardly seen</p></main>',
    "/pale.css": "@media (prefers-color-scheme: dark) { body { background: #111; color: #222 } }",
}
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'"


class Faulty(BaseHTTPRequestHandler):
    """Serves the pages above."""

    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        kind = {"js": "text/javascript", "css": "text/css"}.get(self.path.rpartition(".")[2], "text/html")
        self.send_response(200 if page is not None or self.path == "/favicon.ico" else 404)
        self.send_header("content-type", kind)
        self.send_header("content-security-policy", POLICY)
        self.end_headers()
        self.wfile.write((page or "").encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def faults_of(browser: Browser, origin: str) -> Callable[[str], list[str]]:
    def visit(path: str) -> list[str]:
        with browser.new_context() as context:
            context.set_default_timeout(TIMEOUT_MS)
            watch = Watch(origin)
            watch.over(context)
            context.new_page().goto(origin + path, wait_until="load")
            return watch.faults

    return visit


def test_a_page_without_a_fault_is_clean(faults_of: Callable[[str], list[str]]) -> None:
    assert faults_of("/clean") == []


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        ("/inline-script", "content policy: script-src-elem refused inline"),
        ("/console", "console: broken on purpose"),
        ("/uncaught", "uncaught: broken on purpose"),
        ("/lost-image", "answered 404: GET"),
        ("/elsewhere", "asked somebody else: http://192.0.2.1/x.png"),
    ],
)
def test_every_kind_of_fault_is_seen(faults_of: Callable[[str], list[str]], path: str, seen: str) -> None:
    assert any(seen in fault for fault in faults_of(path)), faults_of(path)


@pytest.mark.parametrize(("path", "rule"), [("/no-label", '"label"'), ("/pale-in-dark", "color-contrast")])
def test_axe_judges_structure_and_both_colour_schemes(browser: Browser, origin: str, path: str, rule: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(origin + path)
        with pytest.raises(AssertionError, match=rule):
            assert_accessible(page)
        page.goto(origin + "/clean")
        assert_accessible(page)
