"""The verbs of silences. A silence has a reason and an end, keeps nobody from seeing an alert, and never covers critical
alerts of everything.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.access.scopes import parse_scope
from tallystick.alert.notify import events
from tallystick.alert.notify.errors import (
    SilenceInvalidError,
    SilenceStateError,
    SilenceTooWideError,
    SilenceUnknownError,
)
from tallystick.alert.notify.matchers import MATCHERS_MAX, Matcher, matches
from tallystick.alert.notify.model import Silence
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.rows import all_silences, find_silence, suppressed_by
from tallystick.event.identifier import is_within
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection

HOUR_US: Final = 3_600_000_000
REASON_CHARS: Final = (5, 2000)
SILENCES_MAX: Final = 1000
_NARROWING: Final = frozenset({"scope", "kind", "team", "owner"})


class SilenceService:
    """The silences of one installation; may be used from any thread."""

    def __init__(
        self, projection: Projection, commands: Commands, ports: NotifyPorts, changed: Callable[[], None]
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports
        self._changed = changed

    def list(self, caller: Caller, *, ended: bool = False) -> list[tuple[Silence, int]]:
        """Return the silences that the caller may see, the newest first, each with of how many alerts it kept somebody
        from being told; those that have ended too where asked for. The look is recorded.
        """
        require(caller, Permission.ALERTS_READ)
        self._ports.looked(caller, "silences")
        with self._projection.engine.connect() as connection:
            found = all_silences(connection, None if ended else self._ports.now_us())
            visible = [each for each in found if _sees(caller, each)]
            counts = suppressed_by(connection, [each.id for each in visible])
        return [(each, counts.get(each.id, 0)) for each in visible]

    def get(self, caller: Caller, silence: str) -> tuple[Silence, int]:
        """Return one silence. Raises SilenceUnknownError."""
        require(caller, Permission.ALERTS_READ)
        with self._projection.engine.connect() as connection:
            found = _visible(connection, caller, silence)
            return found, suppressed_by(connection, [found.id]).get(found.id, 0)

    def now_us(self) -> int:
        """Return the time that silences end by."""
        return self._ports.now_us()

    def place(self, caller: Caller, matchers: Sequence[Matcher], reason: str, until_us: int) -> str:
        """Keep alerts that meet the matchers quiet until a time, and return the id of the silence.

        Raises SilenceInvalidError, SilenceTooWideError, PermissionMissingError unless the caller may route alerts in the
        scope that it names.
        """
        told = tuple(matchers)
        scope = scope_of(told)
        require(caller, Permission.ALERTS_ROUTE, scope)
        if not 1 <= len(told) <= MATCHERS_MAX:
            raise SilenceInvalidError(f"a silence has 1 to {MATCHERS_MAX} matchers", pointer="/matchers")
        if covers_critical(told):
            raise SilenceTooWideError("this would keep critical alerts of everything quiet", pointer="/matchers")
        said = _reason(reason)
        made = f"si-{randomness.token_hex(6)}"

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            now = self._ports.now_us()
            self._check_end(until_us, now)
            if len(all_silences(connection, now)) >= SILENCES_MAX:
                raise SilenceInvalidError(f"there are {SILENCES_MAX} silences already")
            silence = Silence(made, told, scope, said, caller.id, now, until_us, None, None)
            return [events.silence_event(caller, events.SILENCE_PLACED, silence, now, said)]

        self._commands.run(decide)
        self._changed()
        return made

    def change(self, caller: Caller, silence: str, reason: str, until_us: int) -> None:
        """Give a silence that counts another end, with the reason for it. Raises SilenceStateError, and as `place`."""
        said = _reason(reason)

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            now = self._ports.now_us()
            found = self._managed(connection, caller, silence, now)
            self._check_end(until_us, now)
            return [events.silence_event(caller, events.SILENCE_CHANGED, replace(found, until=until_us), now, said)]

        self._commands.run(decide)
        self._changed()

    def end(self, caller: Caller, silence: str, reason: str) -> None:
        """End a silence before its time. Raises SilenceStateError, SilenceUnknownError."""
        said = _reason(reason)

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            now = self._ports.now_us()
            found = self._managed(connection, caller, silence, now)
            return [events.silence_event(caller, events.SILENCE_ENDED, found, now, said)]

        self._commands.run(decide)
        self._changed()

    def _managed(self, connection: Connection, caller: Caller, silence: str, now_us: int) -> Silence:
        found = _visible(connection, caller, silence)
        require(caller, Permission.ALERTS_ROUTE, found.scope)
        if not found.holds(now_us):
            raise SilenceStateError(f"the silence {found.id} has ended")
        return found

    def _check_end(self, until_us: int, now_us: int) -> None:
        most = self._ports.silence_hours_max()
        if not now_us < until_us <= now_us + most * HOUR_US:
            raise SilenceInvalidError(f"a silence ends in the future, within {most:,} hours", pointer="/until")


def scope_of(matchers: Sequence[Matcher]) -> str:
    """Return the scope outside of which a silence keeps nothing quiet; raises ScopeInvalidError."""
    named = [parse_scope(each.value or "/") for each in matchers if each.label == "scope" and each.operator == "="]
    return max(named, key=len, default="")


def covers_critical(matchers: Sequence[Matcher]) -> bool:
    """Return whether critical alerts are among what is meant, and nothing but expressions or exceptions narrows it."""
    severities = tuple(each for each in matchers if each.label == "severity")
    if not matches(severities, {"severity": "critical"}):
        return False
    narrowing = [each for each in matchers if each.label in _NARROWING and each.operator == "="]
    return not any(each.value not in {"", "/"} for each in narrowing)


def _reason(reason: str) -> str:
    said = reason.strip()
    least, most = REASON_CHARS
    if not least <= len(said) <= most:
        raise SilenceInvalidError(f"say why, in {least} to {most:,} characters", pointer="/reason")
    return said


def _sees(caller: Caller, silence: Silence) -> bool:
    if caller.rights.allows(Permission.ALERTS_READ, silence.scope):
        return True
    return any(is_within(scope, silence.scope) for scope in caller.rights.scopes(Permission.ALERTS_READ))


def _visible(connection: Connection, caller: Caller, silence: str) -> Silence:
    found = find_silence(connection, silence)
    if found is None or not _sees(caller, found):
        raise SilenceUnknownError(f"there is no silence {silence[:32]!r}")
    return found
