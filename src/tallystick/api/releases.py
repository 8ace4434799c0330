"""The register of releases: made, edited, evidenced, handed out; and the milestones that scopes know."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Annotated, Any, BinaryIO, Final
from urllib.parse import quote

from litestar import Request, Response, delete, get, patch, post, put
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter
from litestar.response import Stream

from tallystick.access.scopes import parse_scope
from tallystick.api.body import read_body
from tallystick.api.commands import BODY_PROBLEMS, COMMAND, need_caller
from tallystick.api.openapi import FILES, PROBLEMS
from tallystick.api.release_bodies import EvidenceTaken, MilestonesView, NewLink, NewMilestone, NewRelease, ReleaseEdit
from tallystick.api.release_views import ReleaseDetail, ReleasesView, UsageView, detail_view, releases_view, usage_view
from tallystick.api.services import Services, caller_of
from tallystick.errors import InvalidInputError, PermissionMissingError
from tallystick.releases.errors import (
    ArtifactNotFoundError,
    AssetExistsError,
    DigestMismatchError,
    MilestoneExistsError,
    MilestoneUnknownError,
    ReleaseChangedError,
    ReleaseExistsError,
    ReleaseNotFoundError,
)
from tallystick.releases.model import DESCRIPTION_BYTES_MAX, FILE_BYTES_MAX, Artifact, Draft, Edit
from tallystick.releases.service import PAGE_MAX

_CHUNK_BYTES: Final = 1 << 18
_UPLOAD_S: Final = 600
_VERSION_DIGITS_MAX: Final = 20
_READING: Final[dict[str, Any]] = {"guards": [need_caller], "sync_to_thread": True, "tags": ["releases"]}
#: A description may need six bytes for each of its characters, as JSON that others write.
_CHANGING: Final[dict[str, Any]] = {
    **COMMAND,
    "request_max_body_size": 6 * DESCRIPTION_BYTES_MAX + (64 << 10),
    "tags": ["releases"],
}
_KNOWN: Final = {404: ReleaseNotFoundError.code}
_MANAGED: Final = {403: PermissionMissingError.code, **_KNOWN, **BODY_PROBLEMS}
_Id = Annotated[str, PathParameter(description="The id of a release.")]
_AssetName = Annotated[str, PathParameter(description="The name of an asset.")]
_IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description='The version that was seen, in quotes: "1204".')
]


class VersionMissingError(InvalidInputError):
    """A change does not say which version of the release it was made from."""

    code = "version-missing"
    advice = 'Send the release\'s version, as the answer before had it, as If-Match: "1204".'


@get(
    "/api/v1/releases",
    opt={"parameters": ("scope", "tag", "deleted", "before", "limit")},
    summary="Releases",
    **_READING,
)
def releases(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: Annotated[str, QueryParameter(name="scope", description="This scope and those below it.")] = "/",
    tag: Annotated[str | None, QueryParameter(description="Only with this tag.")] = None,
    deleted: Annotated[bool, QueryParameter(description="Also deleted ones.")] = False,
    before: Annotated[int | None, QueryParameter(ge=0, description="From the page before.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="Most releases in one answer.")] = PAGE_MAX,
) -> ReleasesView:
    """Return the releases that the caller may see, the newest first. The look is recorded."""
    caller, scope = caller_of(request, services), parse_scope(within)
    found = services.releases.register.list(caller, scope=scope, tag=tag, deleted=deleted, before=before, limit=limit)
    return releases_view(found)


@post(
    "/api/v1/releases",
    opt={PROBLEMS: {**_MANAGED, 409: ReleaseExistsError.code, 422: MilestoneUnknownError.code}},
    summary="Create a release",
    **_CHANGING,
)
def create_release(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewRelease]
) -> ReleaseDetail:
    """Make a release, with its first evidence."""
    caller = caller_of(request, services)
    draft = Draft(
        scope=parse_scope(data.scope),
        tag=data.tag,
        name=data.name,
        description=data.description,
        commit=data.commit,
        milestones=tuple(data.milestones),
    )
    made = services.releases.register.create(caller, draft, create_milestones=data.create_milestones)
    return detail_view(services.releases.register.get(caller, made))


@get(
    "/api/v1/releases/{release_id:str}",
    guards=[need_caller],
    opt={PROBLEMS: _KNOWN},
    summary="One release",
    tags=["releases"],
)
async def release(
    request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: _Id
) -> Response[ReleaseDetail]:
    """Return a release with its assets, evidence and history; `ETag` is its version. The look is recorded."""
    caller = await sync_to_thread(caller_of, request, services)
    found = await sync_to_thread(services.releases.register.get, caller, release_id)
    return Response(detail_view(found), headers={"etag": f'"{found.release.version}"'})


@patch(
    "/api/v1/releases/{release_id:str}",
    opt={PROBLEMS: {**_MANAGED, 409: ReleaseChangedError.code, 422: VersionMissingError.code}},
    summary="Edit a release",
    **_CHANGING,
)
def edit_release(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: _Id,
    data: JSONBody[ReleaseEdit],
    if_match: _IfMatch = None,
) -> ReleaseDetail:
    """Change name, description or milestones. An edit that changes milestones too is two events, milestones last; one
    that changes nothing is none.
    """
    caller = caller_of(request, services)
    edit = Edit(data.name, data.description, None if data.milestones is None else tuple(data.milestones))
    services.releases.register.edit(
        caller, release_id, edit, version=_version(if_match), create_milestones=data.create_milestones
    )
    return detail_view(services.releases.register.get(caller, release_id))


@post(
    "/api/v1/releases/{release_id:str}/delete",
    status_code=204,
    opt={PROBLEMS: {**_MANAGED, 409: ReleaseChangedError.code, 422: VersionMissingError.code}},
    summary="Delete a release",
    **_CHANGING,
)
def delete_release(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: _Id,
    if_match: _IfMatch = None,
) -> None:
    """Delete a release; its events and its evidence stay, and its tag is free again."""
    services.releases.register.delete(caller_of(request, services), release_id, version=_version(if_match))


@post(
    "/api/v1/releases/{release_id:str}/assets",
    opt={PROBLEMS: {**_MANAGED, 409: AssetExistsError.code}},
    summary="Add a link",
    **_CHANGING,
)
def add_link(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: _Id,
    data: JSONBody[NewLink],
) -> ReleaseDetail:
    """Add an asset that is kept elsewhere."""
    caller = caller_of(request, services)
    services.releases.artifacts.add_link(caller, release_id, data.name, data.url)
    return detail_view(services.releases.register.get(caller, release_id))


@put(
    "/api/v1/releases/{release_id:str}/assets/{name:str}",
    guards=[need_caller],
    opt={
        "parameters": ("sha256", "source"),
        PROBLEMS: {**_MANAGED, 409: AssetExistsError.code, 413: "body-too-large", 422: DigestMismatchError.code},
    },
    status_code=201,
    summary="Store a file",
    tags=["releases"],
)
async def add_file(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: _Id,
    name: _AssetName,
    sha256: Annotated[str, QueryParameter(description="What the bytes must hash to, in small hexadecimal digits.")],
    source: Annotated[bool, QueryParameter(description="The file is the source archive.")] = False,
) -> ReleaseDetail:
    """Store the bytes of the body as an asset. Bytes of another SHA-256 than the one stated are refused."""
    caller = await sync_to_thread(caller_of, request, services)
    await sync_to_thread(services.releases.artifacts.check_may_add, caller, release_id)
    with services.room.visit() as take:
        data = await read_body(request, FILE_BYTES_MAX, take, read_s=_UPLOAD_S)
        await sync_to_thread(
            services.releases.artifacts.add_file, caller, release_id, name, data, sha256=sha256, source=source
        )
    return detail_view(await sync_to_thread(services.releases.register.get, caller, release_id))


@delete(
    "/api/v1/releases/{release_id:str}/assets/{name:str}",
    opt={PROBLEMS: {**_MANAGED, 404: ArtifactNotFoundError.code}},
    summary="Remove an asset",
    **_CHANGING,
)
def remove_asset(
    request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: _Id, name: _AssetName
) -> None:
    """Take an asset off a release; that it was there stays in the log and in the evidence."""
    services.releases.artifacts.remove(caller_of(request, services), release_id, name)


@get(
    "/api/v1/releases/{release_id:str}/assets/{name:str}/file",
    opt={PROBLEMS: {404: ArtifactNotFoundError.code}, FILES: ("application/octet-stream",)},
    summary="Download an asset",
    **_READING,
)
def asset_file(
    request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: _Id, name: _AssetName
) -> Stream:
    """Return a stored file, checked against its SHA-256. Each download is an event."""
    return artifact_answer(services.releases.artifacts.open_asset(caller_of(request, services), release_id, name))


@post("/api/v1/releases/{release_id:str}/evidence", opt={PROBLEMS: _MANAGED}, summary="Collect evidence", **_CHANGING)
def collect_evidence(
    request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: _Id
) -> EvidenceTaken:
    """Take a snapshot of the release, its milestones and assets as they are now."""
    return EvidenceTaken(sha256=services.releases.artifacts.collect(caller_of(request, services), release_id))


@get(
    "/api/v1/releases/{release_id:str}/evidence/{digest:str}",
    opt={PROBLEMS: {404: ArtifactNotFoundError.code}, FILES: ("application/json",)},
    summary="Download evidence",
    **_READING,
)
def evidence_file(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: _Id,
    digest: Annotated[str, PathParameter(description="The SHA-256 of the evidence.")],
) -> Stream:
    """Return evidence, byte for byte as it was taken. Each download is an event."""
    return artifact_answer(services.releases.artifacts.open_evidence(caller_of(request, services), release_id, digest))


@get(
    "/api/v1/releases/{release_id:str}/dossier",
    opt={PROBLEMS: {**_KNOWN, 403: PermissionMissingError.code}, FILES: ("application/zip",)},
    summary="Download a dossier",
    **_READING,
)
def dossier_file(request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: _Id) -> Stream:
    """Return the release, its evidence, and its events with their proofs as one zip. Needs `events.export` and
    `proofs.read` in its scope. Each download is an event.
    """
    return artifact_answer(services.releases.artifacts.open_dossier(caller_of(request, services), release_id))


@get("/api/v1/milestones", opt={"parameters": ("scope",)}, summary="Milestones", **_READING)
def milestones(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: Annotated[str, QueryParameter(name="scope", description="The scope whose releases are meant.")],
) -> MilestonesView:
    """Return the milestones that releases in a scope can be tied to: its own, and those of the scopes around it."""
    found = services.releases.register.milestones(caller_of(request, services), parse_scope(within))
    return MilestonesView(scope=within, milestones=list(found))


@post(
    "/api/v1/milestones",
    opt={PROBLEMS: {**BODY_PROBLEMS, 409: MilestoneExistsError.code}},
    summary="Create a milestone",
    **_CHANGING,
)
def create_milestone(
    request: Request[Any, Any, Any], services: NamedDependency[Services], data: JSONBody[NewMilestone]
) -> MilestonesView:
    """Let a scope and those below it know a milestone."""
    caller, scope = caller_of(request, services), parse_scope(data.scope)
    services.releases.register.create_milestone(caller, scope, data.title)
    return MilestonesView(scope=data.scope, milestones=list(services.releases.register.milestones(caller, scope)))


@get(
    "/api/v1/release-usage",
    opt={"parameters": ("scope",), PROBLEMS: {403: PermissionMissingError.code}},
    summary="How often release history is used",
    **_READING,
)
def release_usage(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    within: Annotated[str, QueryParameter(name="scope", description="This scope and those below it.")] = "/",
) -> UsageView:
    """Return readers and downloads by month, for who manages the releases there."""
    return usage_view(services.releases.usage.of(caller_of(request, services), parse_scope(within)))


def artifact_answer(artifact: Artifact) -> Stream:
    """Return the answer that hands out a file; it is closed at the end, or when the reader goes away.

    Whatever it is called, a browser stores it and makes nothing of it.
    """
    ascii_name = "".join(
        char if char.isascii() and (char.isalnum() or char in "._-+") else "_" for char in artifact.name
    )
    headers = {
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(artifact.name, safe='')}",
        "content-length": str(artifact.size),
        "cache-control": "private, no-store",
        "repr-digest": f"sha-256=:{_base64(artifact.sha256)}:",
    }
    return Stream(_chunks(artifact.file), media_type=artifact.media_type, headers=headers)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _base64(digest: str) -> str:
    return b64encode(bytes.fromhex(digest)).decode()


def _version(if_match: str | None) -> int:
    """Return the version that a change was made from; raises VersionMissingError."""
    text = (if_match or "").strip().removeprefix('"').removesuffix('"')
    if not (text.isascii() and text.isdigit() and len(text) < _VERSION_DIGITS_MAX):
        raise VersionMissingError("which version of the release was seen is not said")
    return int(text)


RELEASE_ROUTES: Final = (
    releases,
    create_release,
    release,
    edit_release,
    delete_release,
    add_link,
    add_file,
    remove_asset,
    asset_file,
    collect_evidence,
    evidence_file,
    dossier_file,
    milestones,
    create_milestone,
    release_usage,
)
