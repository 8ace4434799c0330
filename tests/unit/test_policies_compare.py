"""What changed between two versions of policies, and that the differences are the whole of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.policies.compare import CHANGES_MAX, Difference, apply, compare, differences, same
from tallystick.policies.model import Kind, Policy, policy_id
from tallystick.policies.reach import affected, concerns, visible_of

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
CONTENTS = st.dictionaries(TEXTS, VALUES, max_size=5)


def held(*pairs: tuple[str, dict[str, Any]], kind: Kind = Kind.APPROVAL) -> dict[tuple[Kind, str], Policy]:
    return {(kind, name): Policy(kind, name, {"name": name, **content}) for name, content in pairs}


def told(old: dict[tuple[Kind, str], Policy], new: dict[tuple[Kind, str], Policy]) -> list[tuple[str, str, str | None]]:
    return [(each.action.rpartition(".")[2], each.policy.name, each.supersedes) for each in compare(old, new)]


@given(CONTENTS, CONTENTS)
def test_differences_put_into_effect_give_what_is_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert same(apply(old, differences(old, new)), new)


@given(CONTENTS)
def test_what_is_the_same_has_no_difference(content: dict[str, Any]) -> None:
    assert differences(content, content) == ()


def test_a_difference_names_the_deepest_path() -> None:
    old = {"actions": [{"type": "x", "needed": 1}], "rules": [1], "a/b~c": 1}
    new = {"actions": [{"type": "x", "needed": 2}], "rules": [1, 2], "a/b~c": True}
    assert differences(old, new) == (
        Difference("/a~1b~0c", 1, True),
        Difference("/actions/0/needed", 1, 2),
        Difference("/rules", [1], [1, 2]),
    )


def test_very_many_paths_are_told_by_the_keys_of_the_policy() -> None:
    old = {"rules": [{"n": number} for number in range(CHANGES_MAX + 1)], "name": "x"}
    new = {"rules": [{"n": -number - 1} for number in range(CHANGES_MAX + 1)], "name": "x"}
    [difference] = differences(old, new)
    assert difference.path == "/rules"


def test_each_policy_that_differs_is_one_change() -> None:
    old = held(("kept", {}), ("changed", {"enabled": True}), ("gone", {"a": 1}))
    new = held(("kept", {}), ("changed", {"enabled": False}), ("came", {"b": 2}))
    assert told(old, new) == [("deleted", "gone", None), ("updated", "changed", None), ("created", "came", None)]


def test_order_and_nothing_else_is_no_change() -> None:
    old = held(("a", {"x": 1}), ("b", {"y": 2}))
    assert compare(old, dict(reversed(old.items()))) == []


def test_true_is_not_one() -> None:
    assert told(held(("a", {"x": True})), held(("a", {"x": 1}))) == [("updated", "a", None)]


def test_a_rename_is_a_delete_and_a_create_that_name_each_other() -> None:
    assert told(held(("old", {"x": 1})), held(("new", {"x": 1}))) == [
        ("deleted", "old", "new"),
        ("created", "new", "old"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (held(("old", {"x": 1})), held(("new", {"x": 2}))),
        (held(("old", {"x": 1})), held(("new", {"x": 1}), kind=Kind.SCAN_EXECUTION)),
        (held(("old", {"x": 1}), ("other", {"x": 1})), held(("new", {"x": 1}))),
        (held(("old", {"x": 1})), held(("new", {"x": 1}), ("newer", {"x": 1}))),
    ],
)
def test_what_might_be_a_rename_is_not_guessed(
    old: dict[tuple[Kind, str], Policy], new: dict[tuple[Kind, str], Policy]
) -> None:
    assert {supersedes for _, _, supersedes in told(old, new)} == {None}


def test_the_id_of_a_policy_is_that_of_its_project_kind_and_name() -> None:
    ids = {
        policy_id("pp-a", Kind.APPROVAL, "x"),
        policy_id("pp-b", Kind.APPROVAL, "x"),
        policy_id("pp-a", Kind.SCAN_EXECUTION, "x"),
        policy_id("pp-a", Kind.APPROVAL, "y"),
    }
    assert len(ids) == 4
    assert policy_id("pp-a", Kind.APPROVAL, "x") in ids


@pytest.mark.parametrize(
    ("scope", "reach"),
    [
        (None, ("a", "b/c")),
        ({"projects": {"including": [{"id": "a/x"}, {"id": "z"}]}}, ("a/x",)),
        ({"projects": {"including": [{"id": "b"}]}}, ("b/c",)),
        ({"projects": {"including": [{"id": 7}]}}, ("a", "b/c")),
        ({"projects": {"including": [{"id": 7}, {"id": "a/x"}]}}, ("a", "b/c")),
        ({"groups": {"excluding": [{"id": "a"}]}}, ("b/c",)),
        ({"groups": {"excluding": [{"id": "a/x"}]}}, ("a", "b/c")),
        ({"groups": {"excluding": [{"id": 7}]}}, ("a", "b/c")),
        ({"compliance_frameworks": [{"id": 1}]}, ("a", "b/c")),
    ],
)
def test_a_policy_governs_what_its_project_governs_as_far_as_paths_narrow_it(
    scope: dict[str, Any] | None, reach: tuple[str, ...]
) -> None:
    content = {"name": "x"} if scope is None else {"name": "x", "policy_scope": scope}
    assert affected(Policy(Kind.APPROVAL, "x", content), ("b/c", "a")) == reach


def test_no_policy_governs_nothing() -> None:
    assert affected(None, ("a",)) == ()


def test_of_a_wider_scope_a_reader_is_told_her_own() -> None:
    assert visible_of(("",), ("acme/payments",)) == ("acme/payments",)
    assert visible_of(("acme/payments/api", "acme/web"), ("acme/payments",)) == ("acme/payments/api",)
    assert visible_of(("acme/pay",), ("acme/payments",)) == ()


def test_scopes_concern_each_other_when_one_holds_the_other() -> None:
    assert concerns("a", "a/b")
    assert concerns("a/b", "a")
    assert not concerns("a/b", "a/c")
    assert not concerns("a", "ab")
