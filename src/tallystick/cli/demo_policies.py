"""Security policies of the demo organisation: a project kept in Git, and one kept here with approval by another."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.access.model import Caller
from tallystick.cli.demo_people import caller
from tallystick.errors import InvalidInputError
from tallystick.intake.demo.company import BY_ID, ROOT
from tallystick.policies.git import surroundings
from tallystick.policies.model import DEFAULT_PATH, ProjectSettings, digest_of

if TYPE_CHECKING:
    from tallystick.server import Instance

LEAD: Final = "beatriz.lima"
KEEPER: Final = "divya.pillai"
ADDRESS: Final = "192.0.2.35"
OWNER: Final = f"{ROOT}/security"
FOLDER: Final = "demo-policies"
APPROVAL: Final = """\
approval_policy:
- name: Somebody else approves payments
  description: Whoever wrote a change of the payment services never merges it alone.
  enabled: true
  rules:
  - type: any_merge_request
    branch_type: protected
    commits: any
  actions:
  - type: require_approval
    approvals_required: 1
    role_approvers: [maintainer]
"""
SCANS: Final = """\
scan_execution_policy:
- name: Secrets are looked for in every push
  enabled: true
  rules:
  - type: pipeline
    branch_type: all
  actions:
  - scan: secret_detection
"""


def make_policies(instance: Instance) -> None:
    """Make both projects, with a change, a rename, a version that was refused, and a proposal that waits."""
    lead, keeper = caller(instance, LEAD, ADDRESS), caller(instance, KEEPER, ADDRESS)
    if shutil.which("git") is not None:
        _keep_in_git(instance, lead)
    _keep_here(instance, lead, keeper)


def _keep_in_git(instance: Instance, lead: Caller) -> None:
    service, repository = instance.services.policies.service, (instance.settings.data / FOLDER).resolve()
    repository.mkdir(mode=0o700)
    _git(repository, KEEPER, "init", "--quiet", "--initial-branch=main", "--template=")
    _commit(repository, KEEPER, APPROVAL)
    governed = (f"{ROOT}/payments", f"{ROOT}/platform")
    settings = ProjectSettings("Wrenfield security policies", OWNER, governed, "git", str(repository), "main")
    project = service.register(lead, settings)
    renamed = SCANS.replace("Secrets are looked for in every push", "No secrets in code")
    for author, text in (
        (KEEPER, APPROVAL + SCANS),
        (LEAD, APPROVAL.replace("approvals_required: 1", "approvals_required: 2") + SCANS),
        (KEEPER, APPROVAL.replace("approvals_required: 1", "approvals_required: 2") + renamed),
        (KEEPER, APPROVAL + renamed.replace("enabled: true", "enable: true")),
    ):
        service.sync(lead, project)
        _commit(repository, author, text)
    service.sync(lead, project)


def _keep_here(instance: Instance, lead: Caller, keeper: Caller) -> None:
    service = instance.services.policies.service
    governed = (f"{ROOT}/devices",)
    project = service.register(lead, ProjectSettings("Device firmware", OWNER, governed, "here", approval=True))
    text = APPROVAL.replace("payments", "firmware").replace("payment services", "firmware")
    first = service.propose(keeper, project, text, None, "Firmware cannot be recalled once it is out")
    service.approve(lead, project, first, digest_of(text.encode()), "As agreed with the device team")
    with suppress(InvalidInputError):  # refused with its place, which is what is to be seen
        service.propose(keeper, project, text + "colour: blue\n", digest_of(text.encode()), "A slip of the pen")
    more = text.replace("approvals_required: 1", "approvals_required: 2")
    service.propose(keeper, project, more, digest_of(text.encode()), "Two people for what cannot be recalled")


def _commit(repository: Path, author: str, text: str) -> None:
    file = repository / DEFAULT_PATH
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    _git(repository, author, "add", "--all")
    _git(repository, author, "commit", "--quiet", "--message=Change the policies")


def _git(repository: Path, author: str, *arguments: str) -> None:
    person = BY_ID[author]
    people = {f"GIT_{who}_NAME": person.name for who in ("AUTHOR", "COMMITTER")}
    people |= {f"GIT_{who}_EMAIL": person.email for who in ("AUTHOR", "COMMITTER")}
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    subprocess.run(command, cwd=repository, env={**surroundings(), **people}, check=True, capture_output=True)
