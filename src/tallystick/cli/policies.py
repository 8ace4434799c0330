"""`tallystick policies`: policy projects, what is in force in them, what changed, editing with approval by another."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.files import read_text
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.client import Client

ROUTE = "/api/v1/policies"
LIST = ("project", "title", "state", "kept", "policies", "owned by", "governs", "in step since")
IN_FORCE = ("policy", "kind", "enabled", "governs", "changed")
PROPOSALS = ("proposal", "state", "proposed by", "at", "why")
HISTORY = ("index", "at", "what", "policy", "by", "commit", "changed")

app = typer.Typer(help="Security policies: projects, history, editing with approval, checking.", no_args_is_help=True)

ProjectId = Annotated[
    str, typer.Argument(metavar="PROJECT", help="Id of the project, as `policies projects` shows it.")
]
ProposalId = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Id of the proposal, as `policies show` shows it.")]
TextFile = Annotated[Path, typer.Argument(metavar="FILE", help="The policy.yml; - is standard input.", allow_dash=True)]
BasedOn = Annotated[
    str | None,
    typer.Option("--based-on", help="Digest of the version it was made from; without one, that in force now."),
]


@app.command("projects")
def list_projects(data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """List the policy projects, and how each stands."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["projects"]
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading, folds=heading == "governs") for heading in LIST], [_project(each) for each in found])
    if not found:
        say("no policy projects; `tallystick policies create` registers one", "dim")


@app.command()
def create(
    title: Annotated[str, typer.Argument(help="What it is called.")],
    scope: Annotated[str, typer.Option("--scope", help="Who owns it: a path such as acme/security.")],
    governs: Annotated[list[str], typer.Option("--governs", help="A scope that it governs; / is everything; repeat.")],
    repository: Annotated[
        str, typer.Option("--repository", help="Git repository: a path, https://, ssh:// or USER@HOST:PATH.")
    ] = "",
    branch: Annotated[str, typer.Option("--branch", help="Branch that is read.")] = "main",
    path: Annotated[str | None, typer.Option("--path", help="File in the repository.", show_default=False)] = None,
    approval: Annotated[
        bool, typer.Option("--approval", help="Kept here: somebody else has to approve each change.")
    ] = False,
    signers: Annotated[
        Path | None, typer.Option("--signers", help="File of OpenSSH allowed signers.", show_default=False)
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="File of OpenPGP public keys in ASCII armour.", show_default=False)
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Register a policy project, kept in a Git repository, or here where none is named; print its id."""
    body: dict[str, Any] = {"title": title, "scope": scope, "governed": governs, "approval": approval}
    body |= {"kept": "git", "repository": repository, "branch": branch} if repository else {"kept": "here"}
    if path is not None:
        body["path"] = path
    body |= {name: read_text(file) for name, file in (("signers", signers), ("keys", keys)) if file is not None}
    with connect(data, state, url, create=True) as client:
        made = client.ask("POST", ROUTE, body)["project"]
    out.print(made)


@app.command()
def show(project: ProjectId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show a policy project with what is in force in it, and what waits for approval."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(project))
    if as_json:
        print_json(found)
        return
    about = {name: value for name, value in found["project"].items() if value not in (None, "")}
    rows = [(plain(name, "dim"), plain(value)) for name, value in about.items()]
    print_table((Column(), Column(folds=True)), rows, header=False)
    _print(IN_FORCE, "governs", [_policy(each) for each in found["policies"]])
    _print(PROPOSALS, "why", [_proposal(each) for each in found["proposals"]])


@app.command()
def sync(project: ProjectId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Read the repository of a project now; the server does so by itself every few seconds."""
    with connect(data, state, url) as client:
        found = client.ask("POST", f"{_path(project)}/sync", {})
    if as_json:
        print_json(found)
        return
    out.print(found["state"])
    if found["explained"]:
        say(found["explained"])
    if found["rejected"]:
        wrong = found["rejected"]
        place = f"line {wrong['line']}, column {wrong['column']}: " if wrong["line"] else ""
        say(f"the newest version cannot be accepted: {place}{wrong['message']}")


@app.command()
def edit(
    project: ProjectId,
    file: TextFile,
    based_on: BasedOn = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Put a version in force that is kept here; refused where somebody else has to approve."""
    with connect(data, state, url) as client:
        body = {"text": _read(file), "based_on": based_on or _digest(client, project)}
        _print_changes(client.ask("POST", f"{_path(project)}/versions", body), as_json=as_json)


@app.command()
def propose(
    project: ProjectId,
    file: TextFile,
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever approves reads it.")],
    based_on: BasedOn = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Propose a version for somebody else to approve, and print the id of the proposal."""
    with connect(data, state, url) as client:
        body = {"text": _read(file), "based_on": based_on or _digest(client, project), "reason": reason}
        made = client.ask("POST", f"{_path(project)}/proposals", body)
    out.print(made["proposal"])


@app.command()
def approve(
    project: ProjectId,
    proposal: ProposalId,
    digest: Annotated[
        str, typer.Option("--digest", help="Digest of the text that you read, as `policies show` has it.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="A remark.")] = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Put what somebody else proposed in force."""
    with connect(data, state, url) as client:
        body = {"digest": digest, "reason": reason}
        done = client.ask("POST", f"{_path(project)}/proposals/{quote(proposal, safe='')}/approve", body)
    _print_changes(done, as_json=as_json)


@app.command()
def decline(
    project: ProjectId,
    proposal: ProposalId,
    reason: Annotated[str, typer.Option("--reason", help="Why not.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Refuse what somebody else proposed."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(project)}/proposals/{quote(proposal, safe='')}/decline", {"reason": reason})
    say("declined")


@app.command()
def history(
    project: ProjectId,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200, help="Most events to print.")] = 50,
    policy: Annotated[str | None, typer.Option("--policy", help="Only this policy, by id.", show_default=False)] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show what was done in a project, the newest first; --json tells every difference."""
    with connect(data, state, url) as client:
        found = client.ask("GET", f"{_path(project)}/history", limit=limit, policy=policy)["events"]
    _print_events(found, as_json=as_json)


@app.command()
def governing(
    scope: Annotated[str, typer.Argument(help="A scope, and what lies below it; / is everything.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show the policies that govern a scope, and what changed in them."""
    with connect(data, state, url) as client:
        found = client.ask("GET", "/api/v1/policy-scopes", scope=scope)
    if as_json:
        print_json(found)
        return
    _print(IN_FORCE, "governs", [_policy(each) for each in found["policies"]])
    _print_events(found["events"], as_json=False)


@app.command()
def retire(project: ProjectId, data: Data = None, state: State = None, url: Url = None) -> None:
    """End a policy project: each of its policies is deleted, and nothing is read any more."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(project)}/retire")
    say("retired")


@app.command()
def check(file: TextFile, as_json: Json = False) -> None:
    """Say whether a text could be accepted, and where it is wrong; asks no server."""
    from tallystick.policies.document import parse_policies

    policies = parse_policies(_read(file).encode("utf-8", "surrogateescape"))
    for each in policies.values():
        if as_json:
            print_json({"kind": each.kind.value, "name": each.name, "enabled": each.enabled})
        else:
            out.print(plain(f"{each.kind.value}  {each.name}" + ("" if each.enabled else "  (not enabled)")))
    say(f"good: {len(policies)} policies", "dim")


def _path(project: str) -> str:
    return f"{ROUTE}/{quote(project, safe='')}"


def _digest(client: Client, project: str) -> str | None:
    """Return the digest of what is in force, which an edit is made from."""
    digest: str | None = client.ask("GET", _path(project))["project"]["digest"]
    return digest


def _read(file: Path) -> str:
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    return data.decode("utf-8", "surrogateescape")


def _print(headings: tuple[str, ...], folding: str, rows: list[list[Any]]) -> None:
    if rows:
        out.print()
        print_table([Column(heading, folds=heading == folding) for heading in headings], rows)


def _print_changes(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    for each in done["changes"]:
        out.print(plain(f"{each['action'].partition('.')[2]}  {each['kind']}  {each['name']}"))
    say(f"{len(done['changes'])} policies changed; the version in force is {done['digest']}", "dim")


def _print_events(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading, folds=heading == "changed") for heading in HISTORY], [_event(each) for each in found])


def _project(each: dict[str, Any]) -> list[Any]:
    cells = (each["project"], each["title"], each["state"], each["kept"], str(each["policies"]), each["scope"])
    return [plain(cell) for cell in (*cells, " ".join(each["governed"]), (each["synced_at"] or "")[:19])]


def _policy(each: dict[str, Any]) -> list[Any]:
    enabled = "yes" if each["enabled"] else "no"
    cells = (each["name"], each["kind"], enabled, " ".join(each["affected_scopes"]), each["changed_at"][:19])
    return [plain(cell) for cell in cells]


def _proposal(each: dict[str, Any]) -> list[Any]:
    cells = (each["proposal"], each["state"], each["proposed_by"], each["proposed_at"][:19], each["reason"] or "")
    return [plain(cell) for cell in cells]


def _event(each: dict[str, Any]) -> list[Any]:
    author = each["author"]
    by = each["actor_name"] or each["actor"] or ""
    if author is not None:
        by = f"{author} ({'verified' if each['facts'].get('author_verified') else 'not verified'})"
    changed = ", ".join(change["field"] for change in each["changes"])
    cells = (str(each["index"]), each["at"][:19], each["action"], (each["name"] if each["policy"] else "") or "")
    return [plain(cell) for cell in (*cells, by, (each["facts"].get("commit") or "")[:12], changed)]
