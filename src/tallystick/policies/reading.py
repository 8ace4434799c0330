"""From a Git repository to the versions of its policies since the last one that is on record."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tallystick.event.located_yaml import YAML_BYTES_MAX
from tallystick.policies.document import parse_policies
from tallystick.policies.errors import PolicyTextError
from tallystick.policies.git import Git
from tallystick.policies.model import Commit, Person, Project, Version, digest_of
from tallystick.policies.signatures import check_signature

VERSIONS_MAX: Final = 100
"""Beyond so many commits since the last sync only the ends are compared, and nobody is named."""
MERGED_MAX: Final = 50
COMMIT_BYTES_MAX: Final = 1 << 20
_PERSON: Final = re.compile(rb"(.*?) ?<([^<>]*)> (-?\d{1,15}) [+-]\d{4}")
_NAME_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look at a repository gave: where its branch ends, and the versions since, oldest first."""

    head: str
    versions: tuple[Version, ...]


class Repositories:
    """The copies of the repositories that policies are read from, one for each project, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.stopping = threading.Event()

    def read(self, project: Project, seen: str | None) -> Reading | None:
        """Return what is new since the last sync of a project; None when its branch still ends at `seen`.

        Raises RepositoryError, and GitStoppedError once `stopping` is set.
        """
        settings = project.settings
        git = Git(self._folder / f"{project.project}.git", self.stopping)
        git.prepare()
        if seen is not None and git.head(settings.repository, settings.branch) == seen:
            return None
        head = git.fetch(settings.repository, settings.branch)
        return Reading(head, tuple(_versions(git, project, head)))


def _versions(git: Git, project: Project, head: str) -> list[Version]:
    settings, last = project.settings, project.synced_commit
    if last == head:
        return []
    going_on = last is not None and git.succeeds("merge-base", "--is-ancestor", last, head)
    since = [head, f"^{last}"] if going_on else [head]
    changes = git.text(
        "rev-list", "--first-parent", f"--max-count={VERSIONS_MAX + 1}", *since, "--", settings.path
    ).split()
    if last is not None and not going_on:
        git.succeeds("update-ref", f"refs/tallystick/left/{last}", last)
        return [_version(git, project, head, ends=True, was=last)]
    if len(changes) > VERSIONS_MAX or (last is None and len(changes) > 1):
        return [_version(git, project, head, ends=True)]
    return [_version(git, project, commit) for commit in reversed(changes)] or (
        [_version(git, project, head, ends=True)] if last is None else []
    )


def _version(git: Git, project: Project, commit: str, *, ends: bool = False, was: str | None = None) -> Version:
    text, problem = _text(git, commit, project.settings.path)
    policies = None
    if not problem:
        try:
            policies = parse_policies(text) if text is not None else {}
        except PolicyTextError as error:
            problem = {"line": error.line, "column": error.column, "message": error.message}
    by = None if ends else _commit(git, project, commit)
    ends = by is None
    merged = () if by is None else _merged(git, by, project.settings.path)
    digest = digest_of(text or b"")
    return Version(digest, "ends" if ends else "commit", commit, by, merged, was, policies, problem)


def _text(git: Git, commit: str, path: str) -> tuple[bytes | None, Mapping[str, Any]]:
    """Return the bytes of the policies at a commit, None where there are none; or why they are not read."""
    listed = git.data("ls-tree", "-z", commit, "--", path)
    if not listed:
        return None, {}
    mode, kind, rest = listed.split(b"\0")[0].split(b" ", 2)
    if kind != b"blob" or mode not in {b"100644", b"100755"}:
        what = "a symbolic link" if mode == b"120000" else "no file"
        return None, {"line": None, "column": None, "message": f"{path} is {what}; a plain file is read here"}
    blob = rest.split(b"\t", 1)[0].decode("ascii")
    size = int(git.text("cat-file", "-s", blob))
    if size > YAML_BYTES_MAX:
        said = f"the text has {size} bytes; at most {YAML_BYTES_MAX} are read"
        # Its name stands for the bytes that are not read, so that another text that is too large has another digest.
        return blob.encode(), {"line": None, "column": None, "message": said}
    return git.data("cat-file", "blob", blob), {}


def _commit(git: Git, project: Project, commit: str) -> Commit | None:
    """Return a commit; None for one that is too large to be read, which names nobody then."""
    if int(git.text("cat-file", "-s", commit)) > COMMIT_BYTES_MAX:
        return None
    raw = git.data("cat-file", "commit", commit)
    head = raw.partition(b"\n\n")[0].split(b"\n")
    parents = tuple(line[7:].decode("ascii", "replace") for line in head if line.startswith(b"parent "))
    author, committer = (_person(head, name) for name in (b"author ", b"committer "))
    settings = project.settings
    signature = check_signature(raw, committer.email, settings.signers, settings.keys)
    return Commit(commit, parents, author, committer, signature)


def _person(head: list[bytes], name: bytes) -> Person:
    line = next((each[len(name) :] for each in head if each.startswith(name)), b"")
    match = _PERSON.fullmatch(line)
    if match is None:
        return Person("", "", None)
    called, email = (part.decode("utf-8", "replace").strip()[:_NAME_CHARS_MAX] for part in match.group(1, 2))
    at = int(match[3])
    return Person(called, email, at * 1_000_000 if 0 <= at < 1 << 35 else None)


def _merged(git: Git, commit: Commit, path: str) -> tuple[str, ...]:
    """Return the commits with changes of the policies that a merge brought along, newest first."""
    if len(commit.parents) < 2:
        return ()
    first, *others = commit.parents
    limits = ["--no-merges", f"--max-count={MERGED_MAX}"]
    return tuple(git.text("rev-list", *limits, *others, f"^{first}", "--", path).split())
