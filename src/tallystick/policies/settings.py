"""What a policy project may be told: settings in their settled form, or the place that is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from tallystick.event.identifier import hidden_character, is_scope
from tallystick.event.visible import show
from tallystick.policies.errors import PolicyProjectInvalidError
from tallystick.policies.model import ProjectSettings

TITLE_CHARS_MAX: Final = 120
GOVERNED_MAX: Final = 500
GOVERNED_CHARS_MAX: Final = 20_000
REPOSITORY_CHARS_MAX: Final = 1000
KEYS_CHARS_MAX: Final = 50_000
_BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@+=-]{0,199}", re.ASCII)
_PATH: Final = re.compile(r"[A-Za-z0-9_.@+=/ -]{1,400}", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]*", re.ASCII)
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_SCP_LIKE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s:-][^\s]*", re.ASCII)


def check_settings(settings: ProjectSettings) -> ProjectSettings:
    """Return settings in their settled form; raises PolicyProjectInvalidError, which names the setting."""
    title = " ".join(settings.title.split())
    if not 1 <= len(title) <= TITLE_CHARS_MAX or hidden_character(title) is not None:
        raise _refuse("title", f"a title has 1 to {TITLE_CHARS_MAX} visible characters")
    if not is_scope(settings.scope):
        raise _refuse("scope", f"{show(settings.scope, 80)!r} is not a scope such as acme/security")
    governed = tuple(sorted(set(settings.governed)))
    for scope in governed:
        if scope and not is_scope(scope):
            raise _refuse("governed", f"{show(scope, 80)!r} is not a scope such as acme/payments")
    if not governed:
        raise _refuse("governed", "name at least one scope that the policies govern; / is everything")
    if len(governed) > GOVERNED_MAX or sum(map(len, governed)) > GOVERNED_CHARS_MAX:
        said = f"at most {GOVERNED_MAX} scopes with {GOVERNED_CHARS_MAX:,} characters; name what stands above them"
        raise _refuse("governed", said)
    settled = replace(settings, title=title, governed=governed)
    if settings.kept == "git":
        return _check_git(settled)
    if settings.kept != "here":
        raise _refuse("kept", "policies are kept in git or here")
    return replace(settled, repository="", branch="", path="", signers="", keys="")


def is_of_machine(settings: ProjectSettings) -> bool:
    """Return whether the repository is read with what this machine alone has: a path of its own, or its SSH keys."""
    return settings.kept == "git" and not settings.repository.startswith("https://")


def _check_git(settings: ProjectSettings) -> ProjectSettings:
    if settings.approval:
        raise _refuse("approval", "what is kept in Git is approved there, by its merge requests")
    repository = settings.repository.strip()
    if not _is_repository(repository):
        said = "write a path such as /srv/git/policies.git, https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH"
        raise _refuse("repository", f"{said}; a password does not belong here")
    branch = settings.branch.strip()
    if not _BRANCH.fullmatch(branch) or ".." in branch or "//" in branch or branch.endswith(("/", ".", ".lock")):
        raise _refuse("branch", f"{show(branch, 80)!r} is not the name of a branch such as main")
    path = settings.path.strip()
    if not _PATH.fullmatch(path) or path.startswith(("/", "-")) or {"", ".", ".."} & set(path.split("/")):
        raise _refuse("path", f"{show(path, 80)!r} is not the path of a file in the repository")
    for name, text in (("signers", settings.signers), ("keys", settings.keys)):
        if len(text) > KEYS_CHARS_MAX or "\0" in text:
            raise _refuse(name, f"at most {KEYS_CHARS_MAX:,} characters")
    _check_signers(settings.signers)
    if settings.keys.strip() and "-----BEGIN PGP PUBLIC KEY BLOCK-----" not in settings.keys:
        raise _refuse("keys", "paste OpenPGP public keys in ASCII armour (BEGIN PGP PUBLIC KEY BLOCK)")
    if "PRIVATE KEY" in settings.keys or "PRIVATE KEY" in settings.signers:
        raise _refuse("keys", "this is a private key; only public keys belong here")
    return replace(settings, repository=repository, branch=branch, path=path)


def _is_repository(text: str) -> bool:
    if not 1 <= len(text) <= REPOSITORY_CHARS_MAX or not text.isascii() or not text.isprintable() or " " in text:
        return False
    if text.startswith("/"):
        return ".." not in text.split("/")
    if _SCP_LIKE.fullmatch(text):
        return True
    try:
        parts = urlsplit(text)
        named = _HOST.fullmatch(parts.hostname or "") is not None and parts.port != 0
    except ValueError:
        return False
    if parts.scheme not in {"https", "ssh"} or not named or parts.password is not None or parts.query or parts.fragment:
        return False
    if parts.username is not None and not _USER.fullmatch(parts.username):
        return False
    return parts.scheme == "ssh" or parts.username is None


def _check_signers(text: str) -> None:
    """Raise unless each line names people by address, and a key: `ana@example.org ssh-ed25519 AAAA…`."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        keys = [word for word in words[1:] if word.startswith(("ssh-", "ecdsa-", "sk-"))]
        if "@" not in words[0] or set(words[0]) & set("*?!") or not keys:
            said = "write ADDRESS KIND KEY, such as ana@example.org ssh-ed25519 AAAA…; patterns name nobody"
            raise _refuse("signers", f"line {number}: {said}")


def _refuse(name: str, said: str) -> PolicyProjectInvalidError:
    return PolicyProjectInvalidError(said, pointer=f"/{name}")
