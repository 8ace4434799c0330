"""`tallystick rules`: detection rules through their life, tried on history, explained; lists of indicators."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallystick.cli.connect import connect
from tallystick.cli.console import out, plain, print_json, say
from tallystick.cli.files import read_text
from tallystick.cli.options import Data, Json, State, Url
from tallystick.cli.rules_lists import app as lists
from tallystick.cli.table import Column, print_table
from tallystick.client import Client
from tallystick.counted import counted

ROUTE = "/api/v1/rules"
LIST = ("id", "state", "severity", "kind", "scope", "version", "fired", "seen", "title", "flags")
VERSIONS = ("version", "state", "by", "at", "decided by", "digest")
HISTORY = ("index", "at", "what", "version", "by", "why")
SAMPLES = ("sample", "line", "must match", "fired", "good")
FILES_AT_ONCE = 200
BYTES_AT_ONCE = 4 << 20
FILE_BYTES_MAX = 1 << 20

app = typer.Typer(help="Detection rules: write, test, approve, enable, try on history; lists.", no_args_is_help=True)
app.add_typer(lists, name="lists")

RuleId = Annotated[str, typer.Argument(metavar="RULE", help="Id of the rule, as `rules list` shows it.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="File that holds the rule.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
Needed = Annotated[str, typer.Option("--reason", help="Why.", prompt=True)]
Scope = Annotated[str, typer.Option("--scope", help="What it watches: a path such as acme/payments; / is everything.")]
Number = Annotated[
    int | None,
    typer.Option("--version", help="This version of the rule, instead of the one in force.", show_default=False),
]


@app.command("list")
def list_rules(
    every: Annotated[bool, typer.Option("--all", help="Retired ones too.")] = False,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List the detection rules, with where they stand and what they did."""
    with connect(data, state, url) as client:
        found = client.ask("GET", ROUTE)["rules"]
    shown = [each for each in found if every or each["state"] != "retired"]
    if as_json:
        for each in shown:
            print_json(each)
        return
    rows = [[plain(_cell(each, name)) for name in LIST] for each in shown]
    print_table([Column(heading, folds=heading in {"title", "flags"}) for heading in LIST], rows)


@app.command()
def show(
    rule: RuleId,
    text: Annotated[bool, typer.Option("--text", help="Print the text and nothing else.")] = False,
    version: Number = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show a rule with its versions and its history."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(rule))
    if as_json:
        print_json(found)
        return
    if text:
        number = version or found["rule"]["version"]
        written = next((each["text"] for each in found["versions"] if each["version"] == number), None)
        typer.echo(written or "", nl=False)
        return
    about = {**found["rule"], **(found["about"] or {}), "link": found["link"]}
    cells = [(plain(name), plain(_text(value))) for name, value in about.items()]
    print_table((Column(), Column(folds=True)), cells, header=False)
    _print(VERSIONS, "", [_version(each) for each in found["versions"]])
    _print(HISTORY, "why", [_step(each) for each in found["history"]])


@app.command()
def check(file: File, as_json: Json = False) -> None:
    """Say whether a text is a rule and its samples come out, or where it is wrong; asks no server."""
    from tallystick.api.rules_tried import check_view
    from tallystick.detect import trials
    from tallystick.detect.rulefile import parse_rule

    rule = parse_rule(read_text(file).encode("utf-8", "surrogateescape"), str(file))
    given = lambda name: rule.lists.get(name, ())  # noqa: E731 - lists are the server's; the text's own stand for them
    trials.compile_alone(rule, given)
    checked = check_view(rule, trials.run_samples(rule, given))
    if as_json:
        print_json(checked)
    else:
        say(f"{checked.about.severity}: {checked.about.title} ({checked.about.threshold})")
        _print(SAMPLES, "sample", [_sample_of(each) for each in checked.samples])
    if not checked.passed:
        raise typer.Exit(1)
    say(f"good: {counted(len(checked.samples), 'sample')}" if checked.samples else "good, but without samples", "dim")


@app.command()
def add(
    file: File,
    scope: Scope = "/",
    reason: Reason = "",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Write a rule, and print its id; it does not watch yet."""
    with connect(data, state, url) as client:
        made = client.ask("POST", ROUTE, {"text": read_text(file), "scope": scope, "reason": reason})
    if as_json:
        print_json(made)
    else:
        out.print(plain(made["rule"]["id"]))
    say("a draft: test it, and have somebody else approve it", "dim")


@app.command()
def change(
    rule: RuleId,
    file: File,
    reason: Reason = "",
    version: Annotated[
        int | None,
        typer.Option("--version", help="The version that the text was made from; the newest.", show_default=False),
    ] = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
) -> None:
    """Write a newer version of a rule; what watches stays until the new one is enabled."""
    with connect(data, state, url) as client:
        seen = version or client.ask("GET", _path(rule))["rule"]["newest"]
        made = client.ask("POST", f"{_path(rule)}/change", {"text": read_text(file), "version": seen, "reason": reason})
    say(f"the newest version is {made['rule']['newest']}")


@app.command("test")
def run_samples(rule: RuleId, data: Data = None, state: State = None, url: Url = None, as_json: Json = False) -> None:
    """Run the newest version on its samples; what came of it is on record."""
    with connect(data, state, url) as client:
        done = client.ask("POST", f"{_path(rule)}/test")
    if as_json:
        print_json(done)
    else:
        _print(SAMPLES, "sample", [_sample(each) for each in done["samples"]])
    if not done["passed"]:
        raise typer.Exit(1)


@app.command()
def approve(rule: RuleId, reason: Reason = "", data: Data = None, state: State = None, url: Url = None) -> None:
    """Approve the newest version of a rule that somebody else wrote."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(rule)}/approve", {"digest": _newest(client, rule), "reason": reason})
    say("approved; it can be enabled")


@app.command()
def reject(rule: RuleId, reason: Needed, data: Data = None, state: State = None, url: Url = None) -> None:
    """Refuse the newest version of a rule that somebody else wrote."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(rule)}/reject", {"digest": _newest(client, rule), "reason": reason})
    say("rejected")


@app.command()
def enable(rule: RuleId, data: Data = None, state: State = None, url: Url = None) -> None:
    """Put the newest version in force, or again what was in force until the rule was disabled."""
    with connect(data, state, url) as client:
        found = client.ask("GET", _path(rule))
        approved = [each for each in found["versions"] if each["state"] == "approved"]
        digest = approved[0]["digest"] if approved else found["versions"][0]["digest"]
        client.ask("POST", f"{_path(rule)}/enable", {"digest": digest})
    say("enabled")


@app.command()
def disable(rule: RuleId, reason: Needed, data: Data = None, state: State = None, url: Url = None) -> None:
    """Stop a rule from watching."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(rule)}/disable", {"reason": reason})
    say("disabled")


@app.command()
def retire(rule: RuleId, reason: Needed, data: Data = None, state: State = None, url: Url = None) -> None:
    """End a rule for good; its versions and history stay."""
    with connect(data, state, url) as client:
        client.ask("POST", f"{_path(rule)}/retire", {"reason": reason})
    say("retired")


@app.command()
def backtest(
    rule: RuleId,
    start: Annotated[str, typer.Option("--from", help="Since when: a time, or relative such as -7d.")] = "-7d",
    end: Annotated[str, typer.Option("--to", help="Until when.")] = "now",
    version: Number = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say how often a rule would have fired over a time, for whom, and on what."""
    with connect(data, state, url) as client:
        found = client.ask("POST", f"{_path(rule)}/backtest", {"start": start, "end": end, "version": version})
    if as_json:
        print_json(found)
        return
    _print(("fired", "for"), "for", [[plain(str(each["count"])), plain(each["group"])] for each in found["groups"]])
    firings = [[plain(str(each["indexes"][-1:])), plain(each["sentence"])] for each in found["firings"]]
    _print(("event", "why"), "why", firings)
    if found["withheld"]:
        say("the personal part of some events was not looked at: you may not see it", "dim")
    if not found["complete"]:
        say(f"not everything was looked at; it went as far as {found['end']}", "dim")
    say(
        f"fired {counted(found['fired'], 'time')}; {found['read']:,} of {counted(found['size'], 'event')} in the log were held against it"
    )


@app.command()
def explain(
    rule: RuleId,
    event: Annotated[str, typer.Argument(help="Index or id of the event.")],
    version: Number = None,
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Say why a rule matches an event, or does not."""
    with connect(data, state, url) as client:
        found = client.ask("POST", f"{_path(rule)}/explain", {"event": event, "version": version})
    if as_json:
        print_json(found)
        return
    if not found["concerns"]:
        say("the rule does not look at events of this source", "dim")
    for each in found["documents"]:
        _print_condition(each, 0)


@app.command("import")
def import_rules(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", exists=True, help="Folder of rules: every .yml and .yaml in it.")
    ],
    link: Annotated[str, typer.Option("--link", help="Where the folder comes from: an address.")] = "",
    licence: Annotated[str, typer.Option("--license", help="What allows to use rules that state no licence.")] = "",
    scope: Scope = "/",
    data: Data = None,
    state: State = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Keep the rules of a folder as drafts, with author and licence, and say what was refused and where."""
    counts = {"imported": 0, "known": 0, "refused": 0}
    with connect(data, state, url) as client:
        for files in _in_parts(folder):
            body = {"files": files, "link": link, "license": licence, "scope": scope}
            for each in client.ask("POST", f"{ROUTE}/import", body)["files"]:
                counts[each["outcome"]] += 1
                if as_json:
                    print_json(each)
                elif each["outcome"] == "refused":
                    place = f":{each['line']}:{each['column']}" if each["line"] else ""
                    out.print(plain(f"{each['path']}{place}: {each['message']}"))
    say(f"{counts['imported']} imported, {counts['known']} known already, {counts['refused']} refused")


def _in_parts(folder: Path) -> list[list[dict[str, str]]]:
    found = sorted(each for each in folder.rglob("*") if each.suffix in {".yml", ".yaml"} and each.is_file())
    parts: list[list[dict[str, str]]] = []
    size = BYTES_AT_ONCE
    for path in found:
        text = path.read_bytes()[:FILE_BYTES_MAX].decode("utf-8", "replace")
        size += len(text)
        if size > BYTES_AT_ONCE or len(parts[-1]) >= FILES_AT_ONCE:
            parts.append([])
            size = len(text)
        parts[-1].append({"path": path.relative_to(folder).as_posix(), "text": text})
    return parts


def _newest(client: Client, rule: str) -> str:
    """Return the digest of the newest version, which a decision is about."""
    digest: str = client.ask("GET", _path(rule))["versions"][0]["digest"]
    return digest


def _path(rule: str) -> str:
    return f"{ROUTE}/{quote(rule, safe='')}"


def _print(headings: tuple[str, ...], folding: str, rows: list[list[Any]]) -> None:
    if rows:
        out.print()
        print_table([Column(heading, folds=heading == folding) for heading in headings], rows)


def _print_condition(each: dict[str, Any], depth: int) -> None:
    values = f"  (the event has {', '.join(each['values'])})" if each["values"] else ""
    missing = "  (the event has no such field)" if each["field"] and not each["values"] else ""
    out.print(plain(f"{'  ' * depth}{'yes' if each['matched'] else 'no '}  {each['label']}{values}{missing}"))
    for part in each["parts"]:
        _print_condition(part, depth + 1)


def _cell(each: dict[str, Any], name: str) -> str:
    if name == "version":
        newer = each["newest"] != each["version"]
        return f"{each['version']} ({each['newest']} waits)" if newer else str(each["version"])
    return _text(each[name])


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(str(each) for each in value)
    if isinstance(value, dict):
        return " ".join(f"{key}={each}" for key, each in value.items())
    return "" if value is None else str(value)


def _version(each: dict[str, Any]) -> list[Any]:
    cells = (each["version"], each["state"], each["drafted_by"], each["drafted_at"][:19], each["decided_by"] or "")
    return [plain(str(cell)) for cell in (*cells, each["digest"])]


def _step(each: dict[str, Any]) -> list[Any]:
    cells = (each["index"], each["at"][:19], each["action"], each["version"] or "", each["by"], each["reason"] or "")
    return [plain(str(cell)) for cell in cells]


def _sample(each: dict[str, Any]) -> list[Any]:
    must, good = ("yes" if each["must_match"] else "no"), ("good" if each["passed"] else "WRONG")
    return [plain(str(cell)) for cell in (each["name"], each["line"], must, each["fired"], good)]


def _sample_of(each: Any) -> list[Any]:
    from msgspec import to_builtins

    return _sample(to_builtins(each))
