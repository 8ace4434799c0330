"""Detection rules and lists of indicators as answers show them, for programs and pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff

import msgspec

from tallystick.detect.backtest import Backtest, Explained, group_of
from tallystick.detect.importing import Imported
from tallystick.detect.looking import Detail, Shown
from tallystick.detect.model import Indicator, IndicatorList, Step, Version
from tallystick.detect.rulefile import RuleFile
from tallystick.detect.trials import SampleResult
from tallystick.event.occurred import time_of_us
from tallystick.sigma import Explanation


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule. `state` is where it stands; `version` is the version that speaks for it, and `newest` the one written last.

    `flags` say why it may never fire. `seen` counts the events that it was held against since it was enabled.
    """

    id: str
    title: str
    severity: str
    state: str
    scope: str
    origin: str
    kind: str
    owner: str
    category: str
    logsource: dict[str, str]
    version: int
    newest: int
    digest: str
    enabled_at: str | None
    changed_at: str
    last_fired_at: str | None
    fired: int
    seen: int
    flags: list[str]


class RulesView(msgspec.Struct, frozen=True, kw_only=True):
    """Rules, by id."""

    rules: list[RuleView]


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `text` is null once it was erased; `diff` says what is different from the version before."""

    version: int
    digest: str
    state: str
    title: str
    severity: str
    text: str | None
    diff: str
    drafted_by: str
    drafted_at: str
    drafted_index: int
    drafted_reason: str | None
    tested_at: str | None
    tested_passed: bool | None
    decided_by: str | None
    decided_at: str | None
    decided_index: int | None
    decision_reason: str | None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a rule's life."""

    index: int
    at: str
    action: str
    version: int | None
    by: str
    by_type: str
    reason: str | None


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


class RuleDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its versions, the newest first, and its history. `about` speaks for `rule.version`."""

    rule: RuleView
    link: str | None
    license: str | None
    about: AboutView | None
    versions: list[VersionView]
    history: list[StepView]


class ImportedView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file: `imported`, `known` (its text is here already) or `refused`, with the place."""

    path: str
    outcome: str
    rule: str | None
    title: str
    message: str
    line: int | None
    column: int | None


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the files."""

    imported: int
    known: int
    refused: int
    files: list[ImportedView]


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


class IndicatorView(msgspec.Struct, frozen=True, kw_only=True):
    """One value. It counts until `expires_at`, null for one that stays until it is taken off."""

    value: str
    counts: bool
    expires_at: str | None
    source: str | None
    note: str | None
    added_at: str
    added_index: int


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    """A list of indicators. `counting` values count now, of `values` that stand on it."""

    name: str
    description: str | None
    counting: int
    values: int
    changed_at: str
    changed_by: str
    changed_index: int


class ListsView(msgspec.Struct, frozen=True, kw_only=True):
    """Lists of indicators, by name."""

    lists: list[ListView]


class ListDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A list with its values."""

    about: ListView
    indicators: list[IndicatorView]


def rule_view(shown: Shown) -> RuleView:
    """Return a rule as it is shown."""
    rule, version, figures = shown.rule, shown.rule.shown, shown.figures
    return RuleView(
        id=rule.id,
        title=version.about.title,
        severity=version.about.severity,
        state=rule.state.value,
        scope=rule.scope or "/",
        origin=rule.origin,
        kind=version.about.kind,
        owner=version.about.owner,
        category=version.about.category,
        logsource=dict(version.about.logsource),
        version=version.number,
        newest=rule.newest.number,
        digest=version.digest,
        enabled_at=_time(rule.enabled_at),
        changed_at=time_of_us(rule.changed_at),
        last_fired_at=_time(figures.last_fired_at),
        fired=figures.fired,
        seen=figures.seen,
        flags=list(shown.flags),
    )


def detail_view(detail: Detail) -> RuleDetail:
    """Return a rule with everything that is known of it."""
    return RuleDetail(
        rule=rule_view(detail.shown),
        link=detail.shown.rule.link,
        license=detail.shown.rule.license,
        about=None if detail.file is None else about_view(detail.file),
        versions=_versions(detail.versions),
        history=[_step(each) for each in detail.steps],
    )


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


def import_view(files: Sequence[Imported]) -> ImportView:
    """Return what became of files."""
    outcomes = [each.outcome for each in files]
    return ImportView(
        imported=outcomes.count("imported"),
        known=outcomes.count("known"),
        refused=outcomes.count("refused"),
        files=[
            ImportedView(
                path=each.path,
                outcome=each.outcome,
                rule=each.rule,
                title=each.title,
                message=each.message,
                line=each.line,
                column=each.column,
            )
            for each in files
        ],
    )


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


def list_view(found: IndicatorList, now_us: int) -> ListView:
    """Return a list without its values."""
    return ListView(
        name=found.name,
        description=found.description,
        counting=len(found.counting(now_us)),
        values=len(found.values),
        changed_at=time_of_us(found.changed_at),
        changed_by=found.changed_by,
        changed_index=found.changed_index,
    )


def list_detail(found: IndicatorList, now_us: int) -> ListDetail:
    """Return a list with its values."""
    return ListDetail(about=list_view(found, now_us), indicators=[_indicator(each, now_us) for each in found.values])


def _indicator(each: Indicator, now_us: int) -> IndicatorView:
    return IndicatorView(
        value=each.value,
        counts=each.expires_at is None or each.expires_at > now_us,
        expires_at=_time(each.expires_at),
        source=each.source,
        note=each.note,
        added_at=time_of_us(each.added_at),
        added_index=each.added_index,
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


def _versions(versions: Sequence[Version]) -> list[VersionView]:
    before = [*(each.text for each in versions[1:]), ""]
    return [
        VersionView(
            version=each.number,
            digest=each.digest,
            state=each.state.value,
            title=each.about.title,
            severity=each.about.severity,
            text=each.text,
            diff=_diff(old, each.text),
            drafted_by=each.drafted_by,
            drafted_at=time_of_us(each.drafted_at),
            drafted_index=each.drafted_index,
            drafted_reason=each.drafted_reason,
            tested_at=_time(each.tested_at),
            tested_passed=each.tested_passed,
            decided_by=each.decided_by,
            decided_at=_time(each.decided_at),
            decided_index=each.decided_index,
            decision_reason=each.decision_reason,
        )
        for each, old in zip(versions, before, strict=True)
    ]


def _diff(old: str | None, new: str | None) -> str:
    if not old or new is None:
        return ""
    return "\n".join(unified_diff(old.splitlines(), new.splitlines(), "before", "after", lineterm=""))


def _step(each: Step) -> StepView:
    return StepView(
        index=each.index,
        at=time_of_us(each.at),
        action=each.action,
        version=each.version,
        by=each.actor,
        by_type=each.actor_type,
        reason=each.reason,
    )


def _time(moment: int | None) -> str | None:
    return None if moment is None else time_of_us(moment)
