"""How a condition joins the searches of a rule."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import product

import pytest
from tests.sigma_text import matches, rule_of

from tallystick.sigma.errors import SigmaError
from tallystick.sigma.model import And, Identifier, Not, Or, Quantified

SEARCHES = """
    a1: {a1: 1}
    a2: {a2: 1}
    notable: {b: 1}
    _hidden: {h: 1}
    condition: """
FIELDS = {"a1": "a1", "a2": "a2", "notable": "b", "_hidden": "h"}

# Each condition beside the same in Python, over the names of the searches
MEANINGS = [
    ("a1", "a1"),
    ("a1 or a2 and notable", "a1 or (a2 and notable)"),
    ("(a1 or a2) and notable", "(a1 or a2) and notable"),
    ("not a1 and a2", "(not a1) and a2"),
    ("not (a1 and a2)", "not (a1 and a2)"),
    ("not not a1", "a1"),
    ("not notable", "not notable"),
    ("notable and not a1", "notable and not a1"),
    ("a1 or a2 or notable", "a1 or a2 or notable"),
    ("1 of a*", "a1 or a2"),
    ("all of a*", "a1 and a2"),
    ("not 1 of a*", "not (a1 or a2)"),
    ("1 of a* and notable", "(a1 or a2) and notable"),
    ("1 of *1", "a1"),
    ("1 of n*e", "notable"),
    ("1 of them", "a1 or a2 or notable"),
    ("all of them", "a1 and a2 and notable"),
    ("1 of _*", "_hidden"),
    ("1 of * and not _hidden", "(a1 or a2 or notable or _hidden) and not _hidden"),
    ("_hidden", "_hidden"),
    ("a1 AND NOT a2 OR notable", "(a1 and not a2) or notable"),
    ("All Of a* or (notable)", "(a1 and a2) or notable"),
    ("((a1))", "a1"),
    ("[a1 and a2, notable]", "(a1 and a2) or notable"),
    ("|\n      a1 or\n      a2", "a1 or a2"),
]


@pytest.mark.parametrize(("condition", "meaning"), MEANINGS, ids=[case[0] for case in MEANINGS])
def test_a_condition_holds_as_the_same_words_do_in_python(condition: str, meaning: str) -> None:
    for truths in product((False, True), repeat=len(FIELDS)):
        held = dict(zip(FIELDS, truths, strict=True))
        event = {FIELDS[name]: 1 for name, truth in held.items() if truth}
        assert matches(SEARCHES + condition, event) is eval(meaning, {}, held), held  # noqa: S307 our own table


def test_names_that_begin_like_a_word_are_names() -> None:
    searches = "notable: {a: 1}\norder: {a: 1}\nandroid: {a: 1}\noffer: {a: 1}\nthemis: {a: 1}\nall: {a: 1}\n"
    condition = rule_of(
        searches + "condition: notable or order or android or offer or themis or all"
    ).searches.condition
    assert isinstance(condition, Or)
    names = [part.name for part in condition.parts if isinstance(part, Identifier)]
    assert names == ["notable", "order", "android", "offer", "themis", "all"]


def test_the_tree_says_which_searches_a_pattern_stood_for() -> None:
    tree = rule_of(SEARCHES + "all of a* and not notable").searches.condition
    assert tree == And((Quantified(every=True, pattern="a*", names=("a1", "a2")), Not(Identifier("notable"))))


@pytest.mark.parametrize("pattern", ["*", "a*", "*a", "a*a", "*b*", "a*b*a", "ab", "*a*a*", "a*ab*b", "ab*ba"])
def test_a_star_in_a_pattern_of_names_is_any_run_of_characters(pattern: str) -> None:
    known = sorted({"".join(each) for size in range(1, 5) for each in product("ab", repeat=size)})
    searches = "".join(f"{name}: {{a: 1}}\n" for name in known)
    condition = rule_of(f"{searches}condition: 1 of {pattern}").searches.condition
    assert condition == Quantified(
        every=False, pattern=pattern, names=tuple(name for name in known if fnmatchcase(name, pattern))
    )


def test_a_pattern_of_many_stars_against_a_long_name_is_answered() -> None:
    with pytest.raises(SigmaError):
        rule_of(f"{'a' * 200}: {{a: 1}}\ncondition: 1 of {'a*' * 60}b")
