"""Assets and evidence: adding them, taking them away, and handing them out."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.releases import events, rows
from tallystick.releases.check import check_asset_name, check_link, check_size
from tallystick.releases.dossier import write_dossier
from tallystick.releases.errors import (
    ArtifactNotFoundError,
    AssetExistsError,
    DigestMismatchError,
    ReleaseDeletedError,
    ReleaseInvalidError,
    ReleaseTooLargeError,
)
from tallystick.releases.evidence import snapshot_of
from tallystick.releases.model import ASSETS_MAX, Artifact, Asset, Release
from tallystick.releases.objects import Objects, digest_of, is_digest
from tallystick.releases.ports import ReleasePorts
from tallystick.releases.service import ReleaseService, managed_release, visible_release

OCTETS: Final = "application/octet-stream"
"""Of every stored file, whatever it is called: no browser is to make something of it."""


class ArtifactService:
    """The assets and evidence of releases; may be used from any thread. Raises what the register raises."""

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        objects: Objects,
        register: ReleaseService,
        ports: ReleasePorts,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._objects = objects
        self._register = register
        self._ports = ports

    def add_link(self, caller: Caller, release_id: str, name: str, url: str) -> None:
        """Let a release lead to a file elsewhere; nothing is fetched. Raises ReleaseInvalidError, AssetExistsError."""
        check_asset_name(name)
        check_link(url)
        self._add(caller, release_id, Asset(name, "link", url, None, None, 0))

    def check_may_add(self, caller: Caller, release_id: str) -> None:
        """Raise unless the caller may add to a release: asked before anything of a file is read, which costs memory."""
        with self._projection.engine.connect() as connection:
            managed_release(connection, caller, release_id)

    def add_file(
        self,
        caller: Caller,
        release_id: str,
        name: str,
        data: bytes,
        *,
        sha256: str | None = None,
        source: bool = False,
    ) -> str:
        """Store a file with a release and return its SHA-256. `sha256` is what it must be, where the sender knows it.

        Raises ReleaseInvalidError, ReleaseTooLargeError, DigestMismatchError, AssetExistsError, StorageFullError.
        """
        check_asset_name(name)
        check_size(len(data))
        digest = digest_of(data)
        if sha256 is not None:
            if not is_digest(sha256):
                raise ReleaseInvalidError("a SHA-256 is 64 small hexadecimal digits", pointer="/sha256")
            if not hmac.compare_digest(sha256, digest):
                raise DigestMismatchError(f"the bytes that came have the SHA-256 {digest}, not {sha256}")
        asset = Asset(name, "source" if source else "file", None, digest, len(data), 0)
        with self._projection.engine.connect() as connection:
            # Before a byte is stored for who may not: whether it still holds is decided again with the event.
            self._check_room(connection, caller, release_id, name)
        # A crash after this leaves a file that no event names; sending it again names it.
        self._objects.put(data)
        self._add(caller, release_id, asset)
        return digest

    def remove(self, caller: Caller, release_id: str, name: str) -> None:
        """Take an asset off a release. A stored file stays on the disk: evidence names it. Raises ArtifactNotFoundError."""

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            release = managed_release(connection, caller, release_id)
            asset = rows.asset_of(connection, release.id, name)
            return [events.asset_removed(caller, release, asset, self._ports.now_us())]

        self._commands.run(decide)

    def collect(self, caller: Caller, release_id: str) -> str:
        """Take evidence of a release as it is now, and return its SHA-256."""
        taken: list[str] = []

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            release = managed_release(connection, caller, release_id)
            now = self._ports.now_us()
            snapshot = snapshot_of(release, rows.assets_of(connection, release.id), now)
            taken[:] = [self._objects.put(snapshot)]
            return [events.evidence_collected(caller, release, taken[0], len(snapshot), "request", now)]

        self._commands.run(decide)
        return taken[0]

    def open_asset(self, caller: Caller, release_id: str, name: str) -> Artifact:
        """Return a stored file; that it is fetched is on record when this returns.

        Raises ArtifactNotFoundError, also for a link; ReleaseDeletedError; ObjectDamagedError.
        """
        with self._projection.engine.connect() as connection:
            release = visible_release(connection, caller, release_id)
            if release.deleted_at is not None:
                raise ReleaseDeletedError(f"release {release.tag} is deleted")
            asset = rows.asset_of(connection, release.id, name)
        if asset.digest is None:
            raise ArtifactNotFoundError(
                f"{name[:80]!r} is a link to a file that is kept elsewhere", advice="Follow the link."
            )

        def made(now_us: int) -> events.Event:
            if asset.kind == "source":
                return events.archive_downloaded(caller, release, asset, now_us)
            return events.downloaded(caller, release, asset.kind, asset.name, asset.digest, asset.bytes, now_us)

        return self._open(asset.digest, asset.name, OCTETS, made)

    def open_evidence(self, caller: Caller, release_id: str, digest: str) -> Artifact:
        """Return evidence by its SHA-256, also of a deleted release; on record when this returns.

        Raises ArtifactNotFoundError, ObjectDamagedError.
        """
        with self._projection.engine.connect() as connection:
            release = visible_release(connection, caller, release_id)
            taken = rows.evidence_of(connection, caller, release.id)
        found = next((each for each in taken if each.digest == digest), None)
        if found is None:
            raise ArtifactNotFoundError(f"the release has no evidence {digest[:64]!r}")
        name = f"evidence-{digest[:12]}.json"

        def made(now_us: int) -> events.Event:
            return events.downloaded(caller, release, "evidence", name, digest, found.bytes, now_us)

        return self._open(digest, name, "application/json", made)

    def open_dossier(self, caller: Caller, release_id: str) -> Artifact:
        """Return a dossier: the release, its evidence, and its events with their proofs; on record when this returns.

        Raises PermissionMissingError without the right to export and prove events in the release's scope.
        """
        detail = self._register.get(caller, release_id)
        release = detail.release
        evidence = {each.digest: self._objects.read(each.digest) for each in detail.evidence}
        file, size, digest = write_dossier(self._ports, caller, detail, evidence, self._objects.folder)
        name = f"{release.id}.dossier.zip"
        try:
            self._record(lambda now: events.downloaded(caller, release, "dossier", name, digest, size, now))
        except BaseException:
            file.close()
            raise
        return Artifact(file, name, "application/zip", size, digest)

    def _add(self, caller: Caller, release_id: str, asset: Asset) -> None:
        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            release = self._check_room(connection, caller, release_id, asset.name)
            return [events.asset_added(caller, release, asset, self._ports.now_us())]

        self._commands.run(decide)

    def _check_room(self, connection: Connection, caller: Caller, release_id: str, name: str) -> Release:
        """Return the release that gets an asset; raises AssetExistsError, ReleaseTooLargeError."""
        release = managed_release(connection, caller, release_id)
        assets = rows.assets_of(connection, release.id)
        if any(each.name == name for each in assets):
            raise AssetExistsError(f"the release has an asset {name[:80]!r}")
        if len(assets) >= ASSETS_MAX:
            raise ReleaseTooLargeError(f"a release has at most {ASSETS_MAX} assets")
        return release

    def _open(self, digest: str, name: str, media_type: str, make_event: Callable[[int], events.Event]) -> Artifact:
        file, size = self._objects.open(digest)
        try:
            self._record(make_event)
        except BaseException:
            file.close()
            raise
        return Artifact(file, name, media_type, size, digest)

    def _record(self, make_event: Callable[[int], events.Event]) -> None:
        """Record a download; it is counted when this returns."""
        self._commands.run(lambda _: [make_event(self._ports.now_us())])
