"""The log itself: checkpoints and tiles, in the layout of C2SP tlog-tiles.

The same files stand under two prefixes: `/api/v1/log`, and the root of the server for readers that take a bare address.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter

from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.api.openapi import PROBLEMS, PUBLIC
from tallystick.api.services import Services, caller_of
from tallystick.errors import NotFoundError, PermissionMissingError
from tallystick.merkle.tiles import TilePathError

TEXT_TYPE: Final = "text/plain"  # the charset is added when it is sent
TILE_TYPE: Final = "application/octet-stream"
_FOREVER: Final = "max-age=31536000, immutable"
_MOMENT: Final = "public, max-age=1"


TilePath = Annotated[
    str, PathParameter(description="Level and number, as in C2SP tlog-tiles: 0/x001/234, 1/000.p/17, entries/x001/234.")
]


class NoWitnessedCheckpointError(NotFoundError):
    """No witness has cosigned a checkpoint yet."""

    code = "not-witnessed"
    advice = "Give the server a witness with --witness, or use the checkpoint that nobody cosigned."


class TileMissingError(NotFoundError):
    """The log has no such tile, or not yet."""

    code = "tile-missing"
    advice = "Read the checkpoint first: it says how large the log is."


@get(
    ["/api/v1/log/checkpoint", "/checkpoint"],
    media_type=TEXT_TYPE,
    opt={PUBLIC: True},
    summary="Newest signed checkpoint",
    tags=["log"],
)
async def checkpoint(services: NamedDependency[Services]) -> Response[bytes]:
    """Return the newest checkpoint: origin, size and root, signed by the log. Needs no token."""
    return _text(services.ledger.checkpoint())


@get(
    ["/api/v1/log/checkpoint.witnessed", "/checkpoint.witnessed"],
    media_type=TEXT_TYPE,
    opt={PUBLIC: True, PROBLEMS: {404: NoWitnessedCheckpointError.code}},
    summary="Newest cosigned checkpoint",
    tags=["log"],
)
async def witnessed_checkpoint(services: NamedDependency[Services]) -> Response[bytes]:
    """Return the newest checkpoint that the configured witnesses cosigned. Needs no token."""
    found = services.ledger.witnessed_checkpoint()
    if found is None:
        raise NoWitnessedCheckpointError("no checkpoint has been cosigned")
    return _text(found)


@get(
    ["/api/v1/log/tile/{tile:path}", "/tile/{tile:path}"],
    media_type=TILE_TYPE,
    opt={PROBLEMS: {403: PermissionMissingError.code, 404: TileMissingError.code, 422: TilePathError.code}},
    summary="Tile",
    tags=["log"],
)
async def tile(request: Request[Any, Any, Any], services: NamedDependency[Services], tile: TilePath) -> Response[bytes]:
    """Return a hash tile (`0/x001/234`), which needs no token, or an entry bundle (`entries/x001/234`), which holds the
    time and class of every event whatever its scope, and needs the permission `log.read` for everything.
    """
    path = tile.lstrip("/")
    is_bundle = path.startswith("entries/")
    if is_bundle:
        require(caller_of(request, services), Permission.LOG_READ, "")
    found = await asyncio.to_thread(services.ledger.find_tile, f"tile/{path}")
    if found is None:
        raise TileMissingError(f"the log has no tile/{path[:128]}")
    # What a token opened must not lie in a cache that others share.
    kept_by = "private" if is_bundle else "public"
    return Response(found, media_type=TILE_TYPE, headers={"cache-control": f"{kept_by}, {_FOREVER}"})


def _text(note: bytes) -> Response[bytes]:
    return Response(note, media_type=TEXT_TYPE, headers={"cache-control": _MOMENT})
