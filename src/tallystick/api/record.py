"""POST /api/v1/events: answered when the disk has the events."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody
from litestar.params import QueryParameter

from tallystick.access.errors import WriteForbiddenError
from tallystick.api.body import BodyTooLargeError, read_body
from tallystick.api.openapi import PROBLEMS
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services, writer_of
from tallystick.errors import InvalidInputError, StorageFullError, TallystickError, UnavailableError
from tallystick.event.admission import Media
from tallystick.event.gate import SourceRules
from tallystick.event.occurred import time_of_us
from tallystick.intake.record import Admitted
from tallystick.ledger.errors import IdConflictError
from tallystick.ledger.model import Receipt

Refusals = dict[int, TallystickError]
"""Why events were refused, by their position in what was sent."""

HERE_BYTES_MAX: Final = 16 << 10
"""Bodies up to this size cost less to admit than to hand to another process."""
LOOP_BYTES_MAX: Final = 1 << 20
"""Bodies up to this size are admitted on the event loop: about as long as a round of the disk."""
_MEDIA: Final = {"application/x-ndjson": Media.NDJSON, "application/jsonl": Media.NDJSON}


class DrainingError(UnavailableError):
    """The server is stopping and takes no more events."""

    code = "draining"
    advice = "Repeat the request; another server process will answer."


class Accepted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The receipt of one event: `leaf` is the hash of its entry, in hexadecimal. `repeated` marks a retry that was
    recorded before.
    """

    id: str
    index: int
    leaf: str
    repeated: bool = False


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one event that was not accepted, with `?partial=true`."""

    item: int
    problem: Problem


class Recorded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a batch: receipts in the order sent, without those refused. They are durable."""

    events: list[Accepted]
    received_at: str | None = None
    refused: list[Refused] = []


_EXAMPLE = {
    "action": "user.signed_in",
    "actor": {"id": "ana", "type": "user"},
    "target": {"id": "intranet", "type": "application"},
    "scope": "acme/intranet",
    "occurred_at": "2026-11-21T09:30:00Z",
}


_PROBLEMS: Final = {
    403: WriteForbiddenError.code,
    409: IdConflictError.code,
    413: BodyTooLargeError.code,
    422: InvalidInputError.code,
    503: UnavailableError.code,
    507: StorageFullError.code,
}


@dataclass
class RecordOperation(Operation):
    """The OpenAPI entry of this route: what its body may be, which the signature cannot say."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            description="One event, an array of events, or one event a line; plain, gzip or zstd.",
            required=True,
            content={
                "application/json": OpenAPIMediaType(examples={"event": Example(value=_EXAMPLE)}),
                "application/x-ndjson": OpenAPIMediaType(),
            },
        )


@post(
    "/api/v1/events",
    status_code=201,
    operation_class=RecordOperation,
    opt={"parameters": ("partial",), PROBLEMS: _PROBLEMS},
    responses={201: ResponseSpec(Recorded, description="Every event named is on disk.")},
    summary="Record events",
    tags=["events"],
)
async def record_events(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    partial: Annotated[
        bool, QueryParameter(name="partial", description="Accept the good events and list the others.")
    ] = False,
) -> Response[bytes]:
    """Record one event or many; answers only after they are durable.

    Without `partial` it is all or nothing, and the first refusal is the answer.
    """
    if services.draining():
        raise DrainingError("the server is stopping")
    source = writer_of(request, services)
    with services.room.visit() as take:
        body = await read_body(request, services.record.admission.limits.batch_bytes_max, take)
        media = _MEDIA.get(request.headers.get("content-type", "").partition(";")[0].strip().lower(), Media.AUTO)
        admitted = await _admit(services, body, source, media, partial=partial)
        receipt, refusals = await _append(services, admitted, source.number, partial=partial)
    answer = _format(receipt, refusals)
    return Response(answer, status_code=201, media_type="application/json")


async def _admit(services: Services, body: bytes, source: SourceRules, media: Media, *, partial: bool) -> Admitted:
    """Return what was admitted: here while that is quick, otherwise where it does not hold up other requests."""
    if services.workers is not None and len(body) > HERE_BYTES_MAX:
        now_us = services.record.now_us()
        return await services.workers.admit(body, source, media, now_us, partial=partial)
    if len(body) > LOOP_BYTES_MAX:
        return await asyncio.to_thread(services.record.admit, body, source, media, partial=partial)
    return services.record.admit(body, source, media, partial=partial)


async def _append(
    services: Services, admitted: Admitted, source: int, *, partial: bool
) -> tuple[Receipt | None, Refusals]:
    """Append what was admitted; with `partial`, without the events whose ids conflict."""
    batch = admitted.batch
    refusals: Refusals = {each.item: each.error for each in admitted.rejections}
    while len(batch):
        try:
            return await asyncio.wrap_future(services.record.submit(batch, source)), refusals
        except IdConflictError as error:
            if not partial:
                raise
            conflicts: Refusals = {each.item: each for each in (error, *error.others)}
            refusals.update(conflicts)
            batch = batch.without([at for at in range(len(batch)) if batch.item(at) in conflicts])
    return None, refusals


def _format(receipt: Receipt | None, refusals: Refusals) -> bytes:
    """Return the JSON of a `Recorded`; written by hand where there is one line an event."""
    refused = [Refused(item=item, problem=problem_of(error)) for item, error in sorted(refusals.items())]
    tail = b',"refused":' + msgspec.json.encode(refused) if refused else b""
    if receipt is None:
        return b'{"events":[]' + tail + b"}"
    ids, leaves, repeated = receipt.ids.hex(), receipt.leaves.hex(), receipt.repeated
    events = []
    for at, index in enumerate(receipt.indexes):
        text = ids[at * 32 : at * 32 + 32]
        mark = ',"repeated":true' if at in repeated else ""
        events.append(
            f'{{"id":"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}","index":{index},'
            f'"leaf":"{leaves[at * 64 : at * 64 + 64]}"{mark}}}'
        )
    head = f'{{"events":[{",".join(events)}],"received_at":"{time_of_us(receipt.received_at)}"'
    return head.encode() + tail + b"}"
