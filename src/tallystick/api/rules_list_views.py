"""Lists of indicators as answers show them, for programs and pages alike."""

from __future__ import annotations

import msgspec

from tallystick.detect.model import Indicator, IndicatorList
from tallystick.event.occurred import time_of_us


class IndicatorView(msgspec.Struct, frozen=True, kw_only=True):
    """One value. It counts until `expires_at`, null for one that stays until it is taken off."""

    value: str
    counts: bool
    expires_at: str | None
    source: str | None
    note: str | None
    added_at: str
    added_index: int


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    """A list of indicators. `counting` values count now, of `values` that stand on it."""

    name: str
    description: str | None
    counting: int
    values: int
    changed_at: str
    changed_by: str
    changed_index: int


class ListsView(msgspec.Struct, frozen=True, kw_only=True):
    """Lists of indicators, by name."""

    lists: list[ListView]


class ListDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A list with its values."""

    about: ListView
    indicators: list[IndicatorView]


def list_view(found: IndicatorList, now_us: int) -> ListView:
    """Return a list without its values."""
    return ListView(
        name=found.name,
        description=found.description,
        counting=len(found.counting(now_us)),
        values=len(found.values),
        changed_at=time_of_us(found.changed_at),
        changed_by=found.changed_by,
        changed_index=found.changed_index,
    )


def list_detail(found: IndicatorList, now_us: int) -> ListDetail:
    """Return a list with its values."""
    return ListDetail(about=list_view(found, now_us), indicators=[_indicator(each, now_us) for each in found.values])


def _indicator(each: Indicator, now_us: int) -> IndicatorView:
    return IndicatorView(
        value=each.value,
        counts=each.expires_at is None or each.expires_at > now_us,
        expires_at=None if each.expires_at is None else time_of_us(each.expires_at),
        source=each.source,
        note=each.note,
        added_at=time_of_us(each.added_at),
        added_index=each.added_index,
    )
