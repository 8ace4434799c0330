"""Coming in through the organisation's identity provider, as a browser does."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.absent import lacking
from tests.browser.test_journey_account import set_up
from tests.browser.visitor import visiting
from tests.oidc_world import SECRET, certified_provider, free_port, missing
from tests.server_process import serving

BACK = "/sign-in/provider/back"


@pytest.fixture(scope="module", autouse=True)
def _provider_is_here() -> None:
    if why := missing():
        lacking(why)


def test_whoever_the_provider_knows_is_let_in_and_may_do_nothing_before_somebody_decides(
    tmp_path: Path, browser: Browser
) -> None:
    port = free_port()
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    with certified_provider(f"http://127.0.0.1:{port}{BACK}") as issuer:
        settings = {
            "TALLYSTICK_OIDC_ISSUER": issuer,
            "TALLYSTICK_OIDC_CLIENT_ID": "tallystick",
            "TALLYSTICK_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
            "TALLYSTICK_OIDC_NAME": "Example SSO",
            "TALLYSTICK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        with (
            serving(tmp_path, port=port, **settings) as server,
            visiting(browser, server.url) as ada,
            visiting(browser, server.url) as mira,
        ):
            set_up(ada, server)
            mira.watch.allowed_origins.add(issuer)
            page = mira.go("/sign-in?next=/account")
            mira.does(page.get_by_role("link", name="Sign in with Example SSO").click, then="/account")
            expect(page.locator("a.account")).to_have_text("Mira Okafor")
            with mira.watch.refusals(403):
                mira.go("/events")
                expect(page.locator(".alert")).to_contain_text("permission")
            mira.go("/account")
            mira.does(page.get_by_role("button", name="Sign out", exact=True).first.click, then="/sign-in")
            with mira.watch.refusals(401):
                mira.go(f"{BACK}?code=guessed&state=guessed")
                expect(page.locator(".alert")).to_be_visible()
