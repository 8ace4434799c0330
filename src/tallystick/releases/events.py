"""The events of releases: their targets, facts and changes, in the words of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.event.occurred import time_of_us
from tallystick.releases.model import Asset, Draft, Edit, Release

CREATED: Final = "release.created"
UPDATED: Final = "release.updated"
MILESTONES_CHANGED: Final = "release.milestones_changed"
DELETED: Final = "release.deleted"
ASSET_ADDED: Final = "release.asset_added"
ASSET_REMOVED: Final = "release.asset_removed"
EVIDENCE: Final = "release.evidence_collected"
DOWNLOADED: Final = "release.artifact_downloaded"
ARCHIVE: Final = "repository.download_started"
MILESTONE_CREATED: Final = "milestone.created"

Event = dict[str, Any]


def created(caller: Caller, release: str, draft: Draft, now_us: int) -> Event:
    """Return `release.created`; only the description is personal."""
    metadata: dict[str, Any] = {"tag": draft.tag, "via": caller.via, "released_at": time_of_us(now_us)}
    if draft.commit:
        metadata["commit"] = draft.commit
    if draft.milestones:
        metadata["milestones"] = list(draft.milestones)
    changes = [Change("description", None, draft.description)] if draft.description else []
    target = Target("release", release, draft.name)
    return act(caller, CREATED, target, metadata, now_us, scope=draft.scope, changes=changes)


def edited(caller: Caller, old: Release, edit: Edit, now_us: int) -> list[Event]:
    """Return what an edit of a release says: first `release.updated`, then `release.milestones_changed`, each only when
    something of its own is different now.
    """
    changes = [
        Change(field, before, after)
        for field, before, after in (
            ("name", old.name, edit.name),
            ("description", old.description, edit.description),
        )
        if after is not None and after != (before or "")
    ]
    name = old.name if edit.name is None else edit.name
    events = [_event(caller, UPDATED, old, {}, now_us, name=name, changes=changes)] if changes else []
    if edit.milestones is not None and set(edit.milestones) != set(old.milestones):
        before, after = list(old.milestones), list(edit.milestones)
        metadata = {
            "milestones": after,
            "added": [title for title in after if title not in before],
            "removed": [title for title in before if title not in after],
        }
        change = Change("milestones", before, after)
        events.append(_event(caller, MILESTONES_CHANGED, old, metadata, now_us, name=name, changes=[change]))
    return events


def deleted(caller: Caller, release: Release, now_us: int) -> Event:
    """Return `release.deleted`."""
    return _event(caller, DELETED, release, {}, now_us)


def asset_added(caller: Caller, release: Release, asset: Asset, now_us: int) -> Event:
    """Return `release.asset_added`."""
    return _event(caller, ASSET_ADDED, release, _asset(asset), now_us)


def asset_removed(caller: Caller, release: Release, asset: Asset, now_us: int) -> Event:
    """Return `release.asset_removed`."""
    return _event(caller, ASSET_REMOVED, release, _asset(asset), now_us)


def evidence_collected(caller: Caller, release: Release, digest: str, size: int, trigger: str, now_us: int) -> Event:
    """Return `release.evidence_collected`; `trigger` says whether making the release or somebody asked for it."""
    metadata = {"digest": digest, "bytes": size, "trigger": trigger}
    return _event(caller, EVIDENCE, release, metadata, now_us)


def downloaded(
    caller: Caller, release: Release, kind: str, name: str, digest: str | None, size: int | None, now_us: int
) -> Event:
    """Return `release.artifact_downloaded`."""
    return _event(caller, DOWNLOADED, release, {"artifact": name, "kind": kind, **_known(digest, size)}, now_us)


def archive_downloaded(caller: Caller, release: Release, asset: Asset, now_us: int) -> Event:
    """Return `repository.download_started`: its target is the scope, by its path."""
    metadata = {
        "tag": release.tag,
        "ref": release.commit or release.tag,
        "release": release.id,
        "artifact": asset.name,
        "via": caller.via,
        **_known(asset.digest, asset.bytes),
    }
    target = Target("repository", release.scope, release.scope)
    return act(caller, ARCHIVE, target, metadata, now_us, scope=release.scope)


def milestones_created(caller: Caller, scope: str, titles: Iterable[str], now_us: int) -> list[Event]:
    """Return a `milestone.created` for each title, in order."""
    return [
        act(
            caller,
            MILESTONE_CREATED,
            Target("milestone", title, title),
            {"milestone": title, "via": caller.via},
            now_us,
            scope=scope,
        )
        for title in titles
    ]


def _event(
    caller: Caller,
    action: str,
    release: Release,
    metadata: Mapping[str, Any],
    now_us: int,
    *,
    name: str = "",
    changes: Sequence[Change] = (),
) -> Event:
    facts = {"tag": release.tag, **metadata, "via": caller.via}
    target = Target("release", release.id, name or release.name)
    return act(caller, action, target, facts, now_us, scope=release.scope, changes=changes)


def _asset(asset: Asset) -> dict[str, Any]:
    named = {"asset": asset.name, "kind": asset.kind}
    return {**named, **({"url": asset.url} if asset.url else {}), **_known(asset.digest, asset.bytes)}


def _known(digest: str | None, size: int | None) -> dict[str, Any]:
    found = {"digest": digest, "bytes": size}
    return {name: value for name, value in found.items() if value is not None}
