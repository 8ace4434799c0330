"""What is a fact and what is personal, and what stands for a person in the facts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.event_samples import KEY, NOW_US, OPAQUE, PERSONAL, PRODUCT, admission, body, event

from tallystick.event.admission import SourceRules
from tallystick.event.identifier import hidden_character, is_within, names_someone
from tallystick.event.pseudonym import Pseudonyms

PSEUDONYM = "Ja9XnP_N0W9FveO69TKI0g"


def parts(value: dict[str, Any], source: SourceRules = OPAQUE) -> tuple[dict[str, Any], dict[str, Any]]:
    batch = admission().admit(body(value), source, now_us=NOW_US)
    return json.loads(batch.facts[0]), json.loads(batch.personal[0])


def test_everything_is_personal_but_what_the_design_or_the_catalogue_calls_a_fact() -> None:
    facts, personal = parts(event(raw={"whole": "vendor event"}))
    assert facts == {
        "action": "release.updated",
        "actor": {"id": "u-17", "type": "user"},
        "changes": [{"field": "description"}, {"field": "assets"}],
        "context": {"auth_method": "sso", "request_id": "req-1", "session_id": "s-1", "trace_id": "t-1"},
        "metadata": {"deep": {"kept": 1}, "milestones": ["m1", "m2"]},
        "occurred_at": "2026-03-01T12:00:00.000001Z",
        "outcome": "success",
        "scope": "acme/payments/api",
        "sequence": {"number": 7, "stream": "main"},
        "severity": "low",
        "targets": [{"id": "r-9", "type": "release"}],
    }
    assert personal == {
        "/actor/email": "ana@example.com",
        "/actor/name": "Ana Lima",
        "/changes/0/new": None,
        "/changes/0/old": "first",
        "/context/country": "PT",
        "/context/ip": "192.0.2.7",
        "/context/user_agent": "curl/8.5",
        "/message": "Ana updated Release 1.2",
        "/metadata/a~1b~0c": True,
        "/metadata/deep/other": 2,
        "/metadata/tag": "v1.2",
        "/raw": {"whole": "vendor event"},
        "/reason": "asked for by Bo",
        "/targets/0/name": "Release 1.2",
    }


def test_the_catalogue_can_declare_names_changes_context_and_reason_facts() -> None:
    facts, personal = parts(event(action="named.things"))
    assert facts["targets"] == [{"id": "r-9", "name": "Release 1.2", "type": "release"}]
    assert facts["changes"][0] == {"field": "description", "new": None, "old": "first"}
    assert facts["context"]["ip"] == "192.0.2.7"
    assert facts["reason"] == "asked for by Bo"
    assert facts["actor"]["name"] == "Ana Lima"
    assert {"/actor/email", "/message", "/metadata/tag"} <= personal.keys()


def test_a_declared_pointer_covers_the_whole_subtree() -> None:
    facts, personal = parts(event(action="grant.made"), PRODUCT)
    assert facts["metadata"] == event()["metadata"]
    assert not any(pointer.startswith("/metadata") for pointer in personal)


def test_emptied_containers_stay_in_the_facts() -> None:
    facts, personal = parts(event(action="never.declared", context={"ip": "192.0.2.7"}, metadata={"x": [1]}))
    assert facts["context"] == facts["metadata"] == {}
    assert personal["/metadata/x"] == [1]


def test_no_personal_part_is_an_empty_object() -> None:
    plain = event(actor={"id": "u", "type": "user"}, targets=[{"id": "r", "type": "release"}])
    for name in ("reason", "message", "changes", "context", "metadata"):
        del plain[name]
    batch = admission().admit(body(plain), OPAQUE, now_us=NOW_US)
    assert batch.personal == (b"{}",)


def test_on_a_source_with_personal_ids_people_are_keys_in_the_facts() -> None:
    value = event(
        on_behalf_of={"id": "u-18", "type": "user"},
        targets=[{"id": "u-19", "type": "user"}, {"id": "r-9", "type": "release"}],
    )
    facts, personal = parts(value, PERSONAL)
    keys = Pseudonyms(KEY)
    assert facts["actor"] == {"key": keys.key_for("user", "u-17"), "type": "user"}
    assert facts["on_behalf_of"] == {"key": keys.key_for("user", "u-18"), "type": "user"}
    assert facts["targets"] == [{"key": keys.key_for("user", "u-19"), "type": "user"}, {"id": "r-9", "type": "release"}]
    assert personal["/actor/id"] == "u-17"
    assert personal["/on_behalf_of/id"] == "u-18"
    assert personal["/targets/0/id"] == "u-19"


def test_an_id_shaped_like_an_address_is_personal_on_every_source() -> None:
    value = event(
        actor={"id": "ana@example.com", "type": "user"},
        on_behalf_of={"id": "192.0.2.1", "type": "system"},
        targets=[{"id": "2001:db8::1", "type": "host", "name": "db"}],
    )
    facts, personal = parts(value)
    assert "@" not in json.dumps(facts)
    assert set(facts["actor"]) == set(facts["on_behalf_of"]) == set(facts["targets"][0]) == {"key", "type"}
    assert personal["/targets/0/id"] == "2001:db8::1"
    assert personal["/targets/0/name"] == "db"


@pytest.mark.parametrize(
    "identifier",
    [
        "ana@example.com",
        "Ana <ana@example.com>",
        "arn:aws:sts::1:assumed-role/x/ana@example.com",
        "mailto:ana@xn--80ak6aa92e.xn--p1ai",
        "ana@büro.example",
        "10.0.0.1",
        "10.0.0.1:443",
        "10.0.0.0/8",
        "::1",
        "[2001:db8::1]:443",
        "fe80::1%eth0",
        "2001:db8::/32",
    ],
)
def test_addresses_are_recognised_as_naming_someone(identifier: str) -> None:
    assert names_someone(identifier)


@pytest.mark.parametrize(
    "identifier",
    [
        "u-17",
        "pkg:npm/left-pad@1.3.0",
        "actions/checkout@v4",
        "1.2.3",
        "1.2.3.400",
        "12:30",
        "aa:bb:cc:dd:ee:ff",
        "arn:aws:iam::1:user/x",
    ],
)
def test_other_identifiers_are_not(identifier: str) -> None:
    assert not names_someone(identifier)


def test_a_pseudonym_is_the_start_of_an_hmac_over_type_and_id() -> None:
    # hmac.new(bytes(range(32)), b"user\0u-17", "sha256").digest()[:16] in base64url without padding
    assert Pseudonyms(KEY).key_for("user", "u-17") == PSEUDONYM
    assert Pseudonyms(KEY).key_for("service", "u-17") != PSEUDONYM
    assert Pseudonyms(bytes(32)).key_for("user", "u-17") != PSEUDONYM


def test_scopes_hold_what_is_at_or_below_them() -> None:
    assert is_within("a/b", "a")
    assert is_within("a", "a")
    assert is_within("a", "")
    assert not is_within("ab", "a")


def test_hidden_characters_are_found_and_visible_ones_of_any_language_are_not() -> None:
    assert hidden_character("añb 日本 한국 עברית") is None
    assert hidden_character("a\u00a0b") is None
    assert hidden_character("a\u202eb") == "\u202e"
    assert hidden_character("a\u2028") == "\u2028"
