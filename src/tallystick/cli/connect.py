"""How a command reaches a log: over the network, or by serving the data directory to itself.

With `--data` the command opens the directory, takes the writer lock and serves the HTTP API on a private socket in
its own process. So every command says the same thing to the same routes, whether a server runs or not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.cli.console import say
from tallystick.client import Client
from tallystick.config import configured_data
from tallystick.errors import ConfigurationError

NO_MATTER = ("lost+found", "catalogue")
MARKS = ("ledger", "keys/pseudonym-key")


class NowhereError(ConfigurationError):
    """Neither a data directory nor a server was named."""

    code = "nowhere-to-go"
    advice = "Give --data DIR (or TALLYSTICK_DATA), or --url URL (or TALLYSTICK_URL) with TALLYSTICK_TOKEN."


class MissingDataError(ConfigurationError):
    """The data directory does not exist, and this command does not make one."""

    code = "data-missing"
    advice = "`tallystick init --data DIR` makes one; so do import, serve and token create."


class NotADataDirectoryError(ConfigurationError):
    """What was named is a file, or a directory that holds other things than a log."""

    code = "not-a-data-directory"
    advice = "Give the directory that `tallystick init --data DIR` made, or a new one."


class AddressError(ConfigurationError):
    """What was named is no address of a server."""

    code = "address-invalid"
    advice = "Write it with its scheme, such as http://127.0.0.1:8400."


def require_data(data: Path | None, *, create: bool = False, announce: bool = False) -> Path:
    """Return the data directory; raises when none was named, or what is there cannot be one.

    A missing or empty directory will do only with `create`; `announce` says then that a new log begins.
    """
    data = data or configured_data()
    if data is None:
        raise NowhereError(
            "no data directory was named",
            advice="Give --data DIR, set TALLYSTICK_DATA, or write it into the configuration file.",
        )
    if not create and not data.exists():
        raise MissingDataError(f"there is no data directory at {data}")
    if data.exists() and not data.is_dir():
        raise NotADataDirectoryError(f"{data} is not a directory")
    if any((data / name).exists() for name in MARKS):
        return data
    if not create or (data.exists() and any(_visible(data))):
        raise NotADataDirectoryError(f"{data} holds no log" + (", but other files" if create else ""))
    if announce:
        say(f"a new log begins in {data}", "dim")
    return data


def _visible(folder: Path) -> Iterator[Path]:
    """Yield what makes a directory another's: not a volume's own folder, nor the operator's catalogue, nor what is hidden."""
    return (path for path in folder.iterdir() if path.name not in NO_MATTER and not path.name.startswith("."))


def _is_named(value: object, variable: str) -> bool:
    """Return whether an option was typed: it says something else than its variable in the environment."""
    return value is not None and str(value) != os.environ.get(variable)


@contextmanager
def connect(
    data: Path | None, state: Path | None, url: str | None, *, create: bool = False, source: str = "command-line"
) -> Iterator[Client]:
    """Yield a client of the server at `url`, or of the data directory: what was typed wins over the environment.

    `source` is the sender under which a local command records; it is registered when new.
    """
    if url is not None and (
        data is None or (_is_named(url, "TALLYSTICK_URL") and not _is_named(data, "TALLYSTICK_DATA"))
    ):
        if not url.startswith(("http://", "https://")):
            raise AddressError(f"{url!r} is not the address of a server")
        with Client(url, os.environ.get("TALLYSTICK_TOKEN")) as client:
            yield client
        return
    data = data or configured_data()
    if data is None:
        raise NowhereError("this command needs a data directory or a server")
    from tallystick.cli.local import serve_locally

    with serve_locally(require_data(data, create=create, announce=create), state, source) as client:
        yield client
