"""GitLab's audit events coming in, and the verification token by which a GitLab is known."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from tallystick.access.sources.errors import SourceUnknownError
from tallystick.api.body import BodyTooLargeError, read_body
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import PROBLEMS
from tallystick.api.record import Accepted, DrainingError
from tallystick.api.services import Services, caller_of, writer_of
from tallystick.errors import StorageFullError, UnavailableError
from tallystick.event.admission import Media
from tallystick.event.gate import SourceRules
from tallystick.event.occurred import time_of_us
from tallystick.ledger.errors import IdConflictError
from tallystick.ledger.model import Receipt
from tallystick.stream.errors import GitlabBodyError, GitlabTokenError
from tallystick.stream.gitlab import TOKEN_HEADER
from tallystick.stream.inbound import map_gitlab, with_id

_Source = Annotated[str, PathParameter(description="The name of a source.")]
_PROBLEMS: Final = {
    401: GitlabTokenError.code,
    413: BodyTooLargeError.code,
    422: GitlabBodyError.code,
    503: UnavailableError.code,
    507: StorageFullError.code,
}


class GitlabToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verification token that a destination in GitLab shows."""

    token: Annotated[str, msgspec.Meta(min_length=16, max_length=128)]


class GitlabSenderView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a GitLab may send as a source, and who said so."""

    source: str
    is_set: bool
    set_at: str | None = None
    set_by: str | None = None


@post(
    "/api/v1/gitlab/{source:str}",
    status_code=201,
    opt={PROBLEMS: _PROBLEMS},
    summary="Record an event of GitLab's",
    tags=["gitlab"],
)
async def record_gitlab_event(
    request: Request[Any, Any, Any], services: NamedDependency[Services], source: _Source
) -> Accepted:
    """Record one audit event as GitLab streams it, whatever content type it declares; answered when it is on disk.

    GitLab is known by its verification token (`X-Gitlab-Event-Streaming-Token`), or by a token of the source given as a
    custom header `Authorization`. A repeat of an event gets the answer of the first time.
    """
    if services.draining():
        raise DrainingError("the server is stopping")
    rules = await asyncio.to_thread(_sender, request, services, source)
    with services.room.visit() as take:
        body = await read_body(request, services.record.admission.limits.event_bytes_max, take)
        mapped = await asyncio.to_thread(map_gitlab, body, rules)
        try:
            receipt = await _record(services, with_id(mapped), rules)
        except IdConflictError:
            if mapped.content_id is None:
                raise
            # The id was used for something else: what tells this event from that one is its text.
            receipt = await _record(services, with_id(mapped, mapped.content_id), rules)
    text = receipt.ids.hex()
    return Accepted(
        id=f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}",
        index=receipt.indexes[0],
        leaf=receipt.leaves.hex(),
        repeated=0 in receipt.repeated,
    )


@get(
    "/api/v1/sources/{name:str}/gitlab",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: SourceUnknownError.code}},
    summary="Whether a GitLab sends as a source",
    tags=["gitlab"],
)
def gitlab_sender(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Source
) -> GitlabSenderView:
    """Return whether a verification token is set for a source; never the token. Needs `sources.read`."""
    found = services.gitlab.find(caller_of(request, services), name)
    if found is None:
        return GitlabSenderView(source=name, is_set=False)
    return GitlabSenderView(source=name, is_set=True, set_at=time_of_us(found.set_at), set_by=found.set_by)


@put(
    "/api/v1/sources/{name:str}/gitlab",
    opt={PROBLEMS: {404: SourceUnknownError.code, 422: "destination-invalid", **BODY_PROBLEMS}},
    summary="Set a verification token",
    tags=["gitlab"],
    **COMMAND,
)
def set_gitlab_token(
    request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Source, data: JSONBody[GitlabToken]
) -> GitlabSenderView:
    """Take what comes with this token as events of the source. It is kept as a hash. Needs `sources.manage`."""
    caller = caller_of(request, services)
    services.gitlab.set_token(caller, name, data.token)
    return GitlabSenderView(source=name, is_set=True, set_by=caller.id)


@post(
    "/api/v1/sources/{name:str}/gitlab/remove",
    status_code=204,
    opt={PROBLEMS: {404: SourceUnknownError.code}},
    summary="Remove a verification token",
    tags=["gitlab"],
    **COMMAND,
)
def remove_gitlab_token(request: Request[Any, Any, Any], services: NamedDependency[Services], name: _Source) -> None:
    """Refuse from now on what comes with the token; doing it twice does nothing."""
    services.gitlab.remove_token(caller_of(request, services), name)


def _sender(request: Request[Any, Any, Any], services: Services, source: str) -> SourceRules:
    """Return the rules of the source; by its own token only those of the source that the address names."""
    token = request.headers.get(TOKEN_HEADER.lower())
    if token is None:  # by a token of the source itself, which GitLab can send as a custom header
        rules = writer_of(request, services)
        if rules.name != source:
            raise GitlabTokenError("this is not a token of the source that the address names")
        return rules
    return services.gitlab.authenticate(source, token)


async def _record(services: Services, event: bytes, rules: SourceRules) -> Receipt:
    admitted = await asyncio.to_thread(services.record.admit, event, rules, Media.JSON, partial=False)
    return await asyncio.wrap_future(services.record.submit(admitted.batch, rules.number))


GITLAB_ROUTES: Final = (record_gitlab_event, gitlab_sender, set_gitlab_token, remove_gitlab_token)
