"""Every refusal at the door, with its place; each is tried on the fast-then-strict path and on the strict one alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.event_samples import (
    EVENT,
    KEY,
    NOW_US,
    OPAQUE,
    PRODUCT,
    SCOPED,
    STRICT,
    STRICT_ONLY,
    admission,
    body,
    event,
)

from tallystick.errors import InvalidInputError
from tallystick.event import refusals
from tallystick.event.admission import Admission, Limits, Media, SourceRules
from tallystick.event.catalogue import load_shipped
from tallystick.event.pseudonym import Pseudonyms

UUID = "018f3a7e-4b6c-7d8e-9f00-112233445566"


def refused(
    data: bytes, source: SourceRules = OPAQUE, limits: Limits | None = None, media: Media = Media.AUTO
) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as strict:
        admission(limits or STRICT_ONLY).admit(data, source, now_us=NOW_US, media=media)
    with pytest.raises(InvalidInputError) as caught:
        admission(limits).admit(data, source, now_us=NOW_US, media=media)
    assert (type(caught.value), caught.value.message) == (type(strict.value), strict.value.message)
    return caught.value


def text(value: Any = EVENT) -> str:
    return json.dumps(value, ensure_ascii=False)


BROKEN_TEXTS: list[tuple[bytes, str, str | None, int, int]] = [
    (b'{"action": "x", "action": "y"}', "duplicate-member", "/action", 1, 17),
    (b'{"metadata": {"deep": [\n{"a": 1, "b": 2, "a": 3}]}}', "duplicate-member", "/metadata/deep/0/a", 2, 18),
    (b'{"a": 1, "\\u0061": 2}', "duplicate-member", "/a", 1, 10),
    (b'{"reason": "\xff"}', "bad-utf8", None, 1, 13),
    (b'{"reason": "\xed\xa0\x80"}', "bad-utf8", None, 1, 13),
    (b'{"reason":\n "\xc3\xa9\xff"}', "bad-utf8", None, 2, 4),
    (b'{"reason": "\\ud800"}', "lone-surrogate", "/reason", 1, 13),
    (b'{"reason": "\\ude00\\ud83d"}', "lone-surrogate", "/reason", 1, 13),
    (b'{"reason": "\\ud83dx"}', "lone-surrogate", "/reason", 1, 13),
    (b'{"metadata": {"n": NaN}}', "not-a-number", "/metadata/n", 1, 20),
    (b'{"metadata": {"n": -Infinity}}', "not-a-number", "/metadata/n", 1, 20),
    (b'{"metadata": {"n": 9007199254740992}}', "number-too-large", "/metadata/n", 1, 20),
    (b'{"metadata": {"n": -9007199254740992}}', "number-too-large", "/metadata/n", 1, 20),
    (b'{"metadata": {"n": 1e400}}', "number-too-large", "/metadata/n", 1, 20),
    (b'{"metadata": {"n": 9.1e15}}', "number-too-large", "/metadata/n", 1, 20),
    (b'{"metadata": {"n": ' + b"9" * 5000 + b"}}", "number-too-large", "/metadata/n", 1, 20),
    (b'{"a": "\x01"}', "malformed-json", "/a", 1, 8),
    (b'{"a": "\\x"}', "malformed-json", "/a", 1, 8),
    (b'{"a": 01}', "malformed-json", "", 1, 8),
    (b'{"a": tru}', "malformed-json", "/a", 1, 7),
    (b'{"a": 1', "malformed-json", "", 1, 8),
    (b'{"a": "x', "malformed-json", "/a", 1, 7),
    (b'{"a" 1}', "malformed-json", "/a", 1, 6),
    (b"{'a': 1}", "malformed-json", "", 1, 2),
    (b'{"a": 1,}', "malformed-json", "", 1, 9),
    (b'{"a": 1} x', "malformed-json", None, 1, 10),
    (b'{"a": [1 2]}', "malformed-json", "/a", 1, 10),
    (b"[{}, {}", "malformed-json", "", 1, 8),
    (b"\xef\xbb\xbf{}", "byte-order-mark", None, 1, 1),
    (b" \n\t", "empty-batch", None, 1, 1),
    (b"[]", "empty-batch", None, 1, 1),
    (b"7", "wrong-type", "", 1, 1),
]


@pytest.mark.parametrize(("data", "code", "pointer", "line", "column"), BROKEN_TEXTS)
def test_text_that_is_not_i_json_is_refused_at_its_place(
    data: bytes, code: str, pointer: str | None, line: int, column: int
) -> None:
    error = refused(data)
    assert (error.code, error.pointer, error.line, error.column) == (code, pointer, line, column)


def test_a_duplicate_deep_inside_an_otherwise_good_event_is_never_dropped_silently() -> None:
    for inside in ('{"a": 1, "a": 1}', '[[{"x": {"b": "\\"", "b": ""}}]]', '{"x": "\\u0022\\u0022", "a": 1, "a": 1}'):
        error = refused(text(event(metadata={"place": "here"})).replace('"here"', inside).encode())
        assert error.code == "duplicate-member"


@pytest.mark.parametrize("bomb", [b"[" * 200_000, b'{"a":' * 100_000, b'{"raw":' + b"[" * 100_000])
def test_a_depth_bomb_is_refused_by_the_limit_and_not_by_the_interpreter(bomb: bytes) -> None:
    assert refused(bomb).code == "too-deep"


def test_depth_is_counted_from_the_event_and_the_limit_itself_is_allowed() -> None:
    def nested(levels: int) -> bytes:
        return text(event(metadata={"x": "here"})).replace('"here"', "[" * levels + "]" * levels).encode()

    assert len(admission().admit(nested(30), OPAQUE, now_us=NOW_US)) == 1
    error = refused(nested(31))
    assert (error.code, error.pointer) == ("too-deep", "/metadata/x" + "/0" * 30)


def test_names_events_and_batches_have_limits_that_the_error_states() -> None:
    assert len(admission().admit(body(event(metadata={"n" * 256: 1})), OPAQUE, now_us=NOW_US)) == 1
    with pytest.raises(refusals.MemberNameTooLongError, match="at most 256"):
        admission().admit(body(event(metadata={"n" * 257: 1})), OPAQUE, now_us=NOW_US)
    error = refused(body(event(metadata={"in": {"n" * 101: 1}})), limits=Limits(key_chars_max=100))
    assert (error.code, error.pointer) == ("member-name-too-long", "/metadata/in")
    small = Limits(event_bytes_max=1200, batch_events_max=3, batch_bytes_max=4000)
    assert "1,200" in refused(body(event(reason="r" * 1200)), limits=small).message
    assert refused(body([EVENT, event(reason="r" * 1200)]), limits=small).item == 1
    assert "at most 3" in refused(body([EVENT] * 4), limits=small).message
    assert "4,000" in refused(body([event(reason="r" * 5000)]), limits=small).message


def test_an_event_padded_with_space_beyond_its_limit_is_too_large_even_in_a_batch() -> None:
    small = Limits(event_bytes_max=2000)
    padded = text().replace('"u-17"', " " * 2000 + '"u-17"')
    error = refused(f"[{text()}, {padded}]".encode(), limits=small)
    assert (error.code, error.item) == ("event-too-large", 1)


WRONG_MEMBERS: list[tuple[dict[str, Any], str, str]] = [
    ({"actionn": "x"}, "unknown-member", "/actionn"),
    ({"timestamp": "x"}, "unknown-member", "/timestamp"),
    ({"actor": {"id": "u", "type": "user", "key": "k"}}, "unknown-member", "/actor/key"),
    ({"targets": [{"id": "u", "type": "user", "key": "k"}]}, "unknown-member", "/targets/0/key"),
    ({"action": ...}, "missing-member", "/action"),
    ({"actor": ...}, "missing-member", "/actor"),
    ({"scope": ...}, "missing-member", "/scope"),
    ({"occurred_at": ...}, "missing-member", "/occurred_at"),
    ({"actor": {"type": "user"}}, "missing-member", "/actor/id"),
    ({"on_behalf_of": {"type": "service"}}, "missing-member", "/on_behalf_of/id"),
    ({"actor": {"id": "u"}}, "missing-member", "/actor/type"),
    ({"targets": [{"id": "u"}]}, "missing-member", "/targets/0/type"),
    ({"changes": [{}]}, "missing-member", "/changes/0/field"),
    ({"action": 7}, "wrong-type", "/action"),
    ({"actor": "ana"}, "wrong-type", "/actor"),
    ({"actor": {"id": 7, "type": "user"}}, "wrong-type", "/actor/id"),
    ({"targets": {"id": "u", "type": "user"}}, "wrong-type", "/targets"),
    ({"occurred_at": 1700000000}, "wrong-type", "/occurred_at"),
    ({"metadata": []}, "wrong-type", "/metadata"),
    ({"context": {"request_id": 7}}, "wrong-type", "/context/request_id"),
    ({"raw": 7}, "wrong-type", "/raw"),
    ({"scope": None}, "wrong-type", "/scope"),
    ({"sequence": {"stream": "s", "number": -1}}, "wrong-type", "/sequence/number"),
    ({"sequence": {"stream": "s", "number": 1.5}}, "wrong-type", "/sequence/number"),
    ({"sequence": {"stream": "s", "number": True}}, "wrong-type", "/sequence/number"),
    ({"outcome": "ok"}, "unknown-value", "/outcome"),
    ({"severity": "Low"}, "unknown-value", "/severity"),
    ({"actor": {"id": "u", "type": "robot"}}, "unknown-value", "/actor/type"),
    ({"occurred_at": "yesterday"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-02-30T00:00:00Z"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-02-30T00:00:00.000000Z"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-W09-7T00:00:00.000000Z"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "20260301T000000Z"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-03-01T00:00:00,5Z"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-03-01T00:00:00+25:00"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "0001-01-01T00:00:00+01:00"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-03-01T00:00:0\u0661Z"}, "bad-time", "/occurred_at"),
    ({"occurred_at": "2026-03-01T00:00:00"}, "time-without-zone", "/occurred_at"),
    ({"occurred_at": "2016-12-31T23:59:60Z"}, "leap-second", "/occurred_at"),
    ({"occurred_at": "2016-12-31T23:59:60.000000Z"}, "leap-second", "/occurred_at"),
    ({"occurred_at": "2026-03-02T12:00:00.000001Z"}, "time-in-the-future", "/occurred_at"),
    ({"occurred_at": "2026-03-02T12:00:01-01:00"}, "time-in-the-future", "/occurred_at"),
    ({"action": "Release.Updated"}, "bad-action", "/action"),
    ({"action": ""}, "bad-action", "/action"),
    ({"action": "a" * 129}, "bad-action", "/action"),
    ({"action": "grant.made"}, "product-action", "/action"),
    ({"scope": ""}, "bad-scope", "/scope"),
    ({"scope": "/acme"}, "bad-scope", "/scope"),
    ({"scope": "acme//api"}, "bad-scope", "/scope"),
    ({"scope": "acme/"}, "bad-scope", "/scope"),
    ({"scope": "acme/é"}, "bad-scope", "/scope"),
    ({"scope": "a" * 513}, "bad-scope", "/scope"),
    ({"actor": {"id": "", "type": "user"}}, "bad-identifier", "/actor/id"),
    ({"actor": {"id": "u" * 1025, "type": "user"}}, "bad-identifier", "/actor/id"),
    ({"actor": {"id": "a\nb", "type": "user"}}, "bad-identifier", "/actor/id"),
    ({"actor": {"id": "a\u007f", "type": "user"}}, "bad-identifier", "/actor/id"),
    ({"actor": {"id": "a\u0085", "type": "user"}}, "bad-identifier", "/actor/id"),
    ({"targets": [{"id": "\u202egnp.exe", "type": "file"}]}, "bad-identifier", "/targets/0/id"),
    ({"targets": [{"id": "f", "type": "fi\u200ble"}]}, "bad-identifier", "/targets/0/type"),
    ({"on_behalf_of": {"id": "\u2066u", "type": "user"}}, "bad-identifier", "/on_behalf_of/id"),
    ({"changes": [{"field": "\ufeff"}]}, "bad-identifier", "/changes/0/field"),
    ({"context": {"session_id": "\u2028"}}, "bad-identifier", "/context/session_id"),
    ({"sequence": {"stream": "\x00", "number": 1}}, "bad-identifier", "/sequence/stream"),
    ({"action": "release\u202e.updated"}, "bad-identifier", "/action"),
    ({"scope": "acme/\u200bpay"}, "bad-identifier", "/scope"),
    ({"targets": []}, "bad-targets", "/targets"),
    ({"targets": ...}, "bad-targets", "/targets"),
    ({"target": {"id": "u", "type": "user"}}, "bad-targets", "/targets"),
    ({"id": "not a uuid"}, "bad-event-id", "/id"),
    ({"id": UUID.replace("-", "")}, "bad-event-id", "/id"),
    ({"id": UUID[:-2] + "  "}, "bad-event-id", "/id"),
    ({"id": 7}, "wrong-type", "/id"),
]


@pytest.mark.parametrize(("members", "code", "pointer"), WRONG_MEMBERS)
def test_a_wrong_member_is_refused_by_name_and_never_spoils_the_item_before_it(
    members: dict[str, Any], code: str, pointer: str
) -> None:
    error = refused(body([EVENT, event(**members)]))
    assert (error.code, error.pointer, error.item) == (code, pointer, 1)
    assert error.line == 1
    assert error.column is not None
    assert error.column > len(text())
    ascii_only = json.dumps([EVENT, event(**members)]).encode()
    assert refused(ascii_only).code == code


def test_every_refusal_of_this_module_is_tried_here_and_gives_advice() -> None:
    found = [
        kind for kind in vars(refusals).values() if isinstance(kind, type) and kind.__module__ == refusals.__name__
    ]
    kinds = {kind.code: kind for kind in found if issubclass(kind, InvalidInputError)}
    assert len(kinds) == len(found)
    tried = {row[1] for row in WRONG_MEMBERS} | {row[1] for row in BROKEN_TEXTS}
    elsewhere = {
        "too-deep",
        "member-name-too-long",
        "event-too-large",
        "batch-too-large",
        "undeclared-action",
        "scope-not-allowed",
        "duplicate-id",
        "metadata-schema",
    }
    assert kinds.keys() == tried | elsewhere
    assert all(kind.advice.endswith(".") for kind in kinds.values())


def test_an_unknown_member_is_named_with_the_nearest_one() -> None:
    assert "`occurred_at`" in refused(body(event(ocurred_at="x"))).message
    assert "`occurred_at`" in refused(body(event(timestamp="x"))).message
    assert "`metadata`" in refused(body(event(zebra="x"))).message


def test_the_place_of_a_wrong_member_is_its_own_line_and_column() -> None:
    error = refused(json.dumps([EVENT, event(outcome="ok")], indent=2).encode())
    lines = json.dumps([EVENT, event(outcome="ok")], indent=2).splitlines()
    assert error.line is not None
    assert error.column is not None
    assert lines[error.line - 1][error.column - 1 :].startswith('"ok"')


def test_a_strict_source_may_record_only_declared_actions_with_fitting_metadata() -> None:
    error = refused(body(event(action="never.declared")), STRICT)
    assert (error.code, error.pointer) == ("undeclared-action", "/action")
    built = event(action="build.finished", metadata={"steps": [1, "two"]})
    assert (refused(body(built), STRICT).code, refused(body(built), STRICT).pointer) == (
        "metadata-schema",
        "/metadata/steps/1",
    )
    assert refused(body(event(action="build.finished", metadata=...)), STRICT).code == "metadata-schema"
    fits = event(action="build.finished", metadata={"steps": [1, 2]})
    assert len(admission().admit(body(fits), STRICT, now_us=NOW_US)) == 1
    assert len(admission().admit(body(built), OPAQUE, now_us=NOW_US)) == 1


def test_a_source_records_only_in_its_own_scope_by_whole_segments() -> None:
    for good in ("acme/payments", "acme/payments/api"):
        assert len(admission().admit(body(event(scope=good)), SCOPED, now_us=NOW_US)) == 1
    for bad in ("acme", "acme/paymentsx", "acme/payments2/api", "other"):
        error = refused(body(event(scope=bad)), SCOPED)
        assert (error.code, error.pointer) == ("scope-not-allowed", "/scope")


def test_only_the_product_records_its_own_actions() -> None:
    assert len(admission().admit(body(event(action="grant.made")), PRODUCT, now_us=NOW_US)) == 1


def test_two_events_of_one_batch_cannot_share_an_id() -> None:
    twins = [event(id=UUID), EVENT, event(id=UUID.upper(), reason="another")]
    error = refused(json.dumps(twins, indent=1).encode())
    assert (error.code, error.item, error.pointer) == ("duplicate-id", 2, "/id")
    assert error.details["earlier_item"] == 0
    batch, rejections = admission().admit_partial(body(twins), OPAQUE, now_us=NOW_US)
    assert (batch.items, [rejection.item for rejection in rejections]) == ((0, 1), [2])


def test_lines_name_the_item_and_the_line_and_blank_lines_are_not_items() -> None:
    lines = f"{text()}\n\n  {text(event(scope='/'))}\r\n{text()}\n".encode()
    for media in (Media.AUTO, Media.NDJSON):
        error = refused(lines, media=media)
        assert (error.code, error.item, error.line) == ("bad-scope", 1, 3)
        batch, rejections = admission().admit_partial(lines, OPAQUE, now_us=NOW_US, media=media)
        assert (batch.items, [rejection.item for rejection in rejections]) == ((0, 2), [1])


@pytest.mark.parametrize("media", [Media.AUTO, Media.NDJSON])
@pytest.mark.parametrize("joined", ["{0} {0}\n", "{0}{0}", "{0}\n[{0}]", "{0},{0}", "{0}\n{0} {0}\n", "{0} {0}\n\n{0}"])
def test_two_values_on_one_line_are_refused(joined: str, media: Media) -> None:
    assert refused(joined.format(text()).encode(), media=media).code in ("malformed-json", "wrong-type")


def test_one_value_over_several_lines_is_no_line() -> None:
    spread = text().replace(", ", ",\n", 1)
    for lines in (f"{text()}\n{spread}\n", f"{spread}\n{text()}", f"{text()}\n{spread} {text()}\n"):
        assert refused(lines.encode(), media=Media.NDJSON).code == "malformed-json"


def test_a_broken_line_does_not_hide_the_good_ones() -> None:
    lines = f'{text()}\n{{"action": \n{text()}'.encode()
    batch, rejections = admission().admit_partial(lines, OPAQUE, now_us=NOW_US)
    assert batch.items == (0, 2)
    assert (rejections[0].error.code, rejections[0].error.line) == ("malformed-json", 2)


def test_json_media_takes_one_value_and_not_lines() -> None:
    assert refused(f"{text()}\n{text()}".encode(), media=Media.JSON).code == "malformed-json"


def test_null_stands_for_an_absent_optional_member() -> None:
    sparse = event(
        reason=None,
        context={"request_id": None, "ip": None},
        on_behalf_of=None,
        actor={"id": "u", "type": "user", "name": None},
    )
    batch = admission().admit(body(sparse), OPAQUE, now_us=NOW_US)
    facts, personal = json.loads(batch.facts[0]), json.loads(batch.personal[0])
    assert "on_behalf_of" not in facts
    assert "/reason" not in personal
    assert "/actor/name" not in personal
    assert facts["context"] == {}
    assert personal["/context/ip"] is None


def test_equal_items_have_places_of_their_own() -> None:
    _, rejections = admission().admit_partial(b'[{"a": 1},{"a": 1},\n {"a": 1}]', OPAQUE, now_us=NOW_US)
    assert [(rejection.error.line, rejection.error.column) for rejection in rejections] == [(1, 3), (1, 12), (2, 3)]


def test_no_shipped_product_action_comes_in_from_any_other_source() -> None:
    door = Admission(load_shipped(), Pseudonyms(KEY))
    products = [name for name, action_type in load_shipped().types.items() if action_type.origin == "product"]
    assert products
    for name in products:
        for source in (OPAQUE, STRICT, SCOPED):
            for data in (body(event(action=name)), body([EVENT, event(action=name)])):
                with pytest.raises(refusals.ProductActionError):
                    door.admit(data, source, now_us=NOW_US)


@pytest.mark.parametrize("scope", [".", "..", "acme/..", "acme/../other", "./acme"])
def test_a_scope_never_has_a_segment_that_a_file_system_would_follow(scope: str) -> None:
    from tallystick.event.identifier import is_scope

    assert not is_scope(scope)
    assert is_scope("acme/v1.2/..x")
