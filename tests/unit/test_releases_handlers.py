"""From events to tables: the register is there after a replay, and stands when what is personal was erased."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from tests.grants_world import ADMISSION, OPERATOR, empty_tables, rows_of

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.event.canonical import canonical_json
from tallystick.event.merge import merge
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Projection
from tallystick.ledger.genesis import PRODUCT
from tallystick.releases import events, rows
from tallystick.releases.handlers import HANDLERS
from tallystick.releases.model import Asset, Draft, Edit, Release

DAY_US = 86_400_000_000
NOW = 20_000 * DAY_US
DRAFT = Draft("acme/app", "v0.3", "New Release", "what is new", "0a1b2c3", ("M1",))
OLGA = Caller("p-olga", "user", "Olga Lind", Rights.of((each, "acme") for each in Permission), "192.0.2.7", "page")
VERA = Caller("p-vera", "user", "Vera", Rights.of([(Permission.RELEASES_READ, "acme")]), "192.0.2.8", "page")


class Log:
    """Events of the product in memory, admitted as they are in the log."""

    def __init__(self) -> None:
        self.parts: list[tuple[bytes, bytes]] = []

    def append(self, made: Sequence[dict[str, Any]]) -> None:
        batch = ADMISSION.admit(canonical_json(list(made)), PRODUCT, now_us=NOW)
        assert set(batch.classes) == {1}, "facts of the register are kept for ever"
        self.parts += zip(batch.facts, batch.personal, strict=True)

    def projection(self, *, erased: bool = False) -> Projection:
        """Return new tables that stand for the log, with its personal part or without."""

        def read(first: int) -> Iterable[ProductEvent]:
            for index in range(first, len(self.parts)):
                facts, personal = self.parts[index]
                event = merge(facts, None if erased else personal)
                yield ProductEvent(index, NOW + index, event["action"], event)

        made = Projection(empty_tables(), "test", HANDLERS, read, lambda: len(self.parts))
        made.catch_up()
        return made


@pytest.fixture
def log() -> Log:
    """Return the life of one release."""
    log = Log()
    log.append([*events.milestones_created(OLGA, "acme/app", ["M1"], NOW), events.created(OLGA, "r-1", DRAFT, NOW)])
    release = found(log.projection())
    assert release.milestones == ("M1",)
    log.append(events.edited(OLGA, release, Edit("Newer", "what is newer", ()), NOW))
    asset = Asset("app.bin", "file", None, "0" * 64, 7, 0)
    archive = Asset("source.tar.gz", "source", None, "1" * 64, 7, 0)
    log.append(
        [
            events.asset_added(OLGA, release, asset, NOW),
            events.asset_added(OLGA, release, archive, NOW),
            events.evidence_collected(OPERATOR, release, "2" * 64, 9, "request", NOW),
            events.downloaded(VERA, release, "file", "app.bin", "0" * 64, 7, NOW),
            events.archive_downloaded(VERA, release, archive, NOW),
            events.asset_removed(OLGA, release, archive, NOW),
        ]
    )
    return log


def found(projection: Projection) -> Release:
    with projection.engine.connect() as connection:
        release = rows.find_release(connection, "r-1")
    assert release is not None
    return release


def test_the_tables_stand_for_the_log(log: Log) -> None:
    projection = log.projection()
    release = found(projection)
    assert (release.name, release.description, release.milestones) == ("Newer", "what is newer", ())
    assert release.version == 9, "the event that changed it last; evidence and downloads change nothing"
    with projection.engine.connect() as connection:
        assert [each.name for each in rows.assets_of(connection, "r-1")] == ["app.bin"]
        assert rows.downloads_of(connection, "r-1") == {"app.bin": 1, "source.tar.gz": 1}
        assert [each.trigger for each in rows.evidence_of(connection, OLGA, "r-1")] == ["request"]
        assert len(rows.steps_of(connection, OLGA, "r-1")) == 9
        assert rows.known_milestones(connection, "acme/app/below") == ["M1"]
        assert rows.has_tag(connection, "acme/app", "v0.3")


def test_a_replay_makes_the_same_tables(log: Log) -> None:
    projection = log.projection()
    before = rows_of(projection.engine)
    projection.rebuild()
    assert rows_of(projection.engine) == before


def test_a_replay_after_an_erasure_keeps_the_facts_and_nobodys_name_or_text(log: Log) -> None:
    projection = log.projection(erased=True)
    release = found(projection)
    assert (release.name, release.tag, release.commit) == ("Newer", "v0.3", "0a1b2c3")
    assert release.description is None
    with projection.engine.connect() as connection:
        steps = rows.steps_of(connection, OLGA, "r-1")
        assert [each.name for each in rows.assets_of(connection, "r-1")] == ["app.bin"]
    assert {step.who.name for step in steps} == {None}
    assert {step.who.address for step in steps} == {None}
    assert "p-olga" in {step.who.id for step in steps}
    updated = next(step for step in steps if step.action == events.UPDATED)
    assert [change["field"] for change in updated.changes] == ["name", "description"]
    assert "what is new" not in str(rows_of(projection.engine))


def test_a_release_without_a_description_has_an_empty_one_whatever_is_erased() -> None:
    log = Log()
    log.append([events.created(OLGA, "r-1", Draft("acme/app", "v1", "One"), NOW)])
    assert found(log.projection(erased=True)).description == ""


def test_who_may_not_see_personal_data_sees_ids_and_herself(log: Log) -> None:
    with log.projection().engine.connect() as connection:
        seen = {step.who.id: step.who.name for step in rows.steps_of(connection, VERA, "r-1")}
    assert (seen["p-olga"], seen["p-vera"]) == (None, "Vera")
