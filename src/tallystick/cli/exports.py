"""`tallystick exports`: exports that the server makes in the background and keeps for a while."""

from __future__ import annotations

import hashlib
import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.files import new_file, require_absent
from tallystick.cli.options import Data, From, Json, State, To, Url
from tallystick.cli.table import Column, print_table
from tallystick.client import Client
from tallystick.counted import counted
from tallystick.errors import ConflictError, CorruptionError

ROUTE = "/api/v1/exports"
HEADINGS = ("id", "state", "format", "requested (UTC)", "events", "bytes", "kept until (UTC)")
UNDER_WAY = ("requested", "running")
PAUSE_S = 1.0

app = typer.Typer(help="Exports made in the background: list, start, fetch.", no_args_is_help=True)


class ExportEndedError(ConflictError):
    """The export has ended without a file that could be fetched."""

    code = "export-ended"
    advice = "`tallystick exports list` says how each stands; `tallystick exports start` asks for a new one."


class ExportDamagedError(CorruptionError):
    """What arrived is not the file that the log says was made."""

    code = "export-damaged"
    advice = "Fetch it again; if it stays so, the file on the server was changed: compare it with the event of its end."


@app.command("list")
def list_exports(
    everyone: Annotated[bool, typer.Option("--everyone", help="Also those of others that you manage.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List your exports, newest first."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE, everyone="true" if everyone else None)["exports"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading) for heading in HEADINGS], [[plain(cell) for cell in _cells(each)] for each in found])
    if not found:
        say("none yet; `tallystick exports start` asks for one", "dim")


@app.command()
def start(
    query: Annotated[str, typer.Argument(help="What to look for; empty is everything.")] = "",
    file_format: Annotated[str, typer.Option("--format", help="csv, jsonl, parquet or package.")] = "jsonl",
    since: From = None,
    until: To = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Only below this scope.", show_default=False)] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Ask for an export and print, alone, its id; the server makes it in the background."""
    question = {"query": query, "from": since, "to": until, "scope": scope}
    with connect(data, state, url) as client:
        made = client.ask("POST", ROUTE, {"question": question, "format": file_format})
    if as_json:
        print_json(made)
    else:
        sys.stdout.write(f"{made['export']}\n")
    say(f"get the file with: tallystick exports fetch {made['export']} -o FILE", "dim")


@app.command()
def fetch(
    export: Annotated[str, typer.Argument(metavar="ID", help="Id of the export, as `exports start` printed it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Wait until an export is made, and write its file, checked against the digest in the log."""
    require_absent(output)
    with connect(data, state, url) as client:
        made = _wait(client, export)
        digest, written = hashlib.sha256(), 0
        with client.download(f"{_path(export)}/file") as chunks, new_file(output) as sink:
            for chunk in chunks:
                sink.write(chunk)
                digest.update(chunk)
                written += len(chunk)
            if digest.hexdigest() != made["sha256"]:
                raise ExportDamagedError(f"the file of export {export} is not the one that was made")
    say(f"wrote {written:,} bytes, {counted(made['events'], 'event')}, to {output}")


def _wait(client: Client, export: str) -> dict[str, Any]:
    """Return an export that is finished; raises ExportEndedError for one that never will be."""
    while (made := client.ask("GET", _path(export)))["state"] in UNDER_WAY:
        time.sleep(PAUSE_S)
    if made["state"] != "finished":
        why = f": {made['code']}" if made["code"] else ""
        raise ExportEndedError(f"export {export} is {made['state']}{why}")
    return made


def _path(export: str) -> str:
    return f"{ROUTE}/{quote(export, safe='')}"


def _cells(each: dict[str, Any]) -> tuple[str, ...]:
    state = f"{each['state']}, {each['code']}" if each["code"] else each["state"]
    events, size = ("" if each[name] is None else f"{each[name]:,}" for name in ("events", "bytes"))
    return (
        each["export"],
        state,
        each["format"],
        _minute(each["requested_at"]),
        events,
        size,
        _minute(each["expires_at"]),
    )


def _minute(time_text: str | None) -> str:
    return "" if time_text is None else time_text[:16].replace("T", " ")
