"""The register of systems, and coverage now or at any place in the log."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from tallystick.access.model import Caller
from tallystick.access.scopes import parse_scope
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.register_file import MEDIA, Form, register_file
from tallystick.api.services import Services, caller_of
from tallystick.api.system_rows import coverage_rows, system_rows
from tallystick.api.system_views import (
    CoveragesView,
    CoverageView,
    SystemDetail,
    SystemsView,
    coverage_view,
    detail_view,
    system_views,
)
from tallystick.errors import PermissionMissingError
from tallystick.event.occurred import time_of_us
from tallystick.govern.systems.coverage import Coverage
from tallystick.govern.systems.errors import (
    PositionUnknownError,
    SystemConflictError,
    SystemInvalidError,
    SystemUnknownError,
)
from tallystick.govern.systems.model import DataClass, Environment, Facts

_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["systems"]}
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "request_max_body_size": 512 << 10, "tags": ["systems"]}
_KNOWN: Final = {403: PermissionMissingError.code, 404: SystemUnknownError.code}
_REGISTERING: Final = {
    403: PermissionMissingError.code,
    409: SystemConflictError.code,
    422: SystemInvalidError.code,
    **BODY_PROBLEMS,
}
_AT_PROBLEMS: Final = {**_KNOWN, 422: PositionUnknownError.code}
SystemId = Annotated[str, PathParameter(description="The id of a system.")]
_At = Annotated[int | None, QueryParameter(ge=1, description="After so many events of the log; left out: now.")]
_Form = Annotated[Form, QueryParameter(name="format", description="csv or json.")]
_Why = Annotated[str, msgspec.Meta(max_length=1000, description="Why; personal data, and kept out of the facts.")]
_Scopes = Annotated[list[str], msgspec.Meta(description="Paths such as acme/payments, each with all below it.")]
_Person = Annotated[str, msgspec.Meta(description="The handle or id of a person.")]
_EnvironmentName = Literal["production", "staging", "development", "test"]
_DataClassName = Literal["public", "internal", "confidential", "restricted"]


class NewSystem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A system to be registered."""

    name: str
    scopes: _Scopes
    environment: _EnvironmentName
    data_class: _DataClassName
    owner: _Person
    deputies: list[_Person] = []
    endpoints: list[str] = []
    assets: list[str] = []
    third_parties: list[str] = []
    runbook: str = ""
    procedure: str = ""


class SystemChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts that are to be different; a member that is left out stays as it is."""

    name: str | None = None
    scopes: _Scopes | None = None
    environment: _EnvironmentName | None = None
    data_class: _DataClassName | None = None
    owner: _Person | None = None
    deputies: list[_Person] | None = None
    endpoints: list[str] | None = None
    assets: list[str] | None = None
    third_parties: list[str] | None = None
    runbook: str | None = None
    procedure: str | None = None


class SystemBecause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is refused or ended."""

    reason: _Why


class SystemMade(msgspec.Struct, frozen=True, kw_only=True):
    """Which system it is."""

    system: str


@get("/api/v1/systems", opt={PROBLEMS: {403: PermissionMissingError.code}}, summary="Systems", **_READING)
def systems(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> SystemsView:
    """Return the systems that the caller may see, by name."""
    found = services.systems.register.list(caller_of(request, services))
    return SystemsView(systems=system_views(services, list(found)))


@get(
    "/api/v1/systems/export",
    opt={"parameters": ("format",), FILES: tuple(MEDIA.values()), PROBLEMS: {403: PermissionMissingError.code}},
    summary="The register of systems as a file",
    **_READING,
)
def export_systems(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: _Form = "csv"
) -> Response[bytes]:
    """Return every system that the caller may see, retired ones too, with the declaration in force."""
    found = services.systems.register.list(caller_of(request, services), retired=True)
    about = {"register": "systems", "made_at": time_of_us(services.ledger.status().now)}
    return register_file("systems", form, system_rows(list(found)), about)


@get(
    "/api/v1/coverage",
    opt={"parameters": ("at",), PROBLEMS: _AT_PROBLEMS},
    summary="Coverage of all systems",
    **_READING,
)
def coverage(request: Request[Any, Any, Any], services: NamedDependency[Services], at: _At = None) -> CoveragesView:
    """Return how the systems stand that the caller may see: now, or after the first `at` events of the log."""
    found = services.systems.coverage.listed(caller_of(request, services), at)
    return CoveragesView(systems=[shown_coverage(services, each) for each in found])


@get(
    "/api/v1/coverage/export",
    opt={"parameters": ("at", "format"), FILES: tuple(MEDIA.values()), PROBLEMS: _AT_PROBLEMS},
    summary="Coverage as a file",
    **_READING,
)
def export_coverage(
    request: Request[Any, Any, Any], services: NamedDependency[Services], at: _At = None, form: _Form = "csv"
) -> Response[bytes]:
    """Return patterns, categories that do not apply and gaps, one line each: now, or after the first `at` events."""
    found = services.systems.coverage.listed(caller_of(request, services), at)
    about = {"register": "coverage", "at": at, "made_at": time_of_us(services.ledger.status().now)}
    return register_file("coverage", form, coverage_rows(found), about)


@post("/api/v1/systems", opt={PROBLEMS: _REGISTERING}, summary="Register a system", **_CHANGING)
def register_system(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewSystem]
) -> SystemMade:
    """Register a system. Needs `systems.manage` in each of its scopes."""
    made = services.systems.register.register(
        caller_of(request, services), Facts(**_facts(msgspec.structs.asdict(data)))
    )
    return SystemMade(system=made)


@get("/api/v1/systems/{system:str}", opt={PROBLEMS: _KNOWN}, summary="One system", **_READING)
def one_system(request: Request[Any, Any, Any], services: NamedDependency[Services], system: SystemId) -> SystemDetail:
    """Return a system with its coverage, every version of its facts and every declaration."""
    return system_detail(services, caller_of(request, services), system)


@patch(
    "/api/v1/systems/{system:str}", opt={PROBLEMS: {**_KNOWN, **_REGISTERING}}, summary="Change a system", **_CHANGING
)
def change_system(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    system: SystemId,
    data: JSONBody[SystemChange],
) -> SystemDetail:
    """Change what the register says about a system: by its owner, a deputy, or who manages systems there."""
    caller = caller_of(request, services)
    given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not None}
    services.systems.register.change(caller, system, _facts(given))
    return system_detail(services, caller, system)


@post(
    "/api/v1/systems/{system:str}/retire",
    status_code=200,
    opt={PROBLEMS: {**_KNOWN, 409: SystemConflictError.code, **BODY_PROBLEMS}},
    summary="Retire a system",
    **_CHANGING,
)
def retire_system(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    system: SystemId,
    data: JSONBody[SystemBecause],
) -> SystemMade:
    """Take a system out of the register; its history stays."""
    services.systems.register.retire(caller_of(request, services), system, reason=data.reason)
    return SystemMade(system=system)


@get(
    "/api/v1/systems/{system:str}/coverage",
    opt={"parameters": ("at",), PROBLEMS: _AT_PROBLEMS},
    summary="Coverage of a system",
    **_READING,
)
def system_coverage(
    request: Request[Any, Any, Any], services: NamedDependency[Services], system: SystemId, at: _At = None
) -> CoverageView:
    """Return how a system stands now, or stood after the first `at` events of the log."""
    return shown_coverage(services, services.systems.coverage.get(caller_of(request, services), system, at))


def system_detail(services: Services, caller: Caller, system: str) -> SystemDetail:
    """Return a system with its history, and how it stands unless it is retired."""
    detail = services.systems.register.get(caller, system)
    if detail.system.retired_index is not None:
        return detail_view(services, detail, None)
    return detail_view(services, detail, shown_coverage(services, services.systems.coverage.get(caller, system)))


def shown_coverage(services: Services, found: Coverage) -> CoverageView:
    """Return coverage as it is shown, with the exceptions that held then and what is on record."""
    room = services.systems.coverage
    return coverage_view(found, room.excepted(found.system, found.gaps, found.at_us), room.noticed(found.system))


def _facts(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was given in the words of the model."""
    said: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    if "scopes" in said:
        said["scopes"] = tuple(parse_scope(each) for each in given["scopes"])
    for name, kind in (("environment", Environment), ("data_class", DataClass)):
        if name in said:
            said[name] = kind(said[name])
    return said


SYSTEM_ROUTES: Final = (
    systems,
    export_systems,
    coverage,
    export_coverage,
    register_system,
    one_system,
    change_system,
    retire_system,
    system_coverage,
)
