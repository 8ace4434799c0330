"""Declarations of critical activity: propose one, approve, reject, take it back."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.api.commands import BODY_PROBLEMS, COMMAND
from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.api.systems import SystemBecause, SystemId
from tallystick.govern.systems.errors import (
    DeclarationDecidedError,
    DeclarationInvalidError,
    NotYourSystemError,
    SystemUnknownError,
)

#: A declaration is a text of up to a hundred patterns.
_CHANGING: Final[dict[str, Any]] = {**COMMAND, "request_max_body_size": 512 << 10, "tags": ["systems"]}
_DECLARING: Final = {
    403: NotYourSystemError.code,
    404: SystemUnknownError.code,
    409: DeclarationDecidedError.code,
    422: DeclarationInvalidError.code,
    **BODY_PROBLEMS,
}
_DECIDING: Final = {
    403: OwnDecisionError.code,
    404: SystemUnknownError.code,
    409: DeclarationDecidedError.code,
    **BODY_PROBLEMS,
}
_DeclarationId = Annotated[str, PathParameter(description="The id of a declaration.")]
_Why = Annotated[str, msgspec.Meta(max_length=1000, description="Why; personal data, and kept out of the facts.")]


class NewDeclaration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is critical, proposed for somebody else to decide about; `based_on` is the declaration in force, or null."""

    declaration: Annotated[
        dict[str, Any],
        msgspec.Meta(
            description="`categories`: by name either `patterns` (name, query, why, silence_minutes, sources) or"
            " `not_applicable` with the reason."
        ),
    ]
    based_on: str | None
    reason: _Why


class DeclarationApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is approved: exactly the text with this digest."""

    digest: str
    reason: _Why = ""


class DeclarationMade(msgspec.Struct, frozen=True, kw_only=True):
    """Which declaration it is, and where it stands."""

    declaration: str
    state: str


@post("/api/v1/systems/{system:str}/declarations", opt={PROBLEMS: _DECLARING}, summary="Declare", **_CHANGING)
def propose_declaration(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    system: SystemId,
    data: JSONBody[NewDeclaration],
) -> DeclarationMade:
    """Propose what is critical in a system, for somebody else to decide about."""
    made = services.systems.register.propose(
        caller_of(request, services), system, data.declaration, based_on=data.based_on, reason=data.reason
    )
    return DeclarationMade(declaration=made, state="proposed")


@post(
    "/api/v1/systems/{system:str}/declarations/{declaration:str}/approve",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Approve a declaration",
    **_CHANGING,
)
def approve_declaration(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    system: SystemId,
    declaration: _DeclarationId,
    data: JSONBody[DeclarationApproval],
) -> DeclarationMade:
    """Put what somebody else proposed in force. Needs `systems.approve`, and a person."""
    caller = caller_of(request, services)
    services.systems.register.approve(caller, system, declaration, data.digest, reason=data.reason)
    return DeclarationMade(declaration=declaration, state="approved")


@post(
    "/api/v1/systems/{system:str}/declarations/{declaration:str}/reject",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Reject a declaration",
    **_CHANGING,
)
def reject_declaration(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    system: SystemId,
    declaration: _DeclarationId,
    data: JSONBody[SystemBecause],
) -> DeclarationMade:
    """Refuse what somebody else proposed, and say why."""
    caller = caller_of(request, services)
    services.systems.register.reject(caller, system, declaration, reason=data.reason)
    return DeclarationMade(declaration=declaration, state="rejected")


@post(
    "/api/v1/systems/{system:str}/declarations/{declaration:str}/withdraw",
    status_code=200,
    opt={PROBLEMS: _DECIDING},
    summary="Withdraw a declaration",
    **_CHANGING,
)
def withdraw_declaration(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    system: SystemId,
    declaration: _DeclarationId,
) -> DeclarationMade:
    """Take one's own proposal back."""
    services.systems.register.withdraw(caller_of(request, services), system, declaration)
    return DeclarationMade(declaration=declaration, state="withdrawn")


DECLARATION_ROUTES: Final = (
    propose_declaration,
    approve_declaration,
    reject_declaration,
    withdraw_declaration,
)
