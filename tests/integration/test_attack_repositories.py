"""Repositories that want to hide a change, to fill the memory or the disk, or to stay unread for good."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation
from tests.policy_world import Register, Repository, approval, policies

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.errors import PermissionMissingError
from tallystick.policies import git as git_module
from tallystick.policies.errors import RepositoryError
from tallystick.policies.git import Git
from tallystick.policies.model import ProjectSettings, State

ONE = policies(approval("One"))
TWO = policies(approval("One"), approval("Two"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture
def register(house: Installation) -> Iterator[Register]:
    register = Register(house)
    yield register
    register.retire_all()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.make(tmp_path / "policies", ONE)


@pytest.fixture
def copy(tmp_path: Path) -> Git:
    made = Git(tmp_path / "copy.git", threading.Event())
    made.prepare()
    return made


def test_a_branch_whose_name_ends_like_the_one_that_is_read_hides_no_change(
    register: Register, repository: Repository
) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.git("branch", "aaa/refs/heads/main")
    head = repository.commit(TWO)
    assert register.sync(project).synced_commit == head
    assert register.told(project) == [("created", "One"), ("created", "Two")]


def test_a_branch_that_is_gone_is_not_taken_for_one_whose_name_ends_so(
    register: Register, repository: Repository
) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.git("branch", "aaa/refs/heads/main")
    repository.git("checkout", "--quiet", "--detach")
    repository.git("branch", "-D", "main")
    synced = register.sync(project)
    assert (synced.state, synced.reason) == (State.UNREACHABLE, "branch-missing")


def test_a_repository_is_read_again_after_git_was_killed_in_the_middle(
    copy: Git, repository: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / "copy.git"
    copy.fetch(str(repository.path), "main")
    left = [
        folder / "refs" / "tallystick" / "head.lock",
        folder / "shallow.lock",
        folder / "objects" / "pack" / "tmp_pack_4xQp1z",
        folder / "objects" / "pack" / "tmp_idx_9aYk2c",
    ]
    for each in left:
        each.write_bytes(b"half of something")
    head = repository.commit(TWO)
    assert copy.fetch(str(repository.path), "main") == head
    assert [each for each in left if each.exists()] == []


def test_a_copy_does_not_grow_without_end(copy: Git, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.fetch(str(repository.path), "main")
    monkeypatch.setattr(git_module, "COPY_BYTES_MAX", 1)
    repository.commit(TWO)
    with pytest.raises(RepositoryError) as refused:
        copy.fetch(str(repository.path), "main")
    assert refused.value.reason == "too-large"


def test_words_without_end_from_a_repository_are_not_kept(
    tmp_path: Path, copy: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nhead -c 50000000 /dev/zero >&2\necho "fsck: bad" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    tracemalloc.start()
    try:
        with pytest.raises(RepositoryError) as refused:
            copy.text("status")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert refused.value.reason == "damaged"
    assert most < 8 << 20


@pytest.mark.parametrize("repository", ["ssh://git@git.example.org/secret.git", "git@git.example.org:secret.git"])
def test_what_the_keys_of_the_server_open_is_for_who_manages_policies_everywhere(
    house: Installation, register: Register, repository: str
) -> None:
    rights = Rights.of([(Permission.POLICIES_MANAGE, "acme"), (Permission.POLICIES_READ, "acme")])
    somebody = Caller("p-1", "user", "somebody", rights, "192.0.2.1", "page")
    told: dict[str, Any] = {"scope": "acme/security", "governed": ("acme/payments",), "kept": "git", "branch": "main"}
    service = register.room.service
    with pytest.raises(PermissionMissingError):
        service.register(somebody, ProjectSettings(title="over ssh", repository=repository, **told))
    open_to_all = ProjectSettings(title="open", repository="https://git.example.invalid/policies.git", **told)
    project = service.register(somebody, open_to_all)
    with pytest.raises(PermissionMissingError):
        service.change(somebody, project, {"repository": repository})
    assert service.register(OPERATOR, ProjectSettings(title="over ssh", repository=repository, **told))
