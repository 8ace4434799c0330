from __future__ import annotations

import json

import pytest
from tests.event_samples import NOW_US, OPAQUE, PERSONAL, admission, body, event

from tallystick.event.admission import SourceRules
from tallystick.event.fields import derive
from tallystick.event.merge import BadContentError, merge
from tallystick.event.model import read_event
from tallystick.event.pointer import BadPointerError, format_pointer, parse_pointer


def test_personal_members_return_to_their_places() -> None:
    facts = b'{"a":{},"list":[{"x":1},{}],"~":{"/":{}}}'
    personal = b'{"/a/b":null,"/list/1/y":2,"/new":[1],"/~0/~1/z":3}'
    assert merge(facts, personal) == {
        "a": {"b": None},
        "list": [{"x": 1}, {"y": 2}],
        "new": [1],
        "~": {"/": {"z": 3}},
    }
    assert merge(facts, None) == json.loads(facts)


@pytest.mark.parametrize(
    "personal",
    [
        '{"/gone/x":1}',
        '{"/a":1}',
        '{"/list/0":1}',
        '{"/list/2/x":1}',
        '{"/list/01/x":1}',
        '{"/list/-/x":1}',
        '{"/list/-1/x":1}',
        '{"/list/\u0661/x":1}',
        '{"/list/' + "9" * 5000 + '/x":1}',
        '{"/text/x":1}',
        '{"/new":{},"/new/x":1}',
        '{"/new":{},"/new-":1,"/new/x":1}',
        '{"":1}',
        '{"x":1}',
        '{"/~2":1}',
        "[]",
        "7",
        "{",
    ],
)
def test_a_personal_part_that_would_change_or_invent_a_place_is_refused(personal: str) -> None:
    with pytest.raises(BadContentError):
        merge(b'{"a":1,"list":[{}],"text":"x"}', personal.encode())


def test_pointers_have_one_form() -> None:
    assert parse_pointer("/a~1b/~0/") == ("a/b", "~", "")
    assert format_pointer(["a/b", 0, "~"]) == "/a~1b/0/~0"
    for bad in ("a", "/~", "/~2", "/~1~"):
        with pytest.raises(BadPointerError):
            parse_pointer(bad)


def derived(source: SourceRules = OPAQUE, *, action: str = "release.updated", personal: bool = True) -> object:
    batch = admission().admit(body(event(action=action)), source, now_us=NOW_US)
    return derive(batch.facts[0], batch.personal[0] if personal else None)


def test_the_searchable_fields_are_derived_from_both_parts() -> None:
    batch = admission().admit(body(event()), OPAQUE, now_us=NOW_US)
    fields = derive(batch.facts[0], batch.personal[0])
    assert (fields.occurred_at, fields.actor_id, fields.actor_key) == (NOW_US + 1, "u-17", None)
    assert (fields.target_id, fields.target_type, fields.changed) == (("r-9",), ("release",), ("description", "assets"))
    assert (fields.actor_name, fields.actor_email, fields.target_names) == (
        "Ana Lima",
        "ana@example.com",
        ("Release 1.2",),
    )
    assert (fields.ip, fields.user_agent, fields.reason) == ("192.0.2.7", "curl/8.5", "asked for by Bo")


def test_without_the_personal_part_no_personal_field_has_a_value() -> None:
    batch = admission().admit(body(event()), OPAQUE, now_us=NOW_US)
    fields = derive(batch.facts[0], None)
    assert fields.actor_id == "u-17"
    hidden = (fields.actor_name, fields.actor_email, fields.ip, fields.user_agent, fields.message, fields.reason)
    assert not any(hidden)
    assert fields.target_names == ()


def test_people_of_a_source_with_personal_ids_are_found_by_key() -> None:
    batch = admission().admit(body(event()), PERSONAL, now_us=NOW_US)
    fields = derive(batch.facts[0], batch.personal[0])
    assert fields.actor_id is None
    assert fields.actor_key is not None
    assert fields.actor_id_personal == "u-17"


def test_values_declared_facts_are_found_even_when_the_personal_part_is_gone() -> None:
    batch = admission().admit(body(event(action="named.things")), OPAQUE, now_us=NOW_US)
    fields = derive(batch.facts[0], None)
    assert (fields.target_names, fields.ip, fields.reason) == (("Release 1.2",), "192.0.2.7", "asked for by Bo")


@pytest.mark.parametrize("facts", [b"{}", b"[]", b"{", b"\xff", b'{"action":7}', b"[" * 100_000])
def test_fields_of_what_is_no_event_are_refused(facts: bytes) -> None:
    with pytest.raises(BadContentError):
        derive(facts, None)


def test_a_time_that_is_not_in_its_one_form_is_refused() -> None:
    batch = admission().admit(body(event()), OPAQUE, now_us=NOW_US)
    for other in (b"2026-03-01T12:00:00.000001", b"now", b"2026-03-01"):
        with pytest.raises(BadContentError):
            derive(batch.facts[0].replace(b"2026-03-01T12:00:00.000001Z", other), None)


def test_readers_get_a_typed_event() -> None:
    batch = admission().admit(body(event()), OPAQUE, now_us=NOW_US)
    read = read_event(merge(batch.facts[0], batch.personal[0]))
    assert (read.actor.name, read.targets[0].name, read.changes[0].old) == ("Ana Lima", "Release 1.2", "first")
    assert read.changes[0].new is None
    masked = read_event(merge(batch.facts[0], None))
    assert (masked.actor.name, masked.actor.id) == (None, "u-17")
