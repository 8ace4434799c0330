"""Real Git repositories with policies in them, and the register that reads them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation

from tallystick.access.operator import OPERATOR
from tallystick.policies import PolicyRoom
from tallystick.policies.model import DEFAULT_PATH, Project, ProjectSettings, State, Step

SSH = "ssh-keygen"
GPG = "gpg"
ANA = ("Ana Lind", "ana@example.org")
BEN = ("Ben Holm", "ben@example.org")


def approval(name: str, *, enabled: bool = True, needed: int = 1, more: str = "") -> str:
    """Return an approval policy as lines of YAML, for `policies`."""
    return (
        f"- name: {name}\n  enabled: {str(enabled).lower()}\n{more}"
        "  rules:\n  - type: any_merge_request\n    commits: any\n"
        f"  actions:\n  - type: require_approval\n    approvals_required: {needed}\n    role_approvers: [maintainer]\n"
    )


def policies(*entries: str) -> str:
    """Return the text of policies with these approval policies in it."""
    return "approval_policy:\n" + "".join(entries) if entries else "approval_policy: []\n"


def need(program: str) -> None:
    """Skip the test, with a plain word, where a program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


@dataclass
class Repository:
    """A repository with a work tree, as somebody who writes policies has it."""

    path: Path
    branch: str = "main"
    settings: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, path: Path, text: str | None = None) -> Repository:
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", f"--initial-branch={made.branch}")
        if text is not None:
            made.commit(text)
        return made

    def git(self, *arguments: str, who: tuple[str, str] = ANA, **environment: str) -> str:
        """Run git as somebody, without the configuration of whoever runs the tests."""
        name, email = who
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.path.parent)}
        said = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
        people = {
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": email,
        }
        done = subprocess.run(
            ["git", *self.settings, *arguments],
            cwd=self.path,
            env={**kept, **said, **people, **environment},
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def file(self) -> Path:
        return self.path / DEFAULT_PATH

    def write(self, text: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text)

    def commit(self, text: str | None, *options: str, who: tuple[str, str] = ANA, **environment: str) -> str:
        """Commit a version, or its absence, and return the commit."""
        if text is None:
            self.file.unlink()
        else:
            self.write(text)
        self.git("add", "--all", who=who)
        self.git("commit", "--quiet", "--allow-empty", "--message=policies", *options, who=who, **environment)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


@dataclass
class Register:
    """The register of an installation, as the operator uses it."""

    house: Installation

    @property
    def room(self) -> PolicyRoom:
        return self.house.instance.services.policies

    def add(self, repository: Repository, governed: Sequence[str] = ("acme/payments",), **more: Any) -> str:
        """Register a project that is kept in a repository."""
        told = {
            "title": repository.path.parent.name or "policies",
            "scope": "acme/security",
            "branch": repository.branch,
            **more,
        }
        settings = ProjectSettings(kept="git", repository=str(repository.path), governed=tuple(governed), **told)
        return self.room.service.register(OPERATOR, settings)

    def here(self, governed: Sequence[str] = ("acme/payments",), **more: Any) -> str:
        """Register a project that is kept here."""
        told = {"title": "kept here", "scope": "acme/security", **more}
        return self.room.service.register(OPERATOR, ProjectSettings(kept="here", governed=tuple(governed), **told))

    def retire_all(self) -> None:
        """End every project, so that nothing is read any more."""
        for each in self.room.reading.projects(OPERATOR):
            if each.state is not State.RETIRED:
                self.room.service.retire(OPERATOR, each.project)

    def sync(self, project: str, **more: Any) -> Project:
        return self.room.service.sync(OPERATOR, project, **more)

    def steps(self, project: str) -> list[Step]:
        """Return everything that was done in a project, the oldest first."""
        return list(reversed(self.room.reading.history(OPERATOR, project, limit=200)))

    def changes(self, project: str) -> list[Step]:
        """Return the events of policies, the oldest first."""
        verbs = {"security_policy.created", "security_policy.updated", "security_policy.deleted"}
        return [step for step in self.steps(project) if step.action in verbs]

    def told(self, project: str) -> list[tuple[str, str | None]]:
        """Return what became of which policy, the oldest first."""
        return [(step.action.rpartition(".")[2], step.name) for step in self.changes(project)]

    def actions(self, project: str) -> list[str]:
        return [step.action for step in self.steps(project)]

    def names(self, project: str) -> Mapping[str, bool]:
        """Return the policies in force, by name, with whether they are enabled."""
        return {each.name: each.enabled for each in self.room.reading.policies(OPERATOR, project)}


def ssh_signing(repository: Repository, folder: Path, email: str) -> str:
    """Have a repository sign with a new SSH key, and return the line of who may sign with it."""
    folder.mkdir(parents=True, exist_ok=True)
    key = folder / "key"
    subprocess.run([SSH, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    repository.settings += ["-c", "gpg.format=ssh", "-c", f"user.signingkey={key}", "-c", "commit.gpgsign=true"]
    return f"{email} {key.with_suffix('.pub').read_text().strip()}\n"


def gpg_signing(repository: Repository, home: Path, name: str, email: str) -> str:
    """Have a repository sign with a new OpenPGP key, and return the public key in ASCII armour."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    gpg = [GPG, "--homedir", str(home), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    subprocess.run([*gpg, "--quick-generate-key", f"{name} <{email}>", "ed25519", "sign", "never"], check=True)
    program = home / "gpg-here"
    program.write_text(f'#!/bin/sh\nexec gpg --homedir "{home}" --batch --pinentry-mode loopback "$@"\n')
    program.chmod(0o700)
    repository.settings += [
        "-c",
        f"gpg.program={program}",
        "-c",
        f"user.signingkey={email}",
        "-c",
        "commit.gpgsign=true",
    ]
    done = subprocess.run([*gpg, "--armor", "--export", email], check=True, capture_output=True, text=True)
    return done.stdout


def end_agent(home: Path) -> None:
    """End the agent that serves a folder of OpenPGP keys."""
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, capture_output=True)
