"""What can be wrong with a segment, by name."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tallystick.errors import CorruptionError, NotFoundError, VerificationError


class SegmentCorruptError(CorruptionError):
    """A file of a segment, or the write-ahead file it comes from, cannot be what was written; `path` names it."""

    code: ClassVar[str] = "segment-corrupt"

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}", path=str(path))
        self.path = path


class SegmentMismatchError(VerificationError):
    """A derived file does not say what the content says; `path` names it, `row` the first row that differs."""

    code: ClassVar[str] = "segment-mismatch"
    advice = "The content is the truth: derive the file again, and find out who changed it."

    def __init__(self, path: Path, message: str, *, row: int | None = None, field: str | None = None) -> None:
        super().__init__(f"{path}: {message}", path=str(path), row=row, field=field)
        self.path = path
        self.row = row
        self.field = field


class IndexNotInSegmentError(NotFoundError):
    """The segment holds no event at that index: it is of another class, or its content was erased."""

    code: ClassVar[str] = "index-not-in-segment"
    advice = "Ask for an index that the segment holds; `tallystick verify` lists what was erased."


class ManifestError(CorruptionError):
    """The manifest cannot be read as one."""

    code: ClassVar[str] = "manifest-corrupt"
