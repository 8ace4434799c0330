"""Tables follow the log: they can be lost, damaged, edited or thrown away, and replaying makes them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text
from tests import postgresql
from tests.installation import Installation, installation, make_token, sample
from tests.source_facts import source_facts

from tallystick.access.operator import OPERATOR
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Projection, ProjectionStoppedError
from tallystick.ledger.genesis import PRODUCT_SOURCE
from tallystick.store.database import open_database
from tallystick.store.tables import CURSOR, HOLD, METADATA, SOURCE


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as opened:
        yield opened


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


FILLED = ("cursor", "catalogue", "definition", "retention_class", "hold", "quarantine", "source", "token")


def fill(home: Installation) -> None:
    """Make something happen to every table of the log itself and of senders."""
    sources, tokens = home.instance.services.sources, home.instance.services.tokens
    tokens.rotate(OPERATOR, make_token(home.instance, "both", source="app", label="of app").token)
    tokens.revoke(OPERATOR, make_token(home.instance, "read", "acme", "other", expires_at=4_000_000_000_000_000).token)
    sources.change(OPERATOR, "app", lambda settings: replace(settings, strict=True, owner="payments"))
    sources.retire(OPERATOR, "other")
    for action, metadata in (
        ("hold.placed", {"hold": "case-7", "ranges": [[0, 5]], "reason": "a case"}),
        ("hold.placed", {"hold": "case-8", "ranges": [[2, 1]]}),
        ("hold.released", {"hold": "case-7"}),
        ("segment.quarantined", {"path": "main/0-10.c2.g0", "reason": "damaged"}),
        ("class.changed", {"number": 2, "retention_days": 800}),
    ):
        target = {"type": "ledger", "id": "x"}
        home.instance.product.one(sample(action=action, target=target, scope="tallystick", metadata=metadata))
    home.instance.projection.catch_up()


def test_replaying_the_log_makes_the_same_tables(home: Installation) -> None:
    fill(home)
    before = contents(home.instance.projection.engine)
    assert all(before[name] for name in FILLED), "every table has rows"
    home.instance.rebuild()
    assert contents(home.instance.projection.engine) == before


def test_what_is_kept_lasts_until_an_event_that_changes_it(home: Installation) -> None:
    fill(home)
    home.token()  # whoever sends below is known
    projection, made = home.instance.projection, list[str]()

    def load(_: Connection, key: str) -> int:
        made.append(key)
        return len(made)

    anything, sources = Kept(projection, load), Kept(projection, load, ("source",))

    def asked() -> list[str]:
        made.clear()
        projection.catch_up()
        anything.get("anything"), sources.get("sources")
        return list(made)

    assert asked() == ["anything", "sources"]
    assert home.post([sample(), sample()]).status_code == 201
    assert asked() == [], "events of others change no table"
    make_token(home.instance, "read", source="app")
    assert asked() == ["anything"]
    make_token(home.instance, "read", source="a-new-one")
    assert asked() == ["anything", "sources"]
    projection.replay()
    assert asked() == ["anything", "sources"]


on_files = pytest.mark.skipif(postgresql.wanted(), reason="PostgreSQL keeps its files itself")


@on_files
def test_tables_that_are_lost_come_back_at_the_next_start(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        fill(home)
        before = contents(home.instance.projection.engine)
    for path in (tmp_path / "data").glob("tallystick.db*"):
        path.unlink()
    with installation(tmp_path) as home:
        assert contents(home.instance.projection.engine) == before


@on_files
@pytest.mark.parametrize("damage", [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(5000)])
def test_damaged_tables_are_set_aside_and_made_again(tmp_path: Path, damage: bytes) -> None:
    with installation(tmp_path) as home:
        fill(home)
        before = contents(home.instance.projection.engine)
    (tmp_path / "data" / "tallystick.db").write_bytes(damage)
    with installation(tmp_path) as home:
        assert contents(home.instance.projection.engine) == before
    assert (tmp_path / "data" / "tallystick.db.damaged").read_bytes() == damage


def test_tables_that_are_ahead_of_the_log_are_made_again(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        fill(home)
        before = contents(home.instance.projection.engine)
        with home.instance.projection.engine.begin() as connection:
            connection.execute(CURSOR.update().values(next_index=10_000))
            connection.execute(SOURCE.update().values(scopes='["elsewhere"]'))
    with installation(tmp_path) as home:
        assert contents(home.instance.projection.engine) == before


@on_files
def test_tables_that_do_not_fit_the_log_are_made_again_at_the_next_start(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        fill(home)
        before = contents(home.instance.projection.engine)
    engine = open_database(tmp_path / "data" / "tallystick.db")
    with engine.begin() as connection:
        connection.execute(CURSOR.update().values(next_index=1))  # the classes would be defined twice
    engine.dispose()
    with installation(tmp_path) as home:
        assert contents(home.instance.projection.engine) == before


@on_files
def test_tables_of_another_log_are_emptied(tmp_path: Path) -> None:
    with installation(tmp_path / "one") as home:
        fill(home)
    with installation(tmp_path / "two"):
        pass
    (tmp_path / "two" / "data" / "tallystick.db").write_bytes(
        (tmp_path / "one" / "data" / "tallystick.db").read_bytes()
    )
    with installation(tmp_path / "two") as home:
        assert home.instance.services.sources.list(OPERATOR) == []


def test_holds_are_kept_with_where_they_began_and_ended(home: Installation) -> None:
    fill(home)
    with home.instance.projection.engine.connect() as connection:
        rows = connection.execute(select(HOLD).order_by(HOLD.c.placed_index)).all()
    assert [(row.hold, row.ranges, row.released_index is None) for row in rows] == [
        ("case-7", "[[0, 5]]", False),
        ("case-8", "[[2, 1]]", True),
    ]


def test_events_of_other_sources_move_no_table(home: Installation) -> None:
    home.token()
    before = contents(home.instance.projection.engine)
    metadata = source_facts(9, "forged")
    answer = home.post(sample(action="source.registered", metadata=metadata))
    assert answer.status_code == 422
    home.post(sample(action="source.registered2", metadata=metadata))
    home.instance.projection.catch_up()
    after = contents(home.instance.projection.engine)
    assert after["source"] == before["source"]


class Log:
    """A log of product events in memory."""

    def __init__(self) -> None:
        self.events: list[ProductEvent] = []

    def add(self, action: str, **metadata: Any) -> None:
        self.events.append(ProductEvent(len(self.events), 0, action, {"metadata": metadata}))

    def read(self, first: int) -> list[ProductEvent]:
        return self.events[first:]

    def size(self) -> int:
        return len(self.events)


def insert_source(connection: Connection, event: ProductEvent) -> None:
    number = event.metadata["number"]
    row = {"number": number, "name": f"s{number}", "kind": "x", "owner": "", "scopes": "[]", "actor_ids": "opaque"}
    connection.execute(SOURCE.insert().values(**row, strict=False, registered_index=event.index, registered_at=0))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = postgresql.cluster().new_url() if postgresql.wanted() else None
    opened = open_database(tmp_path / "tallystick.db", url)
    yield opened
    opened.dispose()


def projection_of(engine: Engine, log: Log) -> Projection:
    return Projection(engine, "example.org/x", {("source.registered", 1): insert_source}, log.read, log.size)


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(select(SOURCE.c.number).order_by(SOURCE.c.number)))


def test_a_handler_that_fails_stops_before_its_event_and_takes_nothing_back(engine: Engine) -> None:
    log = Log()
    projection = projection_of(engine, log)
    log.add("source.registered", number=1)
    projection.catch_up()
    log.add("source.registered", number=2)
    log.add("source.registered")  # without its number
    log.add("source.registered", number=3)
    for _ in range(2):
        with pytest.raises(ProjectionStoppedError, match="index 2"):
            projection.catch_up()
        assert numbers(engine) == [1]
    with pytest.raises(ProjectionStoppedError):
        projection.start()


def test_actions_without_a_handler_are_passed_over(engine: Engine) -> None:
    log = Log()
    projection = projection_of(engine, log)
    log.add("server.started")
    log.add("source.registered", number=4)
    assert projection.catch_up() == 2
    assert numbers(engine) == [4]


def test_a_command_decides_on_tables_that_stand_for_the_whole_log(engine: Engine) -> None:
    log = Log()
    projection = projection_of(engine, log)

    def append(events: Sequence[Mapping[str, Any]]) -> None:
        for each in events:
            log.add(each["action"], **each["metadata"])

    commands = Commands(projection, append)

    def decide(connection: Connection) -> list[dict[str, Any]]:
        number = 1 + (connection.scalar(text("select max(number) from source")) or 0)
        return [{"action": "source.registered", "metadata": {"number": number}}]

    commands.run(decide)
    log.add("source.registered", number=7)  # somebody else appends
    commands.run(decide)
    assert numbers(engine) == [1, 7, 8]


def test_a_command_whose_append_fails_changes_no_table(engine: Engine) -> None:
    log = Log()

    def fail(_events: Any) -> None:
        raise OSError("no disk")

    commands = Commands(projection_of(engine, log), fail)
    with pytest.raises(OSError, match="no disk"):
        commands.run(lambda _connection: [{"action": "source.registered", "metadata": {"number": 1}}])
    assert numbers(engine) == []


def test_the_product_is_source_zero() -> None:
    assert PRODUCT_SOURCE == 0
