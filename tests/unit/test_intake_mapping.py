"""The language of vendor maps, and what is refused in one."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
import yaml

from tallystick.intake.expressions import MapError
from tallystick.intake.json_text import parse_whole
from tallystick.intake.mapping import Mapped, UnmappableError, join_scope
from tallystick.intake.mapping_parse import parse_map
from tallystick.intake.steps import snake
from tallystick.intake.tables import Table
from tallystick.intake.times import FORMS

BASE: dict[str, Any] = {
    "format": 1,
    "name": "own",
    "time": {"from": ["at"], "forms": ["rfc3339", "epoch"]},
    "action": {"lookup": "do", "in": {"add": "record.created", "x*": "record.changed"}, "default": "vendor.own.{do}"},
    "actor": {"id": "who", "type": {"const": "user"}},
    "targets": [{"id": "what", "type": {"const": "thing"}}],
    "scope": {"const": "own"},
}
RECORD: dict[str, Any] = {"at": "2026-01-02T03:04:05Z", "do": "add", "who": "ana", "what": "w1"}


def apply(changes: dict[str, Any], record: dict[str, Any] | str = RECORD, *, scope: str = "") -> Mapped | None:
    text = record if isinstance(record, str) else json.dumps(record)
    own = parse_map(yaml.safe_dump({**BASE, **changes}).encode(), "own.yaml")
    return own.apply(parse_whole(text, exact=True), text.encode(), source="s", scope=scope)


def value(expression: Any, record: dict[str, Any], **more: Any) -> Any:
    found = apply({"metadata": {"x": expression}, **more}, {**RECORD, **record})
    assert found is not None
    return found.event.get("metadata", {}).get("x")


@pytest.mark.parametrize(
    ("expression", "record", "expected"),
    [
        ("a.b", {"a": {"b": 1}}, 1),
        ("a[1].b", {"a": [{}, {"b": 2}]}, 2),
        ("a[].b", {"a": [{"b": 1}, {"c": 1}, {"b": 2}]}, [1, 2]),
        ('["a.b"].c', {"a.b": {"c": 3}}, 3),
        ("a", {"a": False}, False),
        ("a", {"a": ""}, None),
        ("a", {"a": []}, None),
        ("a.b.c", {"a": [1]}, None),
        (["a", "b"], {"b": 2}, 2),
        ({"first": ["a", {"const": 9}]}, {}, 9),
        ({"const": {"k": [1]}}, {}, {"k": [1]}),
        ({"text": "{a}/{b|c}"}, {"a": 1, "c": True}, "1/true"),
        ({"text": "{a}/{b}"}, {"a": 1}, None),
        ({"text": "{{a}}"}, {}, "{a}"),
        ({"lookup": "a", "in": {"1": "one", "x": {"path": "b"}}}, {"a": 1}, "one"),
        ({"lookup": "a", "in": {"1": "one", "x": {"path": "b"}}}, {"a": "x", "b": "two"}, "two"),
        ({"lookup": "a", "in": {"1": "one"}, "default": "none"}, {}, "none"),
        ({"cases": [{"when": {"path": "a", "is": 1}, "is": "one"}], "otherwise": "other"}, {"a": "1"}, "one"),
        ({"cases": [{"when": {"path": "a", "is": 1}, "is": "one"}], "otherwise": "other"}, {}, "other"),
        ({"path": "a", "then": {"after_last": "/"}}, {"a": "x/y/z"}, "z"),
        ({"path": "a", "then": [{"before_first": ":"}, "lower"]}, {"a": "AB:C"}, "ab"),
        ({"path": "a", "then": [{"split": ","}, "count"]}, {"a": "x, y,"}, 2),
        ({"path": "a", "then": ["text", "list"]}, {"a": {"k": 1}}, ['{"k":1}']),
        ({"path": "a", "then": "snake"}, {"a": "HTTPServerError now"}, "http_server_error_now"),
        ({"path": "a", "then": [{"remove_prefix": "x"}, {"remove_suffix": "z"}]}, {"a": "xyz"}, "y"),
        ({"path": "a", "when": {"path": "b", "present": True}}, {"a": 1}, None),
        ({"path": "a", "when": [{"path": "a", "starts": "x"}, {"path": "a", "ends": "z"}]}, {"a": "xz"}, "xz"),
        ({"path": "a", "when": {"not": {"path": "a", "contains": "q"}}}, {"a": ["q", "r"]}, None),
        ({"path": "a", "when": {"any": [{"path": "a", "in": ["u", "V"]}, {"path": "b", "is": None}]}}, {"a": "v"}, "v"),
    ],
)
def test_expressions(expression: Any, record: dict[str, Any], expected: Any) -> None:
    assert value(expression, record) == expected


def test_named_values_build_on_one_another() -> None:
    let = {"one": "a", "two": {"text": "{$one}!"}}
    assert value("$two", {"a": "x"}, let=let) == "x!"
    assert value("$one.k", {"a": {"k": 5}}, let=let) == 5


def test_targets_can_come_from_a_list_with_the_record_still_in_sight() -> None:
    rules = [
        {"each": "things", "id": "n", "type": "^.do", "name": {"text": "{n} of {^.who}"}},
        {"otherwise": True, "id": {"const": "nothing"}, "type": {"const": "none"}},
    ]
    found = apply({"targets": rules}, {**RECORD, "things": [{"n": 1}, {"n": 1}, {"m": 2}, {"n": 3}]})
    assert found is not None
    assert [target["name"] for target in found.event["targets"]] == ["1 of ana", "3 of ana"]
    found = apply({"targets": rules})
    assert found is not None
    assert found.event["targets"] == [{"id": "nothing", "type": "none"}]


def test_changes_need_a_field_and_something_that_changed() -> None:
    rules = [{"each": "diff", "field": "f", "old": "o", "new": "n"}]
    found = apply({"changes": rules}, {**RECORD, "diff": [{"f": "a", "o": 1, "n": 2}, {"f": "b"}, {"n": 3}]})
    assert found is not None
    assert found.event["changes"] == [{"field": "a", "old": 1, "new": 2}]


def test_what_the_record_does_not_say_is_noted_not_invented() -> None:
    changes = {"outcome": "end", "severity": "grade", "scope": "where"}
    record = {"at": RECORD["at"], "do": "odd Thing", "end": "maybe", "grade": "orange"}
    found = apply(changes, record)
    assert found is not None
    assert found.event["action"] == "vendor.own.odd_thing"
    assert found.event["actor"] == {"id": "unknown", "type": "unknown"}
    assert found.event["targets"] == [{"id": "unknown", "type": "unknown"}]
    assert (found.event["outcome"], found.event["scope"]) == ("unknown", "own")
    assert "severity" not in found.event
    assert set(found.gaps) == {
        ("action", "odd Thing"), ("actor", "not given"), ("target", "not given"), ("scope", "not given"),
        ("outcome", "maybe"), ("severity", "orange"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"do": "add"}, "says no time"),
        ({"do": "add", "at": "redacted\u202e"}, r"'redacted⟨U\+202E⟩' is not a time"),
        ({"do": "add", "at": "2026-01-02T03:04:05"}, "is not a time"),
        ({"at": RECORD["at"]}, "does not name its action"),
    ],
)
def test_a_record_without_time_or_action_is_refused_by_name(record: dict[str, Any], says: str) -> None:
    with pytest.raises(UnmappableError, match=says):
        apply({}, record)


def test_a_record_that_is_no_event_is_skipped() -> None:
    assert apply({"skip": {"path": "kind", "is": "digest"}}, {**RECORD, "kind": "digest"}) is None


def test_an_envelope_is_opened_whether_it_holds_an_object_or_text() -> None:
    for inner in (RECORD, json.dumps(RECORD)):
        found = apply({"unwrap": ["inner"]}, {"inner": inner})
        assert found is not None
        assert found.event["raw"] == RECORD
    with pytest.raises(UnmappableError, match="cannot be read"):
        apply({"unwrap": ["inner"]}, {"inner": "{broken"})


def test_ids_follow_the_vendors_id_the_source_and_the_map_alone() -> None:
    changes = {"id": "n"}
    first = apply(changes, {**RECORD, "n": 1})
    other_text = apply(changes, {**RECORD, "n": 1, "more": True})
    other_id = apply(changes, {**RECORD, "n": 2})
    assert first is not None
    assert other_text is not None
    assert other_id is not None
    assert first.event["id"] == other_text.event["id"] != other_id.event["id"]
    assert first.content_id != other_text.content_id


def test_hostile_identifiers_are_made_visible_and_raw_keeps_them() -> None:
    found = apply({}, {**RECORD, "who": "an\u0000a\u202e"})
    assert found is not None
    assert found.event["actor"]["id"] == "an⟨U+0000⟩a⟨U+202E⟩"
    assert found.event["raw"]["who"] == "an\u0000a\u202e"


def test_a_record_too_deep_for_an_event_is_kept_as_text() -> None:
    deep = json.dumps({**RECORD, "deep": 1}).replace('"deep": 1', '"deep": ' + '{"k":' * 40 + "1" + "}" * 40)
    found = apply({}, deep)
    assert found is not None
    assert found.event["raw"] == deep


@pytest.mark.parametrize(
    ("prefix", "scope", "expected"),
    [
        ("", "a/b c//d", "a/b-c/d"),
        ("acme/x/", "a", "acme/x/a"),
        ("", "../é:", "../-"),
        ("", "x" * 600, "x" * 512),
    ],
)
def test_scopes_are_made_of_what_scopes_may_hold(prefix: str, scope: str, expected: str) -> None:
    assert join_scope(prefix, scope) == expected
    assert re.fullmatch(r"[A-Za-z0-9._~@+/-]+", expected)


@pytest.mark.parametrize(
    ("changes", "key", "says"),
    [
        ({"colour": 1}, "colour", "unknown key"),
        ({"format": 2}, "format", "format 1"),
        ({"name": "Own Map"}, "name", "lower-case word"),
        ({"time": {"from": ["at"]}}, "time", "from"),
        ({"time": {"from": ["at"], "forms": ["stardate"]}}, "time.forms.0", "not one of"),
        (
            {"action": {"lookup": "do", "in": {}, "default": "release.created"}},
            "action.default",
            "begins with vendor.own.",
        ),
        ({"action": {"lookup": "do", "in": "nowhere", "default": "vendor.own.x"}}, "action.in", "no table"),
        ({"action": "do"}, "action", "needs lookup"),
        ({"actor": {"type": {"const": "user"}}}, "actor", "id is missing"),
        ({"actor": {"id": "who", "age": "x"}}, "actor.age", "unknown key"),
        ({"targets": {}}, "targets", "list of mappings"),
        ({"targets": [{"type": "x"}]}, "targets.0", "id is missing"),
        ({"scope": 7}, "scope", "neither a path nor a form"),
        ({"scope": {"text": "{a", "path": "b"}}, "scope", "exactly one"),
        ({"scope": {"text": "{a"}}, "scope.text", "brace"),
        ({"scope": "a..b"}, "scope", "character 3"),
        ({"scope": "$later"}, "scope", "not named under let"),
        ({"scope": {"path": "a", "then": "melt"}}, "scope.then", "not a step"),
        ({"scope": {"path": "a", "when": {"path": "b"}}}, "scope.when", "exactly one of"),
        ({"scope": {"path": "a", "when": "b"}}, "scope.when", "a condition is"),
        ({"scope": {"cases": [{"when": {"path": "a", "is": 1}}]}}, "scope.cases.0", "must be"),
        ({"let": {"a": "$b", "b": "x"}}, "let.a", "not named under let"),
        ({"unwrap": [1]}, "unwrap", "list of names"),
        ({"tables": {"t": []}, "scope": {"lookup": "a", "in": "t"}}, "tables.t", "must be a table"),
    ],
)
def test_what_is_wrong_in_a_map_is_named_with_line_and_key(changes: dict[str, Any], key: str, says: str) -> None:
    with pytest.raises(MapError, match=re.escape(says)) as caught:
        apply(changes)
    assert caught.value.key == key
    assert caught.value.file == "own.yaml"
    assert caught.value.line is not None


def test_a_map_that_is_not_yaml_is_refused_at_its_line() -> None:
    with pytest.raises(MapError, match="not YAML") as caught:
        parse_map(b"format: 1\nname: [\n", "own.yaml")
    assert caught.value.line == 3


@pytest.mark.parametrize("missing", ["name", "time", "action", "actor", "targets", "scope"])
def test_a_map_without_a_needed_part_is_refused(missing: str) -> None:
    text = yaml.safe_dump({key: part for key, part in BASE.items() if key != missing})
    with pytest.raises(MapError, match=f"{missing} is missing"):
        parse_map(text.encode(), "own.yaml")


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True), ("a*", "abc", True), ("*c", "abc", True), ("a*c", "ac", True), ("a*c", "acb", False),
        ("a*b*c", "a-b-c", True), ("a*b*c", "a-c-b", False), ("aa*aa", "aaa", False), ("a**c", "abc", True),
        ("*a*a*a*a*b", "a" * 50, False),
    ],
)  # fmt: skip
def test_patterns_in_tables(pattern: str, text: str, fits: bool) -> None:
    assert (Table({pattern: 1}).find(text) == 1) is fits


def test_an_exact_key_wins_over_patterns_and_the_first_pattern_over_the_others() -> None:
    table = Table({"a*": 1, "ab*": 2, "abc": 3})
    assert [table.find(key) for key in ("abc", "abd", "abd", "x")] == [3, 1, 1, None]


@pytest.mark.parametrize(
    ("form", "written", "expected"),
    [
        ("rfc3339", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("rfc3339", "2026-01-02t03:04:05.1234567+05:30", "2026-01-01T21:34:05.123456+00:00"),
        ("rfc3339", "2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05+00:00"),
        ("rfc3339", "2026-01-02T03:04:05", None),
        ("rfc3339", "2026-02-30T00:00:00Z", None),
        ("rfc3339", "2026-01-02T03:04:60Z", None),
        ("rfc3339", "9999-12-31T23:59:59-01:00", None),
        ("rfc3339", 5, None),
        ("naive_utc", "2026-01-02 03:04:05.5", "2026-01-02T03:04:05.500000+00:00"),
        ("epoch_s", 1_767_323_045, "2026-01-02T03:04:05+00:00"),
        ("epoch_ms", "1767323045123.0", "2026-01-02T03:04:05.123000+00:00"),
        ("epoch_us", 1_767_323_045_123_456, "2026-01-02T03:04:05.123456+00:00"),
        ("epoch", 1_767_323_045_123_456_789, "2026-01-02T03:04:05.123456+00:00"),
        ("epoch", 1_767_323_045_123, "2026-01-02T03:04:05.123000+00:00"),
        ("epoch", "1767323045.25", "2026-01-02T03:04:05.250000+00:00"),
        ("epoch", -1, None),
        ("epoch", True, None),
        ("epoch", "soon", None),
        ("epoch", "1e999", None),
        ("epoch", "NaN", None),
    ],
)
def test_forms_of_time(form: str, written: Any, expected: str | None) -> None:
    found = FORMS[form](written)
    assert found == (None if expected is None else datetime.fromisoformat(expected))


def test_words_are_split_where_a_person_would() -> None:
    assert [snake(text) for text in ("CreateAccessKey", "S3:GetObject", "already_so", "")] == [
        "create_access_key", "s3_get_object", "already_so", "",
    ]  # fmt: skip
