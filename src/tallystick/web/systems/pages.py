"""Systems on pages: the register with its state, one system now or at any place in the log, its published runbook."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem
from tallystick.api.register_file import register_file
from tallystick.api.services import Services
from tallystick.api.system_rows import coverage_rows, system_rows
from tallystick.api.system_views import (
    CoverageView,
    SystemDetail,
    SystemView,
    system_views,
)
from tallystick.api.systems import shown_coverage, system_detail
from tallystick.event.occurred import time_of_us
from tallystick.govern.systems.check import load_declaration
from tallystick.govern.systems.compare import differences
from tallystick.govern.systems.errors import PositionUnknownError
from tallystick.govern.systems.model import Category, Proposal, ProposalState
from tallystick.govern.systems.service import Detail
from tallystick.web.caller import person
from tallystick.web.page import render

Page = Response[bytes]
Id = Annotated[str, PathParameter(description="The id of a system.")]


class SystemLine(msgspec.Struct, frozen=True, kw_only=True):
    """A system with how it stands, in numbers; `excepted` of its gaps are covered by exceptions."""

    system: SystemView
    patterns: int
    gaps: int
    excepted: int
    silent: int


class SystemsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The register with the state of each system, now or after `at` events."""

    systems: list[SystemLine]
    at: int | None
    size: int
    can_register: bool


class ChangeLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a proposal changes in one pattern or category."""

    field: str
    old: str | None = None
    new: str | None = None


class OpenProposal(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that waits, with what it changes."""

    declaration: str
    digest: str
    changes: list[ChangeLine]
    can_decide: bool
    is_own: bool


class SystemPage(msgspec.Struct, frozen=True, kw_only=True):
    """One system; `coverage` is of now, or of `at` events of the log."""

    detail: SystemDetail
    coverage: CoverageView | None
    at: int | None
    waiting: list[OpenProposal]
    categories: list[str]
    can_change: bool
    can_retire: bool
    can_ask: bool


@get("/systems", sync_to_thread=True, opt={"parameters": ("at",)})
def systems_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the register with the state of each system."""
    caller, at = person(request, services), position(request)
    found = services.systems.coverage.listed(caller, at)
    shown = [shown_coverage(services, each) for each in found]
    lines = [
        SystemLine(
            system=system,
            patterns=len(each.patterns),
            gaps=sum(gap.exception is None for gap in each.gaps),
            excepted=sum(gap.exception is not None for gap in each.gaps),
            silent=sum(pattern.silent for pattern in each.patterns),
        )
        for system, each in zip(system_views(services, [each.system for each in found]), shown, strict=True)
    ]
    view = SystemsPage(
        systems=lines,
        at=at,
        size=found[0].size if found else services.ledger.status().acknowledged.size,
        can_register=caller.rights.anywhere(Permission.SYSTEMS_MANAGE),
    )
    return render(request, services, "systems/list.html", view, title="Systems")


@get("/systems/export", sync_to_thread=True, opt={"parameters": ("what", "format", "at")})
def systems_file(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return the register, or coverage now or at a place in the log, as a file."""
    caller, at = person(request, services), position(request)
    as_json = request.query_params.get("format") == "json"
    about: dict[str, Any] = {"made_at": time_of_us(services.ledger.status().now)}
    if request.query_params.get("what") == "coverage":
        rows = coverage_rows(services.systems.coverage.listed(caller, at))
        return register_file("coverage", "json" if as_json else "csv", rows, {"at": at, **about})
    register = system_rows(list(services.systems.register.list(caller, retired=True)))
    return register_file("systems", "json" if as_json else "csv", register, about)


@get("/systems/{system:str}", sync_to_thread=True, opt={"parameters": ("at",)})
def system_page(request: Request[Any, Any, Any], services: NamedDependency[Services], system: Id) -> Page:
    """Return one system with its declaration, how it arrives, and what is missing."""
    return show_system(request, services, system)


@get("/systems/{system:str}/runbook", sync_to_thread=True)
def runbook_page(request: Request[Any, Any, Any], services: NamedDependency[Services], system: Id) -> Page:
    """Return what everybody is to know of a system, on a page made for printing."""
    view = system_detail(services, person(request, services), system)
    title = f"{view.system.name}: what is logged"
    return render(request, services, "systems/runbook.html", view, title=title)


def show_system(
    request: Request[Any, Any, Any], services: Services, system: str, problem: Problem | None = None
) -> Page:
    """Return the page of a system, with what a form on it was refused for."""
    caller, register, at = person(request, services), services.systems.register, position(request)
    found = register.get(caller, system)
    detail = system_detail(services, caller, system)
    coverage = detail.coverage
    if at is not None:
        coverage = shown_coverage(services, services.systems.coverage.get(caller, system, at))
    answers, retired = register.answers_for(caller, found.system), found.system.retired_index is not None
    scopes = found.system.facts.scopes
    view = SystemPage(
        detail=detail,
        coverage=coverage,
        at=at,
        waiting=[
            OpenProposal(
                declaration=each.declaration,
                digest=each.digest,
                changes=_changes(found, each),
                can_decide=not retired and register.may_decide(caller, found.system, each),
                is_own=caller.id == each.proposed_by,
            )
            for each in found.proposals
            if each.state is ProposalState.PROPOSED
        ],
        categories=[each.value for each in Category],
        can_change=answers and not retired,
        can_retire=not retired and all(caller.rights.allows(Permission.SYSTEMS_MANAGE, each) for each in scopes),
        can_ask=caller.rights.allows(Permission.EXCEPTIONS_REQUEST, scopes[0]),
    )
    status = 200 if problem is None else problem.status
    title = found.system.facts.name
    return render(request, services, "systems/one.html", view, title=title, status=status, problem=problem)


def position(request: Request[Any, Any, Any]) -> int | None:
    """Return the place in the log that the address names, None for now; raises PositionUnknownError."""
    text = request.query_params.get("at") or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise PositionUnknownError(f"{text[:20]!r} is not a place in the log", pointer="/at")
    return int(text)


def _changes(detail: Detail, proposal: Proposal) -> list[ChangeLine]:
    if proposal.text is None:
        return []
    before = detail.system.in_force
    old = load_declaration(before.text) if before is not None and before.text is not None else None
    return [
        ChangeLine(field=each.field, old=each.old, new=each.new)
        for each in differences(old, load_declaration(proposal.text))
    ]


SYSTEM_PAGES: Final = (systems_page, systems_file, system_page, runbook_page)
