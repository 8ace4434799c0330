"""Alarms become alerts: the first opens one, later ones are counted into it, each firing once."""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.access.acts import OWN_SCOPE
from tallystick.alert.book import events
from tallystick.alert.book.model import SEVERITIES, Limits, State
from tallystick.follow.alarm import Alarm, Severity
from tallystick.follow.commands import Commands
from tallystick.store.tables.alerts import ALERT, ALERT_OCCASION

#: No letter that is taken for another, and no vowel, so that no id is a word.
LETTERS: Final = "23456789bcdfghjkmnpqrstvwxz"
_LENGTH: Final = 4
_TRIES: Final = 8
_FOLDED_MAX: Final = 1000
"""Firings in one `alert.repeated`; an event has a limit."""
_INDEXES_MAX: Final = 20
_LOOKUP_MAX: Final = 500

LimitsOf = Callable[[Severity], Limits]


@dataclass(slots=True)
class _Open:
    """An alert that is not closed, as the alarms of this batch leave it."""

    id: str
    scope: str
    severity: Severity
    last_at: int
    recovered: bool
    folded: list[tuple[str, Alarm]] = field(default_factory=list)


class AlertBook:
    """Takes alarms from every room; may be used from any thread.

    `key` is the installation's own, for the digests that stand for keys and occasions: what they say may be personal,
    and facts stay for ever. `limits_of` says how long an alert of a severity may wait, as the settings have it now.
    """

    def __init__(self, commands: Commands, now_us: Callable[[], int], key: bytes, limits_of: LimitsOf) -> None:
        self._commands = commands
        self._now_us = now_us
        self._key = key
        self._limits_of = limits_of

    def raise_alarms(self, alarms: Sequence[Alarm]) -> None:
        """Return when every alarm is durable, in an alert of its own or counted into one; all or none.

        An alarm whose occasion was told before changes nothing, whatever became of its alert. A recovery that is older
        than the newest firing, or finds no alert that is not closed, changes nothing either.
        """
        if alarms:
            self._commands.run(lambda connection: self._decide(connection, alarms))

    def digest(self, kind: str, key: str, occasion: str = "") -> str:
        """Return what stands for a key, or for an occasion of it, in facts and tables."""
        told = "\x00".join(part.replace("\x00", "\x00\x00") for part in (kind, key, occasion)).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, told, "sha256")[:16]).decode().rstrip("=")

    def _decide(self, connection: Connection, alarms: Sequence[Alarm]) -> Sequence[Mapping[str, Any]]:
        told = [(self.digest(alarm.kind, alarm.key, f"+{alarm.occasion}"), alarm) for alarm in alarms]
        known = _known(connection, [occasion for occasion, _ in told])
        now, made = self._now_us(), list[events.Event]()
        standing: dict[str, _Open | None] = {}
        given: set[str] = set()
        for occasion, alarm in told:
            if occasion in known:
                continue
            known.add(occasion)
            # A scope of its own: what fires in one is neither counted in nor told of where another is looked after.
            scope = alarm.scope or OWN_SCOPE
            key = self.digest(alarm.kind, alarm.key, f"in {scope}")
            if key not in standing:
                standing[key] = _find_open(connection, key)
            alert = standing[key]
            if alert is None:
                if not alarm.recovered:
                    standing[key] = opened = _Open(
                        _new_id(connection, given), scope, alarm.severity, alarm.at_us, False
                    )
                    limits = self._limits_of(alarm.severity)
                    made.append(events.opened(opened.id, key, occasion, _trimmed(alarm, opened.scope), limits, now))
            elif not alarm.recovered:
                alert.folded.append((occasion, alarm))
                alert.last_at, alert.recovered = max(alert.last_at, alarm.at_us), False
            elif alarm.at_us >= alert.last_at and not alert.recovered:
                made += self._fold(alert, now)
                made.append(events.recovered(alert.id, _trimmed(alarm, alert.scope), occasion, now))
                alert.recovered = True
        return [*made, *(event for alert in standing.values() if alert for event in self._fold(alert, now))]

    def _fold(self, alert: _Open, now_us: int) -> list[events.Event]:
        """Return the events that count in what was folded, and forget it."""
        made, folded = [], alert.folded
        alert.folded = []
        for start in range(0, len(folded), _FOLDED_MAX):
            part = folded[start : start + _FOLDED_MAX]
            newest = _trimmed(max((alarm for _, alarm in part), key=lambda alarm: alarm.at_us), alert.scope)
            gravest = max((alarm.severity for _, alarm in part), key=SEVERITIES.index)
            raised: tuple[str, Limits] | None = None
            if SEVERITIES.index(gravest) > SEVERITIES.index(alert.severity):
                alert.severity = gravest
                raised = (gravest, self._limits_of(gravest))
            shown = [index for _, alarm in part for index in alarm.indexes]
            added = sum(alarm.count for _, alarm in part)
            occasions = [occasion for occasion, _ in part]
            made.append(events.repeated(alert.id, newest, added, occasions, _spread(shown), raised, now_us))
        return made


def _known(connection: Connection, occasions: Sequence[str]) -> set[str]:
    """Return which occasions were told before."""
    found: set[str] = set()
    for start in range(0, len(occasions), _LOOKUP_MAX):
        part = occasions[start : start + _LOOKUP_MAX]
        found.update(connection.scalars(select(ALERT_OCCASION.c.occasion).where(ALERT_OCCASION.c.occasion.in_(part))))
    return found


def _find_open(connection: Connection, key: str) -> _Open | None:
    """Return the alert that counts in the firings of a key: the newest that is not closed."""
    query = select(ALERT).where(ALERT.c.key == key, ALERT.c.state != State.CLOSED)
    row = connection.execute(query.order_by(ALERT.c.opened_index.desc()).limit(1)).first()
    return None if row is None else _Open(row.alert, row.scope, row.severity, row.last_at, row.recovered_at is not None)


def _new_id(connection: Connection, given: set[str]) -> str:
    """Return an id that no alert has; they grow by a letter where the short ones are crowded."""
    length = _LENGTH
    while True:
        for _ in range(_TRIES):
            made = "al-" + "".join(secrets.choice(LETTERS) for _ in range(length))
            if made not in given and not connection.scalar(select(ALERT.c.alert).where(ALERT.c.alert == made)):
                given.add(made)
                return made
        length += 1


def _trimmed(alarm: Alarm, scope: str) -> Alarm:
    """Return an alarm as its event says it: in the scope of its alert, so that one scope has the whole history."""
    return replace(alarm, indexes=tuple(_spread(alarm.indexes)), scope=scope)


def _spread(indexes: Sequence[int]) -> list[int]:
    """Return the first, the last, and some between, in order."""
    found = sorted(set(indexes))
    if len(found) <= _INDEXES_MAX:
        return found
    last = len(found) - 1
    return [found[at * last // (_INDEXES_MAX - 1)] for at in range(_INDEXES_MAX)]
