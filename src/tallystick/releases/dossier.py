"""The dossier of a release: one file with everything that an auditor asks for, which verifies without this server."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final

from tallystick.access.model import Caller
from tallystick.event.occurred import time_of_us
from tallystick.evidence.package import choose_checkpoint, package_events
from tallystick.releases.model import Detail
from tallystick.releases.ports import ReleasePorts
from tallystick.search.export import start_disclosures
from tallystick.search.model import Search

FORMAT: Final = "dossier"
"""How the export of its events is called in the log."""
_CHUNK_BYTES: Final = 1 << 20
_TIME: Final = (1980, 1, 1, 0, 0, 0)
README: Final = """\
This is the dossier of a release, made by Tallystick.

release.json     the release as the register had it, with its assets, evidence and history
evidence/        the evidence: each file's name is its SHA-256, which an event of the log names
package.zip      every event of the release, with the proof that the log holds it

To check it on a computer of your own:

  unzip {name}
  tallystick verify package.zip          add --key KEY: the log's verification key, from who runs it
  sha256sum evidence/*                   each must print the name of its file

package.zip holds what {reader} could see. Events in it that are named release.evidence_collected and
release.asset_added hold the SHA-256 of the files.
"""


def write_dossier(
    ports: ReleasePorts, caller: Caller, detail: Detail, evidence: Mapping[str, bytes], folder: Path
) -> tuple[BinaryIO, int, str]:
    """Return the dossier, open at its beginning, with its size and SHA-256. It lies unnamed in `folder`.

    That its events are exported is on record when this returns. Raises PermissionMissingError.
    """
    release = detail.release
    search = Search(text=f"target.id:{release.id} OR metadata.release:{release.id}", scope=release.scope)
    _, size, disclosures = start_disclosures(ports.search, search, caller, FORMAT)
    write_package = package_events(
        ports.ledger,
        ports.ledger.vkeys,
        disclosures,
        checkpoint=choose_checkpoint(ports.ledger, size),
        created_at=time_of_us(ports.now_us()),
        about={"release": release.id, "scope": release.scope, "tag": release.tag, "made_for": caller.id},
    )
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  who hands it out closes it
    try:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            _write(archive, "README.txt", README.format(name=f"{release.id}.dossier.zip", reader=caller.id).encode())
            _write(archive, "release.json", json.dumps(asdict(detail), ensure_ascii=False, indent=2).encode())
            for digest, data in evidence.items():
                _write(archive, f"evidence/{digest}", data)
            with tempfile.TemporaryFile(dir=folder) as package:
                write_package(package, lambda _: None)
                package.seek(0)
                with archive.open(_member("package.zip"), "w", force_zip64=True) as member:
                    while chunk := package.read(_CHUNK_BYTES):
                        member.write(chunk)
        made, length = hashlib.sha256(), 0
        file.seek(0)
        while chunk := file.read(_CHUNK_BYTES):
            made.update(chunk)
            length += len(chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file, length, made.hexdigest()


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_member(name), data)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _TIME)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    return member
