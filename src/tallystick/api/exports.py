"""Exports that are made in the background: ask, look, fetch, cancel, delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final

import msgspec
from litestar import Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream

from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.services import Services, caller_of
from tallystick.api.views import QuestionBody, body_of, question_of
from tallystick.event.occurred import time_of_us
from tallystick.search.export import UnknownFormatError
from tallystick.work.errors import ExportNotFoundError, ExportNotReadyError, ExportsWaitingError
from tallystick.work.exports import Download
from tallystick.work.model import Export, State

_Export = Annotated[str, PathParameter(description="The id of an export.")]
_KNOWN: Final = {404: ExportNotFoundError.code, 409: ExportNotReadyError.code}
_CHUNK_BYTES: Final = 1 << 18


class ExportBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An export to be made: csv, jsonl, parquet, or package for proofs that are verified without this server."""

    question: QuestionBody = QuestionBody()
    format: str = "jsonl"


class ExportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An export. `done` and `total` tell how far it is while it is made; `code` says why it failed."""

    export: str
    owner: str
    state: str
    format: str
    question: QuestionBody | None
    requested_at: str
    ended_at: str | None
    expires_at: str | None
    code: str | None
    sha256: str | None
    events: int | None
    bytes: int | None
    done: int | None
    total: int | None


class ExportsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Exports, newest first."""

    exports: list[ExportAnswer]


@get(
    "/api/v1/exports",
    guards=[need_caller],
    sync_to_thread=True,
    opt={"parameters": ("everyone",)},
    summary="Exports",
    tags=["exports"],
)
def exports(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    everyone: Annotated[
        bool, QueryParameter(name="everyone", description="Also those of others, where the caller manages exports.")
    ] = False,
) -> ExportsAnswer:
    """Return the caller's exports."""
    found = services.exports.listed(caller_of(request, services), everyone=everyone)
    return ExportsAnswer(exports=[export_shown(export) for export in found])


@post(
    "/api/v1/exports",
    opt={PROBLEMS: {422: UnknownFormatError.code, 503: ExportsWaitingError.code, **BODY_PROBLEMS}},
    summary="Ask for an export",
    tags=["exports"],
    **COMMAND,
)
def request_export(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[ExportBody]
) -> ExportAnswer:
    """Ask for an export, which is an event; it is made in the background, with the rights that the caller has now."""
    caller = caller_of(request, services)
    given = services.exports.request(caller, question_of(data.question), data.format)
    return export_shown(services.exports.get(caller, given))


@get(
    "/api/v1/exports/{export_id:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: {404: ExportNotFoundError.code}},
    summary="One export",
    tags=["exports"],
)
def export_job(
    request: Request[Any, Any, Any], services: NamedDependency[Services], export_id: _Export
) -> ExportAnswer:
    """Return how an export stands."""
    return export_shown(services.exports.get(caller_of(request, services), export_id))


@get(
    "/api/v1/exports/{export_id:str}/file",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: _KNOWN, FILES: ("application/octet-stream",)},
    summary="Fetch an export",
    tags=["exports"],
)
def export_file(request: Request[Any, Any, Any], services: NamedDependency[Services], export_id: _Export) -> Stream:
    """Return the file of a finished export. Each download is an event; the rights it was made with must still hold."""
    return file_answer(services.exports.open(caller_of(request, services), export_id))


@post(
    "/api/v1/exports/{export_id:str}/cancel",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: _KNOWN},
    status_code=200,
    summary="Cancel an export",
    tags=["exports"],
)
def cancel_export(
    request: Request[Any, Any, Any], services: NamedDependency[Services], export_id: _Export
) -> ExportAnswer:
    """End an export that is not finished."""
    caller = caller_of(request, services)
    services.exports.cancel(caller, export_id)
    return export_shown(services.exports.get(caller, export_id))


@delete(
    "/api/v1/exports/{export_id:str}",
    guards=[need_caller],
    sync_to_thread=True,
    opt={PROBLEMS: _KNOWN},
    summary="Delete an export",
    tags=["exports"],
)
def delete_export(request: Request[Any, Any, Any], services: NamedDependency[Services], export_id: _Export) -> None:
    """Delete the file of a finished export; that there was one stays in the log."""
    services.exports.delete(caller_of(request, services), export_id)


def file_answer(download: Download) -> Stream:
    """Return the answer that hands out a file; it is closed at the end, or when the reader goes away."""
    headers = {
        "content-disposition": f'attachment; filename="{download.name}"',
        "content-length": str(download.size),
        "cache-control": "private, no-store",
    }
    return Stream(_chunks(download.file), media_type=download.media_type, headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def export_shown(export: Export) -> ExportAnswer:
    """Return an export as it is shown to programs."""
    progress = export.progress
    return ExportAnswer(
        export=export.export,
        owner=export.owner,
        state="running" if export.state is State.REQUESTED and progress is not None else export.state.value,
        format=export.format,
        question=None if export.question is None else body_of(export.question),
        requested_at=time_of_us(export.requested_at),
        ended_at=None if export.ended_at is None else time_of_us(export.ended_at),
        expires_at=None if export.expires_at is None else time_of_us(export.expires_at),
        code=export.code,
        sha256=export.sha256,
        events=export.events,
        bytes=export.bytes,
        done=None if progress is None else progress.done,
        total=None if progress is None else progress.total,
    )


#: Every route of this module.
EXPORT_ROUTES: Final = (exports, request_export, export_job, export_file, cancel_export, delete_export)
