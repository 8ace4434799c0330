"""What a destination gets: no more than who set it up may read, and never personal data unless somebody grants it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from tests.installation import sample
from tests.people_world import People, settle
from tests.stream_world import StreamWorld, streaming, wait_until

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.errors import PermissionMissingError
from tallystick.query.errors import PersonalWithheldError
from tallystick.stream.errors import DestinationInvalidError, DestinationUnknownError
from tallystick.stream.model import Format, Settings

P = Permission
MANAGES = (P.STREAMS_READ, P.STREAMS_MANAGE, P.EVENTS_READ)
QUIET_ACTION = b"""
format: 1
category: application
actions:
  till.opened:
    description: Someone opened a till; it happens so often that nobody wants it streamed.
    message: "Opened the till"
    streamed: false
    ocsf: [6003, 1]
    controls: ["SOC 2 CC7.2"]
    since: "0.1.0"
"""


def service(*permissions: Permission) -> Caller:
    """Return a service with permissions everywhere."""
    rights = Rights.of((permission, "") for permission in permissions)
    return Caller("collector", "service", "collector", rights, "192.0.2.9", "api")


def person(people: People, handle: str, *more: Permission, scope: str = "") -> Caller:
    """Return somebody who manages streams in a scope, with more permissions there."""
    role = people.role((*MANAGES, *more))
    return people.caller(people.join(handle, (role, scope)))


def at_ok(world: StreamWorld, **changes: object) -> Settings:
    return msgspec.structs.replace(Settings(name="there", url=world.receiver.url()), **changes)


def test_personal_data_is_withheld_unless_it_is_granted(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        world.create("facts")
        world.create("personal", personal=True)
        sent = world.send(1)
        wait_until(lambda: sent[0] in world.receiver.ids("facts") and sent[0] in world.receiver.ids("personal"))
        facts, personal = world.receiver.events("facts")[-1], world.receiver.events("personal")[-1]
        assert facts["id"] == personal["id"] == sent[0]
        assert "ana@example.org" not in json.dumps(facts)
        assert "192.0.2.7" not in json.dumps(facts)
        assert facts["withheld"] is True
        assert personal["event"]["actor"]["email"] == "ana@example.org"
        assert personal["event"]["context"]["ip"] == "192.0.2.7"
        assert personal["withheld"] is False


def test_only_who_holds_the_right_to_personal_data_grants_it_and_no_service_does(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        people = settle(world.house.instance)
        mia, noa = person(people, "mia"), person(people, "noa", P.EVENTS_READ_PERSONAL)
        wanted = at_ok(world, personal=True)
        with pytest.raises(PermissionMissingError, match="read_personal"):
            world.streams.create(mia, wanted)
        with pytest.raises(DestinationInvalidError, match="only a person"):
            world.streams.create(service(*MANAGES, P.EVENTS_READ_PERSONAL), wanted)
        made = world.streams.create(noa, wanted)
        elsewhere = world.receiver.url("elsewhere")
        with pytest.raises(PermissionMissingError, match="read_personal"):
            world.streams.change(mia, made.id, lambda old: msgspec.structs.replace(old, url=elsewhere))
        with pytest.raises(PermissionMissingError, match="read_personal"):
            world.streams.backfill(mia, made.id, 0)
        assert world.find(made.id).now.maker == noa.id


def test_a_query_about_personal_data_is_refused_where_that_is_not_granted(tmp_path: Path) -> None:
    with streaming(tmp_path) as world, pytest.raises(PersonalWithheldError):
        world.create(query="actor.email:ana@example.org")


def test_a_destination_of_another_scope_is_not_there(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(scope="acme/payments")
        stranger = person(settle(world.house.instance), "mia", scope="acme/intranet")
        assert world.streams.listed(stranger) == []
        for ask in (world.streams.get, world.streams.letters, world.streams.pause, world.streams.delete):
            with pytest.raises(DestinationUnknownError):
                ask(stranger, destination)
        with pytest.raises(PermissionMissingError):
            world.streams.create(stranger, at_ok(world, scope="acme/payments"))
        with pytest.raises(PermissionMissingError):
            world.streams.create(stranger, at_ok(world, scope=""))


@pytest.mark.parametrize(
    ("query", "scope"),
    [("", ""), ("action:user.*", "acme"), ("-outcome:failure actor:ana", ""), ("intranet", "acme/intranet")],
)
def test_a_destination_gets_just_what_a_search_by_the_same_question_finds(
    tmp_path: Path, query: str, scope: str
) -> None:
    events = [
        sample(),
        sample(action="user.signed_out", scope="acme/payments"),
        sample(action="file.read", outcome="failure"),
        sample(actor={"id": "ben", "type": "user"}, scope="other"),
    ]
    with streaming(tmp_path) as world:
        world.house.post(events * 3).raise_for_status()
        world.create(query=query, scope=scope, from_index=0)
        last = world.send(1)[0]  # by which is known that everything before it was judged
        wait_until(lambda: last in world.receiver.ids() or world.all()[0][1].lag == 0)
        parameters = {"query": query, "limit": "1000", **({"scope": scope} if scope else {})}
        found = world.house.http.get("/api/v1/events", params=parameters, headers=world.house.token()).json()["events"]
        wanted = [row["id"] for row in reversed(found) if not row["event"]["action"].startswith("stream.")]
        got = [each for each in world.receiver.events() if not each["event"]["action"].startswith("stream.")]
        assert [each["id"] for each in got] == wanted


def test_what_the_catalogue_marks_as_not_streamed_is_recorded_and_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "quiet.yaml"
    file.write_bytes(QUIET_ACTION)
    with streaming(tmp_path, catalogue_files=(file,)) as world:
        world.create()
        world.send(2, action="till.opened")
        sent = world.send(1)
        wait_until(lambda: sent[0] in world.receiver.ids())
        assert "till.opened" not in world.receiver.actions()
        assert world.house.actions().count("till.opened") == 2


def test_streaming_is_recorded_as_reading_and_does_not_feed_itself(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create(reading=True)
        sent = world.send(3)
        wait_until(lambda: set(sent) <= set(world.receiver.ids()))
        wait_until(lambda: world.standing(destination).lag == 0)
        size = len(world.house.actions())
        assert world.house.actions().count("events.streamed") == 1
        seen = world.standing(destination).position.sent
        wait_until(lambda: world.standing(destination).lag == 0)
        assert "events.streamed" not in world.receiver.actions()
        assert len(world.house.actions()) == size
        assert world.standing(destination).position.sent == seen
        rows = world.house.get("/api/v1/events", query="class:reading action:events.streamed").json()["events"]
        assert rows[0]["event"]["actor"] == {"id": destination, "type": "service"}


def test_changes_of_streaming_are_events_with_who_what_and_the_rights_that_were_granted(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        destination = world.create("old", query="action:release.*", headers={"X-Key": "a-very-secret-value"})
        world.streams.change(OPERATOR, destination, lambda old: msgspec.structs.replace(old, query="action:user.*"))
        world.streams.rotate(OPERATOR, destination, 60)
        world.streams.test(OPERATOR, destination)
        rows = world.house.get("/api/v1/events", query="action:stream.*").json()["events"]
        by_action = {row["event"]["action"]: row["event"] for row in rows}
        assert {"stream.created", "stream.changed", "stream.secret_rotated", "stream.tested"} == set(by_action)
        changed = by_action["stream.changed"]
        assert changed["metadata"]["rights"] == {"events.read": ["/"]}
        assert {"field": "query", "old": "action:release.*", "new": "action:user.*"} in changed["changes"]
        assert "a-very-secret-value" not in json.dumps(rows)
        assert world.made[destination].signing not in json.dumps(rows)
        # Its own changes reach a destination whatever it asks for, and the last one where it was set before.
        wait_until(lambda: "stream.tested" in world.receiver.actions("old"))
        assert world.receiver.actions("old")[:2] == ["stream.changed", "stream.secret_rotated"]


def test_gitlabs_form_has_its_headers_its_names_and_its_present_words(tmp_path: Path) -> None:
    with streaming(tmp_path) as world:
        token = "a-token-of-24-characters"
        world.create("ok", format=Format.GITLAB, token=token, query="action:release.* OR action:security_policy.*")
        for action, metadata, name in (
            ("release.created", {"tag": "v0.3"}, "New Release"),
            ("release.created", {"tag": "v0.3", "milestones": ["M1", "M2"]}, "New Release"),
            ("release.milestones_changed", {"tag": "v0.3", "milestones": []}, "New Release"),
            ("security_policy.created", {}, "No secrets"),
        ):
            target = {"id": "41", "type": "release", "name": name}
            world.send(1, action=action, metadata=metadata, target=target, scope="acme/web")
        wait_until(lambda: len(world.receiver.taken()) >= 4)
        requests = world.receiver.taken()
        bodies = [json.loads(each["body"]) for each in requests]
        assert [each["headers"]["X-Gitlab-Audit-Event-Type"] for each in requests] == [
            "release_created", "release_created", "release_milestones_updated", "security_policy_create"
        ]  # fmt: skip
        assert {each["headers"]["X-Gitlab-Event-Streaming-Token"] for each in requests} == {token}
        assert {each["headers"]["Content-Type"] for each in requests} == {"application/x-www-form-urlencoded"}
        assert [body["details"]["custom_message"] for body in bodies] == [
            "Created release v0.3",
            "Created release v0.3 with Milestones M1, M2",
            "Milestones associated with release changed to [none]",
            'Created security policy with the name: "No secrets"',
        ]
        assert bodies[0]["target_id"] == 41
        assert bodies[0]["target_details"] == "New Release"
        assert bodies[0]["entity_path"] == "acme/web"
        assert bodies[0]["created_at"] == "2026-03-01T12:00:00.000Z"
        assert bodies[0]["ip_address"] is None, "an address is personal"
