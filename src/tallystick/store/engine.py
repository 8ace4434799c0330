"""DuckDB, as the engine for what columns cannot answer: free JSON, over exact Parquet files and Arrow tables.

It owns no data. Every statement that reaches it is generated (`query.sql`) with bound values; still it is confined to
the files below the folders it is given, and its configuration is locked. It spills to the given folder only.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from tallystick.errors import CorruptionError, UnavailableError
from tallystick.query.dialect import DuckDbDialect, Sql


class QueryTimeoutError(UnavailableError):
    """The query engine was stopped because the time for the query ran out."""

    code = "query-timeout"
    advice = "Narrow the time range or add a condition on a field with a column, such as action or scope."


class UnreadableFileError(CorruptionError):
    """The query engine cannot read a file of a segment."""

    code = "unreadable-file"


class Engine:
    """One in-memory DuckDB instance; `select` may be called from several threads at once."""

    def __init__(self, readable: Sequence[Path], spill: Path, *, memory_mb: int = 1024, threads: int = 2) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "memory_limit": f"{memory_mb}MB",
            "threads": threads,
            "temp_directory": str(spill),
        }
        self._connection = duckdb.connect(":memory:", config=config)
        for statement in DuckDbDialect.setup:
            self._connection.execute(statement)
        # COPY TO could still write inside these folders; no generated statement has one.
        folders = [str(path.resolve()) for path in readable]
        self._connection.execute("SET allowed_directories = ?", [folders])
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def select(self, query: Sql, *, timeout_s: float, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Return the whole result; `tables` are visible to this query by name.

        Raises QueryTimeoutError after `timeout_s`, and UnreadableFileError when a Parquet file is damaged.
        """
        cursor = self._connection.cursor()
        timer = threading.Timer(timeout_s, cursor.interrupt)
        try:
            for name, table in (tables or {}).items():
                cursor.register(name, table)
            timer.start()
            return cursor.sql(query.text, params=list(query.values)).to_arrow_table()
        except duckdb.InterruptException as error:
            raise QueryTimeoutError(f"the query engine was stopped after {timeout_s:.1f} s") from error
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise UnreadableFileError(f"a segment cannot be read: {error}") from error
        finally:
            timer.cancel()
            cursor.close()

    def close(self) -> None:
        self._connection.close()
