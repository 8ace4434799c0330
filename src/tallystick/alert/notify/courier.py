"""Sends what the outbox has for one receiver, in a thread of its own that nothing waits for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from tallystick.access.acts import OWN_SCOPE
from tallystick.alert.notify import events
from tallystick.alert.notify.model import FAILED_KIND, US, Attempt, Delivery
from tallystick.alert.notify.outbox import Outbox
from tallystick.alert.notify.sending import NotSentError, Sent
from tallystick.errors import TallystickError
from tallystick.follow.alarm import Alarm, RaiseAlarms
from tallystick.stream.patience import Patience

TRIES_MAX: Final = 10
"""With the waits between them a receiver has about nine minutes to come back."""
REFUSALS_MAX: Final = 3
ATTEMPTS_KEPT: Final = 20
_LOOK_S: Final = 0.5
_telemetry = structlog.get_logger("tallystick.notify")


@dataclass(frozen=True, slots=True)
class Tools:
    """What every courier works with. `send` sends one delivery or raises NotSentError; `record` puts an event on record,
    as often as it is asked to once.
    """

    outbox: Outbox
    send: Callable[[Delivery], Sent]
    record: Callable[[dict[str, Any]], None]
    raise_alarms: RaiseAlarms
    now_us: Callable[[], int]
    patience: Patience


class Courier:
    """Delivers to one receiver. Notifications of one group are sent in order; groups do not wait for each other."""

    def __init__(self, receiver: str, tools: Tools) -> None:
        self.receiver = receiver
        self._tools = tools
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"notify-{receiver}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Let it look at once."""
        self._wake.set()

    def stop(self) -> None:
        """Tell it to end after what it is sending now."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout_s: float) -> None:
        """Wait for its end, for so long at most."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                for delivery in self._due():
                    if self._stopping.is_set():
                        return
                    attempt(delivery, self._tools)
            except TallystickError as error:
                _telemetry.error("notifications are not on record", receiver=self.receiver, code=error.code)
            self._wake.wait(_LOOK_S)
            self._wake.clear()

    def _due(self) -> list[Delivery]:
        now = self._tools.now_us()
        found: dict[str, Delivery] = {}
        for each in self._tools.outbox.waiting(self.receiver):
            found.setdefault(each.group, each)  # the oldest of each group, and no other
        return [each for each in found.values() if each.due_at <= now]


def attempt(delivery: Delivery, tools: Tools) -> None:
    """Try once to send a delivery, and keep what came of it.

    A crash while it is being sent leaves it waiting: it is sent again with the same key.
    """
    started, at = time.monotonic(), tools.now_us()
    try:
        sent = tools.send(delivery)
    except NotSentError as error:
        tried = Attempt(at, error.code, _ms(started), error.said)
        _fail(delivery, tried, tools, lasting=error.lasting)
        return
    tried = Attempt(at, sent.code, _ms(started), sent.said)
    done = _tried(delivery, tried, state="delivered", recorded=False)
    tools.outbox.put(done)
    settle(done, tools)


def settle(delivery: Delivery, tools: Tools) -> None:
    """Put on record what became of a delivery. What a crash left half done is done again, and counts once.

    Notifications that cannot be delivered raise an alarm, unless they are themselves about such alarms.
    """
    delivered = delivery.state == "delivered"
    tools.record(events.settled(delivery, delivered=delivered))
    if not delivered and delivery.alarms:
        tools.raise_alarms([_alarm(delivery, tools.now_us())])
    if delivered:
        tools.outbox.forget(delivery.key)
    else:
        tools.outbox.put(msgspec.structs.replace(delivery, recorded=True))


def _fail(delivery: Delivery, tried: Attempt, tools: Tools, *, lasting: bool) -> None:
    tries = delivery.tries + 1
    if tries < (REFUSALS_MAX if lasting else TRIES_MAX):
        due = tools.now_us() + int(tools.patience.delay_s(tries) * US)
        tools.outbox.put(_tried(delivery, tried, due_at=due))
        return
    dead = _tried(delivery, tried, state="dead", recorded=False)
    tools.outbox.put(dead)
    settle(dead, tools)


def _tried(delivery: Delivery, tried: Attempt, **changes: Any) -> Delivery:
    attempts = (*delivery.attempts, tried)[-ATTEMPTS_KEPT:]
    return msgspec.structs.replace(delivery, tries=delivery.tries + 1, attempts=attempts, **changes)


def _alarm(delivery: Delivery, now_us: int) -> Alarm:
    last = delivery.attempts[-1]
    code = f" (code {last.code})" if last.code else ""
    return Alarm(
        kind=FAILED_KIND,
        key=delivery.receiver,
        occasion=f"{delivery.key} {delivery.round}",
        scope=OWN_SCOPE,
        severity="high",
        title=f"Notifications do not reach {delivery.receiver}",
        sentence=f"After {delivery.tries} tries a notification was given up: {last.said}{code}.",
        at_us=now_us,
    )


def _ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
