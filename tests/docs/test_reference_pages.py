"""The reference pages are the ones the code writes, and leave out no route, error, figure, setting or command."""

from __future__ import annotations

import re

import pytest
import typer.main
from tests.paths import ROOT
from tools.write_reference import FOLDER, PAGES

from tallystick.api.app import ROUTES
from tallystick.api.metrics import METRICS
from tallystick.cli.app import app
from tallystick.cli.reference import known_errors, meaning_of
from tallystick.config import SETTINGS


def _page(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_page_is_not_stale(name: str) -> None:
    assert _page(name) == PAGES[name](), "run `python tools/write_reference.py`"


def test_every_route_and_every_parameter_is_on_the_page() -> None:
    sections = dict(re.findall(r"^## (\w+ \S+)\n(.*?)(?=^## |\Z)", _page("api.md"), re.MULTILINE | re.DOTALL))
    for handler in ROUTES:
        for path in handler.paths:
            for method in handler.http_methods:
                section = sections[f"{method} {re.sub(r':[a-z]+}', '}', path)}"]
                assert all(f"| `{name}` |" in section for name in handler.opt.get("parameters", ()))


def test_every_error_is_on_the_page_with_what_it_means() -> None:
    text = _page("errors.md")
    for kind in known_errors():
        assert f"`{kind.code}`" in text
        assert meaning_of(kind).replace("|", "\\|") in text


def test_every_figure_is_on_the_page() -> None:
    assert all(f"`{name}`" in _page("metrics.md") for name in METRICS)


def test_every_variable_that_the_code_reads_is_on_the_page() -> None:
    text = _page("settings.md")
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r"\bTALLYSTICK_[A-Z_]*[A-Z]\b", source))
    assert len(read) > 10
    assert not {name for name in read if f"`{name}`" not in text}


def test_every_option_of_serve_is_on_the_page() -> None:
    serve = next(each for each in app.registered_commands if each.callback and each.callback.__name__ == "serve")
    command = typer.main.get_command_from_info(serve, pretty_exceptions_short=False, rich_markup_mode=None)
    for parameter in command.params:
        if parameter.name != "help":
            assert f"| `{parameter.opts[0]}` |" in _page("settings.md")


def test_every_setting_says_each_way_to_give_it() -> None:
    text = _page("settings.md")
    for setting in SETTINGS:
        key, option = (f"`{each}`" if each else "" for each in (setting.key, setting.option))
        row = f"| {key} | `{setting.variable}` | {option} | {setting.default} | {setting.meaning} |"
        assert row in text


def test_every_command_is_on_the_page() -> None:
    text = _page("commands.md")
    for registered in app.registered_commands:
        assert registered.callback is not None
        name = registered.name or registered.callback.__name__
        assert f"## tallystick {name}\n" in text
    for group in app.registered_groups:
        assert group.typer_instance is not None
        for registered in group.typer_instance.registered_commands:
            assert registered.callback is not None
            assert f"## tallystick {group.name} {registered.name or registered.callback.__name__}\n" in text
