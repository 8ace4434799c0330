"""Releases as answers show them, for programs and pages alike."""

from __future__ import annotations

from typing import Any

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.releases.model import Asset, Detail, Evidence, Release, Step, Usage, Who
from tallystick.releases.service import Page


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """Who did something: by which door (`via`), and from where. Name and address are null where they are withheld."""

    id: str
    type: str
    name: str | None
    via: str | None
    address: str | None


class ReleaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A release. `version` is what an edit must name; `description` is null once it was erased."""

    id: str
    scope: str
    tag: str
    name: str
    description: str | None
    commit: str | None
    milestones: list[str]
    released_at: str
    released_by: WhoView
    version: int
    changed_at: str
    deleted_at: str | None


class ReleasesView(msgspec.Struct, frozen=True, kw_only=True):
    """Releases, the newest first; `before` leads to the next page, null at the end."""

    releases: list[ReleaseView]
    before: int | None


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """An asset: a link, or a stored file with its SHA-256. `downloads` counts how often the file was fetched."""

    name: str
    kind: str
    url: str | None
    sha256: str | None
    bytes: int | None
    added_index: int
    downloads: int


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot: taken when the release was made (`creation`), or because somebody asked (`request`)."""

    sha256: str
    bytes: int
    trigger: str
    at: str
    index: int
    by: WhoView


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the history. Each of `changes` has the field with its old and new value, as far as they are kept."""

    index: int
    at: str
    action: str
    message: str
    name: str | None
    by: WhoView
    changes: list[dict[str, Any]]


class ReleaseDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A release with its assets, evidence and history, the newest event first."""

    release: ReleaseView
    assets: list[AssetView]
    evidence: list[EvidenceView]
    history: list[StepView]


class MonthView(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar month: people who read, and how often what was looked at or fetched."""

    month: str
    readers: int
    looks: int
    exports: int
    assets: int
    evidence: int
    dossiers: int
    archives: int


class UsageView(msgspec.Struct, frozen=True, kw_only=True):
    """How often release history is used, the newest month first; `artifacts` counts downloads by name."""

    scope: str
    months: list[MonthView]
    artifacts: dict[str, int]


def releases_view(page: Page) -> ReleasesView:
    """Return a page of the list."""
    return ReleasesView(
        releases=[release_view(each, page.creators[each.id]) for each in page.releases], before=page.before
    )


def release_view(release: Release, by: Who) -> ReleaseView:
    """Return a release."""
    return ReleaseView(
        id=release.id,
        scope=release.scope,
        tag=release.tag,
        name=release.name,
        description=release.description,
        commit=release.commit,
        milestones=list(release.milestones),
        released_at=release.released_at,
        released_by=_who(by),
        version=release.version,
        changed_at=time_of_us(release.changed_at),
        deleted_at=None if release.deleted_at is None else time_of_us(release.deleted_at),
    )


def detail_view(detail: Detail) -> ReleaseDetail:
    """Return a release with everything about it."""
    return ReleaseDetail(
        release=release_view(detail.release, detail.created_by),
        assets=[_asset(each, detail.downloads.get(each.name, 0)) for each in detail.assets],
        evidence=[_evidence(each) for each in detail.evidence],
        history=[_step(each) for each in detail.steps],
    )


def usage_view(usage: Usage) -> UsageView:
    """Return how often release history is used."""
    months = [
        MonthView(
            month=each.month,
            readers=each.readers,
            looks=each.looks,
            exports=each.exports,
            assets=each.assets,
            evidence=each.evidence,
            dossiers=each.dossiers,
            archives=each.archives,
        )
        for each in usage.months
    ]
    return UsageView(scope=usage.scope, months=months, artifacts=dict(usage.artifacts))


def _who(who: Who) -> WhoView:
    return WhoView(id=who.id, type=who.type, name=who.name, via=who.via, address=who.address)


def _asset(asset: Asset, downloads: int) -> AssetView:
    return AssetView(
        name=asset.name,
        kind=asset.kind,
        url=asset.url,
        sha256=asset.digest,
        bytes=asset.bytes,
        added_index=asset.added_index,
        downloads=downloads,
    )


def _evidence(evidence: Evidence) -> EvidenceView:
    return EvidenceView(
        sha256=evidence.digest,
        bytes=evidence.bytes,
        trigger=evidence.trigger,
        at=time_of_us(evidence.at),
        index=evidence.index,
        by=_who(evidence.who),
    )


def _step(step: Step) -> StepView:
    return StepView(
        index=step.index,
        at=time_of_us(step.at),
        action=step.action,
        message=step.message,
        name=step.name,
        by=_who(step.who),
        changes=step.changes,
    )
