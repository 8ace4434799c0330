"""Running `git` without anything of a repository's own taking effect.

Every command is plumbing, in a bare repository that we made: no work tree, so no filters, no textconv and no
submodules; no hooks; no configuration of the machine, of a person or of the repository that is read from. That one is
only ever fetched from. What a command may write, and how long it may take, is bounded.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tallystick.policies.errors import RepositoryError

LIST_S: Final = 20
FETCH_S: Final = 60
READ_S: Final = 20
STEP_S: Final = 0.25
FETCH_BYTES_MAX: Final = 256 << 20
COPY_BYTES_MAX: Final = 4 * FETCH_BYTES_MAX
"""Of a copy on the disk: a history that is rewritten again and again would fill it."""
OUTPUT_BYTES_MAX: Final = 4 << 20
COMPLAINT_BYTES_MAX: Final = 64 << 10
"""Of the end of what git, or whoever it speaks to, says on the side."""
_CHUNK_BYTES: Final = 64 << 10
_NOT_FOUND: Final = 127
"""What a shell ends with when there is no such program."""
PROTOCOLS: Final = ("https", "ssh", "file")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_SETTINGS: Final = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null", "gc.auto=0"),
    *("maintenance.auto=false", "submodule.recurse=false", "fetch.recurseSubmodules=false", "protocol.version=2"),
    *("fetch.fsckObjects=true", "transfer.fsckObjects=true", "fetch.unpackLimit=1", "transfer.bundleURI=false"),
    *("credential.helper=", "http.followRedirects=initial", "advice.detachedHead=false"),
)


def is_commit(text: str) -> bool:
    """Return whether a text is the full name of a commit."""
    return _COMMIT.fullmatch(text) is not None


class GitFailedError(Exception):
    """A command of git ended with a status that is not 0; `said` is for the log of the machine, never for people."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"git ended with {status}")
        self.status = status
        self.said = said


class GitStoppedError(Exception):
    """The server stops, and with it whatever git was doing."""


class Git:
    """The bare repository at `folder`, which is ours. One command at a time for each repository.

    What runs is ended when `stopping` is set; GitStoppedError is raised then.
    """

    def __init__(self, folder: Path, stopping: threading.Event) -> None:
        self._folder = folder
        self._stopping = stopping

    def prepare(self) -> None:
        """Make the repository where it is not; raises RepositoryError("git-missing")."""
        if not (self._folder / "HEAD").exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._run(["init", "--quiet", "--bare", "--template=", str(self._folder)], READ_S)

    def head(self, repository: str, branch: str) -> str:
        """Return the commit at the end of a branch of another repository; raises RepositoryError."""
        said = self._remote(["ls-remote", "--exit-code"], repository, [f"refs/heads/{branch}"], LIST_S)
        # git lists every name that ends so: a branch other/refs/heads/main must not stand for main.
        named = {name: commit for commit, _, name in (line.partition(b"\t") for line in said.splitlines())}
        commit = named.get(f"refs/heads/{branch}".encode(), b"").decode("ascii", "replace")
        if not commit:
            raise RepositoryError("branch-missing", "the repository has no such branch")
        if not is_commit(commit):
            raise RepositoryError("damaged", "the repository answers with something that is no commit")
        return commit

    def fetch(self, repository: str, branch: str) -> str:
        """Bring one branch here, whole, and return the commit at its end; raises RepositoryError."""
        self._clear()
        options = ["fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"]
        self._remote(options, repository, [f"+refs/heads/{branch}:refs/tallystick/head"], FETCH_S)
        return self.text("rev-parse", "--verify", "refs/tallystick/head^{commit}").strip()

    def text(self, *arguments: str) -> str:
        """Return what a command says, as text."""
        return self.data(*arguments).decode("utf-8", "replace")

    def data(self, *arguments: str) -> bytes:
        """Return what a command says; raises RepositoryError("damaged") when it fails."""
        try:
            return self._run(["--git-dir", str(self._folder), *arguments], READ_S)
        except GitFailedError as error:
            raise RepositoryError("damaged", "what was fetched cannot be read") from error

    def succeeds(self, *arguments: str) -> bool:
        """Return whether a command ends well."""
        try:
            self._run(["--git-dir", str(self._folder), *arguments], READ_S)
        except GitFailedError:
            return False
        return True

    def _remote(self, options: Sequence[str], repository: str, refs: Sequence[str], seconds: int) -> bytes:
        local = repository.startswith("/")
        if local and not Path(repository).is_dir():
            raise RepositoryError("repository-missing", "there is no directory at the path of the repository")
        serving = [f"--upload-pack={_serving(repository)}"] if local else []
        head, *rest = options
        command = ["--git-dir", str(self._folder), head, *serving, *rest, "--", repository, *refs]
        try:
            return self._run(command, seconds)
        except GitFailedError as error:
            raise _told(error, head) from error

    def _clear(self) -> None:
        """Take away what commands that were killed left behind, and raise RepositoryError when the copy is too large."""
        for place in (*self._folder.rglob("*.lock"), *self._folder.rglob("tmp_*")):
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)
        if sum(each.lstat().st_size for each in self._folder.rglob("*.pack")) > COPY_BYTES_MAX:
            raise RepositoryError("too-large", f"all that was ever fetched has more than {COPY_BYTES_MAX >> 20} MiB")

    def _run(self, arguments: Sequence[str], seconds: int) -> bytes:
        """Return the standard output of a command, whose children end with it."""
        settings = [part for each in _SETTINGS for part in ("-c", each)]
        blocks = FETCH_BYTES_MAX // 512
        command = ["/bin/sh", "-c", f'ulimit -f {blocks}; exec git "$@"', "git", *settings, *arguments]
        try:
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=surroundings(),
                cwd="/",
                start_new_session=True,
            ) as process:
                try:
                    out, err = self._communicate(process, seconds)
                except BaseException:
                    os.killpg(process.pid, signal.SIGKILL)
                    raise
        except FileNotFoundError as error:
            raise RepositoryError("git-missing", "there is no shell to run git with") from error
        if process.returncode:
            if process.returncode == _NOT_FOUND:
                raise RepositoryError("git-missing", "git is not installed on this machine")
            raise GitFailedError(process.returncode, err.decode("utf-8", "replace"))
        return out

    def _communicate(self, process: subprocess.Popen[bytes], seconds: int) -> tuple[bytes, bytes]:
        """Return what a process says until it ends, in bounded memory: a repository may send words without end."""
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = bytearray(), bytearray()
        ends = time.monotonic() + seconds
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ, out)
            waiting.register(process.stderr, selectors.EVENT_READ, err)
            while waiting.get_map() or process.poll() is None:
                if self._stopping.is_set():
                    raise GitStoppedError
                if time.monotonic() >= ends:
                    raise RepositoryError("timeout", f"git did not end within {seconds} seconds")
                if not waiting.get_map():
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(STEP_S)
                for key, _ in waiting.select(STEP_S):
                    chunk = os.read(key.fd, _CHUNK_BYTES)
                    key.data.extend(chunk)
                    if not chunk:
                        waiting.unregister(key.fileobj)
                if len(out) > OUTPUT_BYTES_MAX:
                    raise RepositoryError("too-large", f"git says more than {OUTPUT_BYTES_MAX:,} bytes")
                del err[:-COMPLAINT_BYTES_MAX]
        return bytes(out), bytes(err)


def surroundings() -> Mapping[str, str]:
    """Return the environment of every command: nothing of the server's own but where programs and SSH keys lie."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SSH_AUTH_SOCK") if name in os.environ}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=10",
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }


def _serving(path: str) -> str:
    """Return the command that hands out a repository on this machine, which may belong to somebody else."""
    known = [part for each in (path, f"{path.rstrip('/')}/.git") for part in ("-c", f"safe.directory={each}")]
    return shlex.join(["git", "-c", "core.hooksPath=/dev/null", *known, "upload-pack"])


def _told(error: GitFailedError, doing: str) -> RepositoryError:
    """Return what went wrong with another repository, in words of ours: git's may hold anything."""
    said = error.said.lower()
    if doing == "ls-remote" and error.status == 2 and not said.strip():
        return RepositoryError("branch-missing", "the repository has no such branch")
    if "couldn't find remote ref" in said:
        return RepositoryError("branch-missing", "the repository has no such branch")
    if "file size limit" in said or "file too large" in said or error.status in {153, -25}:
        return RepositoryError("too-large", f"the branch has more than {FETCH_BYTES_MAX >> 20} MiB")
    if "fsck" in said:
        return RepositoryError("damaged", "the repository holds objects that are not as they must be")
    if "does not appear to be a git repository" in said or "not a git repository" in said:
        return RepositoryError("not-a-repository", "there is no Git repository at this place")
    if "authentication" in said or "permission denied" in said or "could not read username" in said:
        return RepositoryError("refused", "the repository does not let us in")
    return RepositoryError("unreachable", "the repository cannot be reached")
