from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.intake.json_text import NumberText, parse_whole, settle_numbers
from tallystick.intake.mapping import UnmappableError
from tallystick.intake.mapping_parse import load_map
from tallystick.testing.sink import AdmittingSink

# Members that the shipped maps look at, so that hostile values land where they matter.
MEMBERS = st.sampled_from(
    [
        "eventName",
        "eventSource",
        "eventTime",
        "eventID",
        "userIdentity",
        "requestParameters",
        "resources",
        "errorCode",
        "awsRegion",
        "detail",
        "CloudTrailEvent",
        "recipientAccountId",
        "action",
        "actor",
        "created_at",
        "@timestamp",
        "repo",
        "org",
        "user",
        "data",
        "team",
        "hook_id",
        "branch",
        "name",
        "eventType",
        "published",
        "outcome",
        "uuid",
        "target",
        "client",
        "severity",
        "debugContext",
        "id",
        "author_id",
        "event_type",
        "details",
        "entity_path",
        "target_id",
        "target_type",
        "target_details",
        "message",
        "result",
        "type",
        "alternateId",
        "userName",
        "arn",
        "custom_message",
        "ip_address",
        "change",
        "from",
        "to",
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
    | st.sampled_from(["2026-01-02T03:04:05Z", "1767323045123", "SUCCESS", "iam.amazonaws.com", "user.session.start"])
)  # fmt: skip
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4))
RECORDS = st.dictionaries(MEMBERS, JSON, max_size=10)
TIMES = st.sampled_from(["2026-01-02T03:04:05Z", 1_767_323_045_123])


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("cloudtrail", {"eventName": "CreateUser", "eventTime": "2026-01-02T03:04:05Z"}),
        ("github", {"action": "repo.create", "created_at": 1_767_323_045_123}),
        ("okta", {"eventType": "user.session.start", "published": "2026-01-02T03:04:05Z"}),
        ("gitlab", {"event_type": "release_created", "created_at": "2026-01-02T03:04:05Z"}),
    ],
)
@settings(suppress_health_check=[HealthCheck.too_slow])  # nested records are slow to draw on a busy machine
@given(record=RECORDS, complete=st.booleans())
def test_any_record_is_mapped_or_refused_by_name(
    name: str, fixed: dict[str, Any], record: dict[str, Any], complete: bool
) -> None:
    text = json.dumps({**record, **fixed} if complete else record)
    vendor_map = load_map(name)
    try:
        found = vendor_map.apply(parse_whole(text, exact=True), text.encode(), source="s", scope="x")
    except UnmappableError:
        return
    if found is None:
        assert name == "cloudtrail", "only that map knows records that are no events"
        return
    assert re.fullmatch(r"[a-z0-9_.-]{1,128}", found.event["action"])
    assert re.fullmatch(r"x(/[A-Za-z0-9._~@+-]+)+", found.event["scope"])
    again = vendor_map.apply(parse_whole(text, exact=True), text.encode(), source="s", scope="x")
    assert again == found
    (result,) = AdmittingSink(now_us=1_790_000_000_000_000).send(json.dumps(found.event).encode() + b"\n")
    assert result.code in {None, "time-in-the-future"}, result


@given(value=st.recursive(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
       lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)))  # fmt: skip
def test_every_number_made_text_is_listed_and_no_other(value: Any) -> None:
    text = json.dumps(value)
    settled, pointers = settle_numbers(parse_whole(text, exact=True))
    assert NumberText not in {type(each) for each in leaves(settled)}
    assert json.loads(json.dumps(settled)) == settled
    numbers = [
        each for each in leaves(value) if isinstance(each, float) or (isinstance(each, int) and abs(each) >= 2**53)
    ]
    assert len(pointers) == len(set(pointers)) == len(numbers)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in leaves(member)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]
