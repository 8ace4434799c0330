"""What the routes call: the services of one installation, put together by `server`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from litestar import Request
from litestar.connection import ASGIConnection

from tallystick.access.errors import ReadForbiddenError, WriteForbiddenError
from tallystick.access.grants.roles import RoleService
from tallystick.access.grants.service import GrantService
from tallystick.access.model import Caller, Door
from tallystick.access.people.account import AccountService
from tallystick.access.people.oidc import OidcService
from tallystick.access.people.service import PeopleService
from tallystick.access.people.sessions import SessionService
from tallystick.access.people.setup import SetupLink
from tallystick.access.people.signin import SignInService
from tallystick.access.sources.service import SourceService
from tallystick.access.sources.tokens import TokenService
from tallystick.alert.notify.room import NotifyRoom
from tallystick.alert.room import AlertRoom
from tallystick.api.body import BodyRoom
from tallystick.config.shown import Shown
from tallystick.detect.engine import Engine
from tallystick.detect.room import RuleRoom
from tallystick.event.gate import SourceRules
from tallystick.evidence.log import LogService
from tallystick.govern import GovernRoom
from tallystick.health import HealthService
from tallystick.intake.record import RecordService
from tallystick.intake.workers import AdmissionWorkers
from tallystick.ledger.ledger import Ledger
from tallystick.policies import PolicyRoom
from tallystick.releases import Releases
from tallystick.retain import RetentionRoom
from tallystick.review import ReviewRoom
from tallystick.search.recorder import ReadRecorder
from tallystick.search.service import SearchService
from tallystick.settings import SettingsService
from tallystick.stream.inbound import GitlabService
from tallystick.stream.service import StreamService
from tallystick.work.exports import ExportJobs
from tallystick.work.views import ViewService

SERVICES: Final = "services"
"""Under this name they are in the state of the application."""


class Authenticate(Protocol):
    """Says who sends a request."""

    def __call__(self, authorization: str | None, *, address: str, via: Door) -> Caller:
        """Return the caller, or raise an UnauthenticatedError."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything behind the API. `draining` is true once the server is told to stop; `public_url` is where it is
    reached from outside, if it was told.
    """

    ledger: Ledger
    record: RecordService
    workers: AdmissionWorkers | None
    search: SearchService
    recorder: ReadRecorder
    roles: RoleService
    grants: GrantService
    sources: SourceService
    tokens: TokenService
    people: PeopleService
    account: AccountService
    signin: SignInService
    sessions: SessionService
    setup: SetupLink
    oidc: OidcService | None
    authenticate: Authenticate
    draining: Callable[[], bool]
    settings: SettingsService
    views: ViewService
    exports: ExportJobs
    releases: Releases
    streams: StreamService
    gitlab: GitlabService
    log: LogService
    health: HealthService
    configured: tuple[Shown, ...]
    public_url: str | None
    policies: PolicyRoom
    rules: RuleRoom
    alerts: AlertRoom
    notify: NotifyRoom
    detection: Engine
    systems: GovernRoom
    reviews: ReviewRoom
    retention: RetentionRoom
    room: BodyRoom = field(default_factory=BodyRoom)


def services_of(request: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Return what the application that answers a request stands on."""
    services: Services = request.app.state[SERVICES]
    return services


def caller_of(request: ASGIConnection[Any, Any, Any, Any], services: Services) -> Caller:
    """Return who sent the request; raises an UnauthenticatedError."""
    address = request.client.host if request.client else "local"
    return services.authenticate(request.headers.get("authorization"), address=address, via="api")


def reader_of(request: Request[Any, Any, Any], services: Services) -> Caller:
    """Return a caller who may read; raises ReadForbiddenError."""
    caller = caller_of(request, services)
    if not caller.read_scopes and not caller.own_scopes:
        raise ReadForbiddenError("this token allows writing only")
    return caller


def writer_of(request: Request[Any, Any, Any], services: Services) -> SourceRules:
    """Return the rules of a caller who may write; raises WriteForbiddenError."""
    caller = caller_of(request, services)
    if caller.write is None:
        raise WriteForbiddenError("this token allows reading only")
    return caller.write
