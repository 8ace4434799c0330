"""Writes `requirements/server.lock`: what of `requirements/dev.lock` a server needs, pinned as the tests ran it.

`.venv/bin/python tools/write_server_lock.py`, after `make lock` and `make setup`.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER: Final = Path(__file__).resolve().parent.parent / "requirements"
EXTRAS: Final = ("server", "postgresql")


def render_server_lock() -> str:
    """Return the file: blocks of the whole lock, each a pinned package with its hashes."""
    needed = _needed("tallystick", EXTRAS)
    blocks = re.split(r"^(?=[A-Za-z0-9])", (FOLDER / "dev.lock").read_text(encoding="utf-8"), flags=re.MULTILINE)
    kept = [block for block in blocks if canonicalize_name(re.split(r"[\[=]", block)[0]) in needed]
    return "".join(re.sub(r"^ +#.*\n", "", block, flags=re.MULTILINE) for block in kept)


def _needed(package: str, extras: tuple[str, ...]) -> set[str]:
    """Return every package that one needs with some of its extras, as it is installed here."""
    found: set[str] = set()
    todo = [(package, each) for each in ("", *extras)]
    seen = set(todo)
    while todo:
        name, extra = todo.pop()
        for line in metadata.requires(name) or ():
            wanted = Requirement(line)
            if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
                continue
            found.add(canonicalize_name(wanted.name))
            more = {(wanted.name, each) for each in ("", *wanted.extras)} - seen
            seen |= more
            todo += more
    return found


if __name__ == "__main__":
    (FOLDER / "server.lock").write_text(render_server_lock(), encoding="utf-8")
