"""Writes the migration from the newest revision to the tables as they are now.

`.venv/bin/python tools/write_migration.py "sources have owners"`; until the first release `--initial` writes the one
revision there is anew instead. Look at what it wrote, and set `HEAD` when it says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from tallystick.store.migrations import FOLDER, HEAD, alembic_config, migrate, revisions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("message", nargs="?", default="the tables of the first release")
    parser.add_argument("--initial", action="store_true")
    options = parser.parse_args()
    versions = FOLDER / "versions"
    versions.mkdir(exist_ok=True)
    if options.initial:
        for path in versions.glob("[0-9]*.py"):
            path.unlink()
    number = f"{len(revisions()) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/tables.db")
        with engine.begin() as connection:
            if revisions():
                migrate(connection)
            config = alembic_config()
            config.attributes["connection"] = connection
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            command.revision(config, options.message, autogenerate=True, rev_id=number)
        engine.dispose()
    written = next(versions.glob(f"{number}_*.py"))
    text = "".join(line for line in written.open(encoding="utf-8") if not line.lstrip().startswith("# ###"))
    written.write_text(text, encoding="utf-8")
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "check", "--quiet", "--fix", written], check=True)
    subprocess.run([ruff, "format", "--quiet", written], check=True)
    print(f"wrote {written.name}" + ("" if number == HEAD else f"; set HEAD to {number!r}"))


if __name__ == "__main__":
    main()
