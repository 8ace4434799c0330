"""Detection rules as answers show them, for programs and pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff

import msgspec

from tallystick.api.rules_tried import AboutView, about_view
from tallystick.detect.importing import Imported
from tallystick.detect.looking import Detail, Shown
from tallystick.detect.model import Step, Version
from tallystick.event.occurred import time_of_us


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
