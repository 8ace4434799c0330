"""What a person sees in a terminal: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from tallystick.errors import InvalidInputError, TallystickError
from tallystick.event.visible import visible

PIPED = not sys.stdout.isatty() and not os.environ.get("COLUMNS")
WIDE = 100
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def plain(value: object, style: str = "") -> Text:
    """Return a hostile value as styled text: nothing in it is read as markup or moves the reader's cursor."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Text(visible(text), style=style)


def print_json(value: Any) -> None:
    """Write one JSON value as one line of standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def say(message: str, style: str = "") -> None:
    """Write a line for the person at the terminal, on standard error."""
    err.print(Text(message, style=style))


def place_of(error: TallystickError) -> str:
    """Return where in the input an error lies, or an empty string."""
    if not isinstance(error, InvalidInputError):
        return ""
    parts = []
    if error.item is not None:
        parts.append(f"event {error.item + 1}")
    if error.pointer:
        parts.append(f"at {visible(error.pointer)}")
    if error.line is not None:
        parts.append(f"line {error.line}" + (f", column {error.column}" if error.column is not None else ""))
    return ", ".join(parts)


def print_error(error: TallystickError, *, as_json: bool = False) -> None:
    """Write an error with its code, its place and what to do about it."""
    place = place_of(error)
    if as_json:
        document = {"code": error.code, "message": error.message, "place": place, "advice": error.advice}
        sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")
        return
    line = Text("error: ", style="bold red")
    line.append(visible(error.message), style="bold")
    line.append(f"  [{error.code}]", style="dim")
    err.print(line, soft_wrap=not err.is_terminal)
    if place and place not in error.message:
        err.print(Text(f"  where: {place}"), soft_wrap=not err.is_terminal)
    if error.advice:
        err.print(Text(f"  to do: {visible(error.advice)}"), soft_wrap=not err.is_terminal)
