from __future__ import annotations

import re

import typer
from tests.paths import ROOT
from typer.main import get_command

from tallystick.cli.check import register
from tallystick.note import parse_policy
from tallystick.verify.model import ExitStatus, Tier

GUIDE = (ROOT / "docs" / "guide" / "verifying.md").read_text("utf-8")


def options(command: str) -> set[str]:
    app = typer.Typer()
    register(app)
    found = get_command(app).commands[command]  # type: ignore[attr-defined]
    return {name for parameter in found.params for name in parameter.opts if name.startswith("--")}


def test_every_option_that_the_guide_names_exists_and_the_other_way_round() -> None:
    named = set(re.findall(r"(--[a-z]+)", GUIDE)) - {"--url"}
    known = options("verify") | options("verify-proof")
    assert named <= known
    assert {"--against", "--policy", "--key", "--skew", "--json"} <= named


def test_every_exit_status_and_tier_is_explained() -> None:
    assert {int(number) for number in re.findall(r"^\| (\d) \|", GUIDE, re.MULTILINE)} == set(ExitStatus)
    assert all(f"| *{tier}* |" in GUIDE for tier in Tier)


def test_the_example_policy_is_one() -> None:
    found = re.search(r"```text policy\n(.*?)```", GUIDE, re.DOTALL)
    assert found is not None
    example = found[1].encode()
    lines = example.splitlines()
    assert [line.split()[0] for line in lines] == [b"log", b"witness", b"quorum"]
    assert parse_policy(example).quorum == "security-team"
