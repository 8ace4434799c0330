"""The rules that come with the program: each one whole, and each of its samples as it says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tallystick.detect.rulefile import CATEGORIES, OWNERS, parse_rule
from tallystick.detect.samples import Sample
from tallystick.detect.shipping import LISTS, pack
from tallystick.detect.trials import as_enabled, compile_alone, fired_by, run_samples, subjects_of
from tallystick.event.catalogue import load_shipped
from tallystick.sigma import Rule, placeholders_of

PACK = {name: parse_rule(text, name) for name, text in pack().items()}
SAMPLES = [(rule, sample) for rule, file in PACK.items() for sample in file.samples]


@pytest.mark.parametrize(("rule", "sample"), SAMPLES, ids=lambda each: each.name if isinstance(each, Sample) else each)
def test_a_sample_comes_out_as_the_rule_says(rule: str, sample: Sample) -> None:
    file = PACK[rule]

    def values(name: str) -> Sequence[str] | None:
        return file.lists.get(name)

    fired = list(fired_by(as_enabled(file, rule), subjects_of(sample), values, sample.until_us))
    assert bool(fired) is sample.matches, [firing.sentence for firing in fired]
    assert all(firing.sentence for firing in fired)


@pytest.mark.parametrize("rule", PACK)
def test_a_rule_says_what_to_do_who_does_it_and_what_it_is_evidence_of(rule: str) -> None:
    file = PACK[rule]
    assert len(file.runbook) > 60
    assert len(file.response) > 20
    assert file.threshold
    assert file.owner in OWNERS
    assert file.category in CATEGORIES
    assert file.controls
    assert file.main.head.level is not None
    assert file.main.head.description
    assert file.main.head.author == "Tallystick"
    assert file.main.head.license
    assert {sample.matches for sample in file.samples} == {True, False}


@pytest.mark.parametrize("rule", PACK)
def test_the_actions_of_samples_stand_in_the_catalogue(rule: str) -> None:
    catalogue = load_shipped()
    events = [each.event for sample in PACK[rule].samples for each in sample.events()]
    assert {event["action"] for event in events if catalogue.get(event["action"]) is None} == set()


@pytest.mark.parametrize("rule", PACK)
def test_no_rule_names_a_list_that_does_not_come_with_it(rule: str) -> None:
    named = {name for each in PACK[rule].documents if isinstance(each, Rule) for name in placeholders_of(each)}
    assert named <= set(LISTS)
    compile_alone(PACK[rule], lambda name: () if name in LISTS else None)


def test_there_are_at_least_twenty_rules_and_no_title_twice() -> None:
    titles = [file.title for file in PACK.values()]
    assert len(PACK) >= 20
    assert len(set(titles)) == len(titles)


def test_a_sample_that_does_not_come_out_is_told_with_its_line() -> None:
    text = pack()["malware-seen"].replace(b"match: true", b"match: false")
    wrong = [each for each in run_samples(parse_rule(text), lambda _: None) if not each.passed]
    assert [(each.name, each.fired, each.must_match) for each in wrong] == [("a scanner finds some", 1, False)]
    assert text.splitlines()[wrong[0].line - 1].strip() == b"- name: a scanner finds some"
