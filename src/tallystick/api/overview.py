"""The log and the installation as a whole: how the log stands, whether it is consistent, whether all is well."""

from __future__ import annotations

from typing import Annotated, Any, Final

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tallystick.api.openapi import PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.errors import PermissionMissingError
from tallystick.evidence.consistency import Consistency, SizesInvalidError
from tallystick.evidence.log import LogView
from tallystick.health import Health

OldSize = Annotated[int, QueryParameter(name="old", ge=1, description="The earlier size, at least 1.")]
NewSize = Annotated[int, QueryParameter(name="new", ge=1, description="The later size, which must be committed.")]


@get(
    "/api/v1/log/overview",
    sync_to_thread=True,
    opt={PROBLEMS: {403: PermissionMissingError.code}},
    summary="How the log stands",
    tags=["log"],
)
def log_overview(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> LogView:
    """Return stages, checkpoints, witnesses, segments, erasures and keys. Needs `log.read`; the look is recorded."""
    return services.log.overview(caller_of(request, services))


@get(
    "/api/v1/log/consistency",
    sync_to_thread=True,
    opt={
        "parameters": ("old", "new"),
        PROBLEMS: {403: PermissionMissingError.code, 422: SizesInvalidError.code},
    },
    summary="Proof of consistency",
    tags=["log"],
)
def log_consistency(
    request: Request[Any, Any, Any], services: NamedDependency[Services], old: OldSize, new: NewSize
) -> Consistency:
    """Return the proof that the log of one size begins with the log of another. Needs `log.read`."""
    return services.log.consistency(caller_of(request, services), old, new)


@get(
    "/api/v1/health",
    sync_to_thread=True,
    opt={PROBLEMS: {403: PermissionMissingError.code}},
    summary="Whether all is well",
    tags=["health"],
)
def health(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Health:
    """Return one verdict and the checks that it rests on. Needs `health.read`; the look is recorded."""
    return services.health.look(caller_of(request, services))


OVERVIEW_ROUTES: Final = (log_overview, log_consistency, health)
