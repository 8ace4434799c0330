"""Follows the alerts, and has told of them whoever the routes name, while `running` lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from tallystick.access.acts import OWN_SCOPE
from tallystick.alert.notify.courier import Courier, Tools, settle
from tallystick.alert.notify.model import Seen
from tallystick.alert.notify.outbox import Outbox
from tallystick.alert.notify.planner import Planner, World
from tallystick.alert.notify.ports import NotifyPorts
from tallystick.alert.notify.routing import Routing
from tallystick.alert.notify.rows import (
    all_receivers,
    all_silences,
    changed_alerts,
    find_alerts,
    load_routing,
    open_alerts,
)
from tallystick.alert.notify.transport import Transport
from tallystick.errors import TallystickError
from tallystick.follow.alarm import Alarm
from tallystick.follow.commands import Commands
from tallystick.follow.kept import Kept
from tallystick.follow.projection import Projection
from tallystick.stream.patience import Patience

LOOK_S: Final = 0.25
CHANGED_MAX: Final = 2000
"""Alerts that are taken up in one look."""
AGAIN_S: Final = 5.0
STOP_S: Final = 5.0
STUCK_KIND: Final = "notification.stuck"
_telemetry = structlog.get_logger("tallystick.notify")


@dataclass(frozen=True, slots=True)
class Standing:
    """How notifications do. `oldest_us` is when the oldest that waits was made; `trouble` is why nothing goes on."""

    waiting: int
    dead: int
    oldest_us: int | None
    groups: int
    receivers: int
    trouble: str | None
    is_running: bool


class Notifier:
    """The follower of one installation; `tick` is one look, which tests call themselves."""

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        outbox: Outbox,
        origin: str,
        transport: Transport,
        ports: NotifyPorts,
        patience: Patience | None = None,
    ) -> None:
        self.outbox = outbox
        self._projection = projection
        self._commands = commands
        self._origin = origin
        self._ports = ports
        self._tools = Tools(
            outbox=outbox,
            send=transport.deliver,
            record=self.record,
            raise_alarms=ports.raise_alarms,
            now_us=ports.now_us,
            patience=patience or Patience(first_s=1.0),
        )
        self._routing: Kept[str, tuple[str, Routing]] = Kept(projection, lambda connection, _: load_routing(connection))
        self._planner = Planner(origin, outbox.groups(), outbox.place())
        self._couriers: dict[str, Courier] = {}  # the notifier's own thread only, but for the end
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen_version = -1
        self._trouble: tuple[str, int] | None = None  # what is wrong, and since when

    @contextmanager
    def running(self) -> Iterator[None]:
        """Notify while the context lasts; at its end no receiver is waited for long."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._stopping.set()
            self._wake.set()
            self._thread.join(STOP_S)
            self._thread = None
            _stop(list(self._couriers.values()))
            self._couriers.clear()

    def wake(self) -> None:
        """Let it look at once, and every courier too."""
        self._seen_version = -1
        self._wake.set()
        for courier in list(self._couriers.values()):
            courier.wake()

    def standing(self) -> Standing:
        """Return how notifications do."""
        waiting = self.outbox.waiting()
        with self._projection.engine.connect() as connection:
            receivers = len(all_receivers(connection))
        return Standing(
            waiting=len(waiting),
            dead=len(self.outbox.dead()),
            oldest_us=min((each.made_at for each in waiting), default=None),
            groups=sum(1 for _ in list(self._planner.waiting())),
            receivers=receivers,
            trouble=None if self._trouble is None else self._trouble[0],
            is_running=self._thread is not None and self._thread.is_alive(),
        )

    def record(self, event: Mapping[str, Any]) -> None:
        """Put an event on record: as often as it is told, it is there once."""
        self._commands.run(lambda _: [event])

    def tick(self) -> None:
        """Take up the alerts that changed, and look at the groups whose time has come."""
        while self._look():
            pass
        for name, event in self.outbox.notes():
            # A crash here leaves the note: the same event with the same id is told again, and stands once.
            self.record(msgspec.json.decode(event))
            self.outbox.forget_note(name)

    def _look(self) -> bool:
        """Return whether there is more to take up at once."""
        now = self._ports.now_us()
        digest, routing = self._routing.get("")
        place = self._planner.place
        with self._projection.engine.connect() as connection:
            changed = changed_alerts(connection, place.after if place else -1, CHANGED_MAX)
            due = self._planner.due(now)
            rerouted = place is not None and place.routing != digest
            if not changed and not due and not rerouted and place is not None:
                return False
            world = World(
                now_us=now,
                digest=digest,
                routing=routing,
                receivers=all_receivers(connection),
                silences=all_silences(connection, now),
                changed=self._owned(changed),
                all_open=self._owned(open_alerts(connection)) if due or rerouted or changed else (),
            )
            seen = self._seen(connection, due, world)
        try:
            plan = self._planner.plan(world, seen)
            self.outbox.save(
                plan.touched.values(),
                place=plan.place,
                gone=plan.gone,
                deliveries=plan.deliveries,
                notes=plan.notes,
            )
        except BaseException:
            self._planner = Planner(self._origin, self.outbox.groups(), self.outbox.place())
            raise
        return len(changed) == CHANGED_MAX

    def _seen(self, connection: Connection, due: set[str], world: World) -> dict[str, Seen]:
        """Return the alerts of every group that may be due in this look: those that wait, and those that come in."""
        ids = {alert for group in self._planner.waiting() for alert in group.members} if world.changed else due
        found = find_alerts(connection, sorted(ids))
        owned = {each.id: each for each in self._owned(list(found.values()))}
        return owned | {each.id: each for each in (*world.all_open, *world.changed)}

    def _owned(self, alerts: Sequence[Seen]) -> tuple[Seen, ...]:
        """Return alerts with the owners of their rules."""
        cards = {each.kind: self._ports.card(each.kind, None) for each in alerts}
        owners = {kind: card.owner for kind, card in cards.items() if card is not None}
        return tuple(replace(each, owner=owners.get(each.kind, "")) for each in alerts)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._settle_what_is_open()
                self._follow()
            except (TallystickError, SQLAlchemyError, OSError, ValueError) as error:
                self._note_trouble(error)
                self._stopping.wait(AGAIN_S)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            now, version = self._ports.now_us(), self._projection.version
            next_at = self._planner.next_at()
            if version != self._seen_version or (next_at is not None and next_at <= now):
                self.tick()
                self._seen_version = version
                self._send()
                self._note_well()
            self._wake.wait(LOOK_S)
            self._wake.clear()

    def _settle_what_is_open(self) -> None:
        """Put on record what was sent or given up when the server ended, and go on sending the rest."""
        for each in self.outbox.unrecorded():
            settle(each, self._tools)
        self._send()

    def _send(self) -> None:
        for receiver in {each.receiver for each in self.outbox.waiting()}:
            courier = self._couriers.get(receiver)
            if courier is None:
                courier = self._couriers[receiver] = Courier(receiver, self._tools)
                courier.start()
            courier.wake()

    def _note_trouble(self, error: Exception) -> None:
        said = error.code if isinstance(error, TallystickError) else type(error).__name__
        _telemetry.error("notifications do not go on", error=said)
        if self._trouble is not None:
            return
        self._trouble = (said, self._ports.now_us())
        with suppress(TallystickError, SQLAlchemyError, OSError):
            self._ports.raise_alarms([self._alarm(recovered=False)])

    def _note_well(self) -> None:
        if self._trouble is None:
            return
        self._ports.raise_alarms([self._alarm(recovered=False), self._alarm(recovered=True)])
        self._trouble = None

    def _alarm(self, *, recovered: bool) -> Alarm:
        assert self._trouble is not None
        said, since = self._trouble
        return Alarm(
            kind=STUCK_KIND,
            key=said,
            occasion=f"{since} {recovered}",
            scope=OWN_SCOPE,
            severity="high",
            title="Notifications do not go on",
            sentence="Notifications go on again." if recovered else f"The notifier stopped at an error: {said}.",
            at_us=self._ports.now_us() if recovered else since,
            recovered=recovered,
        )


def _stop(couriers: list[Courier]) -> None:
    for courier in couriers:
        courier.stop()
    until = time.monotonic() + STOP_S
    for courier in couriers:
        courier.join(max(0.0, until - time.monotonic()))
