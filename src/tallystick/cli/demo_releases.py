"""Releases of the demo organisation that its people made here, with everything that can happen to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tallystick.cli.demo_people import caller
from tallystick.intake.demo.company import ROOT
from tallystick.releases.model import Draft, Edit

if TYPE_CHECKING:
    from tallystick.server import Instance

OWNER: Final = "ana.sousa"
READER: Final = "callum.grant"
ADDRESS: Final = "192.0.2.34"
API: Final = f"{ROOT}/platform/api"
CONSOLE: Final = f"{ROOT}/platform/console"
NOTES: Final = """\
Settlement reports by currency.

- Reports are made per currency; totals across currencies are gone.
- The old report stays for this quarter.
"""
BUILD: Final = b"wrenfield api 5.0, as the release bot built it\n" * 400


def make_releases(instance: Instance) -> None:
    """Make three releases as the owner of the platform: one rich, one small, one deleted again."""
    releases, owner, reader = (
        instance.services.releases,
        caller(instance, OWNER, ADDRESS),
        caller(instance, READER, ADDRESS),
    )
    register, artifacts = releases.register, releases.artifacts
    register.create_milestone(owner, f"{ROOT}/platform", "2026 winter")
    register.create_milestone(owner, API, "Reports by currency")
    draft = Draft(
        API, "v5.0", "api winter", "Settlement reports by currency.", "4f7d0c2a9be1", ("Reports by currency",)
    )
    api = register.create(owner, draft)
    artifacts.add_file(owner, api, "api-5.0.tar.gz", BUILD)
    artifacts.add_link(owner, api, "Release notes", "https://notes.wrenfield.example/api/5.0")
    edit = Edit(description=NOTES, milestones=("Reports by currency", "2026 winter"))
    register.edit(owner, api, edit, version=register.get(owner, api).release.version)
    evidence = artifacts.collect(owner, api)
    artifacts.open_asset(reader, api, "api-5.0.tar.gz").file.close()
    artifacts.open_evidence(reader, api, evidence).file.close()
    register.create(owner, Draft(CONSOLE, "v3.0", "console winter", milestones=("2026 winter",)))
    wrong = register.create(owner, Draft(CONSOLE, "v3.0.1", "console winter, rebuilt", "Tagged on the wrong commit."))
    register.delete(owner, wrong, version=register.get(owner, wrong).release.version)
