"""What no template may contain, and that what was taken from others is what it says it is."""

from __future__ import annotations

import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tallystick.web.static_files import StaticFileUnknownError, static_files, static_root, static_url
from tallystick.web.templating import templates

WEB = Path(str(files("tallystick.web")))
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SCRIPTS = sorted(path for path in (WEB / "static").rglob("*.js") if "vendor" not in path.parts)
ALLOWED_HX = {
    "hx-get",
    "hx-post",
    "hx-target",
    "hx-swap",
    "hx-push-url",
    "hx-trigger",
    "hx-indicator",
    "hx-sse:connect",
}
FORBIDDEN = {
    "inline style": r"\sstyle\s*=",
    "inline handler": r"\son[a-z]+\s*=\s*[\"']",
    "style element": r"<style",
    "script without a file": r"<script(?![^>]*\ssrc=)",
    "safe filter": r"\|\s*safe\b",
    "escaping switched off": r"autoescape\s+false",
    "javascript address": r"javascript:|\bjs:",
    "address of another site": r"(?:src|href|action)=[\"']https?://",
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_has_nothing_inline_and_nothing_that_is_not_escaped(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    found = {name for name, pattern in FORBIDDEN.items() if re.search(pattern, text)}
    assert not found
    assert set(re.findall(r"\s(hx-[\w:-]+)\s*=", text)) <= ALLOWED_HX
    assert not re.search(r"hx-trigger=\"[^\"]*\[", text), "a trigger filter is evaluated as script"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_template_can_be_compiled(template: Path) -> None:
    templates().get_template(str(template.relative_to(WEB / "templates")))


def test_scripts_never_make_html_of_text_and_never_evaluate_any() -> None:
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            script
        )


def test_the_style_sheet_and_the_scripts_stay_small() -> None:
    assert len((WEB / "static" / "tallystick.css").read_text(encoding="utf-8").splitlines()) < 400
    own = [script for script in SCRIPTS if script.parent == WEB / "static"]
    assert sum(len(script.read_text(encoding="utf-8").splitlines()) for script in own) < 400


def test_vendored_files_are_those_that_were_taken() -> None:
    folder = WEB / "static" / "vendor"
    declared = tomllib.loads((folder / "VENDOR.toml").read_text(encoding="utf-8"))["package"]
    named = {file["name"]: file["sha256"] for package in declared for file in package["file"]}
    assert {path.name for path in folder.glob("*.js")} == set(named)
    for name, digest in named.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    for package in declared:
        assert package["version"]
        assert package["licence"] in {"0BSD", "MIT"}
        assert (folder / package["licence_file"]).read_text(encoding="utf-8").strip()


def test_a_static_file_is_addressed_by_what_all_of_them_contain() -> None:
    assert static_url("app.js") == f"{static_root()}/app.js"
    assert re.fullmatch(r"/static/[0-9a-f]{16}", static_root())
    with pytest.raises(StaticFileUnknownError):
        static_url("vendor/nothing.js")
    assert "vendor/VENDOR.toml" not in static_files()
