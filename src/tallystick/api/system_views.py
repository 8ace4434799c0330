"""Systems, declarations and coverage as answers and pages show them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tallystick.api.services import Services
from tallystick.durations import format_duration
from tallystick.event.occurred import time_of_us
from tallystick.govern.exceptions.model import ExceptionInForce
from tallystick.govern.systems.coverage import Coverage, PatternState
from tallystick.govern.systems.model import Proposal, System, Version
from tallystick.govern.systems.rows import NoticedGap
from tallystick.govern.systems.service import Detail


class AnswererView(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers for a system; the id stands for a name that is not known."""

    id: str
    name: str


class SystemView(msgspec.Struct, frozen=True, kw_only=True):
    """A system as the register has it. Lists and texts are null once they were erased."""

    system: str
    name: str
    scopes: list[str]
    environment: str
    data_class: str
    owner: AnswererView
    deputies: list[AnswererView]
    endpoints: list[str] | None
    assets: list[str] | None
    third_parties: list[str] | None
    runbook: str | None
    procedure: str | None
    retired: bool
    declaration: str | None
    changed_at: str
    changed_index: int


class DeclaredView(msgspec.Struct, frozen=True, kw_only=True):
    """Declared activity, and how it arrives: counts of thirty days and of one, and place and time of the newest."""

    category: str
    name: str
    query: str
    why: str
    sources: list[str]
    silence: str
    count: int
    day: int
    last_index: int | None
    last_at: str | None
    silent: bool


class GapView(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing and what to do about it; `exception` covers it, and `opened_index` is where it was put on record."""

    gap: str
    kind: str
    sentence: str
    remedy: str
    exception: str | None
    opened_index: int | None
    opened_at: str | None


class CoverageView(msgspec.Struct, frozen=True, kw_only=True):
    """How a system stands at a place in the log: the first `size` events, measured at a time."""

    system: str
    name: str
    size: int
    at: str
    declaration: str | None
    not_applicable: dict[str, str]
    patterns: list[DeclaredView]
    gaps: list[GapView]
    incomplete: bool


class CoveragesView(msgspec.Struct, frozen=True, kw_only=True):
    """How systems stand, by name."""

    systems: list[CoverageView]


class SystemsView(msgspec.Struct, frozen=True, kw_only=True):
    """The register, by name."""

    systems: list[SystemView]


class DeclarationView(msgspec.Struct, frozen=True, kw_only=True):
    """A declaration that was proposed. Its text is null once it was erased."""

    declaration: str
    state: str
    digest: str
    based_on: str | None
    text: msgspec.Raw | None
    reason: str | None
    proposed_by: AnswererView
    proposed_at: str
    proposed_index: int
    decided_by: AnswererView | None
    decided_at: str | None
    decided_index: int | None
    decision_reason: str | None


class SystemVersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a system's facts, and which of them it changed."""

    index: int
    at: str
    by: AnswererView
    changed: list[str]


class SystemDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A system with its coverage, every version of its facts and every declaration, the newest first."""

    system: SystemView
    coverage: CoverageView | None
    versions: list[SystemVersionView]
    declarations: list[DeclarationView]


def system_views(services: Services, found: list[System]) -> list[SystemView]:
    """Return systems as they are shown."""
    names = services.systems.register.names([each for system in found for each in _people(system)])
    return [_system(each, names) for each in found]


def detail_view(services: Services, detail: Detail, coverage: CoverageView | None) -> SystemDetail:
    """Return a system with its history as it is shown."""
    people = [*_people(detail.system), *(each.actor for each in detail.versions)]
    people += [who for each in detail.proposals for who in (each.proposed_by, each.decided_by) if who]
    names = services.systems.register.names(people)
    return SystemDetail(
        system=_system(detail.system, names),
        coverage=coverage,
        versions=[_version(each, names) for each in detail.versions],
        declarations=[_proposal(each, names) for each in detail.proposals],
    )


def coverage_view(
    coverage: Coverage,
    excepted: Mapping[str, ExceptionInForce],
    noticed: list[NoticedGap],
) -> CoverageView:
    """Return coverage as it is shown, with what is on record about its gaps."""
    opened = {each.gap: each for each in noticed if each.closed_index is None}
    declared = coverage.declaration
    return CoverageView(
        system=coverage.system.id,
        name=coverage.system.facts.name,
        size=coverage.size,
        at=time_of_us(coverage.at_us),
        declaration=coverage.system.in_force.declaration if coverage.system.in_force else None,
        not_applicable={} if declared is None else {name.value: why for name, why in declared.not_applicable.items()},
        patterns=[_pattern(each) for each in coverage.patterns],
        gaps=[
            GapView(
                gap=each.key,
                kind=each.kind.value,
                sentence=each.sentence,
                remedy=each.remedy,
                exception=excepted[each.key].id if each.key in excepted else None,
                opened_index=opened[each.key].opened_index if each.key in opened else None,
                opened_at=time_of_us(opened[each.key].opened_at) if each.key in opened else None,
            )
            for each in coverage.gaps
        ],
        incomplete=coverage.incomplete,
    )


def _pattern(state: PatternState) -> DeclaredView:
    pattern = state.pattern
    return DeclaredView(
        category=pattern.category.value,
        name=pattern.name,
        query=pattern.query,
        why=pattern.why,
        sources=list(pattern.sources),
        silence=format_duration(60 * pattern.silence_minutes),
        count=state.count,
        day=state.day,
        last_index=state.last_index,
        last_at=_time(state.last_at),
        silent=state.silent,
    )


def _system(system: System, names: Mapping[str, str]) -> SystemView:
    facts = system.facts
    return SystemView(
        system=system.id,
        name=facts.name,
        scopes=list(facts.scopes),
        environment=facts.environment.value,
        data_class=facts.data_class.value,
        owner=_who(facts.owner, names),
        deputies=[_who(each, names) for each in facts.deputies],
        endpoints=_list(facts.endpoints),
        assets=_list(facts.assets),
        third_parties=_list(facts.third_parties),
        runbook=facts.runbook,
        procedure=facts.procedure,
        retired=system.retired_index is not None,
        declaration=None if system.in_force is None else system.in_force.declaration,
        changed_at=time_of_us(system.version.at),
        changed_index=system.version.index,
    )


def _version(version: Version, names: Mapping[str, str]) -> SystemVersionView:
    return SystemVersionView(
        index=version.index,
        at=time_of_us(version.at),
        by=_who(version.actor, names),
        changed=list(version.changed),
    )


def _proposal(proposal: Proposal, names: Mapping[str, str]) -> DeclarationView:
    return DeclarationView(
        declaration=proposal.declaration,
        state=proposal.state.value,
        digest=proposal.digest,
        based_on=proposal.based_on,
        text=None if proposal.text is None else msgspec.Raw(proposal.text.encode()),
        reason=proposal.reason,
        proposed_by=_who(proposal.proposed_by, names),
        proposed_at=time_of_us(proposal.proposed_at),
        proposed_index=proposal.proposed_index,
        decided_by=None if proposal.decided_by is None else _who(proposal.decided_by, names),
        decided_at=_time(proposal.decided_at),
        decided_index=proposal.decided_index,
        decision_reason=proposal.decision_reason,
    )


def _people(system: System) -> list[str]:
    return [system.facts.owner, *system.facts.deputies]


def _who(person: str, names: Mapping[str, str]) -> AnswererView:
    return AnswererView(id=person, name=names.get(person, person))


def _list(found: tuple[str, ...] | None) -> list[str] | None:
    return None if found is None else list(found)


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)
