"""What a release is made of: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal

TAG_CHARS_MAX: Final = 128
NAME_CHARS_MAX: Final = 255
DESCRIPTION_BYTES_MAX: Final = 64 << 10
"""Of a description as UTF-8 text in JSON: an edit holds the old one and the new one, and an event 256 KiB."""
MILESTONES_MAX: Final = 100
ASSETS_MAX: Final = 200
URL_CHARS_MAX: Final = 2048
FILE_BYTES_MAX: Final = 64 << 20
AssetKind = Literal["link", "file", "source"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A release that is to be made. Everything but the description is a fact that stays in the log."""

    scope: str
    tag: str
    name: str
    description: str = ""
    commit: str | None = None
    milestones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be different; None leaves as it is."""

    name: str | None = None
    description: str | None = None
    milestones: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A release as the register has it. `version` is the index of the event that changed it last; `released_at` is RFC
    3339. The description is None once it was erased.
    """

    id: str
    scope: str
    tag: str
    name: str
    description: str | None
    commit: str | None
    milestones: tuple[str, ...]
    released_at: str
    created_index: int
    version: int
    changed_at: int
    deleted_at: int | None


@dataclass(frozen=True, slots=True)
class Asset:
    """A link, or a file that is stored here under its SHA-256; `source` is a file that is the source archive."""

    name: str
    kind: AssetKind
    url: str | None
    digest: str | None
    bytes: int | None
    added_index: int


@dataclass(frozen=True, slots=True)
class Who:
    """Who did something, by which door and from where. Name and address are None once erased, or not for the reader."""

    id: str
    type: str
    name: str | None
    via: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done with a release, as its event says: `name` is what the release was called then."""

    index: int
    release: str | None
    scope: str
    action: str
    at: int
    who: Who
    name: str | None
    facts: dict[str, Any]
    changes: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A snapshot that was taken of a release."""

    digest: str
    bytes: int
    trigger: str
    at: int
    index: int
    who: Who


@dataclass(frozen=True, slots=True)
class Detail:
    """A release with everything about it.

    `steps` are what changed it and who fetched something of it, newest first, as many as are shown; `downloads` counts
    by artifact.
    """

    release: Release
    created_by: Who
    assets: tuple[Asset, ...]
    evidence: tuple[Evidence, ...]
    steps: tuple[Step, ...]
    downloads: dict[str, int]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file about to be handed out, open at its beginning; that it is fetched is on record."""

    file: BinaryIO
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Month:
    """How much the releases of a scope were used in a calendar month (UTC), such as 2026-03.

    `readers` looked at releases, exported events or fetched something; each counts once. `looks` are visits of pages and
    lists, `exports` files of events made in the scope; the rest are numbers of downloads.
    """

    month: str
    readers: int
    looks: int
    exports: int
    assets: int
    evidence: int
    dossiers: int
    archives: int


@dataclass(frozen=True, slots=True)
class Usage:
    """How often the release history of a scope is used, the newest month first."""

    scope: str
    months: tuple[Month, ...]
    artifacts: dict[str, int]
