"""What is not a rule, and what is not evaluated, is refused with the line and column where it stands."""

from __future__ import annotations

import pytest
from tests.sigma_text import HEAD_LINES, rule_of, rule_text

from tallystick.sigma import SigmaError, SigmaPlaceholderError, SigmaTooLargeError, SigmaUnsupportedError, load
from tallystick.sigma.ruleset import compile_rules

BAD, UNSUPPORTED, LARGE = SigmaError, SigmaUnsupportedError, SigmaTooLargeError

# Searches of a rule, indented by two: the error, line and column within them, and a word of what is said
SEARCHES: list[tuple[str, type[Exception], int, int, str]] = [
    ("s: {a|fuzzy: x}", UNSUPPORTED, 1, 7, "no modifier 'fuzzy'"),
    ("s:\n  a|contains|Contains: x", UNSUPPORTED, 2, 5, "no modifier 'Contains'"),
    ("s: {a|contains|contains: x}", BAD, 1, 7, "twice"),
    ("s: {a|contains|startswith: x}", BAD, 1, 7, "do not go together"),
    ("s: {a|re|contains: x}", BAD, 1, 7, "do not go together"),
    ("s: {a|exists|all: true}", BAD, 1, 7, "do not go together"),
    ("s: {a|cidr|startswith: x}", BAD, 1, 7, "do not go together"),
    ("s: {a|lt|gt: 5}", BAD, 1, 7, "do not go together"),
    ("s: {a|lt|neq: 5}", BAD, 1, 7, "do not go together"),
    ("s: {a|hour|day: 5}", BAD, 1, 7, "do not go together"),
    ("s: {a|fieldref|base64: b}", BAD, 1, 7, "do not go together"),
    ("s: {a|i: x}", BAD, 1, 7, "flag of `re`"),
    ("s: {a|i|re: x}", BAD, 1, 7, "must stand before"),
    ("s: {a|contains|base64: x}", BAD, 1, 7, "must stand before"),
    ("s: {a|base64|wide: x}", BAD, 1, 7, "must stand before"),
    ("s: {a|gt|hour: 5}", BAD, 1, 7, "must stand before"),
    ("s: {a|cidr|expand: '%x%'}", BAD, 1, 7, "must stand before"),
    ("s: {a|all: x}", BAD, 1, 7, "several values"),
    ("s: {'|startswith': x}", BAD, 1, 7, "needs a field"),
    ("s: {'|exists': true}", BAD, 1, 7, "needs a field"),
    ("s: {'': x}", BAD, 1, 7, "name of a field"),
    ("s: {'a[any]': x}", UNSUPPORTED, 1, 7, "later version"),
    ("s: {'a.b[0].c': x}", UNSUPPORTED, 1, 7, "later version"),
    ("s: {a: [x, null]}", BAD, 1, 14, "null"),
    ("s: {a|contains: null}", BAD, 1, 19, "null"),
    ("s: [null, x]", BAD, 1, 7, "null"),
    ("s: {a: []}", BAD, 1, 10, "empty"),
    ("s: []", BAD, 1, 6, "empty"),
    ("s: {}", BAD, 1, 6, "empty"),
    ("s: {a: {b: c}}", UNSUPPORTED, 1, 10, "a value is text"),
    ("s: {a: [x, [y]]}", UNSUPPORTED, 1, 14, "a value is text"),
    ("s: [[x]]", UNSUPPORTED, 1, 7, "list within a list"),
    ("s: {a: x, a: y}", BAD, 1, 13, "twice"),
    ("s: {a|exists: 1}", BAD, 1, 17, "true or false"),
    ("s: {a|exists: [true, false]}", BAD, 1, 18, "true or false"),
    ("s: {a|gt: '5'}", BAD, 1, 13, "needs a number"),
    ("s: {a|gt: true}", BAD, 1, 13, "needs a number"),
    ("s: {a|hour: noon}", BAD, 1, 15, "needs a number"),
    ("s: {a|cidr: 10.0.0.0/33}", BAD, 1, 15, "no network"),
    ("s: {a|cidr: 10.0.0.1/8}", BAD, 1, 15, "host bits"),
    ("s: {a|cidr: [10.0.0.0/8, x]}", BAD, 1, 28, "no network"),
    ("s: {a|fieldref: 'x*'}", BAD, 1, 19, "name of a field"),
    ("s: {a|fieldref: 5}", BAD, 1, 19, "name of a field"),
    ("s: {a|base64: 'x*'}", BAD, 1, 17, "wildcard"),
    ("s: {a|base64offset: ''}", BAD, 1, 23, "too short"),
    ("s: {a|expand: x}", BAD, 1, 17, "needs a placeholder"),
    ("s: {a|re: '('}", UNSUPPORTED, 1, 13, "missing )"),
    ("s: {a|re: '(?=x)'}", UNSUPPORTED, 1, 13, "invalid perl operator"),
    (r"s: {a|re: '(x)\1'}", UNSUPPORTED, 1, 13, "invalid escape sequence"),
    ("s: {a|re: 'x{1,5000}'}", UNSUPPORTED, 1, 13, "repetition"),
    ("s: {a|re: '" + "x" * 5000 + "'}", UNSUPPORTED, 1, 13, "longer than"),
    ("timeframe: 5m\ns: {a: x}", UNSUPPORTED, 1, 3, "write a correlation"),
    ("s x: {a: x}", BAD, 1, 3, "name of a search"),
    ("not: {a: x}", BAD, 1, 3, "name of a search"),
    ("condition: s", BAD, 1, 3, "no search here"),
    ("s: {a: x}\ncondition: t", BAD, 2, 14, "no search 't'"),
    ("s: {a: x}\ncondition: s and t", BAD, 2, 20, "no search 't'"),
    ("s: {a: x}\ncondition: 's and t'", BAD, 2, 21, "no search 't'"),
    ("s: {a: x}\ncondition: s s", BAD, 2, 16, "`and` or `or` is missing"),
    ("s: {a: x}\ncondition: s and", BAD, 2, 19, "ends where"),
    ("s: {a: x}\ncondition: and s", BAD, 2, 14, "a search is expected"),
    ("s: {a: x}\ncondition: (s", BAD, 2, 14, "not closed"),
    ("s: {a: x}\ncondition: s)", BAD, 2, 15, "closes none"),
    ("s: {a: x}\ncondition: ( )", BAD, 2, 16, "expected before"),
    ("s: {a: x}\ncondition: s*", BAD, 2, 14, "pattern needs"),
    ("s: {a: x}\ncondition: 1 of t*", BAD, 2, 19, "no search"),
    ("_s: {a: x}\ncondition: 1 of them", BAD, 2, 19, "no search"),
    ("s: {a: x}\ncondition: 1 of", BAD, 2, 18, "`of` needs"),
    ("s: {a: x}\ncondition: 2 of s*", UNSUPPORTED, 2, 14, "`1 of` and `all of`"),
    ("s: {a: x}\ncondition: 1 of (s, t)", UNSUPPORTED, 2, 19, "list of names"),
    ("s: {a: x}\ncondition: s | count() > 5", UNSUPPORTED, 2, 16, "old aggregation"),
    ("s: {a: x}\ncondition: []", BAD, 2, 14, "empty"),
    ("s: {a: x}\ncondition: {}", BAD, 2, 14, "must be text"),
    ("s: {a: x}\ncondition: [s, t]", BAD, 2, 18, "no search 't'"),
    ("s: {a: x}\ncondition: " + "not " * 60 + "s", LARGE, 2, 14, "in a row"),
    ("s: {a: x}\ncondition: " + "(" * 60 + "s" + ")" * 60, LARGE, 2, 64, "parentheses"),
]


@pytest.mark.parametrize(
    ("searches", "error", "line", "column", "word"), SEARCHES, ids=[case[0][:60] for case in SEARCHES]
)
def test_searches_are_refused(searches: str, error: type[Exception], line: int, column: int, word: str) -> None:
    with pytest.raises(error) as caught:
        load(rule_text(searches), name="pack.yml")
    found = caught.value
    assert isinstance(found, SigmaError | SigmaTooLargeError)
    assert type(found) is error
    assert (found.line, found.column, found.details["file"]) == (line + HEAD_LINES, column, "pack.yml")
    assert word in found.message
    assert found.advice


GOOD = "logsource: {product: p}\ndetection: {s: {a: x}, condition: s}\n"
COUNT = "title: t\ncorrelation:\n  type: event_count\n  rules: [a]\n  timespan: 5m\n"
FILTER = "title: t\nlogsource: {product: p}\nfilter:\n"
DOCUMENTS: list[tuple[str, type[Exception], int, int, str]] = [
    (GOOD, BAD, 1, 1, "`title` is missing"),
    ("", BAD, 1, 1, "no document"),
    ("- a\n", BAD, 1, 1, "a map of keys"),
    ("title: t\n", BAD, 1, 1, "`detection` is missing"),
    ("title: [t]\n" + GOOD, BAD, 1, 8, "must be text"),
    (f"title: {'t' * 257}\n" + GOOD, BAD, 1, 8, "256"),
    ("title: t\nid: 7\n" + GOOD, BAD, 2, 5, "no UUID"),
    ("title: t\nstatus: new\n" + GOOD, BAD, 2, 9, "none of stable"),
    ("title: t\nlevel: severe\n" + GOOD, BAD, 2, 8, "none of informational"),
    ("title: t\ndate: 2026/01/31\n" + GOOD, BAD, 2, 7, "no date"),
    ("title: t\nmodified: 2026-02-31\n" + GOOD, BAD, 2, 11, "no date"),
    ("title: t\ntaxonomy: ours\n" + GOOD, UNSUPPORTED, 2, 11, "taxonomy"),
    ("title: t\ntags: [attack]\n" + GOOD, BAD, 2, 8, "no tag"),
    ("title: t\nrelated: [{id: x}]\n" + GOOD, BAD, 2, 11, "id and type"),
    ("title: t\nreferences: {a: b}\n" + GOOD, BAD, 2, 13, "list of texts"),
    ("title: t\naction: global\n" + GOOD, UNSUPPORTED, 2, 1, "Sigma 1"),
    ("title: t\ndetection: {s: {a: x}, condition: s}\n", BAD, 1, 1, "`logsource` is missing"),
    ("title: t\nlogsource: {}\ndetection: {s: {a: x}, condition: s}\n", BAD, 2, 12, "no category"),
    ("title: t\nlogsource: {product: AWS}\ndetection: {s: {a: x}, condition: s}\n", BAD, 2, 22, "lower-case"),
    ("title: t\nlogsource: aws\ndetection: {s: {a: x}, condition: s}\n", BAD, 2, 12, "is a map"),
    ("title: t\nlogsource: {product: p}\ndetection: {s: {a: x}}\n", BAD, 3, 12, "`condition` is missing"),
    ("title: t\nlogsource: {product: p}\ndetection: x\n", BAD, 3, 12, "named searches"),
    ("title: t\n" + GOOD + "filter: {rules: any}\n", BAD, 4, 1, "one document"),
    ("title: t\ntitle: u\n" + GOOD, BAD, 2, 1, "twice"),
    ("title: 't\n" + GOOD, BAD, 4, 1, "not YAML"),
    ("title: \x07\n" + GOOD, BAD, 1, 1, "not YAML"),
    ("title: !!python/name:os.system x\n" + GOOD, UNSUPPORTED, 1, 8, "tag"),
    ("title: t\nx: &a {<<: {b: c}}\n" + GOOD, UNSUPPORTED, 2, 8, "merge keys"),
    ("title: t\nx: &a [*a]\n" + GOOD, BAD, 2, 8, "stands for nothing"),
    ("title: t\n? [a]\n: b\n" + GOOD, BAD, 2, 3, "a key must be text"),
    ("title: t\nx: " + "[" * 40 + "]" * 40 + "\n" + GOOD, LARGE, 2, 35, "deeper"),
    ("title: t\nx: [&a [1], " + "*a, " * 101 + "]\n" + GOOD, LARGE, 2, 413, "aliases"),
    (COUNT, BAD, 3, 3, "`condition` is missing"),
    (COUNT + "  condition: {gte: 5}\n  window: 5\n", UNSUPPORTED, 7, 3, "no key 'window'"),
    (COUNT + "  condition: {gte: -5}\n", BAD, 6, 20, "no count"),
    (COUNT + "  condition: {gte: 5.5}\n", BAD, 6, 20, "no count"),
    (COUNT + "  condition: {about: 5}\n", UNSUPPORTED, 6, 15, "no key 'about'"),
    (COUNT + "  condition: {gt: 1, lt: 9, eq: 5}\n", BAD, 6, 14, "two for a range"),
    (COUNT + "  condition: {field: a, gte: 5}\n", BAD, 6, 15, "counts no field"),
    (COUNT + "  condition: a and not b\n", UNSUPPORTED, 6, 14, "condition over rules"),
    (COUNT + "  condition: {gte: 5}\n  aliases: {u: {b: user}}\n", BAD, 7, 17, "none of this correlation's rules"),
    (COUNT + "  condition: {gte: 5}\n  generate: yes\n", BAD, 7, 13, "true or false"),
    (COUNT.replace("5m", "5w") + "  condition: {gte: 5}\n", BAD, 5, 13, "no time span"),
    (COUNT.replace("5m", "0s") + "  condition: {gte: 5}\n", BAD, 5, 13, "more than nothing"),
    (COUNT.replace("[a]", "[]"), BAD, 4, 10, "names its rules"),
    (COUNT.replace("[a]", "[a, a]"), BAD, 4, 10, "named twice"),
    (COUNT.replace("event_count", "temporal"), BAD, 4, 10, "two rules"),
    (COUNT.replace("event_count", "value_sum"), UNSUPPORTED, 3, 9, "not evaluated"),
    (COUNT.replace("event_count", "value_avg"), UNSUPPORTED, 3, 9, "not evaluated"),
    (COUNT.replace("event_count", "value_percentile"), UNSUPPORTED, 3, 9, "not evaluated"),
    (COUNT.replace("event_count", "near"), UNSUPPORTED, 3, 9, "no correlation type"),
    (COUNT.replace("event_count", "value_count") + "  condition: {gte: 5}\n", BAD, 6, 14, "needs the `field`"),
    ("title: t\ncorrelation: x\n", BAD, 2, 14, "is a map"),
    (FILTER + "  s: {a: x}\n  condition: not s\n", BAD, 4, 3, "`rules` is missing"),
    (FILTER + "  rules: []\n  s: {a: x}\n  condition: not s\n", BAD, 4, 10, "no rule is named"),
    (FILTER + "  rules: any\n  s: {a: x}\n  condition: s\n", BAD, 3, 1, "keeps only what it names"),
    (FILTER + "  rules: any\n  s: {a: x}\n", BAD, 4, 3, "`condition` is missing"),
]


@pytest.mark.parametrize(
    ("text", "error", "line", "column", "word"), DOCUMENTS, ids=[case[4] + case[0][:40] for case in DOCUMENTS]
)
def test_documents_are_refused(text: str, error: type[Exception], line: int, column: int, word: str) -> None:
    with pytest.raises(error) as caught:
        load(text.encode(), name="pack.yml")
    found = caught.value
    assert isinstance(found, SigmaError | SigmaTooLargeError)
    assert type(found) is error
    assert (word in found.message, found.line, found.column) == (True, line, column), found.message


def test_a_fault_in_the_second_document_is_named_by_its_line_in_the_file() -> None:
    text = rule_text("s: {a: x}") + b"---\n" + rule_text("s: {a|nope: x}")
    with pytest.raises(SigmaUnsupportedError) as caught:
        load(text)
    assert caught.value.line == 10


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(SigmaError, match="not YAML"):
        load(b"title: \xff\xfe\xfd\n")


def test_a_text_that_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(SigmaTooLargeError, match="bytes"):
        load(b"#" * (4 * 1024 * 1024 + 1))


def test_aliases_cannot_make_much_of_little() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(SigmaTooLargeError, match="more than"):
        load(("title: t\n" + "\n".join(lines) + "\n" + GOOD).encode())


def test_a_placeholder_without_a_list_is_refused_when_the_rule_is_compiled() -> None:
    rule = rule_of("s: {b: y, a|expand: 'x%admins%'}")
    with pytest.raises(SigmaPlaceholderError, match="'admins'") as caught:
        compile_rules({"r-1": rule})
    assert (caught.value.line, caught.value.column, caught.value.details["rule"]) == (HEAD_LINES + 1, 23, "r-1")


def test_a_listed_value_that_is_no_network_is_refused_when_the_rule_is_compiled() -> None:
    rule = rule_of("s: {a|expand|cidr: '%networks%'}")
    with pytest.raises(SigmaError, match="'home' is no network"):
        compile_rules({"r-1": rule}, lists={"networks": ["10.0.0.0/8", "home"]}.get)
