"""Routes of the log: its state, and the proof that one size of it continues another."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from tallystick.access.permissions import Permission
from tallystick.api.problem import Problem, problem_of
from tallystick.api.services import Services
from tallystick.evidence.consistency import Consistency, SizesInvalidError
from tallystick.evidence.log import LogView
from tallystick.note.text import NUMBER_MAX
from tallystick.web.caller import person, require
from tallystick.web.headers import JSON, page_response
from tallystick.web.page import render

_MEANINGS: Final = {
    "acknowledged": "on disk, and the sender was told",
    "committed": "under a signed checkpoint",
    "witnessed": "under a checkpoint that outsiders cosigned",
    "sealed": "in segments, read back and compared",
}
Old = Annotated[str, QueryParameter(name="old", description="The earlier size.")]
New = Annotated[str, QueryParameter(name="new", description="The later size.")]


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """The log, and the proof between two sizes where one was asked for; the sizes as they were typed."""

    log: LogView
    meanings: dict[str, str]
    address: str
    old: str = ""
    new: str = ""
    consistency: Consistency | None = None


@get("/log", sync_to_thread=True, opt={"parameters": ("old", "new")})
def log_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services], old: Old = "", new: New = ""
) -> Response[bytes]:
    """Return how the log stands; with two sizes also the proof that one continues the other."""
    caller = person(request, services)
    require(caller, Permission.LOG_READ, "")
    consistency: Consistency | None = None
    problem: Problem | None = None
    if old or new:
        try:
            consistency = services.log.consistency(caller, _size(old), _size(new))
        except SizesInvalidError as error:
            problem = problem_of(error)
    view = LogPage(
        log=services.log.overview(caller),
        meanings=_MEANINGS,
        address=services.public_url or "ADDRESS",
        old=old[:20],
        new=new[:20],
        consistency=consistency,
    )
    status = 200 if problem is None else problem.status
    return render(request, services, "log/page.html", view, title="Log", status=status, problem=problem)


@get("/log/consistency", sync_to_thread=True, opt={"parameters": ("old", "new")})
def consistency_file(
    request: Request[Any, Any, Any], services: NamedDependency[Services], old: Old = "", new: New = ""
) -> Response[bytes]:
    """Return the proof between two sizes as a file."""
    found = services.log.consistency(person(request, services), _size(old), _size(new))
    name = f"consistency-{found.old_size}-{found.new_size}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return page_response(request, msgspec.json.encode(found), media_type=JSON, headers=headers)


def _size(text: str) -> int:
    digits = text.strip().replace(",", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(NUMBER_MAX)):
        raise SizesInvalidError(f"{text[:40]!r} is not a size")
    return int(digits)
