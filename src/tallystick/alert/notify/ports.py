"""What notifications need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.access.model import Caller
from tallystick.access.sources.ports import Lasting
from tallystick.alert.notify.mail import MailServer
from tallystick.alert.ports import RuleCard
from tallystick.follow.alarm import RaiseAlarms


class Looked(Protocol):
    """Records that somebody looked; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str = "", /) -> None: ...


class RequireFresh(Protocol):
    """Says whether somebody proved who they are a short while ago."""

    def __call__(self, caller: Caller, /) -> None:
        """Return, or raise the error that leads to doing it again."""
        ...


@dataclass(frozen=True, slots=True)
class NotifyPorts:
    """What other rooms do for this one. `networks` are those that an operator allows besides the open Internet;
    `mail` is None where no mail server is configured; `silence_hours_max` is the longest that a silence may last.
    """

    raise_alarms: RaiseAlarms
    card: RuleCard
    looked: Looked
    require_fresh: RequireFresh
    lasting: Lasting
    now_us: Callable[[], int]
    networks: Sequence[str]
    mail: MailServer | None
    public_url: str | None
    silence_hours_max: Callable[[], int]
