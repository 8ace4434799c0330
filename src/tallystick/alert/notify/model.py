"""Alerts as notifications see them, receivers, silences, and what was sent: frozen values. Times are microseconds."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from tallystick.alert.notify.matchers import Labels, Matcher, matches

US: Final = 1_000_000
SECRET_KIND: Final = "notify"  # noqa: S105  what it is called, not what it is
FAILED_KIND: Final = "notification.failed"
"""The kind of the alerts that say that a notification could not be delivered; their key is the receiver."""
CLOSED: Final = "closed"
NEW: Final = "new"


class Way(enum.StrEnum):
    """How a receiver is reached."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


class Tells(enum.StrEnum):
    """Why a notification is sent."""

    FIRING = "firing"
    RESOLVED = "resolved"
    REPEAT = "repeat"
    ESCALATION = "escalation"
    TEST = "test"


class Why(enum.StrEnum):
    """Why nobody was told of an alert by a route."""

    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MUTED = "muted"
    NOBODY = "nobody"
    CLOSED = "closed"
    NO_CHANNEL = "no-channel"


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as it stands now. `epoch` grows each time that there is something new to tell: when it is opened, reopened,
    or becomes graver; `since` is when that was. `about` is personal, and None once it was erased.
    """

    id: str
    kind: str
    scope: str
    severity: str
    state: str
    epoch: int
    since: int
    opened_at: int
    changed_index: int
    about: str | None = None
    owner: str = ""

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to handle it."""
        return self.state != CLOSED

    def labels(self, team: str) -> dict[str, str]:
        """Return what matchers look at."""
        return {
            "severity": self.severity,
            "scope": self.scope,
            "kind": self.kind,
            "team": team,
            "owner": self.owner,
        }


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of alerts that meet its matchers until it ends. `reason` is None once it was erased."""

    id: str
    matchers: tuple[Matcher, ...]
    scope: str
    reason: str | None
    author: str
    placed_at: int
    until: int
    ended_at: int | None
    ended_by: str | None

    def holds(self, now_us: int) -> bool:
        """Return whether it counts at a time."""
        return self.ended_at is None and now_us < self.until

    def silences(self, labels: Labels, now_us: int) -> bool:
        """Return whether it keeps an alert quiet now."""
        return self.holds(now_us) and matches(self.matchers, labels)


class ReceiverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person sets. `to` is for mail, `url` for a webhook or Apprise; both, and values of `headers`, are secrets.

    `personal` sends what alerts say of people, as far as whoever sets it may read that herself.
    """

    name: str
    way: Way
    to: tuple[str, ...] = ()
    url: str = ""
    send_resolved: bool = True
    personal: bool = False
    headers: Mapping[str, str] = {}


class Sealed(msgspec.Struct, frozen=True):
    """What of a receiver stands in `secrets.db`."""

    to: tuple[str, ...] = ()
    url: str = ""
    headers: Mapping[str, str] = {}
    signing: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver; `place` is what may be seen of where it is, `address` is personal. It is told personal data only of
    alerts in `personal_scopes`.
    """

    name: str
    way: Way
    place: str
    address: str | None
    send_resolved: bool
    personal_scopes: tuple[str, ...]
    header_names: tuple[str, ...]
    secret: str
    digest: str
    set_at: int
    set_by: str
    tested_at: int | None
    test_outcome: str | None
    test_code: int | None


class Attempt(msgspec.Struct, frozen=True):
    """One try: when, the code of the answer (0 for none), how long it took, and what went wrong in our words."""

    at: int
    code: int
    latency_ms: int
    said: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notification for one receiver; `key` is the same however often it is sent.

    `state` is waiting, delivered or dead; the last two are in the log once `recorded`. `alarms` is false for what says
    itself that something could not be delivered, so that failures never cause failures. `round` counts retries by hand.
    """

    key: str
    receiver: str
    route: str
    group: str
    tells: Tells
    number: int
    scope: str
    made_at: int
    due_at: int
    firing: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    alarms: bool = True
    tries: int = 0
    round: int = 0
    state: str = "waiting"
    recorded: bool = True
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """What became of a notification, as the log has it."""

    key: str
    index: int
    receiver: str
    route: str
    tells: str
    number: int
    scope: str
    firing: tuple[str, ...]
    resolved: tuple[str, ...]
    delivered: bool
    at: int
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """An alert of which a receiver was not told, and why: `by` names the silence, the alert or the interval."""

    index: int
    alert: str
    scope: str
    receiver: str
    reason: str
    by: str
    at: int
