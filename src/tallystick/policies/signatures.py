"""Whose signature a commit bears, by the keys that the policy project names and by no others.

The bytes that were signed are taken out of the commit and checked by themselves, now: a commit says when it was made,
and whoever makes it can say anything. Neither git nor the repository takes part.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tallystick.policies.git import surroundings
from tallystick.policies.model import Signature

CHECK_S: Final = 10
NAMESPACE: Final = "git"
SSH: Final = "-----BEGIN SSH SIGNATURE-----"
PGP: Final = "-----BEGIN PGP SIGNATURE-----"
_HEADERS: Final = (b"gpgsig ", b"gpgsig-sha256 ")
_GOOD_KEY: Final = re.compile(r'Good "git" signature.* with (\S+ key SHA256:\S+)')


def split_signed(commit: bytes) -> tuple[bytes, str | None]:
    """Return the bytes that a signature of a commit is about, and the signature; None where there is none.

    Of several none is trusted: the signature is the empty text then, which nothing verifies.
    """
    head, _, message = commit.partition(b"\n\n")
    kept: list[bytes] = []
    found: list[list[bytes]] = []
    inside = False
    for line in head.split(b"\n"):
        if line.startswith(_HEADERS):
            inside = True
            found.append([line.split(b" ", 1)[1]])
        elif inside and line.startswith(b" "):
            found[-1].append(line[1:])
        else:
            inside = False
            kept.append(line)
    if not found:
        return commit, None
    signature = b"\n".join(found[0]).decode("ascii", "replace") + "\n" if len(found) == 1 else ""
    return b"\n".join(kept) + b"\n\n" + message, signature


def check_signature(commit: bytes, committer: str, signers: str, keys: str) -> Signature:
    """Return what checking gave; `committer` is the e-mail address for which a signature is asked for first."""
    payload, signature = split_signed(commit)
    if signature is None:
        return Signature("none")
    with tempfile.TemporaryDirectory(prefix="tallystick-keys-") as name:
        folder = Path(name)
        if signature.startswith(SSH):
            return _check_ssh(folder, payload, signature, committer, signers)
        if signature.startswith(PGP):
            return _check_gpg(folder, payload, signature, committer, keys)
    return Signature("unknown")


def _check_ssh(folder: Path, payload: bytes, signature: str, committer: str, signers: str) -> Signature:
    (folder / "signature").write_text(signature, encoding="ascii", errors="replace")
    (folder / "signers").write_text(signers, encoding="utf-8")
    files = ["-f", str(folder / "signers"), "-s", str(folder / "signature")]

    def verifies(principal: str) -> str | None:
        done = _run(["ssh-keygen", "-Y", "verify", "-n", NAMESPACE, "-I", principal, *files], payload)
        return None if done is None or done[0] else done[1]

    principals = [committer] if _is_address(committer) else []
    found = _run(["ssh-keygen", "-Y", "find-principals", *files], payload)
    if found is not None and not found[0]:
        principals += [each for each in found[1].replace(",", "\n").split() if _is_address(each)]
    for principal in dict.fromkeys(principals):
        said = verifies(principal)
        if said is not None:
            key = _GOOD_KEY.search(said)
            return Signature("good", "ssh", principal.casefold(), key[1] if key else None)
    plain = ["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(folder / "signature")]
    sound = _run(plain, payload)
    return Signature("unknown" if sound is None or not sound[0] else "bad", "ssh")


def _check_gpg(folder: Path, payload: bytes, signature: str, committer: str, keys: str) -> Signature:
    home = folder / "home"
    home.mkdir(mode=0o700)
    (folder / "signature").write_text(signature, encoding="ascii", errors="replace")
    gpg = ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--no-options", "--no-autostart", "--status-fd", "1"]
    gpg += ["--no-auto-key-retrieve", "--no-auto-key-locate", "--trust-model", "always"]
    if keys.strip():
        _run([*gpg, "--import"], keys.encode())
    done = _run([*gpg, "--verify", str(folder / "signature"), "-"], payload)
    if done is None:
        return Signature("unknown", "gpg")
    words = [line.split() for line in done[1].splitlines() if line.startswith("[GNUPG:] ")]
    by_word = {line[1]: line[2:] for line in words if len(line) > 1}
    if "BADSIG" in by_word:
        return Signature("bad", "gpg")
    refused = {"EXPSIG", "EXPKEYSIG", "REVKEYSIG", "ERRSIG", "NO_PUBKEY", "NODATA"} & set(by_word)
    if done[0] or refused or "GOODSIG" not in by_word or "VALIDSIG" not in by_word:
        return Signature("unknown", "gpg")
    made_with, *_, primary = by_word["VALIDSIG"]
    addresses = _addresses(gpg, primary)
    if not addresses:
        return Signature("unknown", "gpg", None, made_with)
    signer = committer.casefold() if committer.casefold() in addresses else addresses[0]
    return Signature("good", "gpg", signer, made_with)


def _addresses(gpg: Sequence[str], fingerprint: str) -> list[str]:
    """Return the e-mail addresses that a key stands for, without those that were revoked."""
    listed = _run([*gpg, "--with-colons", "--list-keys", fingerprint], b"")
    lines = [] if listed is None else [line.split(":") for line in listed[1].splitlines()]
    names = [line[9] for line in lines if line[0] == "uid" and line[1] not in {"r", "e", "i"} and len(line) > 9]
    return [match[1].casefold() for name in names if (match := re.search(r"<([^<>\s]+@[^<>\s]+)>\s*$", name))]


def _run(command: Sequence[str], given: bytes) -> tuple[int, str] | None:
    """Return status and output of a program; None where it is not installed or does not end."""
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, env=surroundings(), cwd="/", timeout=CHECK_S, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _is_address(text: str) -> bool:
    """Return whether a text names one person: patterns and what would be read as an option do not."""
    return "@" in text and not text.startswith("-") and not set(text) & set("*?!, \t\n")
