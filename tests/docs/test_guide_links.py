"""What the documents point to is there: pages, headings, commands, and a page for each person who uses the product."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from tallystick.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PEOPLE = (
    *("application-engineers", "platform-engineers", "security-analysts", "system-owners"),
    *("compliance-managers", "release-managers", "auditors", "operators", "on-call"),
)
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]+)\)")
_CODE = re.compile(r"`[^`\n]+`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"`tallystick ([a-z-]+)")


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings as links write them."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} points to {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page.name} points to {link}"


@pytest.mark.parametrize("page", sorted((ROOT / "docs/guide").rglob("*.md")), ids=lambda page: page.stem)
def test_the_guide_names_only_commands_that_there_are(page: Path) -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert set(_COMMAND.findall(page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("person", PEOPLE)
def test_everybody_who_uses_the_product_has_a_page(person: str) -> None:
    index = (ROOT / "docs/guide/README.md").read_text(encoding="utf-8")
    assert f"for/{person}.md" in index
    assert (ROOT / "docs/guide/for" / f"{person}.md").stat().st_size > 1000
