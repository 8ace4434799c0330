"""One server for all journeys, and one browser for those of a module.

While Playwright runs, no other test in this thread could have an event loop: so the browser ends with its module.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.browser.chromium import browsing
from tests.browser.house import House, housing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with housing(tmp_path_factory.mktemp("browser")) as opened:
        yield opened
