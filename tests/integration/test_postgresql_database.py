"""PostgreSQL as the home of the tables: one installation, one server, no secret shown, nothing lost by an interruption."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests import postgresql
from tests.installation import make_token, settings
from tests.postgresql import Cluster
from tests.server_process import environment, words

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.config import DatabaseSetting
from tallystick.server import open_instance
from tallystick.store.database import open_database
from tallystick.store.postgresql import (
    LOCK,
    SCHEMA,
    DatabaseInUseError,
    DatabaseOfOthersError,
    DatabaseUnavailableError,
    DatabaseUrlError,
)
from tallystick.store.tables import CURSOR

NOWHERE = Path("unused")


@pytest.fixture
def cluster() -> Cluster:
    return postgresql.cluster()


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[Engine]:
    opened = open_database(NOWHERE, cluster.new_url(), "one")
    yield opened
    opened.dispose()


def test_the_database_is_not_a_file_in_the_data_directory(tmp_path: Path, cluster: Cluster) -> None:
    url = cluster.new_url()
    with open_instance(settings(tmp_path, database=DatabaseSetting(url))) as instance:
        make_token(instance)
    assert not list((tmp_path / "data").glob("tallystick.db*"))
    with cluster.connect(url) as connection:
        assert connection.execute(f"select count(*) from {SCHEMA}.cursor".encode()).fetchone() == (1,)  # noqa: S608  a constant


def test_a_second_server_on_the_same_database_is_refused_until_the_first_is_gone(cluster: Cluster) -> None:
    url = cluster.new_url()
    first = open_database(NOWHERE, url, "one")
    with pytest.raises(DatabaseInUseError):
        open_database(NOWHERE, url, "one")
    first.dispose()
    open_database(NOWHERE, url, "one").dispose()


def test_one_database_serves_one_installation(tmp_path: Path, cluster: Cluster) -> None:
    database = DatabaseSetting(cluster.new_url())
    with open_instance(settings(tmp_path / "one", database=database)) as instance:
        make_token(instance)
        before = instance.services.sources.list(OPERATOR)
    with (
        pytest.raises(DatabaseOfOthersError, match="another installation"),
        open_instance(settings(tmp_path / "two", database=database)),
    ):
        pass
    with open_instance(settings(tmp_path / "one", database=database)) as instance:
        assert instance.services.sources.list(OPERATOR) == before


@pytest.mark.parametrize(
    "url", ["postgresql://t@db/t", "postgresql+asyncpg://t@db/t", "mysql://t@db/t", "sqlite://", "not an address", ""]
)
def test_an_address_of_something_else_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        open_database(NOWHERE, url, "one")
    assert "t@db" not in caught.value.message


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"postgresql+psycopg://t:hunter2@/t?host={tmp_path}", encoding="utf-8")
    done = subprocess.run(
        words(tmp_path),
        capture_output=True,
        text=True,
        env=environment(TALLYSTICK_DATABASE_URL_FILE=str(tmp_path / "url")),
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "database-unavailable" in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_no_password_is_taken_from_the_command_line(tmp_path: Path) -> None:
    line = words(tmp_path, "--database-url", "postgresql+psycopg://t:hunter2@db/t")
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 1
    assert "command line" in done.stderr
    assert "hunter2" not in done.stderr


def test_connections_that_the_database_breaks_off_are_replaced(cluster: Cluster, engine: Engine) -> None:
    with engine.connect() as connection:
        number = connection.scalar(text("select pg_backend_pid()"))
    with cluster.connect(str(engine.url)) as administrator:
        administrator.execute("select pg_terminate_backend(%s, 5000)", (number,))
    with engine.connect() as connection:
        assert connection.scalar(text("select 1")) == 1


def test_a_connection_that_breaks_under_a_statement_is_an_error_that_says_so(cluster: Cluster, engine: Engine) -> None:
    with engine.connect() as connection:
        number = connection.scalar(text("select pg_backend_pid()"))
        with cluster.connect(str(engine.url)) as administrator:
            administrator.execute("select pg_terminate_backend(%s, 5000)", (number,))
        with pytest.raises(DatabaseUnavailableError):
            connection.scalar(text("select 1"))


def test_what_the_log_may_hold_the_tables_take(engine: Engine) -> None:
    long, odd = "x" * 5000, "a\0b\u202ec\U0001f600"
    with engine.begin() as connection:
        connection.execute(
            CURSOR.insert(), [{"projection": long, "next_index": 1}, {"projection": odd, "next_index": 2}]
        )
    with engine.connect() as connection:
        found = set(connection.scalars(CURSOR.select().with_only_columns(CURSOR.c.projection)))
    assert found == {long, "a\N{REPLACEMENT CHARACTER}b\u202ec\U0001f600"}


def test_a_reader_sees_one_state_while_the_tables_move(engine: Engine) -> None:
    with engine.connect() as reader:
        assert reader.scalars(CURSOR.select()).all() == []
        with engine.begin() as writer:
            writer.execute(CURSOR.insert().values(projection="p", next_index=1))
        assert reader.scalars(CURSOR.select()).all() == []
    with engine.connect() as reader:
        assert reader.scalars(CURSOR.select()).all() == ["p"]


def test_the_schema_may_be_dropped_and_the_log_makes_it_again(tmp_path: Path, cluster: Cluster) -> None:
    url = cluster.new_url()
    with open_instance(settings(tmp_path, database=DatabaseSetting(url))) as instance:
        make_token(instance)
        before = instance.services.sources.list(OPERATOR)
    with cluster.connect(url) as connection:
        connection.execute(f"drop schema {SCHEMA} cascade".encode())
    with open_instance(settings(tmp_path, database=DatabaseSetting(url))) as instance:
        assert instance.services.sources.list(OPERATOR) == before


def test_a_server_that_is_killed_leaves_the_database_to_the_next(tmp_path: Path, cluster: Cluster) -> None:
    url = cluster.new_url()
    program = (
        "import sys, os; from pathlib import Path; from tallystick.store.database import open_database;"
        "engine = open_database(Path('x'), sys.argv[1], 'one'); print('open', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"open\n"
    with pytest.raises(DatabaseInUseError):
        open_database(NOWHERE, url, "one")
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()
    with cluster.connect(url) as connection:  # PostgreSQL notices a moment later
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
    open_database(NOWHERE, url, "one").dispose()


def test_while_the_database_is_away_known_senders_go_on_and_changes_are_refused_until_it_is_back(
    tmp_path: Path, cluster: Cluster
) -> None:
    url = cluster.new_url()
    with open_instance(settings(tmp_path, database=DatabaseSetting(url))) as instance:
        services, secret = instance.services, make_token(instance).secret

        def known() -> Caller:
            return services.tokens.authenticate(f"Bearer {secret}", address="192.0.2.1", via="api")

        before = known()
        with cluster.connect(cluster.url("postgres")) as administrator:
            name = url.partition("@/")[2].partition("?")[0]
            administrator.execute(f'alter database "{name}" allow_connections false'.encode())
            administrator.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,)
            )
            assert known() == before
            with pytest.raises(DatabaseUnavailableError):
                make_token(instance, source="another")
            administrator.execute(f'alter database "{name}" allow_connections true'.encode())
        make_token(instance, source="another")
        assert {source.name for source in services.sources.list(OPERATOR)} == {"tester", "another"}
