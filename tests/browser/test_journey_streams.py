"""Setting a stream up, seeing it do well and badly, and mending it; and letting GitLab in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, expect
from tests.browser.visitor import Visitor, visiting
from tests.installation import make_token, sample, settings
from tests.people_world import Member, settle
from tests.server_process import ServerProcess, serving
from tests.stream_world import ReceiverProcess, receiving, wait_until

from tallystick.access.permissions import Permission
from tallystick.server import open_instance

P = Permission
RIGHTS = (P.STREAMS_MANAGE, P.EVENTS_READ, P.EVENTS_READ_PERSONAL, P.SOURCES_MANAGE)


@dataclass(frozen=True)
class Place:
    """A server that may stream to this machine, somebody who may set that up, and a receiver."""

    server: ServerProcess
    mia: Member
    token: str
    receiver: ReceiverProcess

    def send(self, **changes: object) -> None:
        answer = httpx.post(
            f"{self.server.url}/api/v1/events",
            content=json.dumps(sample(**changes)),
            headers={"authorization": f"Bearer {self.token}"},
            timeout=60,
        )
        assert answer.status_code == 201, answer.text

    @contextmanager
    def visit(self, browser: Browser) -> Iterator[Visitor]:
        with visiting(browser, self.server.url, {"tallystick": self.mia.cookie}) as visitor:
            yield visitor


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("streams")
    with open_instance(settings(root)) as instance:
        people = settle(instance)
        mia = people.join("mia", (people.role(RIGHTS), ""))
        token = make_token(instance).secret
    config = root / "tallystick.toml"
    config.write_text('[stream]\nnetworks = ["127.0.0.1"]\n')
    with receiving(root / "receiver") as receiver, serving(root, "--config", config) as server:
        yield Place(server, mia, token, receiver)


def test_a_stream_is_set_up_its_refused_event_replayed_paused_resumed_and_deleted(
    place: Place, browser: Browser
) -> None:
    receiver = place.receiver
    receiver.refuse("poisoned-cup")
    with place.visit(browser) as mia:
        page = mia.go("/streams")
        expect(page.get_by_role("heading", name="Nothing is streamed where you may see it")).to_be_visible()
        page.locator("#name").fill("SIEM <b>north</b>")
        page.locator("#url").fill("https://169.254.169.254/latest")
        with mia.watch.refusals(422):
            page.get_by_role("button", name="Begin to stream").click()
            expect(page.locator(".alert")).to_contain_text("private network")
            mia.looked()
        assert page.locator("#name").input_value() == "SIEM <b>north</b>"
        page.locator("#url").fill(receiver.url())
        page.get_by_role("button", name="Begin to stream").click()
        expect(page.get_by_role("heading", name="The secrets, for the only time")).to_be_visible()
        mia.looked()
        secret = page.locator(".copyable code", has_text="whsec_").inner_text()
        place.send()
        wait_until(lambda: "user.signed_in" in receiver.actions())
        mia.go("/streams")
        expect(page.locator("main")).to_contain_text("up to date")
        assert secret not in page.content(), "the secret is shown once"
        page.get_by_role("link", name="SIEM <b>north</b>").click()
        page.get_by_role("button", name="Send a test").click()
        expect(page.locator("body")).to_contain_text("The test was taken")
        mia.looked()

        place.send(target={"id": "poisoned-cup", "type": "application"})
        place.send(actor={"id": "after", "type": "user"})
        wait_until(lambda: receiver.events()[-1]["event"]["actor"]["id"] == "after")
        page.reload()
        expect(page.get_by_role("table", name="Events that were set aside")).to_contain_text("not this one")
        mia.looked()
        receiver.refuse(None)
        page.get_by_role("button", name="Replay all").click()
        expect(page.locator("body")).to_contain_text("1 event is sent again")
        wait_until(lambda: any(each["event"]["targets"][0]["id"] == "poisoned-cup" for each in receiver.events()))
        page.reload()
        expect(page.locator("main")).to_contain_text("Nothing was refused for good.")

        page.get_by_role("button", name="Pause").click()
        expect(page.locator("h1")).to_contain_text("paused")
        mia.looked()
        place.send(actor={"id": "meanwhile", "type": "user"})
        page.get_by_role("button", name="Resume").click()
        wait_until(lambda: any(each["event"]["actor"].get("id") == "meanwhile" for each in receiver.events()))
        page.locator("#query").fill("action:release.*")
        page.get_by_role("button", name="Change", exact=True).click()
        expect(page.locator("body")).to_contain_text("Changed for what is recorded from now on.")
        page.get_by_role("button", name="Make a new secret").click()
        expect(page.locator(".copyable code", has_text="whsec_")).to_be_visible()
        mia.looked()
        page.get_by_role("button", name="Delete for ever").click()
        mia.is_at("/streams")
        wait_until(lambda: "stream.deleted" in receiver.actions())


def test_gitlab_is_let_in_by_its_verification_token(place: Place, browser: Browser) -> None:
    with place.visit(browser) as mia:
        page = mia.go("/sources")
        page.locator("#name").fill("gitlab-acme")
        page.locator("#scopes").fill("gitlab/acme")
        page.get_by_role("button", name="Register").click()
        page.get_by_role("link", name="Let GitLab send as this source").click()
        mia.looked()
        address = page.locator(".copyable code").inner_text()
        assert (
            httpx.post(address, content=b"{}", headers={"x-gitlab-event-streaming-token": "x" * 20}).status_code == 401
        )
        page.locator("#token").fill("Lq8sX2nWvR5tYb7K-u3e")
        page.get_by_role("button", name="Set the token").click()
        expect(page.locator("main")).to_contain_text("A token was set")
        mia.looked()
        event = {
            "id": "1", "author_id": 7, "author_name": "Ana", "entity_id": 3, "entity_type": "Project",
            "entity_path": "acme/web", "target_id": 9, "target_type": "Release", "target_details": "v1", "details": {},
            "event_type": "release_created", "created_at": "2026-03-01T12:00:00.000Z",
        }  # fmt: skip
        headers = {
            "x-gitlab-event-streaming-token": "Lq8sX2nWvR5tYb7K-u3e",
            "content-type": "application/x-www-form-urlencoded",
        }
        answer = httpx.post(address, content=json.dumps(event), headers=headers)
        assert answer.status_code == 201, answer.text
        mia.go("/events?q=action:release.created")
        expect(mia.rows().first).to_be_visible()
