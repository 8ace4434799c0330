"""An exception from a detection rule: what it covers is counted and told to nobody, everything else is an alert."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.installation import Installation, installation, sample
from tests.people_world import settle

from tallystick.access.operator import OPERATOR
from tallystick.govern.exceptions.model import DAY_US, Kind, Risk, Wish
from tallystick.store.tables.alerts import ALERT
from tallystick.store.tables.exceptions import EXCEPTION

RULE = "malware-seen"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as opened:
        yield opened


def let_off(house: Installation, *, scope: str = "acme", query: str | None = None) -> str:
    """Return an exception from the rule that somebody else agreed to."""
    instance = house.instance
    people, exceptions = settle(instance), instance.services.systems.exceptions
    lead = people.caller(people.join("lea", ("security-lead", "")))
    until_us = instance.ledger.status().now + 30 * DAY_US
    wish = Wish(Kind.RULE, RULE, scope, "Test files of the scanner", "Reviewed weekly", Risk.LOW, until_us, query=query)
    made = exceptions.request(OPERATOR, wish)
    exceptions.approve(lead, made, exceptions.get(lead, made).digest)
    return made


def see(house: Installation, target: str, scope: str = "acme/payments") -> None:
    """Record that malware was found, and let the rules judge it."""
    event = sample(action="malware.detected", scope=scope, actor={"id": target, "type": "system"})
    assert house.post([{**event, "target": {"id": target, "type": "file"}}]).status_code == 201
    engine = house.instance.services.detection
    while engine.step() == 0:
        pass


def alerts(house: Installation) -> int:
    with house.instance.projection.engine.connect() as connection:
        return len(connection.scalars(select(ALERT.c.alert).where(ALERT.c.kind == RULE)).all())


def uses(house: Installation, exception: str) -> int | None:
    """Return how often the log says that an exception was used."""
    house.instance.services.systems.upkeep.once()
    with house.instance.projection.engine.connect() as connection:
        return connection.scalar(select(EXCEPTION.c.used).where(EXCEPTION.c.exception == exception))


def test_what_a_rule_finds_under_an_exception_is_counted_and_no_alert(house: Installation) -> None:
    exception = let_off(house)
    see(house, "/scanner/eicar.com")
    assert alerts(house) == 0
    assert uses(house, exception) == 1


def test_outside_the_scope_of_the_exception_the_rule_alerts(house: Installation) -> None:
    exception = let_off(house, scope="acme/payments")
    see(house, "/scanner/eicar.com", scope="acme/other")
    assert alerts(house) == 1
    assert not uses(house, exception)


def test_an_exception_for_some_events_leaves_the_others_to_the_rule(house: Installation) -> None:
    exception = let_off(house, query="target:/scanner/*")
    see(house, "/scanner/eicar.com")
    assert alerts(house) == 0
    see(house, "/home/ana/invoice.exe")
    assert alerts(house) == 1
    assert uses(house, exception) == 1


def test_without_an_exception_in_force_the_rule_alerts(house: Installation) -> None:
    instance = house.instance
    exception = let_off(house)
    instance.services.systems.exceptions.revoke(OPERATOR, exception, reason="The scanner is gone")
    see(house, "/scanner/eicar.com")
    assert alerts(house) == 1
