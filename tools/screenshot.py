"""Make the README's pictures from what the commands really print: `python tools/screenshot.py DEMO-DATA STATE-DIR`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

WIDTH = 120
ROOT = Path(__file__).resolve().parent.parent
COMMANDS = (
    ("tallystick", "search", "'severity>=high'", "--limit", "9"),
    ("tallystick", "verify", "demo-data"),
)


def main(data: str, state: str) -> None:
    """Run the commands on the demo's data and keep their output as one picture."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TALLYSTICK_STATE": state}
    for words in COMMANDS:
        console.print(Text(f"$ {' '.join(words)}", style="bold green"))
        actual = [data if word == "demo-data" else word.strip("'") for word in words[1:]]
        if "verify" in actual:
            actual.append("--quiet")
        else:
            environment["TALLYSTICK_DATA"] = data
        done = subprocess.run(
            [sys.executable, "-m", "tallystick.cli", *actual],
            env=environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        console.print(Text.from_ansi(done.stdout.decode().rstrip()))
        console.print()
    # Fonts are the reader's own: a picture must not fetch anything.
    style = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(str(ROOT / "docs/images/search.svg"), title="tallystick", code_format=style)


if __name__ == "__main__":
    main(*sys.argv[1:])
