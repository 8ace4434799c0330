"""Alarms of any room become alerts: the first opens one, later ones are counted in, none twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.installation import Installation, installation

from tallystick.follow.alarm import Alarm
from tallystick.store.tables.alerts import ALERT, ALERT_EVENT


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as house:
        yield house


def alarm(occasion: str, **changes: Any) -> Alarm:
    told: dict[str, Any] = {
        "kind": "rule-1",
        "key": "ana",
        "occasion": occasion,
        "scope": "acme/app",
        "severity": "high",
        "title": "Many failed sign-ins",
        "sentence": "12 failed sign-ins of ana in 5 minutes",
        "at_us": 1_000_000,
    }
    return Alarm(**{**told, **changes})


def rows(house: Installation) -> list[Any]:
    with house.instance.projection.engine.connect() as connection:
        return list(connection.execute(select(ALERT).order_by(ALERT.c.opened_index)))


def alert_actions(house: Installation) -> list[str]:
    return [action for action in house.actions() if action.startswith("alert.")]


def test_the_first_firing_opens_an_alert_and_later_ones_are_counted_in(house: Installation) -> None:
    book = house.instance.services.alerts.book
    book.raise_alarms([alarm("a", count=3)])
    book.raise_alarms([alarm("b", count=4, at_us=2_000_000), alarm("c", at_us=3_000_000)])
    (row,) = rows(house)
    assert (row.count, row.first_at, row.last_at, row.state) == (8, 1_000_000, 3_000_000, "new")
    assert alert_actions(house) == ["alert.opened", "alert.repeated"]


def test_an_occasion_that_was_told_before_changes_nothing(house: Installation) -> None:
    book = house.instance.services.alerts.book
    book.raise_alarms([alarm("a"), alarm("a")])
    size = house.instance.ledger.snapshot().size
    book.raise_alarms([alarm("a", count=9)])
    assert (rows(house)[0].count, house.instance.ledger.snapshot().size) == (1, size)


def test_another_key_or_kind_is_another_alert(house: Installation) -> None:
    book = house.instance.services.alerts.book
    book.raise_alarms([alarm("a"), alarm("a", key="ben"), alarm("a", kind="rule-2")])
    assert [(row.kind, row.about) for row in rows(house)] == [("rule-1", "ana"), ("rule-1", "ben"), ("rule-2", "ana")]


def test_a_recovery_is_noted_and_a_firing_after_it_takes_the_note_away(house: Installation) -> None:
    book = house.instance.services.alerts.book
    book.raise_alarms([alarm("a"), alarm("b", recovered=True, at_us=5_000_000)])
    assert (rows(house)[0].recovered_at, rows(house)[0].count) == (5_000_000, 1)
    book.raise_alarms([alarm("c", at_us=6_000_000)])
    assert (rows(house)[0].recovered_at, rows(house)[0].count) == (None, 2)
    assert alert_actions(house) == ["alert.opened", "alert.recovered", "alert.repeated"]


def test_a_recovery_without_an_open_alert_is_no_event(house: Installation) -> None:
    house.instance.services.alerts.book.raise_alarms([alarm("a", recovered=True)])
    assert alert_actions(house) == []


def test_a_graver_firing_raises_the_severity_and_a_lesser_one_does_not_lower_it(house: Installation) -> None:
    book = house.instance.services.alerts.book
    book.raise_alarms([alarm("a", severity="low")])
    limit = rows(house)[0].acknowledge_by
    book.raise_alarms([alarm("b", severity="critical"), alarm("c", severity="medium")])
    assert rows(house)[0].severity == "critical"
    assert rows(house)[0].acknowledge_by < limit


def test_of_many_events_the_first_ones_and_the_newest_are_kept(house: Installation) -> None:
    book = house.instance.services.alerts.book
    for number in range(60):
        book.raise_alarms([alarm(f"o{number}", indexes=(number,))])
    with house.instance.projection.engine.connect() as connection:
        shown = sorted(connection.scalars(select(ALERT_EVENT.c.event_index)))
    assert shown == [*range(39), 59]


def test_thousands_of_firings_at_once_are_all_counted(house: Installation) -> None:
    house.instance.services.alerts.book.raise_alarms([alarm(f"o{number}") for number in range(2500)])
    assert rows(house)[0].count == 2500
    assert alert_actions(house) == ["alert.opened", "alert.repeated", "alert.repeated", "alert.repeated"]
