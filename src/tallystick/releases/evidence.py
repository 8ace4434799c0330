"""Evidence: a release as it stands at a moment, as canonical JSON that a digest can name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tallystick.event.canonical import canonical_json
from tallystick.event.occurred import time_of_us
from tallystick.releases.model import Asset, Release

FORMAT: Final = 1


def snapshot_of(release: Release, assets: Sequence[Asset], now_us: int) -> bytes:
    """Return the evidence of a release at a time: the same release and time give the same bytes."""
    return canonical_json(
        {
            "format": FORMAT,
            "taken_at": time_of_us(now_us),
            "release": {
                "id": release.id,
                "scope": release.scope,
                "tag": release.tag,
                "name": release.name,
                "description": release.description,
                "commit": release.commit,
                "released_at": release.released_at,
            },
            "milestones": [{"title": title} for title in release.milestones],
            "assets": [
                {"name": each.name, "kind": each.kind, "url": each.url, "sha256": each.digest, "bytes": each.bytes}
                for each in assets
            ],
        }
    )
