"""The guide to operating names only figures, commands, options, settings and errors that there are."""

from __future__ import annotations

import re

from tests.paths import ROOT

from tallystick.api.metrics import METRICS
from tallystick.cli.reference import known_errors, render_commands, render_settings

GUIDE = (ROOT / "docs" / "guide" / "operating.md").read_text(encoding="utf-8")


def test_every_figure_to_alert_on_is_served() -> None:
    named = set(re.findall(r"\btallystick_[a-z_]+", GUIDE))
    assert len(named) > 5
    assert named <= set(METRICS)


def test_every_command_and_option_exists() -> None:
    sections = dict(
        re.findall(r"^## tallystick ([a-z -]+)\n(.*?)(?=^## |\Z)", render_commands(), re.MULTILINE | re.DOTALL)
    )
    used = re.findall(r"(?:^|`|bin/)tallystick ((?:[a-z-]+ ?)+)([^`\n#]*)", GUIDE, re.MULTILINE)
    assert len(used) > 10
    for words, rest in used:
        name = next(
            (each for each in sorted(sections, key=len, reverse=True) if f"{words} ".startswith(f"{each} ")), ""
        )
        assert name, f"there is no command tallystick {words}"
        for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", rest):
            assert f"`{option}`" in sections[name], f"tallystick {name} has no {option}"


def test_every_setting_and_every_error_exists() -> None:
    settings = render_settings()
    assert all(f"`{name}`" in settings for name in re.findall(r"\bTALLYSTICK_[A-Z_]+", GUIDE))
    codes = {kind.code for kind in known_errors()}
    named = set(re.findall(r"\(`([a-z]+(?:-[a-z]+)+)`\)", GUIDE)) | {"storage-full", "data-in-use", "ledger-locked"}
    assert len(named) > 5
    assert named <= codes
