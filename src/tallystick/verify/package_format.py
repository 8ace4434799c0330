"""Evidence packages as files (`docs/format/package.md`): a zip of proofs, the checkpoint they rest on, and a list."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO, Final, TypeVar

from tallystick.errors import VerificationError
from tallystick.event.canonical import canonical_json, check_canonical
from tallystick.event.erasure import Range, parse_ranges
from tallystick.note import parse_checkpoint, parse_note

FORMAT: Final = 1
MANIFEST: Final = "package.json"
CHECKPOINT: Final = "checkpoint"
REVIEW: Final = "review.json"
MANIFEST_BYTES_MAX: Final = 256 << 20
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MEMBERS: Final = {
    "format": int,
    "origin": str,
    "size": int,
    "root": str,
    "keys": list,
    "created_at": str,
    "about": dict,
    "events": list,
    "complete": list,
}


class PackageFormatError(VerificationError):
    """Bytes are not a package, or not a whole one."""

    code = "package-invalid"
    advice = "Fetch the package again; if it stays so, ask whoever made it."


@dataclass(frozen=True, slots=True)
class Evidence:
    """What goes into a package: `proofs` are (index, tlog-proof) in order of index, all under `checkpoint`.

    A proof whose extra data are the bare entry stands for an event whose content is gone. `complete` are the (first,
    size) ranges of which no event is left out; `about` says in words what the package is for. `review` is the rows of a
    review's sections, where the package is of one (`docs/format/review.md`).
    """

    checkpoint: bytes
    keys: tuple[str, ...]
    proofs: Iterable[tuple[int, bytes]]
    created_at: str
    complete: tuple[Range, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
    review: bytes | None = None


def format_package(evidence: Evidence) -> bytes:
    """Return the bytes of the package; the same evidence gives the same bytes."""
    sink = io.BytesIO()
    write_package(sink, evidence)
    return sink.getvalue()


def write_package(sink: BinaryIO, evidence: Evidence) -> int:
    """Write the package, one proof in memory at a time, and return how many proofs it holds."""
    checkpoint = parse_checkpoint(parse_note(evidence.checkpoint).text)
    listed: list[dict[str, Any]] = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, proof in evidence.proofs:
            name = event_name(index)
            _write(archive, name, proof)
            listed.append({"index": index, "sha256": sha256(proof).hexdigest()})
        _write(archive, CHECKPOINT, evidence.checkpoint)
        manifest = {
            "format": FORMAT,
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": b64encode(checkpoint.root).decode(),
            "keys": list(evidence.keys),
            "created_at": evidence.created_at,
            "about": dict(evidence.about),
            "events": listed,
            "complete": [list(each) for each in evidence.complete],
        }
        if evidence.review is not None:
            _write(archive, REVIEW, evidence.review)
            manifest["review"] = sha256(evidence.review).hexdigest()
        _write(archive, MANIFEST, canonical_json(manifest))
    return len(listed)


def event_name(index: int) -> str:
    """Return the name of a proof in the package."""
    return f"events/{index}.tlog-proof"


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, _TIME)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    archive.writestr(member, data)


def parse_package_manifest(data: bytes) -> dict[str, Any]:
    """Return what package.json says, every member of the type it must have; raise PackageFormatError otherwise."""
    try:
        check_canonical(data)
        manifest: dict[str, Any] = json.loads(data)
        if not isinstance(manifest, dict) or manifest.keys() - {"review"} != _MEMBERS.keys():
            raise PackageFormatError(f"{MANIFEST} does not have the members of a package")
        if manifest["format"] != FORMAT:
            raise PackageFormatError(f"{MANIFEST} is not of format {FORMAT}")
        if "review" in manifest:
            _typed(manifest["review"], str)
        if any(type(manifest[name]) is not kind for name, kind in _MEMBERS.items()):
            raise PackageFormatError(f"a member of {MANIFEST} is of the wrong type")
        manifest["keys"] = [_typed(key, str) for key in manifest["keys"]]
        manifest["about"] = {name: _typed(text, str) for name, text in manifest["about"].items()}
        manifest["events"] = [
            {"index": _typed(each["index"], int), "sha256": _typed(each["sha256"], str)} for each in manifest["events"]
        ]
        manifest["complete"] = parse_ranges(manifest["complete"])
    except (VerificationError, KeyError, TypeError, ValueError) as error:
        raise PackageFormatError(f"{MANIFEST} cannot be read: {error}") from error
    indexes = [each["index"] for each in manifest["events"]]
    if indexes != sorted(set(indexes)) or any(index < 0 for index in indexes):
        raise PackageFormatError(f"{MANIFEST} does not list its events in order of index")
    return manifest


T = TypeVar("T")


def _typed(value: object, kind: type[T]) -> T:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.80} is not of type {kind.__name__}")
    return value
