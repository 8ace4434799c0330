"""Releases on pages: the list, one with its history, its files, and how often they are used."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from tallystick.access.permissions import Permission
from tallystick.access.scopes import parse_scope
from tallystick.api.problem import Problem, problem_of
from tallystick.api.release_views import (
    ReleaseDetail,
    ReleasesView,
    UsageView,
    detail_view,
    releases_view,
    usage_view,
)
from tallystick.api.releases import artifact_answer
from tallystick.api.services import Services
from tallystick.errors import ConflictError, ForbiddenError, InvalidInputError
from tallystick.releases.errors import ArtifactNotFoundError
from tallystick.releases.model import FILE_BYTES_MAX
from tallystick.web.caller import person
from tallystick.web.flash import see_other
from tallystick.web.forms import FORM, Form
from tallystick.web.page import render
from tallystick.web.releases.history import Day, days_of
from tallystick.web.releases.upload import UPLOAD, UPLOAD_BYTES_MAX, Upload, need_manager

Page = Response[bytes]
Id = Annotated[str, PathParameter(description="The id of a release.")]
REFUSED: Final = (InvalidInputError, ConflictError, ForbiddenError, ArtifactNotFoundError)


class ReleasesPage(msgspec.Struct, frozen=True, kw_only=True):
    """Releases, the newest first, and what they were filtered by; `older` leads to the next page."""

    found: ReleasesView
    scope: str
    tag: str
    deleted: bool
    can_create: bool
    older: str


class ReleasePage(msgspec.Struct, frozen=True, kw_only=True):
    """One release, what the caller may do with it, and what she filled in for a new asset."""

    detail: ReleaseDetail
    days: list[Day]
    can_manage: bool
    can_prove: bool
    file_bytes_max: int
    typed: dict[str, str]


class UsagePage(msgspec.Struct, frozen=True, kw_only=True):
    """How often the releases of a scope are used."""

    usage: UsageView
    scope: str


@get("/releases", sync_to_thread=True, opt={"parameters": ("scope", "tag", "deleted", "before")})
def releases_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    before: Annotated[int | None, QueryParameter(ge=0, description="From the page before.")] = None,
) -> Page:
    """Return the releases that the caller may see. The look is recorded."""
    caller, given = person(request, services), request.query_params
    scope, tag, deleted = given.get("scope") or "/", given.get("tag") or "", bool(given.get("deleted"))
    found = services.releases.register.list(
        caller, scope=parse_scope(scope), tag=tag or None, deleted=deleted, before=before
    )
    asked = {"scope": scope, "tag": tag, "deleted": "yes" if deleted else "", "before": str(found.before or "")}
    view = ReleasesPage(
        found=releases_view(found),
        scope=scope,
        tag=tag,
        deleted=deleted,
        can_create=caller.rights.anywhere(Permission.RELEASES_MANAGE),
        older=f"/releases?{urlencode({name: text for name, text in asked.items() if text})}" if found.before else "",
    )
    return render(request, services, "releases/list.html", view, title="Releases")


@get("/releases/usage", sync_to_thread=True, opt={"parameters": ("scope",)})
def usage_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return how often the releases of a scope are used, for who answers for them."""
    caller = person(request, services)
    held = caller.rights.scopes(Permission.RELEASES_MANAGE)
    scope = request.query_params.get("scope") or (held[0] if held else "") or "/"
    view = UsagePage(usage=usage_view(services.releases.usage.of(caller, parse_scope(scope))), scope=scope)
    return render(request, services, "releases/usage.html", view, title="Use of releases")


@get("/releases/{release_id:str}", sync_to_thread=True)
def release_page(request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: Id) -> Page:
    """Return one release with its assets, evidence and history. The look is recorded."""
    return show_release(request, services, release_id)


@post(
    "/releases/{release_id:str}/delete",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("version",)},
    status_code=200,
)
def delete_release_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], release_id: Id
) -> Page:
    """Delete a release."""
    try:
        services.releases.register.delete(person(request, services), release_id, version=parse_version(form["version"]))
    except REFUSED as error:
        return show_release(request, services, release_id, problem_of(error))
    return see_other(request, _path(release_id), "The release is deleted. Its history and evidence stay.")


@post(
    "/releases/{release_id:str}/link",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("link_name", "url")},
    status_code=200,
)
def add_link_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], release_id: Id
) -> Page:
    """Add an asset that is kept elsewhere."""
    try:
        services.releases.artifacts.add_link(person(request, services), release_id, form["link_name"], form["url"])
    except REFUSED as error:
        typed = {name: form[name] for name in ("link_name", "url")}
        return show_release(request, services, release_id, problem_of(error), typed)
    return see_other(request, _path(release_id), "The link is added.")


@post(
    "/releases/{release_id:str}/file",
    sync_to_thread=True,
    guards=[need_manager],
    dependencies=UPLOAD,
    request_max_body_size=UPLOAD_BYTES_MAX,
    status_code=200,
)
def add_file_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    upload: NamedDependency[Upload],
    release_id: Id,
) -> Page:
    """Store a file as an asset."""
    try:
        digest = services.releases.artifacts.add_file(
            person(request, services),
            release_id,
            upload.name,
            upload.data,
            sha256=upload.sha256,
            source=upload.source,
        )
    except REFUSED as error:
        typed = {"name": upload.name, "sha256": upload.sha256 or ""}
        return show_release(request, services, release_id, problem_of(error), typed)
    return see_other(request, _path(release_id), f"The file is stored; its SHA-256 is {digest}.")


@post(
    "/releases/{release_id:str}/remove",
    sync_to_thread=True,
    dependencies=FORM,
    opt={"fields": ("asset",)},
    status_code=200,
)
def remove_asset_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], release_id: Id
) -> Page:
    """Take an asset off a release."""
    try:
        services.releases.artifacts.remove(person(request, services), release_id, form["asset"])
    except REFUSED as error:
        return show_release(request, services, release_id, problem_of(error))
    return see_other(request, _path(release_id), "The asset is removed. That it was there stays in the history.")


@post(
    "/releases/{release_id:str}/evidence", sync_to_thread=True, dependencies=FORM, opt={"fields": ()}, status_code=200
)
def collect_evidence_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], form: NamedDependency[Form], release_id: Id
) -> Page:
    """Take evidence of a release as it is now."""
    del form
    try:
        digest = services.releases.artifacts.collect(person(request, services), release_id)
    except REFUSED as error:
        return show_release(request, services, release_id, problem_of(error))
    return see_other(request, _path(release_id), f"Evidence is taken; its SHA-256 is {digest}.")


@get("/releases/{release_id:str}/assets/{name:str}/file", sync_to_thread=True)
def download_asset_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: Id,
    name: Annotated[str, PathParameter(description="The name of an asset.")],
) -> Stream:
    """Return a stored file; each download is an event."""
    return artifact_answer(services.releases.artifacts.open_asset(person(request, services), release_id, name))


@get("/releases/{release_id:str}/evidence/{digest:str}/file", sync_to_thread=True)
def download_evidence_page(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    release_id: Id,
    digest: Annotated[str, PathParameter(description="The SHA-256 of the evidence.")],
) -> Stream:
    """Return evidence; each download is an event."""
    return artifact_answer(services.releases.artifacts.open_evidence(person(request, services), release_id, digest))


@get("/releases/{release_id:str}/dossier", sync_to_thread=True)
def download_dossier_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], release_id: Id
) -> Stream:
    """Return the dossier; each download is an event."""
    return artifact_answer(services.releases.artifacts.open_dossier(person(request, services), release_id))


def show_release(
    request: Request[Any, Any, Any],
    services: Services,
    release_id: str,
    problem: Problem | None = None,
    typed: dict[str, str] | None = None,
) -> Page:
    """Return the page of a release, with why something was refused where something was."""
    caller = person(request, services)
    found = services.releases.register.get(caller, release_id)
    release, rights = found.release, caller.rights
    may_take = all(rights.allows(each, release.scope) for each in (Permission.EVENTS_EXPORT, Permission.PROOFS_READ))
    detail = detail_view(found)
    view = ReleasePage(
        detail=detail,
        days=days_of(detail.history),
        can_manage=release.deleted_at is None and rights.allows(Permission.RELEASES_MANAGE, release.scope),
        can_prove=may_take,
        file_bytes_max=FILE_BYTES_MAX,
        typed=typed or {},
    )
    status = 200 if problem is None else problem.status
    return render(
        request,
        services,
        "releases/release.html",
        view,
        title=f"Release {release.tag[:80]}",
        status=status,
        problem=problem,
    )


def parse_version(text: str) -> int:
    """Return the version that a form was made from; what is none is the version of nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(1 << 63)) else -1


def _path(release_id: str) -> str:
    return f"/releases/{release_id}"


#: Every page of this module; `edit.py` has the two forms.
RELEASE_PAGES: Final = (
    releases_page,
    usage_page,
    release_page,
    delete_release_page,
    add_link_page,
    add_file_page,
    remove_asset_page,
    collect_evidence_page,
    download_asset_page,
    download_evidence_page,
    download_dossier_page,
)
