"""PostgreSQL as the home of the product's tables: connecting, and keeping others out.

Everything stands in a schema of its own, `tallystick`. A row of it names the installation that the tables belong to,
and an advisory lock, held by one connection for as long as the engine lives, keeps a second server away.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, String, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import NullPool

from tallystick.errors import ConfigurationError, ConflictError, UnavailableError
from tallystick.store.migrations import OWNER_TABLE

DRIVER: Final = "postgresql+psycopg"
SCHEMA: Final = "tallystick"
LOCK: Final = 0x74616C6C79  # "tally"; advisory locks are numbers of one database
POOL_SIZE: Final = 8
POOL_OVERFLOW: Final = 32
CONNECT_S_MAX: Final = 10


class DatabaseUrlError(ConfigurationError):
    """The address of the database is not one of PostgreSQL, or the driver for it is not installed."""

    code = "database-url-invalid"
    advice = "Write it as postgresql+psycopg://USER@HOST/NAME, and install tallystick[postgresql]."


class DatabaseUnavailableError(UnavailableError):
    """The database does not answer, or has broken a connection off."""

    code = "database-unavailable"
    advice = "See that PostgreSQL runs and takes this user; what was asked may succeed when it is repeated."


class DatabaseInUseError(ConflictError):
    """Another process works on the same database."""

    code = "database-in-use"
    advice = "One server works on a database at a time: stop the other, or give this one a database of its own."


class DatabaseOfOthersError(ConfigurationError):
    """The database holds the tables of another installation."""

    code = "database-of-another-installation"
    advice = "Give each installation a database of its own; drop the schema `tallystick` if the other one is gone."


def open_postgresql(url: str, installation: str) -> Engine:
    """Return an engine whose connections see the product's schema, once nobody else uses it.

    Raises DatabaseUrlError, DatabaseUnavailableError, DatabaseInUseError and DatabaseOfOthersError.
    """
    parsed = _parse(url)
    keeper = _take_lock(parsed)
    try:
        with keeper.begin():
            _claim(keeper, installation)
    except BaseException:
        keeper.close()
        raise
    engine = _engine(parsed, pool_pre_ping=True, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW)
    event.listen(engine, "engine_disposed", lambda _: keeper.close())
    return engine


@compiles(String, "postgresql")
def _without_length(_type: String, _compiler: Any, **_more: Any) -> str:
    # What is in the log must fit into the tables, as it does in SQLite, which knows no lengths: a value that is longer
    # than expected must not stop the projection.
    return "TEXT"


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUrlError("the address of the database cannot be read") from error
    if parsed.drivername != DRIVER:
        raise DatabaseUrlError(f"the address of the database begins with {parsed.drivername!r}")
    return parsed


def _engine(url: URL, **pool: Any) -> Engine:
    try:
        import psycopg  # noqa: F401  said here, with advice, rather than at the first statement
    except ImportError as error:
        raise DatabaseUrlError("the driver psycopg is not installed") from error
    engine = create_engine(
        url,
        connect_args={"options": f"-csearch_path={SCHEMA}", "connect_timeout": CONNECT_S_MAX},
        isolation_level="REPEATABLE READ",  # a reader sees one state of the tables, as with SQLite
        hide_parameters=True,
        **pool,
    )
    event.listen(engine, "connect", _without_nul)
    event.listen(engine, "handle_error", _name_error)
    return engine


def _without_nul(connection: Any, _record: object) -> None:
    """Let texts pass that hold a NUL, which JSON allows and PostgreSQL does not: it becomes U+FFFD."""
    from psycopg.types.string import StrDumper

    class NulFree(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\N{REPLACEMENT CHARACTER}"))

    connection.adapters.register_dumper(str, NulFree)


def _take_lock(url: URL) -> Connection:
    """Return a connection, of no pool, that holds the lock of this database until it is closed."""
    connection = _engine(url, poolclass=NullPool).connect()
    with connection.begin():
        taken = connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": LOCK})
    if not taken:
        connection.close()
        raise DatabaseInUseError("another process holds the database")
    return connection


def _claim(connection: Connection, installation: str) -> None:
    """Write down whose database this is. Raises DatabaseOfOthersError when it is somebody else's."""
    connection.execute(text(f"create schema if not exists {SCHEMA}"))
    connection.execute(text(f"create table if not exists {OWNER_TABLE} (installation text primary key)"))
    owner = connection.scalar(text(f"select installation from {OWNER_TABLE}"))  # noqa: S608  a constant
    if owner is None:
        connection.execute(text(f"insert into {OWNER_TABLE} values (:id)"), {"id": installation})  # noqa: S608
    elif owner != installation:
        raise DatabaseOfOthersError("the database belongs to another installation")


def _name_error(context: ExceptionContext) -> None:
    """Give an error that the database is not there a name of ours; all others stay what they are."""
    import psycopg

    if context.is_pre_ping:
        return  # the pool looks whether a connection still stands, and makes another
    if context.is_disconnect or isinstance(context.original_exception, psycopg.OperationalError):
        reason = str(context.original_exception).strip().splitlines()
        raise DatabaseUnavailableError(f"the database is not available: {reason[-1] if reason else 'no reason given'}")
