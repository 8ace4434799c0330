"""Where an import stood after its last acknowledged batch, so that it can go on there.

Losing the journal is harmless: ids are deterministic, so an import from the beginning repeats and adds nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tallystick.intake.model import Position
from tallystick.intake.report import FileReport

_SAMPLE_BYTES = 64 * 1024
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a file has been imported."""

    position: Position
    report: FileReport
    done: bool


class Journal:
    """One small file for each file imported, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Standing | None:
        """Return the standing under `key`; None where there is none, or none that can be read."""
        try:
            kept = json.loads(self._path(key).read_bytes())
            if kept["format"] != _FORMAT or kept["key"] != key:
                return None
            return Standing(Position(**kept["position"]), FileReport.from_json(kept["report"]), kept["done"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, key: str, standing: Standing) -> None:
        """Replace the standing under `key`. A crash here leaves the old one, and a batch is sent again."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept: dict[str, Any] = {
            "format": _FORMAT,
            "key": key,
            "position": asdict(standing.position),
            "report": standing.report.to_json(),
            "done": standing.done,
        }
        path = self._path(key)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(path)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key[:40]}.json"


def journal_key(file: Path, *parts: str) -> str:
    """Return what names this import of this file: its size, its first and last bytes, and `parts` (map, sink, source).

    The file's name is not part of it: a file that was moved is the same file, one that grew is another.
    """
    size = file.stat().st_size
    digest = hashlib.sha256(json.dumps([size, *parts]).encode())
    with file.open("rb") as content:
        digest.update(content.read(_SAMPLE_BYTES))
        content.seek(max(0, size - _SAMPLE_BYTES), os.SEEK_SET)
        digest.update(content.read(_SAMPLE_BYTES))
    return digest.hexdigest()
