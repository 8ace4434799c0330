"""Whether the server lives, whether it takes events, and its figures for Prometheus."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CONTENT_TYPE_LATEST

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.sources.figures import Figures
from tallystick.access.sources.model import Source
from tallystick.api.detect_metrics import DetectMetrics
from tallystick.api.metrics import render_metrics
from tallystick.api.notify_metrics import NotifyMetrics
from tallystick.api.openapi import PUBLIC
from tallystick.api.policy_metrics import PolicyMetrics
from tallystick.api.services import Services, caller_of
from tallystick.api.stream_metrics import StreamMetrics

_US = 1_000_000


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """How far one stage got: everything below index `size`, `age_s` seconds ago."""

    size: int
    age_s: float


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the ledger. `trouble` names the stages that are being retried; the reasons are the operator's."""

    status: str
    origin: str
    acknowledged: Stage
    committed: Stage
    witnessed: Stage
    sealed: Stage
    read_only: bool
    trouble: list[str]


@get("/healthz", opt={PUBLIC: True}, summary="Alive", tags=["health"])
async def healthz() -> dict[str, str]:
    """Answer while the process runs. Needs no token."""
    return {"status": "alive"}


@get(
    "/readyz",
    opt={PUBLIC: True},
    responses={503: ResponseSpec(Health, description="Events are not taken now.")},
    summary="Takes events",
    tags=["health"],
)
async def readyz(services: NamedDependency[Services]) -> Response[Health]:
    """Answer 200 while events are taken, and 503 otherwise. Needs no token."""
    state = services.ledger.status()
    ready = state.read_only is None and not services.draining()
    stages = {
        name: Stage(size=progress.size, age_s=round(max(0, state.now - progress.at) / _US, 1))
        for name, progress in (
            ("acknowledged", state.acknowledged),
            ("committed", state.committed),
            ("witnessed", state.witnessed),
            ("sealed", state.sealed),
        )
    }
    health = Health(
        status="ready" if ready else "not ready",
        origin=state.origin,
        read_only=state.read_only is not None,
        trouble=sorted(state.trouble),
        **stages,
    )
    return Response(health, status_code=200 if ready else 503)


@get("/metrics", media_type=CONTENT_TYPE_LATEST, summary="Figures for Prometheus", tags=["health"])
async def metrics(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return the figures of ledger and API, and of the senders that the caller may see. Any token will do; they hold no
    event data.
    """
    caller = caller_of(request, services)
    body = await asyncio.to_thread(
        lambda: render_metrics(
            services.ledger.status(),
            _sources(services, caller),
            _policies(services),
            _streams(services, caller),
            _notify(services),
            DetectMetrics(services.detection.standing()),
        )
    )
    return Response(body, media_type=CONTENT_TYPE_LATEST)


def _policies(services: Services) -> PolicyMetrics:
    return PolicyMetrics(services.policies.figures.counted(), services.policies.reading.states())


def _streams(services: Services, caller: Caller) -> StreamMetrics:
    return StreamMetrics(services.streams.standings(caller), services.ledger.status().now)


def _notify(services: Services) -> NotifyMetrics:
    return NotifyMetrics(services.notify.evidence.standing(), services.ledger.status().now)


def _sources(services: Services, caller: Caller) -> list[tuple[Source, Figures]]:
    if not caller.rights.anywhere(Permission.SOURCES_READ):
        return []
    figures = services.sources.figures()
    return [(source, figures.get(source.number, Figures())) for source in services.sources.list(caller)]
