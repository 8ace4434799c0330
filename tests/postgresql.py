"""A real PostgreSQL for tests: a cluster of its own from Debian's package, in a temporary folder, on a Unix socket.

It starts when the first test asks for it and ends with the process. Where the package is missing, tests say so and
are skipped. PostgreSQL refuses to run as root; then it runs as the user that the package made.
"""

from __future__ import annotations

import atexit
import hashlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
import pytest
from tests.absent import lacking

USER = "tallystick"
_numbers = itertools.count()


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL; `folder` holds its files and its socket."""

    folder: Path
    programs: Path
    user: str | None

    def url(self, database: str) -> str:
        """Return the address of a database, which is made when it is missing."""
        with psycopg.connect(self._words("postgres"), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (database,)).fetchone()
            if found is None:
                connection.execute(f'create database "{database}"'.encode())
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def url_of(self, root: Path) -> str:
        """Return the address of the database that belongs to an installation below `root`; always the same."""
        return self.url("i" + hashlib.sha256(str(root).encode()).hexdigest()[:24])

    def new_url(self) -> str:
        """Return the address of a new, empty database."""
        return self.url(f"new{next(_numbers)}")

    def connect(self, url: str) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection of a database's administrator, in autocommit."""
        name = url.partition("@/")[2].partition("?")[0]
        return psycopg.connect(self._words(name), autocommit=True)

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs as the user that may."""
        subprocess.run(
            [self.programs / program, *words],
            check=True,
            stdout=subprocess.DEVNULL,
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
            cwd=self.folder,
            timeout=120,
        )

    def start(self) -> None:
        (self.folder / "cluster" / "postgresql.auto.conf").write_text(
            f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nfsync = off\n"
            "synchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\nshared_buffers = 64MB\n"
        )
        self.run("pg_ctl", "--pgdata=cluster", "--wait", "--silent", "--log=log", "start")

    def stop(self) -> None:
        self.run("pg_ctl", "--pgdata=cluster", "--wait", "--silent", "--mode=immediate", "stop")

    def _words(self, database: str) -> str:
        return f"host={self.folder} user={USER} dbname={database}"


@cache
def _start() -> Cluster | str:
    """Return the cluster of this process, started, or why there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        return "PostgreSQL is not installed here"
    user = None
    if os.geteuid() == 0:
        user = "postgres"
        if user not in {each.pw_name for each in pwd.getpwall()}:
            return "PostgreSQL does not run as root, and there is no user postgres"
    folder = Path(tempfile.mkdtemp(prefix="tallystick-pg-"))
    if user is not None:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    cluster = Cluster(folder, found[-1].parent, user)
    words = ("--pgdata=cluster", f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    cluster.run("initdb", *words)
    cluster.start()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(cluster.stop)
    return cluster


def cluster() -> Cluster:
    """Return the cluster, started with the first call; skips the test where there is no PostgreSQL.

    Where the whole run was to be on PostgreSQL, or everything is required, its absence is a failure.
    """
    found = _start()
    if isinstance(found, str) and wanted():
        pytest.fail(found)
    if isinstance(found, str):
        lacking(found)
    return found


def wanted() -> bool:
    """Return whether installations of this run keep their tables in PostgreSQL."""
    return os.environ.get("TALLYSTICK_TEST_DATABASE") == "postgresql"
