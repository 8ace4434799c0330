"""Passwords: which ones will do, and checking them without letting sign-ins starve everything else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from tallystick.access.people.errors import PasswordWeakError, SignInBusyError

CHARS_MIN: Final = 12
BYTES_MAX: Final = 1024
RUNNING_MAX: Final = 2
"""Checks at a time: each takes 64 MiB and about a tenth of a second of a processor."""
WAITING_MAX: Final = 16
WAIT_S_MAX: Final = 10.0
NAME_CHARS_MIN: Final = 3
"""Shorter handles stand in every other password by accident."""

_UNLEET: Final = str.maketrans("0134578@$!|", "oleastbasii")
_TAIL: Final = re.compile(r"[\W\d_]+$")
_HEAD: Final = re.compile(r"^[\W\d_]+")
_HASHER: Final = PasswordHasher(type=Type.ID)


def check_password(password: str, names: Iterable[str]) -> None:
    """Raise PasswordWeakError unless this will do for somebody with these names (handle, e-mail address)."""
    if len(password) < CHARS_MIN:
        raise PasswordWeakError(f"the password has fewer than {CHARS_MIN} characters", pointer="/password")
    if len(password.encode(errors="surrogatepass")) > BYTES_MAX:
        raise PasswordWeakError(f"the password has more than {BYTES_MAX} bytes", pointer="/password")
    folded = password.casefold()
    if len(set(folded)) < 5 or is_common(folded):
        raise PasswordWeakError("the password is a common one", pointer="/password")
    parts = {part for name in names for part in (name.casefold(), name.casefold().partition("@")[0])}
    if any(part in folded for part in parts if len(part) >= NAME_CHARS_MIN):
        raise PasswordWeakError("the password contains your handle or e-mail address", pointer="/password")


def is_common(folded: str) -> bool:
    """Return whether a case-folded password is on the list: as it stands, without digits and signs at either end, with
    letters that look like the digits used for them, or as one entry repeated.
    """
    common = _common()
    shapes = {folded, _TAIL.sub("", folded), _HEAD.sub("", folded), _HEAD.sub("", _TAIL.sub("", folded))}
    shapes |= {_TAIL.sub("", shape.translate(_UNLEET)) for shape in list(shapes)}
    return any(shape in common or _unit(shape) in common for shape in shapes if shape)


def _unit(text: str) -> str:
    """Return what a text repeats, or the text itself."""
    return text[: (text + text).find(text, 1)]


@cache
def _common() -> frozenset[str]:
    text = resources.files("tallystick.access.people").joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _dummy(hasher: PasswordHasher) -> str:
    """Return what stands in for the password of somebody who is not there, so that both take as long."""
    return hasher.hash("what nobody has as a password")


class Hasher:
    """argon2id with the parameters that RFC 9106 gives for little memory; may be used from any thread."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or _HASHER
        self._running = threading.BoundedSemaphore(RUNNING_MAX)
        self._admitted = threading.BoundedSemaphore(RUNNING_MAX + WAITING_MAX)
        self._dummy = _dummy(self._hasher)

    def hash(self, password: str) -> bytes:
        """Return the encoded string that a password is kept as. Raises SignInBusyError."""
        with self._turn():
            return self._hasher.hash(password.encode(errors="surrogatepass")).encode()

    def matches(self, password: str, encoded: bytes | None) -> bool:
        """Return whether a password fits; without an encoded string the same work is done, and the answer is no.

        Raises SignInBusyError rather than wait in a long queue.
        """
        offered = password.encode(errors="surrogatepass")[: BYTES_MAX + 1]
        with self._turn():
            try:
                fits = self._hasher.verify(encoded.decode() if encoded else self._dummy, offered)
            except (VerificationError, InvalidHashError):
                return False
        return fits and encoded is not None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise SignInBusyError("too many sign-ins at a time")
        try:
            if not self._running.acquire(timeout=WAIT_S_MAX):
                raise SignInBusyError("too many sign-ins at a time")
            try:
                yield
            finally:
                self._running.release()
        finally:
            self._admitted.release()
