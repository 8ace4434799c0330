"""What texts of rules say, what came of their samples, of backtests and of explanations, as answers show it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tallystick.detect.backtest import Backtest, Explained, group_of
from tallystick.detect.rulefile import RuleFile
from tallystick.detect.trials import SampleResult
from tallystick.event.occurred import time_of_us
from tallystick.sigma import Explanation


class SampleView(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a sample: whether it must match, how often the rule fired, and what it said."""

    name: str
    line: int
    must_match: bool
    fired: int
    passed: bool
    events: int
    sentence: str


class AboutView(msgspec.Struct, frozen=True, kw_only=True):
    """What the text of a rule says about it."""

    title: str
    severity: str
    kind: str
    threshold: str
    owner: str
    category: str
    logsource: dict[str, str]
    description: str
    runbook: str
    response: str
    controls: list[str]
    author: str
    license: str
    references: list[str]
    tags: list[str]
    falsepositives: list[str]
    digest: str


class CheckView(msgspec.Struct, frozen=True, kw_only=True):
    """What a text says, and what came of its samples."""

    about: AboutView
    samples: list[SampleView]
    passed: bool


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """For whom the rule would have fired, and how often."""

    group: str
    count: int


class FiringView(msgspec.Struct, frozen=True, kw_only=True):
    """One time that the rule would have fired, with events that show it."""

    at: str
    group: str
    sentence: str
    indexes: list[int]


class BacktestView(msgspec.Struct, frozen=True, kw_only=True):
    """How a version would have done over a time. `read` events were held against it, of `size` that the log had.

    With `withheld`, the personal part of some events was not looked at, for the caller may not see it.
    """

    rule: str
    version: int
    start: str
    end: str
    fired: int
    read: int
    size: int
    groups: list[GroupView]
    firings: list[FiringView]
    withheld: bool
    complete: bool
    seconds: float


class ExplanationView(msgspec.Struct, frozen=True, kw_only=True):
    """One condition: whether it holds, what the event has there, and the conditions that it is made of."""

    kind: str
    label: str
    matched: bool
    field: str
    values: list[str]
    parts: list[ExplanationView]


class ExplainedView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rule matches an event or does not, document by document."""

    rule: str
    version: int
    index: int
    action: str
    at: str
    concerns: bool
    withheld: bool
    documents: list[ExplanationView]


def about_view(file: RuleFile) -> AboutView:
    """Return what a text says about its rule."""
    head = file.main.head
    return AboutView(
        title=file.title,
        severity=file.severity,
        kind=file.kind,
        threshold=file.threshold,
        owner=file.owner,
        category=file.category,
        logsource=file.logsource,
        description=head.description,
        runbook=file.runbook,
        response=file.response,
        controls=list(file.controls),
        author=head.author,
        license=head.license,
        references=list(head.references),
        tags=list(head.tags),
        falsepositives=list(head.falsepositives),
        digest=file.digest,
    )


def sample_views(results: Sequence[SampleResult]) -> list[SampleView]:
    """Return what came of samples."""
    return [
        SampleView(
            name=each.name,
            line=each.line,
            must_match=each.must_match,
            fired=each.fired,
            passed=each.passed,
            events=each.events,
            sentence=each.sentence,
        )
        for each in results
    ]


def check_view(file: RuleFile, results: Sequence[SampleResult]) -> CheckView:
    """Return what a text says and what came of its samples."""
    return CheckView(about=about_view(file), samples=sample_views(results), passed=all(each.passed for each in results))


def backtest_view(found: Backtest) -> BacktestView:
    """Return what a backtest found."""
    return BacktestView(
        rule=found.rule,
        version=found.version,
        start=time_of_us(found.start_us),
        end=time_of_us(found.end_us),
        fired=found.fired,
        read=found.read,
        size=found.size,
        groups=[GroupView(group=group, count=count) for group, count in found.groups],
        firings=[
            FiringView(
                at=time_of_us(each.at_us), group=group_of(each), sentence=each.sentence, indexes=list(each.indexes)
            )
            for each in found.firings
        ],
        withheld=found.withheld,
        complete=found.complete,
        seconds=round(found.seconds, 3),
    )


def explained_view(found: Explained) -> ExplainedView:
    """Return why a rule matches or does not."""
    return ExplainedView(
        rule=found.rule,
        version=found.version,
        index=found.index,
        action=found.action,
        at=found.at,
        concerns=found.concerns,
        withheld=found.withheld,
        documents=[_explanation(each) for each in found.documents],
    )


def _explanation(each: Explanation) -> ExplanationView:
    return ExplanationView(
        kind=each.kind,
        label=each.label,
        matched=each.matched,
        field=each.field,
        values=[str(value)[:500] for value in each.values[:20]],
        parts=[_explanation(part) for part in each.parts],
    )
