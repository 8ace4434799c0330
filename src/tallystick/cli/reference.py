"""The reference pages of errors, settings and commands, made from the code that they describe.

`tools/write_reference.py` writes them; a test says when they are stale.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

import typer.main

import tallystick
from tallystick.api.problem import STATUS_OF, status_of
from tallystick.api.reference import MADE, table
from tallystick.cli.app import app
from tallystick.config import SETTINGS
from tallystick.errors import TallystickError

_ERRORS_HEAD: Final = """
The HTTP API answers with these as problem documents (RFC 9457) whose `type` is `urn:tallystick:problem:` and the code; commands
print the code in brackets and leave with status 1. Codes are stable: scripts may rely on them. An error of ours that has
no code is answered with 500 `unexpected` and an incident number that the operator finds in the server's diagnostics.
"""
_SETTINGS_HEAD: Final = """
An option of the command comes before the variable, that before the configuration file, and that before the default. The file is TOML; a dot in
a key is a table: `tls.cert` stands as `cert` below `[tls]`. It is named by `--config` or `TALLYSTICK_CONFIG`, and is `/etc/tallystick/tallystick.toml`
where neither is given. Keys that are not in this table are refused. Secrets stand in files of their own, which the keys that end in `_file` name.
Settings are read at the start; a certificate is read again whenever it changes.
"""
_COMMANDS_HEAD: Final = """
Results go to standard output, everything else to standard error. `--data` works on a data directory itself, which no server
may hold at that moment (`verify` excepted); `--url` talks to a server, with the token in `TALLYSTICK_TOKEN`. Exit status: 0
done, 1 refused or failed, 2 wrongly called, 130 interrupted; `verify` has its own, named below.
"""
_CASE: Final = "Depends on the case; the error says it."


def known_errors() -> list[type[TallystickError]]:
    """Return every class of error that the product can raise, by code; imports all of it to find them."""
    for module in pkgutil.walk_packages(tallystick.__path__, "tallystick."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = (each for each in _below(TallystickError) if each.__module__.startswith("tallystick."))
    return sorted((each for each in found if ".testing." not in each.__module__), key=lambda each: each.code)


def render_errors() -> str:
    """Return `docs/reference/errors.md`: every code below its family, the narrowest family first."""
    left = {each for each in known_errors() if each not in STATUS_OF}
    parts = [f"# Errors\n\n{MADE}\n{_ERRORS_HEAD}"]
    families: list[type[TallystickError]] = [*STATUS_OF, TallystickError]
    for family in families:
        members = sorted((each for each in left if issubclass(each, family)), key=lambda each: each.code)
        left -= set(members)
        own = [family] if family.advice else []
        title = "Other" if family is TallystickError else f"`{family.code}`, status {int(status_of(family))}"
        about = "" if family is TallystickError else meaning_of(family) + "\n\n"
        rows = [(f"`{each.code}`", meaning_of(each), each.advice or _CASE) for each in (*own, *members)]
        if rows:
            parts.append(f"## {title}\n\n{about}" + table(("code", "meaning", "what to do"), rows))
    return "\n".join(parts)


def meaning_of(kind: type[TallystickError]) -> str:
    """Return the first paragraph of the class's docstring, on one line."""
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def render_settings() -> str:
    """Return `docs/reference/settings.md`: every setting, and each way to give it."""
    rows = [
        (
            f"`{each.key}`" if each.key else "",
            f"`{each.variable}`",
            f"`{each.option}`" if each.option else "",
            each.default,
            each.meaning,
        )
        for each in SETTINGS
    ]
    return f"# Settings\n\n{MADE}\n{_SETTINGS_HEAD}\n" + table(
        ("key in the file", "variable", "option", "default", "meaning"), rows
    )


def render_commands() -> str:
    """Return `docs/reference/commands.md`: every command with its arguments and options."""
    commands = _commands()
    summary = [
        (f"[`tallystick {name}`](#tallystick-{name.replace(' ', '-')})", _first(each))
        for name, each in commands.items()
    ]
    parts = [f"# Commands\n\n{MADE}\n{_COMMANDS_HEAD}", table(("command", "what it does"), summary)]
    for name, command in commands.items():
        parts.append(f"## tallystick {name}\n\n{(command.help or '').strip()}\n")
        rows = [_parameter(each) for each in command.params if each.name != "help"]
        if rows:
            parts.append(table(("argument or option", "default", "meaning"), rows))
    return "\n".join(parts)


def _below(kind: type[TallystickError]) -> Iterator[type[TallystickError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _commands() -> dict[str, Any]:
    """Return every command by its words, without the program's name, in the order of the help."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if hasattr(command, "commands"):
            for name, each in command.commands.items():
                yield from walk(each, (*words, name))
        else:
            yield " ".join(words), command

    return dict(walk(typer.main.get_command(app), ()))


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name.upper()) + ("…" if parameter.nargs == -1 else "")
        return f"`{name.replace('……', '…')}`", "required" if parameter.required else "", parameter.help or ""
    names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    by = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    return names + by, "required" if parameter.required else _default(parameter), parameter.help or ""


def _default(option: Any) -> str:
    default = option.default
    if default is None or default is False or callable(default) or default == []:
        return ""
    return f"`{getattr(default, 'value', default)}`"


def _first(command: Any) -> str:
    return (command.help or "").strip().split("\n\n")[0]
