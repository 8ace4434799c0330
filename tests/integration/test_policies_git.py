"""Policies that are kept in Git: every change exactly once, by whom a signature says, and nothing of a repository runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import Installation, installation
from tests.policy_world import (
    ANA,
    BEN,
    GPG,
    SSH,
    Register,
    Repository,
    approval,
    end_agent,
    gpg_signing,
    need,
    policies,
    ssh_signing,
)

from tallystick.access.operator import OPERATOR
from tallystick.policies.model import DEFAULT_PATH, State

TWO = policies(approval("Two eyes"), approval("Four eyes", needed=2))


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
    return Repository.make(tmp_path / "policies", TWO)


def test_each_policy_that_a_commit_changes_gives_one_event(register: Register, repository: Repository) -> None:
    project = register.add(repository, ("acme/payments", "acme/web", "acme/api"))
    assert register.sync(project).state is State.IN_STEP
    assert register.told(project) == [("created", "Two eyes"), ("created", "Four eyes")]
    commit = repository.commit(policies(approval("Two eyes", needed=3), approval("Four eyes", needed=2)))
    register.sync(project)
    [changed] = register.changes(project)[2:]
    assert (changed.action, changed.name) == ("security_policy.updated", "Two eyes")
    assert changed.changes == ({"field": "/actions/0/approvals_required", "old": 1, "new": 3},)
    assert changed.facts["commit"] == commit
    assert changed.facts["kind"] == "approval"
    assert changed.facts["enabled"] is True
    assert changed.affected == changed.affected_before == ("acme/api", "acme/payments", "acme/web")
    repository.commit(policies(approval("Two eyes", needed=3)))
    register.sync(project)
    assert register.told(project)[3:] == [("deleted", "Four eyes")]
    assert register.changes(project)[-1].affected == ()
    assert register.names(project) == {"Two eyes": True}


def test_looking_again_appends_nothing(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    size = register.house.instance.ledger.status().acknowledged.size
    for _ in range(3):
        register.sync(project)
    assert register.house.instance.ledger.status().acknowledged.size == size


def test_commits_that_touch_no_policy_append_nothing(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    (repository.path / "README.md").write_text("about")
    repository.commit(TWO)
    before = register.actions(project)
    register.sync(project)
    assert register.actions(project) == before


def test_each_of_several_commits_answers_for_its_own_change(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    first = repository.commit(policies(approval("Two eyes", needed=2), approval("Four eyes", needed=2)))
    second = repository.commit(policies(approval("Two eyes", needed=2)), who=BEN)
    register.sync(project)
    updated, deleted = register.changes(project)[2:]
    assert (updated.facts["commit"], updated.personal["author"]) == (first, "Ana Lind <ana@example.org>")
    assert (deleted.facts["commit"], deleted.personal["author"]) == (second, "Ben Holm <ben@example.org>")


def test_a_merge_answers_for_what_it_brings_and_names_its_commits(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.git("switch", "--quiet", "--create", "change")
    inside = repository.commit(policies(approval("Two eyes"), approval("Six eyes")), who=BEN)
    repository.git("switch", "--quiet", "main")
    repository.git("merge", "--quiet", "--no-ff", "--message=Merge change", "change")
    register.sync(project)
    events = register.changes(project)[2:]
    assert [event.name for event in events] == ["Four eyes", "Six eyes"]
    assert {event.facts["commit"] for event in events} == {repository.head()}
    assert all(event.facts["merged_commits"] == [inside] for event in events)
    assert all(event.personal["committer"] == "Ana Lind <ana@example.org>" for event in events)


def test_a_rename_is_a_delete_and_a_create_that_name_each_other(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.commit(policies(approval("Two pairs of eyes"), approval("Four eyes", needed=2)))
    register.sync(project)
    deleted, created = register.changes(project)[2:]
    assert (deleted.action, deleted.name, deleted.facts["supersedes"]) == (
        "security_policy.deleted",
        "Two eyes",
        "Two pairs of eyes",
    )
    assert (created.action, created.name, created.facts["supersedes"]) == (
        "security_policy.created",
        "Two pairs of eyes",
        "Two eyes",
    )


def test_who_made_an_unsigned_commit_is_told_as_unverified(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.commit(policies(approval("Two eyes")))
    register.sync(project)
    event = register.changes(project)[-1]
    assert (event.actor_id, event.actor_type) == ("git", "unknown")
    assert event.facts["author_verified"] is event.facts["committer_verified"] is False
    assert event.facts["signature"] == {"status": "none"}
    assert event.personal["author"] == "Ana Lind <ana@example.org>"


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_good_signature_makes_the_committer_the_actor(
    register: Register, repository: Repository, tmp_path: Path, kind: str
) -> None:
    need(SSH if kind == "ssh" else GPG)
    keys = tmp_path / "keys"
    if kind == "ssh":
        told = {"signers": ssh_signing(repository, keys, ANA[1])}
    else:
        told = {"keys": gpg_signing(repository, keys, *ANA)}
    try:
        project = register.add(repository, **told)
        register.sync(project)
        repository.commit(policies(approval("Two eyes")))
        repository.commit(policies(approval("Two eyes", needed=2)), who=BEN)
    finally:
        end_agent(keys)
    register.sync(project)
    hers, others = register.changes(project)[2:]
    assert (hers.actor_id, hers.actor_type, hers.actor_name) == ("ana@example.org", "user", "Ana Lind")
    assert hers.facts["author_verified"] is hers.facts["committer_verified"] is True
    assert (hers.facts["signature"]["status"], hers.facts["signature"]["kind"]) == ("good", kind)
    assert (others.actor_id, others.facts["committer_verified"]) == ("git", False), "signed by a key of somebody else"
    assert others.personal["signer"] == "ana@example.org"


@pytest.mark.parametrize("kind", ["ssh", "gpg"])
def test_a_signature_by_a_key_that_nobody_named_verifies_nothing(
    register: Register, repository: Repository, tmp_path: Path, kind: str
) -> None:
    need(SSH if kind == "ssh" else GPG)
    keys = tmp_path / "keys"
    if kind == "ssh":
        ssh_signing(repository, keys, ANA[1])
    else:
        gpg_signing(repository, keys, *ANA)
    try:
        project = register.add(repository)
        register.sync(project)
        repository.commit(policies(approval("Two eyes")))
    finally:
        end_agent(keys)
    register.sync(project)
    event = register.changes(project)[-1]
    assert (event.actor_id, event.facts["committer_verified"]) == ("git", False)
    assert event.facts["signature"] == {"status": "unknown", "kind": kind}


def test_a_signature_that_was_moved_to_another_commit_is_bad(
    register: Register, repository: Repository, tmp_path: Path
) -> None:
    need(SSH)
    project = register.add(repository, signers=ssh_signing(repository, tmp_path / "keys", ANA[1]))
    register.sync(project)
    repository.commit(policies(approval("Two eyes")))
    raw = repository.git("cat-file", "commit", "HEAD") + "\n"
    forged = raw.replace("policies", "something else")
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=repository.path,
        input=forged,
        capture_output=True,
        check=True,
        text=True,
    )
    repository.git("reset", "--quiet", "--hard", done.stdout.strip())
    register.sync(project)
    event = register.changes(project)[-1]
    assert event.facts["signature"]["status"] == "bad"
    assert event.facts["committer_verified"] is False


def test_hostile_names_in_a_commit_are_kept_and_stop_nothing(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.write(policies(approval("Two eyes")))
    repository.git("add", "--all")
    tree = repository.git("write-tree")
    name = "A\u202eB\x1b[31m" + "x" * 5000
    raw = f"tree {tree}\nparent {repository.head()}\nauthor {name} <a@\u200bb> 1800000000 +0000\n"
    raw += "committer \u0007B <b@example.org> 1800000000 +0000\n\nmessage\n"
    done = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"],
        cwd=repository.path,
        input=raw.encode(),
        capture_output=True,
        check=True,
    )
    repository.git("reset", "--quiet", "--hard", done.stdout.decode().strip())
    found = register.sync(project)
    assert found.state is State.IN_STEP, found.reason
    assert register.told(project)[2:] == [("deleted", "Four eyes")]
    event = register.changes(project)[-1]
    assert event.actor_id == "git"
    assert event.personal["author"].startswith("A\u202eB\x1b[31mxxx")
    assert len(event.personal["author"]) < 1000


def test_the_pusher_stands_in_the_events_of_that_very_commit(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    first = repository.commit(policies(approval("Two eyes"), approval("Four eyes", needed=3)))
    second = repository.commit(policies(approval("Two eyes")))
    register.sync(project, pusher="ben", commit=second)
    register.sync(project, pusher="somebody else", commit=second)
    by_commit = {event.facts["commit"]: event for event in register.changes(project)[2:]}
    assert by_commit[second].personal["pusher"] == "ben"
    assert by_commit[second].facts["pusher_told_by"] == OPERATOR.id
    assert "pusher" not in by_commit[first].personal


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        (policies(approval("Two eyes", more="  colour: blue\n")), 4, 3, "colour"),
        (policies(approval("Two eyes"), approval("Two eyes")), 11, 3, "twice"),
        ("approval_policy:\n- name: &a x\n  description: *a\n", 2, 9, "aliases"),
        ("approval_policy:\n- name: !!python/name:os.system x\n", 2, 9, "tags"),
        ("approval_policy: [\n", 2, 1, "not YAML"),
        ("approval_policy:\n" + " [" * 40 + "]" * 40 + "\n", 2, 64, "deeper"),
    ],
)
def test_what_cannot_be_accepted_is_on_record_with_its_place_and_changes_nothing(
    register: Register, repository: Repository, text: str, line: int, column: int, said: str
) -> None:
    project = register.add(repository)
    register.sync(project)
    commit = repository.commit(text)
    for _ in range(2):
        found = register.sync(project)
    assert found.state is State.REJECTED
    assert register.names(project) == {"Two eyes": True, "Four eyes": True}
    [event] = [step for step in register.steps(project) if step.action == "security_policy.rejected"]
    assert (event.facts["line"], event.facts["column"], event.facts["commit"]) == (line, column, commit)
    assert said in (event.reason or "")
    repository.commit(policies(approval("Two eyes")))
    assert register.sync(project).state is State.IN_STEP
    assert register.told(project)[2:] == [("deleted", "Four eyes")]


def test_a_text_that_is_too_large_is_refused_unread(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.commit(TWO + "# " + "x" * (1 << 20) + "\n")
    found = register.sync(project)
    assert found.state is State.REJECTED
    assert found.rejected is not None
    assert "at most 1048576" in (found.rejected.message or "")
    assert register.names(project) == {"Two eyes": True, "Four eyes": True}


def test_a_symbolic_link_in_place_of_the_policies_is_not_followed(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.file.unlink()
    repository.file.symlink_to("/etc/passwd")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message=link")
    found = register.sync(project)
    assert found.rejected is not None
    assert "symbolic link" in (found.rejected.message or "")
    assert register.names(project) == {"Two eyes": True, "Four eyes": True}


def test_a_submodule_in_place_of_the_policies_is_not_fetched(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.git("rm", "--quiet", "-r", "--cached", ".gitlab")
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{repository.head()},{DEFAULT_PATH}")
    (repository.path / ".gitmodules").write_text(
        f'[submodule "x"]\n\tpath = {DEFAULT_PATH}\n\turl = ext::sh -c touch% {repository.path}/ran\n'
    )
    repository.git("add", ".gitmodules")
    repository.git("commit", "--quiet", "--message=module")
    found = register.sync(project)
    assert found.state is State.REJECTED
    assert not (repository.path / "ran").exists()


def test_nothing_of_a_repository_runs(register: Register, repository: Repository, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    touch = f"sh -c 'touch {ran}; cat'"
    hooks = repository.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "post-checkout",
        "pre-commit",
        "post-commit",
        "reference-transaction",
        "post-index-change",
        "pre-auto-gc",
    ):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    text = policies(approval("Two eyes", needed=5))
    repository.write(text)
    (repository.path / ".gitattributes").write_text(f"{DEFAULT_PATH} filter=evil diff=evil\n")
    repository.git("add", "--all")
    repository.git("-c", "core.hooksPath=/dev/null", "commit", "--quiet", "--message=evil")
    for name, value in {
        "filter.evil.smudge": touch,
        "filter.evil.clean": touch,
        "diff.evil.textconv": touch,
        "core.fsmonitor": touch,
        "core.sshCommand": touch,
        "core.pager": touch,
        "core.editor": touch,
        "gpg.program": touch,
        "gpg.ssh.program": touch,
        "uploadpack.packObjectsHook": touch,
        "core.alternateRefsCommand": touch,
        "credential.helper": f"!touch {ran}",
        "extensions.partialClone": "origin",
        "remote.origin.url": f"ext::sh -c touch% {ran}",
        "remote.origin.promisor": "true",
        "protocol.ext.allow": "always",
        "alias.upload-pack": f"!touch {ran}",
        "include.path": "/etc/hostname",
    }.items():
        repository.git("config", name, value)
    ran.unlink(missing_ok=True)
    project = register.add(repository)
    assert register.sync(project).state is State.IN_STEP
    assert register.names(project) == {"Two eyes": True}
    assert not ran.exists()


def test_a_rewritten_history_is_on_record_and_only_its_ends_are_compared(
    register: Register, repository: Repository
) -> None:
    project = register.add(repository)
    register.sync(project)
    left = repository.commit(policies(approval("Two eyes")))
    register.sync(project)
    repository.git("checkout", "--quiet", "--detach", "HEAD~1")  # the branch moves once: the follower looks at any time
    new = repository.commit(policies(approval("Two eyes"), approval("Eight eyes")), "--amend", who=BEN)
    repository.git("branch", "--quiet", "--force", "main", new)
    assert register.sync(project).state is State.IN_STEP
    [rewritten] = [step for step in register.steps(project) if step.action == "policy_project.history_rewritten"]
    assert (rewritten.facts["was"], rewritten.facts["commit"]) == (left, new)
    event = register.changes(project)[-1]
    assert (event.name, event.facts["basis"], event.personal) == ("Eight eyes", "ends", {})
    copy = register.house.instance.settings.data / "policies" / f"{project}.git"
    kept = subprocess.run(
        ["git", "--git-dir", str(copy), "cat-file", "-t", left], capture_output=True, text=True, check=True
    )
    assert kept.stdout.strip() == "commit", "what a rewrite left behind is kept"


def test_a_branch_that_vanished_leaves_the_policies_in_force(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.git("switch", "--quiet", "--create", "other")
    repository.git("branch", "--quiet", "-D", "main")
    for _ in range(2):
        found = register.sync(project)
    assert (found.state, found.reason) == (State.UNREACHABLE, "branch-missing")
    assert register.names(project) == {"Two eyes": True, "Four eyes": True}
    repository.git("branch", "--quiet", "main")
    assert register.sync(project).state is State.IN_STEP
    assert register.actions(project).count("policy_project.sync_failed") == 1
    assert register.actions(project).count("policy_project.reached") == 1
    assert register.told(project) == [("created", "Two eyes"), ("created", "Four eyes")]


@pytest.mark.parametrize(
    ("address", "reason"),
    [("/nowhere/at/all", "repository-missing"), ("https://127.0.0.1:9/policies.git", "unreachable")],
)
def test_a_repository_that_is_not_there_is_said_so(
    register: Register, tmp_path: Path, address: str, reason: str
) -> None:
    project = register.add(Repository(Path("/x")), title=f"not there {reason}")
    register.room.service.change(OPERATOR, project, {"repository": address})
    found = register.sync(project)
    assert (found.state, found.reason) == (State.UNREACHABLE, reason)


def test_a_file_that_goes_away_deletes_its_policies(register: Register, repository: Repository) -> None:
    project = register.add(repository)
    register.sync(project)
    repository.commit(None)
    register.sync(project)
    assert register.told(project)[2:] == [("deleted", "Two eyes"), ("deleted", "Four eyes")]
    assert register.names(project) == {}


def test_where_events_are_off_nothing_is_read_until_they_are_on(register: Register, repository: Repository) -> None:
    settings = register.house.instance.services.settings
    settings.change(OPERATOR, {"security_policy_events": ["acme/other"]})
    project = register.add(repository)
    repository.commit(policies(approval("Two eyes")))
    register.room.service._sync.project(project)
    assert register.changes(project) == []
    settings.change(OPERATOR, {"security_policy_events": ["acme/security"]})
    register.sync(project)
    assert register.told(project) == [("created", "Two eyes")]
    settings.change(OPERATOR, {"security_policy_events": "on"})


def test_replay_makes_the_register_again(register: Register, repository: Repository) -> None:
    project = register.add(repository, ("acme/payments", "acme/web"))
    register.sync(project)
    repository.commit(policies(approval("Two pairs of eyes"), approval("Four eyes", needed=3)))
    register.sync(project)
    repository.commit("nonsense: [")
    register.sync(project)

    def everything() -> object:
        reading = register.room.reading
        return (
            reading.projects(OPERATOR),
            reading.policies(OPERATOR, project),
            reading.history(OPERATOR, project),
            reading.governing(OPERATOR, "acme/web"),
        )

    before = everything()
    register.house.instance.rebuild()
    assert everything() == before
