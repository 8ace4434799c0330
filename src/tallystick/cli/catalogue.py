"""`tallystick catalogue`: what the registered actions are and mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.console import PIPED, WIDE, out, plain, print_json, say
from tallystick.cli.options import Json
from tallystick.cli.table import Column, print_table
from tallystick.errors import ConfigurationError, NotFoundError
from tallystick.event.catalogue import ActionType, Catalogue, CatalogueFile, load_shipped

app = typer.Typer(help="The registered actions: list, show, check, docs.", no_args_is_help=True)
Extra = Annotated[list[Path] | None, typer.Option("--extra", help="Your own catalogue file; repeat for more.")]
PAGE = Path("docs/reference/catalogue.md")


class UnknownActionError(NotFoundError):
    """No catalogued action has this name."""

    code = "action-unknown"
    advice = "`tallystick catalogue list` names all of them."


class UnknownCategoryError(NotFoundError):
    """No catalogued action is of this category."""

    code = "category-unknown"
    advice = "`tallystick catalogue list` shows the categories."


class StalePageError(ConfigurationError):
    """The reference page is not what the catalogue says."""

    code = "catalogue-page-stale"
    advice = "Run `tallystick catalogue docs` and keep the result."


@app.command("list")
def list_actions(
    category: Annotated[str | None, typer.Option("--category", help="Only this category.")] = None,
    extra: Extra = None,
    as_json: Json = False,
) -> None:
    """List every registered action."""
    kinds = _load(extra).types.values()
    categories = sorted({kind.category for kind in kinds})
    if category not in {None, *categories}:
        raise UnknownCategoryError(
            f"the catalogue has no category {category!r}", advice=f"It has {', '.join(categories)}."
        )
    chosen = [kind for kind in kinds if category in {None, kind.category}]
    if as_json:
        for kind in chosen:
            print_json(kind.definition())
        return
    narrow = not PIPED and out.width < WIDE
    headings = (
        ("action", "severity", "description") if narrow else ("action", "category", "severity", "class", "description")
    )
    rows = []
    for kind in chosen:
        about = (kind.severity,) if narrow else (kind.category, kind.severity, kind.retention_class)
        rows.append([plain(cell) for cell in (kind.name, *about, _first_sentence(kind))])
    print_table([Column(heading, folds=heading == "description") for heading in headings], rows)
    say(f"{len(chosen)} actions", "dim")


@app.command()
def show(
    action: Annotated[str, typer.Argument(help="Name of the action.")], extra: Extra = None, as_json: Json = False
) -> None:
    """Show one action with everything the catalogue says of it, and an event as an example."""
    kind = _load(extra).get(action)
    if kind is None:
        raise UnknownActionError(f"the catalogue has no action {action!r}")
    from tallystick.event.catalogue_example import example_of

    shown = {**kind.definition(), "example": example_of(kind)}
    if as_json:
        print_json(shown)
        return
    rows = [(plain(name, "dim"), plain(value)) for name, value in shown.items()]
    print_table((Column(), Column(folds=True)), rows, header=False)


@app.command()
def check(extra: Extra = None, as_json: Json = False) -> None:
    """Check the catalogue: forms, paths, schemas, controls.

    Leaves with status 1 when something is wrong.
    """
    catalogue = _load(extra)
    problems = catalogue.check()
    for problem in problems:
        if as_json:
            print_json({"file": problem.file, "line": problem.line, "action": problem.action, "message": str(problem)})
        else:
            out.print(plain(str(problem)))
    say(f"{len(catalogue.types)} actions, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


@app.command()
def docs(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the page goes.")] = PAGE,
    stale: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when the page is not up to date.")
    ] = False,
) -> None:
    """Write the reference page of the catalogue."""
    from tallystick.event.catalogue_page import catalogue_page

    page = catalogue_page(load_shipped())
    if not stale:
        output.write_text(page, encoding="utf-8")
        say(f"wrote {output}")
    elif not output.exists() or output.read_text(encoding="utf-8") != page:
        raise StalePageError(f"{output} is not what the catalogue says")


def _load(extra: list[Path] | None) -> Catalogue:
    catalogue = load_shipped()
    return catalogue.extended(CatalogueFile(str(path), path.read_bytes()) for path in extra) if extra else catalogue


def _first_sentence(kind: ActionType) -> str:
    return kind.description.split(". ")[0].rstrip(".")
