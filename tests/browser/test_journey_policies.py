"""Security policies as their users accept them: a project, a merged change, the events, and approval by another."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from tests.browser.house import House
from tests.browser.test_journey_account import sign_in
from tests.policy_world import Repository, approval, policies

WAIT_MS = 60_000
OWNER = "wrenfield/security"
GOVERNED = "wrenfield/payments"


def until_it_shows(page: Page, text: str) -> None:
    """Load the page again until it shows a text: what is pushed appears by itself, within seconds."""
    for _ in range(120):
        if page.locator("main").get_by_text(re.compile(re.escape(text))).count():  # a text would match in any case
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator("main")).to_contain_text(text)


def test_a_merged_change_of_a_policy_is_found_with_its_context(house: House, browser: Browser, tmp_path: Path) -> None:
    repository = Repository.make(tmp_path / "repository", policies())
    with house.visit(browser, "lea") as lea:
        page = lea.go("/policies")
        page.get_by_role("link", name="Register a policy project").click()
        lea.is_at("/policies/register")
        lea.looked()
        page.locator("#title").fill("Wrenfield security policies")
        page.locator("#scope").fill(OWNER)
        page.locator("#governed").fill(f"{GOVERNED} wrenfield/platform")
        page.locator("#repository").fill(str(repository.path))
        page.get_by_role("button", name="Register").click()
        lea.is_at("/policies/pp-")
        until_it_shows(page, "in step")
        lea.looked()
        project = lea.path()

        repository.git("switch", "--quiet", "--create", "change")
        repository.commit(policies(approval("Two pairs of eyes")))
        repository.git("switch", "--quiet", "main")
        repository.git("merge", "--quiet", "--no-ff", "--message=Merge change", "change")
        until_it_shows(page, "Two pairs of eyes")
        lea.looked()
        page.get_by_role("link", name="Audit events").click()
        lea.is_at(r"/events\?")
        expect(lea.rows().filter(has_text="security_policy.created")).to_have_count(1)
        lea.looked()
        lea.go(f"{project}/history")
        created = page.get_by_role("listitem").filter(has_text="Two pairs of eyes").first
        expect(created).to_contain_text("Ana Lind")
        expect(created).to_contain_text("not verified")
        expect(created).to_contain_text(repository.head())
        expect(created).to_contain_text(GOVERNED)

        repository.commit(policies(approval("Two pairs of eyes", needed=2)))
        lea.go(project)
        until_it_shows(page, "updated")
        page.get_by_role("listitem").filter(has_text="updated").get_by_text("1 change").click()
        expect(page.get_by_role("group", name="Changes").first).to_contain_text("/actions/0/approvals_required")
        lea.looked()
        repository.commit(policies())
        until_it_shows(page, "deleted")
        expect(page.get_by_role("heading", name="No policy is in force")).to_be_visible()
        lea.looked()
        for verb in ("created", "updated", "deleted"):
            lea.go(f"/events?q=action:security_policy.{verb} metadata.project:{project.rpartition('/')[2]}")
            expect(lea.rows()).to_have_count(1)


def test_a_version_that_cannot_be_accepted_is_shown_with_its_place(
    house: House, browser: Browser, tmp_path: Path
) -> None:
    repository = Repository.make(tmp_path / "repository", policies(approval("Kept in force")))
    with house.visit(browser, "lea") as lea:
        page = lea.go("/policies/register")
        page.locator("#title").fill("Broken policies")
        page.locator("#scope").fill(OWNER)
        page.locator("#governed").fill(GOVERNED)
        page.locator("#repository").fill(str(repository.path))
        page.get_by_role("button", name="Register").click()
        until_it_shows(page, "Kept in force")
        repository.commit(policies(approval("Kept in force", more="  <b>colour</b>: blue\n")))
        until_it_shows(page, "Line 4, column 3")
        expect(page.locator("main")).to_contain_text("<b>colour</b>")
        expect(page.get_by_role("table", name="Policies in force")).to_contain_text("Kept in force")
        lea.looked()


def test_policies_kept_here_are_proposed_by_one_and_approved_by_another(house: House, browser: Browser) -> None:
    with house.visit(browser) as pia, house.visit(browser) as lea:
        page = pia.go("/sign-in?next=/policies/register")
        sign_in(pia, "pia")
        pia.is_at("/policies/register")
        page.locator("#title").fill("Kept here")
        page.locator("#scope").fill(OWNER)
        page.locator("#governed").fill(GOVERNED)
        page.locator("#kept").select_option("here")
        page.locator("#approval-yes").check()
        page.get_by_role("button", name="Register").click()
        pia.is_at("/policies/pp-")
        project = pia.path()
        page.get_by_role("link", name="Edit policies").click()
        pia.looked()
        page.locator("#text").fill("approval_policy:\n- name: Broken\n  colour: blue\n")
        with pia.watch.refusals(422):
            page.get_by_role("button", name="Show what it changes").click()
            expect(page.locator(".alert")).to_contain_text("colour")
        expect(page.locator("main")).to_contain_text("The line that is meant: colour: blue")
        pia.looked()
        page.locator("#text").fill(policies(approval("Approved by another")))
        page.get_by_role("button", name="Show what it changes").click()
        expect(page.get_by_role("heading", name="What this would change")).to_be_visible()
        pia.looked()
        page.locator("#reason").fill("the first one")
        page.get_by_role("button", name="Propose").click()
        pia.is_at(f"{project}/proposals/pr-")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        pia.looked()
        proposal = pia.path()

        page = lea.go(f"/sign-in?next={proposal}")
        sign_in(lea, "lea")
        lea.is_at(proposal)
        lea.looked()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("table", name="Policies in force")).to_contain_text("Approved by another")
        lea.looked()
        pia.go(proposal)
        expect(pia.page.locator("main")).to_contain_text("Approved by Lea Lind")


def test_who_reads_a_governed_scope_finds_what_governs_it_and_no_more(house: House, browser: Browser) -> None:
    with house.visit(browser) as pia:
        page = pia.go("/sign-in?next=/policies/register")
        sign_in(pia, "pia")
        pia.is_at("/policies/register")
        page.locator("#title").fill("For two scopes")
        page.locator("#scope").fill("wrenfield/secret-owner")
        page.locator("#governed").fill(f"{GOVERNED} wrenfield/secret-other")
        page.locator("#kept").select_option("here")
        page.get_by_role("button", name="Register").click()
        pia.is_at("/policies/pp-")
        page.get_by_role("link", name="Edit policies").click()
        page.locator("#text").fill(policies(approval("Seen from below")))
        page.get_by_role("button", name="Put in force").click()
        expect(page.get_by_role("table", name="Policies in force")).to_contain_text("Seen from below")
    with house.visit(browser, "nora") as nora:
        page = nora.go(f"/policies/scopes?scope={GOVERNED}/api")
        expect(page.get_by_role("table", name="Policies that govern this scope")).to_contain_text("Seen from below")
        expect(page.get_by_role("listitem").filter(has_text="Seen from below")).to_contain_text("created")
        assert "secret" not in page.content()
        page.get_by_role("link", name="For two scopes").first.click()
        nora.is_at("/policies/pp-")
        nora.looked()
        assert "secret" not in page.content()
        assert not re.search(r"Settings</a>|Edit policies", page.locator("main").inner_html())
