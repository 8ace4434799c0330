"""Events, sources and a small catalogue for the tests of admission, and Hypothesis strategies for hostile ones."""

from __future__ import annotations

import copy
import json
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from tallystick.event.admission import Admission, Limits, SourceRules
from tallystick.event.catalogue import ActionType, Catalogue
from tallystick.event.pseudonym import Pseudonyms

NOW_US = 1_772_366_400_000_000  # 2026-03-01T12:00:00Z
KEY = bytes(range(32))
OPAQUE = SourceRules(1, "app", ("",), "opaque")
PERSONAL = SourceRules(2, "staff", ("",), "personal")
STRICT = SourceRules(3, "strict", ("",), "opaque", strict=True)
SCOPED = SourceRules(4, "scoped", ("acme/payments",), "opaque")
PRODUCT = SourceRules(0, "tallystick", ("",), "opaque", product=True)
STRICT_ONLY = Limits(key_chars_max=255)
"""Limits under which the fast path is never taken, because its types allow names of 256 characters."""

EVENT: dict[str, Any] = {
    "action": "release.updated",
    "actor": {"id": "u-17", "type": "user", "name": "Ana Lima", "email": "ana@example.com"},
    "targets": [{"id": "r-9", "type": "release", "name": "Release 1.2"}],
    "scope": "acme/payments/api",
    "occurred_at": "2026-03-01T12:00:00.000001Z",
    "outcome": "success",
    "severity": "low",
    "reason": "asked for by Bo",
    "message": "Ana updated Release 1.2",
    "changes": [{"field": "description", "old": "first", "new": None}, {"field": "assets"}],
    "context": {
        "ip": "192.0.2.7",
        "user_agent": "curl/8.5",
        "request_id": "req-1",
        "session_id": "s-1",
        "auth_method": "sso",
        "trace_id": "t-1",
        "country": "PT",
    },
    "metadata": {"tag": "v1.2", "milestones": ["m1", "m2"], "deep": {"kept": 1, "other": 2}, "a/b~c": True},
    "sequence": {"stream": "main", "number": 7},
}


def event(**members: Any) -> dict[str, Any]:
    """Return the sample event with members replaced, or left out where the value is `...`."""
    merged = {**copy.deepcopy(EVENT), **members}
    return {name: value for name, value in merged.items() if value is not ...}


def body(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def catalogue() -> Catalogue:
    types = (
        _type("release.updated", facts=("/metadata/milestones", "/metadata/deep/kept")),
        _type("named.things", facts=("/target/name", "/changes", "/context/ip", "/reason", "/actor/name")),
        _type("grant.made", origin="product", facts=("/metadata",), retention_class="ledger-access"),
        _type(
            "build.finished",
            severity="high",
            metadata_schema={
                "type": "object",
                "properties": {"steps": {"type": "array", "items": {"type": "integer"}}},
                "required": ["steps"],
                "additionalProperties": False,
            },
        ),
    )
    return Catalogue(MappingProxyType({action_type.name: action_type for action_type in types}))


def admission(limits: Limits | None = None) -> Admission:
    """Return an admission whose random bytes are repeatable."""
    return Admission(
        catalogue(), Pseudonyms(KEY), limits, entropy=lambda count: (bytes(range(256)) * (count // 256 + 1))[:count]
    )


def _type(name: str, *, origin: str = "any", severity: str = "informational", **more: Any) -> ActionType:
    return ActionType(
        name=name,
        description="A sample action of the tests.",
        category="application",
        origin=origin,
        severity=severity,
        message="{actor} did it",
        **more,
    )


# Text with everything that has ever made two JSON programs disagree.
_awkward = st.sampled_from(
    ["", '"', "\\", "\u007f", "\u0000", "\u0008", "\u2028", "\ufeff", "\uffff", "\ue000", "\U0001f600", "é", "/", "~1"]
)
texts = st.lists(st.text(max_size=6) | _awkward, max_size=3).map("".join)
safe_numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(
    min_value=-(2.0**53) + 2, max_value=2.0**53 - 2, allow_nan=False
)
free_values = st.recursive(
    st.none() | st.booleans() | safe_numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
free_objects = st.dictionaries(texts, free_values, max_size=3)
identifiers = st.sampled_from(
    ["u-1", "ana@example.com", "10.0.0.1", "2001:db8::1", "arn:aws:iam::1:user/x", "é", "a b", "x" * 1024]
) | st.text(min_size=1, max_size=8)
times = st.sampled_from(
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.1Z",
        "2026-03-01T12:00:00.123456789Z",
        "2026-03-01t14:00:00.5+02:00",
        "1999-12-31T23:59:59.999999-23:59",
        "2026-03-02T11:59:59.999999Z",
    ]
)
actor_types = st.sampled_from(["user", "service", "system", "anonymous", "deleted", "unknown"])


def _object(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> Any:
    return st.fixed_dictionaries(required, optional=optional)


actors = _object({"id": identifiers, "type": actor_types}, name=texts, email=texts)
targets = _object({"id": identifiers, "type": st.sampled_from(["user", "release", "x y"])}, name=texts)
changes = _object({"field": identifiers}, old=free_values, new=free_values)
contexts = st.fixed_dictionaries(
    {}, optional={"ip": texts, "request_id": texts, "auth_method": texts, "user_agent": texts, "other": free_values}
)
_common = {
    "actor": actors,
    "action": st.sampled_from(["release.updated", "named.things", "build.finished", "never.declared"]),
    "scope": st.sampled_from(["acme", "acme/payments", "acme/payments/api"]),
    "occurred_at": times,
}
_optional = {
    "on_behalf_of": actors,
    "outcome": st.sampled_from(["success", "failure", "denied", "unknown"]),
    "severity": st.sampled_from(["informational", "critical"]),
    "reason": texts,
    "message": texts,
    "changes": st.lists(changes, max_size=2),
    "context": contexts,
    "metadata": free_objects,
    "raw": texts | free_objects,
    "sequence": st.fixed_dictionaries({"stream": identifiers, "number": st.integers(0, 2**53 - 1)}),
}
events = st.fixed_dictionaries(
    {**_common, "targets": st.lists(targets, min_size=1, max_size=2)}, optional=_optional
) | st.fixed_dictionaries({**_common, "target": targets}, optional=_optional)
