"""`tallystick releases`: what was given out, its files and evidence; making, editing, deleting."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.files import new_file, read_text, require_absent
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.table import Column, print_table
from tallystick.client import Client

ROUTE = "/api/v1/releases"
MILESTONES = "/api/v1/milestones"
LIST = ("id", "tag", "name", "scope", "milestones", "released", "by")
ASSETS = ("asset", "kind", "sha256 or address", "bytes", "downloads")
EVIDENCE = ("evidence", "taken", "because", "by")
HISTORY = ("index", "at", "what", "by", "through")
USAGE = ("month", "readers", "looks", "exports", "assets", "evidence", "dossiers", "archives")

EDITS = ("release.updated", "release.milestones_changed")

app = typer.Typer(help="Releases: list, show, create, edit, files, evidence, dossier.", no_args_is_help=True)
asset = typer.Typer(help="The files and links of a release: add, remove.", no_args_is_help=True)
app.add_typer(asset, name="asset")

ReleaseId = Annotated[str, typer.Argument(metavar="RELEASE", help="Id of the release, as `releases list` shows it.")]
Scope = Annotated[str, typer.Option("--scope", help="Path such as acme/payments.")]
Milestone = Annotated[
    list[str] | None, typer.Option("--milestone", help="Title of a milestone; repeat for more.", show_default=False)
]
CreateMilestones = Annotated[
    bool, typer.Option("--create-milestones", help="Make the milestones that the scope does not know yet.")
]
Seen = Annotated[
    int | None,
    typer.Option("--version", help="Refuse if the release is not at this version any more.", show_default=False),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="File to write.")]
Description = Annotated[str | None, typer.Option("--description", help="Its description.", show_default=False)]
DescriptionFile = Annotated[
    Path | None, typer.Option("--description-file", help="File that holds the description.", show_default=False)
]


@app.command("list")
def list_releases(
    scope: Annotated[str, typer.Option("--scope", help="This scope and those below it; / is everything.")] = "/",
    tag: Annotated[str | None, typer.Option("--tag", help="Only with this tag.", show_default=False)] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="Deleted ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Most rows to print.")] = 50,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List releases, the newest first."""
    found: list[dict[str, Any]] = []
    with connect(data, state, url) as client:
        before: int | None = None
        while len(found) < limit:
            most = min(100, limit - len(found))
            marks = "true" if deleted else None
            page = client.ask("GET", ROUTE, scope=scope, tag=tag, deleted=marks, before=before, limit=most)
            found += page["releases"]
            before = page["before"]
            if before is None:
                break
    if as_json:
        for each in found:
            print_json(each)
        return
    print_table([Column(heading, folds=heading == "name") for heading in LIST], [_row(each) for each in found])
    if not found:
        say("no releases; `tallystick releases create` makes one", "dim")


@app.command()
def show(release: ReleaseId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Show a release with its assets, evidence and history."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(release))
    if as_json:
        print_json(found)
        return
    about = {**found["release"], "released_by": _who(found["release"]["released_by"])}
    print_table(
        (Column(), Column(folds=True)), [(plain(name), plain(value)) for name, value in about.items()], header=False
    )
    _print(ASSETS, "sha256 or address", [_asset(each) for each in found["assets"]])
    _print(EVIDENCE, "evidence", [_evidence(each) for each in found["evidence"]])
    _print(HISTORY, "what", [_step(each) for each in found["history"]])


@app.command()
def create(
    tag: Annotated[str, typer.Argument(help="Its tag, such as v0.3.")],
    scope: Scope,
    name: Annotated[str, typer.Option("--name", help="Its name; without one, the tag.")] = "",
    description: Description = None,
    description_file: DescriptionFile = None,
    commit: Annotated[
        str | None, typer.Option("--commit", help="The commit it is made of.", show_default=False)
    ] = None,
    milestone: Milestone = None,
    create_milestones: CreateMilestones = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Make a release, with its first evidence, and print its id."""
    body = {
        "scope": scope,
        "tag": tag,
        "name": name or tag,
        "description": _text(description, description_file) or "",
        "commit": commit,
        "milestones": milestone or [],
        "create_milestones": create_milestones,
    }
    with connect(data, state, url) as client:
        made = client.ask("POST", ROUTE, body)
    if as_json:
        print_json(made)
    else:
        out.print(plain(made["release"]["id"]))
    say(made["history"][-1]["message"], "dim")


@app.command()
def edit(
    release: ReleaseId,
    name: Annotated[str | None, typer.Option("--name", help="Its new name.", show_default=False)] = None,
    description: Description = None,
    description_file: DescriptionFile = None,
    version: Seen = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Change the name or the description of a release."""
    body = {"name": name, "description": _text(description, description_file)}
    with connect(data, state, url) as client:
        _change(client, release, body, version, as_json=as_json)


@app.command()
def milestones(
    release: ReleaseId,
    milestone: Milestone = None,
    create_milestones: CreateMilestones = False,
    version: Seen = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Tie a release to these milestones and no others; without any, to none."""
    body = {"milestones": milestone or [], "create_milestones": create_milestones}
    with connect(data, state, url) as client:
        _change(client, release, body, version, as_json=as_json)


@app.command()
def delete(release: ReleaseId, version: Seen = None, data: Data = None, state: State = None, url: Url = None) -> None:
    """Delete a release; its history and its evidence stay."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(release)}/delete", headers=_seen(client, release, version))
    say(f"{release} is deleted")


@app.command()
def evidence(
    release: ReleaseId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False
) -> None:
    """Take evidence of a release as it is now, and print its SHA-256."""
    with connect(data, state, url) as client:
        taken = client.ask("POST", f"{_path(release)}/evidence")
    if as_json:
        print_json(taken)
    else:
        out.print(plain(taken["sha256"]))


@app.command()
def download(
    release: ReleaseId,
    name: Annotated[str, typer.Argument(help="Name of an asset, or the SHA-256 of evidence.")],
    output: Output,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Fetch an asset or evidence of a release. Every download is an event."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(release))
        is_evidence = any(each["sha256"] == name for each in found["evidence"])
        path = f"evidence/{name}" if is_evidence else f"assets/{quote(name, safe='')}/file"
        _save(client, f"{_path(release)}/{path}", output)


@app.command()
def dossier(release: ReleaseId, output: Output, data: Data = None, state: State = None, url: Url = None) -> None:
    """Fetch the dossier of a release: the release, its evidence, its events with their proofs."""
    with connect(data, state, url) as client:
        _save(client, f"{_path(release)}/dossier", output)
    say(f"check it anywhere:  unzip {output} package.zip && tallystick verify package.zip", "dim")


@app.command()
def usage(
    scope: Annotated[str, typer.Option("--scope", help="This scope and those below it; / is everything.")] = "/",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say how often release history is used, by month."""
    with connect(data, state, url) as client:
        found = client.ask("GET", "/api/v1/release-usage", scope=scope)
    if as_json:
        print_json(found)
        return
    rows = [[plain(str(each[name])) for name in USAGE] for each in found["months"]]
    print_table([Column(heading, right=heading != "month") for heading in USAGE], rows)


@app.command("milestone")
def create_milestone(
    title: Annotated[str, typer.Argument(help="Its title.")],
    scope: Scope,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Let a scope and those below it know a milestone, and print all that it knows."""
    with connect(data, state, url) as client:
        known = client.ask("POST", MILESTONES, {"scope": scope, "title": title})["milestones"]
    for each in known:
        print_json(each) if as_json else out.print(plain(each))


@asset.command("add")
def add_asset(
    release: ReleaseId,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="File to store.", exists=True, dir_okay=False, show_default=False),
    ] = None,
    link: Annotated[
        str | None, typer.Option("--link", help="Address to lead to instead: https://...", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Its name; without one, the file's own.")] = "",
    source: Annotated[bool, typer.Option("--source", help="The file is the source archive.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Store a file with a release, or let it lead to one that is kept elsewhere."""
    if (file is None) == (link is None):
        raise typer.BadParameter("give FILE or --link, and only one of them")
    with connect(data, state, url) as client:
        if link is not None:
            found = client.ask("POST", f"{_path(release)}/assets", {"name": name, "url": link})
        else:
            assert file is not None
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            path = f"{_path(release)}/assets/{quote(name or file.name, safe='')}"
            found = client.upload(path, content, sha256=digest, source="true" if source else None)
    added = found["assets"][-1]
    if as_json:
        print_json(added)
    else:
        out.print(plain(added["sha256"] or added["url"]))


@asset.command("remove")
def remove_asset(
    release: ReleaseId,
    name: Annotated[str, typer.Argument(help="Its name.")],
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Take an asset off a release; that it was there stays in the history."""
    with connect(data, state, url) as client:
        client.ask("DELETE", f"{_path(release)}/assets/{quote(name, safe='')}")
    say(f"{name} is removed")


def _path(release: str) -> str:
    return f"{ROUTE}/{quote(release, safe='')}"


def _text(text: str | None, file: Path | None) -> str | None:
    if text is not None and file is not None:
        raise typer.BadParameter("give --description or --description-file, and only one of them")
    return read_text(file) if file is not None else text


def _seen(client: Client, release: str, version: int | None) -> dict[str, str]:
    """Return the header that names the version seen: the one given, or the present one."""
    if version is None:
        version = client.ask("GET", _path(release))["release"]["version"]
    return {"if-match": f'"{version}"'}


def _change(client: Client, release: str, body: dict[str, Any], version: int | None, *, as_json: bool) -> None:
    headers = _seen(client, release, version)
    changed = client.ask("PATCH", _path(release), body, headers=headers)
    if as_json:
        print_json(changed)
        return
    newer = [each for each in changed["history"] if each["index"] > int(headers["if-match"].strip('"'))]
    said = [each["message"] for each in reversed(newer) if each["action"] in EDITS]
    say("; ".join(said) or "nothing was different, so nothing was recorded")


def _save(client: Client, path: str, output: Path) -> None:
    require_absent(output)
    written = 0
    with new_file(output) as sink, client.fetch(path) as chunks:
        for chunk in chunks:
            sink.write(chunk)
            written += len(chunk)
    say(f"wrote {output} ({written:,} bytes)")


def _print(headings: tuple[str, ...], folding: str, rows: list[tuple[str, ...]]) -> None:
    columns = [Column(heading, folds=heading == folding) for heading in headings]
    print_table(columns, [[plain(cell) for cell in row] for row in rows])


def _who(by: dict[str, Any]) -> str:
    return str(by["name"] or by["id"])


def _row(each: dict[str, Any]) -> list[Any]:
    tag = each["tag"] + (" (deleted)" if each["deleted_at"] else "")
    milestone_titles = ", ".join(each["milestones"])
    cells = (each["id"], tag, each["name"], each["scope"], milestone_titles, each["released_at"][:19])
    return [plain(cell) for cell in (*cells, _who(each["released_by"]))]


def _asset(each: dict[str, Any]) -> tuple[str, ...]:
    size = "" if each["bytes"] is None else f"{each['bytes']:,}"
    return each["name"], each["kind"], each["sha256"] or each["url"], size, str(each["downloads"])


def _evidence(each: dict[str, Any]) -> tuple[str, ...]:
    return each["sha256"], each["at"][:19], each["trigger"], _who(each["by"])


def _step(each: dict[str, Any]) -> tuple[str, ...]:
    return str(each["index"]), each["at"][:19], each["message"], _who(each["by"]), each["by"]["via"] or ""
