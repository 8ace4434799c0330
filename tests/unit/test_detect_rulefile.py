"""What the text of a rule may say, and where it says that it is wrong."""

from __future__ import annotations

import pytest
from tests.rules_world import SIGMAHQ, rule_text

from tallystick.detect.errors import RuleSamplesError, RuleTextError
from tallystick.detect.model import TEXT_BYTES_MAX
from tallystick.detect.rulefile import parse_rule
from tallystick.detect.samples import EVENTS_MAX
from tallystick.detect.trials import compile_alone, require_samples, run_samples


def refused(text: str) -> RuleTextError:
    with pytest.raises(RuleTextError) as caught:
        compile_alone(parse_rule(text.encode()), lambda _: None)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("owner: security", "owner: somebody", "owner is one of"),
        ("category: security", "category: weather", "category is one of"),
        ("runbook: Ask", "runbock: Ask", "'runbock' is not known"),
        ("match: false", "match: perhaps", "`match: true` or `match: false`"),
        ("response: Confirm within one day.", "runbook: Confirm.", "twice"),
        ('controls: ["SOC 2 CC6.1"]', "controls: SOC", "list of at most"),
        ("- name: of a test", "- name: of production", "twice"),
        ("action: secret.read, target: {id: test/db", "acton: secret.read, target: {id: test/db", "'acton' is not"),
        ("targets.id|startswith: prod/", "targets.id|beginswith: prod/", "beginswith"),
        ("targets.id|startswith: prod/", "targets.id|expand: '%nowhere%'", "nowhere"),
        ("level: high", "level: enormous", "enormous"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, said: str) -> None:
    before = rule_text()
    assert old in before
    start, _, end = before.rpartition(old)
    text = start + new + end
    error = refused(text)
    assert said in error.message
    assert error.line is not None
    assert error.line == text[: len(start)].count("\n") + 1
    assert error.column is not None
    assert error.advice


def test_a_text_that_is_too_long_is_refused_before_it_is_read() -> None:
    assert "at most" in refused(rule_text() + "#" * TEXT_BYTES_MAX).message


def test_a_filter_is_no_rule() -> None:
    text = "title: f\nlogsource: {product: tallystick}\nfilter:\n  rules: any\n  a: {action: x}\n  condition: not a\n"
    assert "alerts about nothing" in refused(text).message


def test_several_rules_do_not_stand_in_one_text() -> None:
    assert "one text for each" in refused(SIGMAHQ + "---\n" + SIGMAHQ.replace("Github", "Another")).message


def test_a_correlation_brings_the_rules_that_it_is_made_of() -> None:
    text = "title: c\ncorrelation: {type: event_count, rules: [elsewhere], group-by: [actor.id], timespan: 5m, condition: {gte: 2}}\n"
    assert "elsewhere" in refused(text).message


def test_a_rule_of_others_is_read_as_it_is() -> None:
    file = parse_rule(SIGMAHQ.encode())
    assert (file.severity, file.kind, file.owner, file.samples) == ("high", "sigma", "security", ())
    assert file.logsource == {"product": "github", "service": "audit"}
    assert file.main.head.author == "Somebody Upstream"


@pytest.mark.parametrize("missing", [True, False])
def test_a_rule_has_samples_of_both_kinds(missing: bool) -> None:
    text = rule_text().replace(f"match: {str(missing).lower()}", f"match: {str(not missing).lower()}")
    with pytest.raises(RuleSamplesError, match="must match" if missing else "must not match"):
        require_samples(parse_rule(text.encode()))


def test_rows_of_equal_events_are_written_once_and_bounded() -> None:
    row = "{action: secret.read, target: {id: prod/db, type: secret}, repeat: 3, every_s: 60, after_s: 10}"
    plain = "{action: secret.read, target: {id: prod/db, type: secret}}"
    file = parse_rule(rule_text().replace(plain, row, 1).encode())
    first, second, third = file.samples[0].events()
    assert second.at_us - first.at_us == third.at_us - second.at_us == 60_000_000
    assert run_samples(file, lambda _: None)[0].fired == 3
    too_many = row.replace("repeat: 3", f"repeat: {EVENTS_MAX + 1}")
    assert "repeat is a whole number" in refused(rule_text().replace(plain, too_many, 1)).message
