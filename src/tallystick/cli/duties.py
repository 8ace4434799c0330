"""`tallystick reviews duty`: what is reviewed, how often and by whom."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import plain, print_json, say
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table

DUTIES = ("id", "title", "kind", "scope", "every", "due after", "signatures", "state")

app = typer.Typer(help="Duties: list, add, retire.", no_args_is_help=True)


@app.command("list")
def list_duties(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List duties, the oldest first."""
    with connect(data, state, url) as client:
        found = client.ask("GET", "/api/v1/duties")["duties"]
    if as_json:
        for each in found:
            print_json(each)
        return
    cells = [
        (
            each["id"],
            *named(each),
            each["scope"],
            each["cadence"],
            f"{each['due_days']} days",
            "two" if each["second"] else "one",
            "retired" if each["retired_at"] else "in force",
        )
        for each in found
    ]
    print_rows(DUTIES, "title", cells)


@app.command("add")
def add_duty(
    title: Annotated[str, typer.Argument(help="What it is called.")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help="log_review, policy_review, access_recertification, exception_review or declaration_review.",
        ),
    ] = "log_review",
    scope: Annotated[str, typer.Option("--scope", help="What is reviewed; / is everything.")] = "/",
    cadence: Annotated[
        str | None, typer.Option("--every", help="week, quarter or year; by kind if left out.", show_default=False)
    ] = None,
    reviewer: Annotated[
        list[str] | None, typer.Option("--reviewer", help="Id of a person; repeat for more.", show_default=False)
    ] = None,
    role: Annotated[str, typer.Option("--role", help="Role whose holders review.")] = "",
    second: Annotated[bool, typer.Option("--second", help="Another must sign, too.")] = False,
    sample: Annotated[int, typer.Option("--sample", help="Events of the random sample.")] = 25,
    due_days: Annotated[
        int | None, typer.Option("--due-days", help="Days after the period; by kind if left out.", show_default=False)
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Set up a duty; its first review is of the period that it is set up in."""
    body: dict[str, Any] = {
        "title": title,
        "kind": kind,
        "scope": scope,
        "cadence": cadence,
        "reviewers": reviewer or [],
        "role": role,
        "second": second,
        "sample": sample,
        "due_days": due_days,
    }
    with connect(data, state, url) as client:
        made = client.ask("POST", "/api/v1/duties", body)
    if as_json:
        print_json(made)
    else:
        say(f"{made['id']} is set up; its first review opens when this {made['cadence']} has ended")


@app.command("retire")
def retire_duty(
    which: Annotated[str, typer.Argument(metavar="DUTY", help="Id of the duty.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """End a duty; what is open stays to be signed."""
    with connect(data, state, url) as client:
        client.ask("POST", f"/api/v1/duties/{quote(which, safe='')}/retire", {"reason": reason})
    say(f"{which} is retired")


def named(each: dict[str, Any]) -> tuple[str, str]:
    """Return what a duty or a review of it is called, and its kind."""
    return each["title"] or each.get("duty") or each["id"], each["kind"].replace("_", " ")


def print_rows(headings: tuple[str, ...], folding: str, rows: list[tuple[Any, ...]]) -> None:
    """Print a table whose column of that heading takes the room that is left."""
    columns = [Column(heading, folds=heading == folding) for heading in headings]
    print_table(columns, [[plain(cell if isinstance(cell, str) else "") for cell in row] for row in rows])
