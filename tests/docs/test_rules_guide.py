"""What the guide shows of rules is read as it stands, and it names every modifier that there is."""

from __future__ import annotations

import re
from pathlib import Path

from tallystick.detect.native.grammar import KEYS
from tallystick.sigma import Correlation, EventView, Filter, Rule, compile_rules, load
from tallystick.sigma.modifiers import MODIFIERS

PAGE = (Path(__file__).resolve().parents[2] / "docs/guide/writing-rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_examples_are_a_rule_a_correlation_and_a_filter() -> None:
    assert [type(load(text.encode())[0]) for text in EXAMPLES] == [Rule, Correlation, Filter]


def test_the_example_finds_a_key_for_another_but_not_for_oneself() -> None:
    [rule] = load(EXAMPLES[0].encode())
    assert isinstance(rule, Rule)
    rules = compile_rules({"r": rule})
    event = {"eventSource": "iam.amazonaws.com", "eventName": "CreateAccessKey", "userIdentity": {"userName": "ada"}}
    assert rules.match(EventView({**event, "requestParameters": {"userName": "bob"}})) == ("r",)
    assert rules.match(EventView({**event, "requestParameters": {"userName": "ada"}})) == ()


def test_every_modifier_is_named() -> None:
    table = PAGE.split("## Modifiers")[1].split("## Condition")[0]
    names = set(re.findall(r"`([a-z0-9]+)`", table))
    assert names >= MODIFIERS


def test_every_kind_beside_sigma_is_told_with_its_keys() -> None:
    section = PAGE.split("## What Sigma has no words for")[1].split("## What a rule costs")[0]
    rows = {name: row for row in section.splitlines() for name in re.findall(r"^\| `([a-z_]+)` \|", row)}
    assert rows.keys() == KEYS.keys()
    for kind, keys in KEYS.items():
        assert {key for key in keys if f"`{key}`" in rows[kind]} == set(keys) - {"group_by", "lateness"}
