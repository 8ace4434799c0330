"""A rule held against events that are given: its own samples, by the very evaluation that watches the log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from tallystick.detect.errors import RuleSamplesError, RuleTextError
from tallystick.detect.firing import Firing
from tallystick.detect.ports import EnabledRule
from tallystick.detect.replay import Replay, RuleUnfitError
from tallystick.detect.rulefile import RuleFile
from tallystick.detect.samples import Sample
from tallystick.detect.subject import PRODUCT_KIND, Subject
from tallystick.event.catalogue import Catalogue, load_shipped
from tallystick.follow.product_log import PRODUCT_SOURCE
from tallystick.sigma import Lists, Rule, SigmaError, compile_rules

_SENDER: Final = 1


@dataclass(frozen=True, slots=True)
class SampleResult:
    """What came of a sample: whether the rule had to fire, how often it did, and the first thing it said."""

    name: str
    line: int
    must_match: bool
    fired: int
    events: int
    sentence: str

    @property
    def passed(self) -> bool:
        """Return whether it came out as the text demands."""
        return self.must_match == bool(self.fired)


def compile_alone(file: RuleFile, lists: Lists) -> None:
    """Return when the rule can be evaluated here; raises RuleTextError with line and column."""
    rules = {str(place): each for place, each in enumerate(file.documents) if isinstance(each, Rule)}
    try:
        compile_rules(rules, lists=lists)
    except SigmaError as error:
        raise RuleTextError(error.message, line=error.line, column=error.column, advice=error.advice) from error
    try:
        Replay([as_enabled(file)], lists=lists)
    except RuleUnfitError as error:
        raise RuleTextError(error.message, line=1, column=1) from error


def fired_by(
    rule: EnabledRule, subjects: Iterable[Subject], lists: Lists, until_us: int | None = None
) -> Iterator[Firing]:
    """Yield the firings of a rule over events in the order of the log; then time goes on until `until_us`."""
    run = Replay([rule], lists=lists)
    for subject in subjects:
        yield from run.detector.feed(subject)
    if until_us is not None:
        yield from run.detector.advance(until_us)


def run_samples(file: RuleFile, lists: Lists) -> list[SampleResult]:
    """Return what came of each sample of a rule, in their order. What the text gives for a list stands for it."""

    def values(name: str) -> Sequence[str] | None:
        given = file.lists.get(name)
        return given if given is not None else lists(name)

    rule = as_enabled(file)
    return [_run(rule, each, values) for each in file.samples]


def require_samples(file: RuleFile) -> None:
    """Raise RuleSamplesError unless there is a sample that must match, and one that must not."""
    kinds = {each.matches for each in file.samples}
    if kinds != {True, False}:
        missing = "must match" if True not in kinds else "must not match"
        raise RuleSamplesError(f"the rule has no sample that {missing}")


def failed_of(results: Sequence[SampleResult]) -> list[SampleResult]:
    """Return the results that are not as the text demands."""
    return [each for each in results if not each.passed]


def as_enabled(file: RuleFile, rule_id: str = "sample") -> EnabledRule:
    """Return a text as if it were in force everywhere, since ever."""
    return EnabledRule(rule_id, file.digest, file.text, file.severity, file.title)


def subjects_of(sample: Sample) -> list[Subject]:
    """Return the events of a sample as the evaluation sees them."""
    catalogue = _catalogue()
    made = []
    for index, each in enumerate(sample.events()):
        event = {**each.event, "source": each.source, "source_kind": each.source_kind}
        found = catalogue.get(event["action"])
        number = PRODUCT_SOURCE if each.source_kind == PRODUCT_KIND else _SENDER
        category = None if found is None else found.category
        made.append(Subject(index, each.at_us, number, each.source_kind, category, event))
    return made


def _run(rule: EnabledRule, sample: Sample, lists: Lists) -> SampleResult:
    firings = list(fired_by(rule, subjects_of(sample), lists, sample.until_us))
    said = firings[0].sentence if firings else ""
    return SampleResult(sample.name, sample.line, sample.matches, len(firings), sample.count(), said)


@cache
def _catalogue() -> Catalogue:
    return load_shipped()
