"""Many rules at once: which are asked, where filters apply, and why a rule matches."""

from __future__ import annotations

import pytest
from tests.sigma_text import filter_of, matches, rule_of

from tallystick.sigma import EventView, Explanation, Filter, Logsource, Rule, applies, compile_rules, explain, load

TRAIL = Logsource(product="aws", service="cloudtrail")
OKTA = Logsource(product="okta", service="okta")


def rule(logsource: str, searches: str, *, name: str = "n", number: int = 1) -> Rule:
    identity = f"id: 00000000-0000-4000-8000-{number:012}\nname: {name}\n"
    [made] = load(f"title: t\n{identity}logsource: {{{logsource}}}\ndetection: {{{searches}, condition: s}}\n".encode())
    assert isinstance(made, Rule)
    return made


def test_a_rule_is_asked_only_about_events_that_its_logsource_covers() -> None:
    rules = compile_rules(
        {
            "trail": rule("product: aws, service: cloudtrail", "s: {a: x}"),
            "aws": rule("product: aws", "s: {a: x}"),
            "okta": rule("product: okta", "s: {a: x}"),
            "category": rule("category: audit", "s: {a: x}"),
            "both": rule("category: audit, product: aws", "s: {a: x}"),
        }
    )
    view = EventView({"a": "x"})
    assert rules.match(view, frozenset({TRAIL})) == ("trail", "aws")
    assert rules.match(view, frozenset({TRAIL, Logsource("audit", "aws", "x")})) == ("trail", "aws", "category", "both")
    assert rules.match(view, frozenset({OKTA})) == ("okta",)
    assert rules.match(view, frozenset()) == ()
    assert rules.match(view) == ("trail", "aws", "okta", "category", "both")


def test_rules_are_found_by_what_the_fewest_of_them_ask_for() -> None:
    named = {
        f"r{number}": rule("product: aws", f"s: {{eventSource: iam.amazonaws.com, eventName: Create{number}}}")
        for number in range(50)
    }
    rules = compile_rules(named)
    view = EventView({"eventSource": "iam.amazonaws.com", "eventName": "create7"})
    assert rules.candidates(view) == ("r7",)
    assert rules.match(view) == ("r7",)


@pytest.mark.parametrize(
    ("searches", "event", "other"),
    [
        ("s: {a|contains: evil}", {"a": "so EVIL"}, {"a": "good"}),
        ("s: {a|endswith: [.exe, .dll]}", {"a": "x.dll"}, {"a": "x.txt"}),
        ("s: {a|re: '[a-z]+needle$'}", {"a": "a needle"}, {"a": "a nee dle"}),
        ("s: [evil, worse]", {"b": {"c": ["worse"]}}, {"b": "bad"}),
        ("s: [{a: x}, {b: y}]", {"b": "y"}, {"b": "x"}),
        ("s: {a|contains|all: [x, yy]}", {"a": "x yy"}, {"a": "x y"}),
        ("s: {a: 5}", {"a": "5"}, {"a": 6}),
    ],
)
def test_a_rule_with_a_positive_condition_is_not_asked_about_other_events(
    searches: str, event: dict[str, object], other: dict[str, object]
) -> None:
    # Many rules beside it, so that texts within a field are looked for in one pass
    others = {f"o{number}": rule_of(f"s: {{a|contains: other-{number}}}") for number in range(40)}
    rules = compile_rules({**others, "r": rule_of(searches)})
    assert rules.unindexed == ()
    assert rules.candidates(EventView(event)) == ("r",)
    assert rules.candidates(EventView(other)) == ()


def test_rules_that_require_nothing_positive_are_reported() -> None:
    texts = {
        "not": "s: {a: x}\ncondition: not s",
        "neq": "s: {a|neq: x}",
        "null": "s: {a: null}",
        "exists": "s: {a|exists: true}",
        "either": "s: {a: x}\nt: {a|gt: 5}\ncondition: s or t",
        "found": "s: {a: x}\nt: {a|gt: 5}\ncondition: s and t",
        "any": "s: {a: '*'}",
    }
    rules = compile_rules({key: rule_of(text) for key, text in texts.items()})
    assert rules.unindexed == ("not", "neq", "null", "exists", "either", "any")
    assert rules.candidates(EventView({})) == rules.unindexed


def test_a_field_with_a_thousand_values_is_found_by_each() -> None:
    rules = compile_rules({"r": rule_of(f"s: {{a: [{', '.join(f'v{n}' for n in range(1000))}]}}")})
    assert rules.match(EventView({"a": "V999"})) == ("r",)
    assert rules.candidates(EventView({"a": "v1000"})) == ()


FILTER = """
title: f
logsource: {product: aws}
filter:
  rules: %s
  admin: {user|startswith: adm_}
  condition: not admin
"""


@pytest.mark.parametrize(
    ("named", "logsource", "expected"),
    [
        ("any", "product: aws", True),
        ("any", "product: aws, service: cloudtrail", True),
        ("any", "product: okta", False),
        ("any", "category: audit", False),
        ("[keys]", "product: aws", True),
        ("keys", "product: aws", True),
        ("['00000000-0000-4000-8000-000000000001']", "product: aws", True),
        ("[other]", "product: aws", False),
        ("[keys]", "product: okta", False),
    ],
)
def test_a_filter_is_for_the_rules_it_names_within_its_logsource(named: str, logsource: str, expected: bool) -> None:
    made = rule(logsource, "s: {a: x}", name="keys")
    tuning = filter_of(FILTER % named)
    assert applies(tuning, made) is expected
    rules = compile_rules({"r": made}, filters=[tuning])
    assert rules.match(EventView({"a": "x", "user": "ADM_1"})) == (() if expected else ("r",))
    assert rules.match(EventView({"a": "x", "user": "bob"})) == ("r",)


def test_a_filter_by_neq_needs_no_not() -> None:
    text = "title: f\nlogsource: {product: any}\nfilter: {rules: any, s: {user|neq: adm}, condition: s}\n"
    tuning: Filter = filter_of(text)
    assert not matches("s: {a: x}", {"a": "x", "user": "adm"}, filters=[tuning])
    assert matches("s: {a: x}", {"a": "x", "user": "bob"}, filters=[tuning])


def test_a_rule_without_a_name_is_not_meant_by_an_empty_name() -> None:
    made = rule_of("s: {a: x}")
    tuning = filter_of("title: f\nlogsource: {product: any}\nfilter: {rules: [''], s: {b: y}, condition: not s}\n")
    assert not applies(tuning, made)


def test_an_explanation_says_what_held_and_what_the_event_has() -> None:
    made = rule_of("s: {a|startswith: [x, y], b: 1}\nn: [word]\ncondition: s and not 1 of n*")
    told = explain(made, EventView({"a": ["q", "yes"], "b": 2}))
    assert told == Explanation(
        "rule",
        "A rule",
        matched=False,
        parts=(
            Explanation(
                "and",
                "and",
                matched=False,
                parts=(
                    Explanation(
                        "search",
                        "s",
                        matched=False,
                        parts=(
                            Explanation(
                                "map",
                                "all of",
                                matched=False,
                                parts=(
                                    Explanation("field", "a|startswith: x, y", True, (), "a", ("q", "yes")),
                                    Explanation("field", "b: 1", False, (), "b", (2,)),
                                ),
                            ),
                        ),
                    ),
                    Explanation(
                        "not",
                        "not",
                        matched=True,
                        parts=(
                            Explanation(
                                "quantified",
                                "1 of n*",
                                matched=False,
                                parts=(
                                    Explanation(
                                        "search",
                                        "n",
                                        matched=False,
                                        parts=(Explanation("field", "anywhere: word", False),),
                                    ),
                                ),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    )


def test_an_explanation_shows_the_filters_that_apply() -> None:
    made = rule("product: aws", "s: {a: x}", name="keys")
    told = explain(made, EventView({"a": "x", "user": "adm_1"}), filters=[filter_of(FILTER % "any")])
    assert [(part.kind, part.label, part.matched) for part in told.parts] == [
        ("rule", "t", True),
        ("filter", "f", False),
    ]
    assert not told.matched


def test_the_rules_are_asked_in_the_order_they_were_given() -> None:
    rules = compile_rules({key: rule_of("s: {a: x}") for key in ("z", "m", "a")})
    assert rules.match(EventView({"a": "x"})) == ("z", "m", "a")


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_expression_takes_more_than_time_in_line_with_the_text(expression: str) -> None:
    # Each would take a backtracking matcher longer than a life; that this ends is the test.
    assert not matches(f"s: {{a|re: '{expression}'}}", {"a": "a" * 50_000 + "!"})
