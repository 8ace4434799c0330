"""The one entrance: a directory, an address or a package, and what the reader trusts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tallystick.errors import InvalidInputError
from tallystick.note import parse_log_vkey, parse_policy
from tallystick.verify.anchors import SKEW_S, Anchor, Trust
from tallystick.verify.model import CouldNotCheckError, Progress, Report


def load_trust(
    *,
    keys: Iterable[str] = (),
    policy: Path | None = None,
    against: Iterable[Path] = (),
    skew_s: int = SKEW_S,
) -> Trust:
    """Return what the reader brings, read from files; raise CouldNotCheckError for what is not there or not readable."""
    try:
        return Trust(
            keys=tuple(parse_log_vkey(key) for key in keys),
            policy=parse_policy(policy.read_bytes()) if policy is not None else None,
            against=tuple(Anchor(str(path), path.read_bytes(), outside=True) for path in against),
            skew_s=skew_s,
        )
    except OSError as error:
        raise CouldNotCheckError(f"{error.filename} cannot be read: {error.strerror}") from error
    except InvalidInputError as error:
        raise CouldNotCheckError(error.message, advice=error.advice) from error


def unwatched(stage: str, done: int, total: int) -> None:
    """Watch nothing: for callers who show no progress."""


def verify_target(
    target: str,
    trust: Trust,
    progress: Progress = unwatched,
    *,
    token: str | None = None,
    name: str | None = None,
) -> Report:
    """Return what holds of `target`: an http(s) address (read with `token`), a package, or a data directory, of which
    `name` picks the ledger.

    Raises CouldNotCheckError when it cannot be reached or read, or needs an extra that is not installed.
    """
    if target.startswith(("http://", "https://")):
        from tallystick.verify.url import verify_url

        return verify_url(target, trust, progress, token=token)
    path = Path(target)
    if path.is_dir():
        return _verify_directory(path, trust, progress, name)
    if not path.exists():
        raise CouldNotCheckError(f"there is no {target}")
    from tallystick.verify.package import verify_package

    return verify_package(path, trust, progress)


def _verify_directory(path: Path, trust: Trust, progress: Progress, name: str | None) -> Report:
    try:
        from tallystick.verify.directory import verify_directory
    except ModuleNotFoundError as error:
        raise CouldNotCheckError(
            f"a data directory needs {error.name}, which is not installed",
            advice="Install tallystick[verify], or verify a package or an address instead.",
        ) from error
    return verify_directory(path, trust, progress, name=name)
