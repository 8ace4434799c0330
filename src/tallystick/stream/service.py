"""The verbs of destinations; each checks the right itself, and each change is an event."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from tallystick.access.acts import Change, Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.errors import TallystickError
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.follow.register import Register
from tallystick.search.model import Search
from tallystick.search.plan import make_plan
from tallystick.store.secrets import NONCE_BYTES, Secret, Secrets
from tallystick.stream import handlers
from tallystick.stream.errors import (
    DestinationInvalidError,
    DestinationsFullError,
    DestinationStateError,
    DestinationUnknownError,
    SendFailedError,
)
from tallystick.stream.facts import changes_of, facts_of, origin_of, settings_of
from tallystick.stream.model import (
    DESTINATIONS_MAX,
    SECRET_KIND,
    US,
    Destination,
    Letter,
    Maker,
    Sealed,
    Settings,
    Standing,
    State,
)
from tallystick.stream.ports import StreamPorts
from tallystick.stream.probe import probe
from tallystick.stream.room import StreamRoom
from tallystick.stream.rows import all_destinations, find_destination
from tallystick.stream.sender import Sender
from tallystick.stream.settings import check_settings, check_token, parse_url
from tallystick.stream.signing import new_secret

OVERLAP_S: Final = 86_400
OVERLAP_S_MAX: Final = 30 * 86_400
LETTERS_SHOWN: Final = 200
REPLAYED_MAX: Final = 10_000
"""Of one call: an event names them all."""
Edit = Callable[[Settings], Settings]
Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Made:
    """A destination whose secrets are new: for the only time they are here. `token` is for GitLab's receivers, and empty
    where it stays as it was.
    """

    id: str
    signing: str
    token: str


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of a test: `status` is 0 without an answer."""

    delivered: bool
    status: int
    said: str


class StreamService:
    """The destinations of one installation; may be used from any thread.

    One whose scope the caller may not see is answered like one that there is not.
    """

    def __init__(
        self,
        projection: Projection,
        commands: Commands,
        secrets: Secrets,
        register: Register,
        room: StreamRoom,
        ports: StreamPorts,
    ) -> None:
        self._projection = projection
        self._commands = commands
        self._secrets = secrets
        self._register = register
        self._room = room
        self._ports = ports

    def running(self) -> AbstractContextManager[None]:
        """Return the context in which events are sent."""
        return self._room.running()

    def listed(self, caller: Caller) -> list[tuple[Destination, Standing]]:
        """Return the destinations that the caller may see, oldest first, with how each does. The look is recorded."""
        require(caller, Permission.STREAMS_READ)
        self._ports.looked(caller, "streams")
        return self.standings(caller)

    def standings(self, caller: Caller) -> list[tuple[Destination, Standing]]:
        """Return how the destinations do that the caller may see; for figures, which are no look."""
        with self._projection.engine.connect() as connection:
            found = [each for each in all_destinations(connection) if _sees(caller, each)]
        return [(each, self._room.standing(each)) for each in found]

    def get(self, caller: Caller, destination: str) -> tuple[Destination, Standing]:
        """Return one destination. The look is recorded. Raises DestinationUnknownError."""
        require(caller, Permission.STREAMS_READ)
        found = self._get(caller, destination)
        self._ports.looked(caller, "streams")
        return found, self._room.standing(found)

    def letters(self, caller: Caller, destination: str) -> list[Letter]:
        """Return the oldest events that were set aside. Raises DestinationUnknownError."""
        found = self._get(caller, destination)
        return self._room.positions.letters(found.id, LETTERS_SHOWN)

    def create(
        self, caller: Caller, settings: Settings, *, token: str | None = None, from_index: int | None = None
    ) -> Made:
        """Begin to send events, from an index on or from now; the secrets are shown here and never again.

        The destination gets no more than its maker may read now. Raises DestinationInvalidError, AddressRefusedError,
        DestinationsFullError, PermissionMissingError, QueryError, and what asks for a fresh sign-in.
        """
        require(caller, Permission.STREAMS_MANAGE, settings.scope)
        self._ports.require_fresh(caller)
        self._check(settings)
        if token is not None:
            check_token(token)
        made = Made(f"s-{randomness.token_hex(6)}", new_secret(), token or randomness.token_hex(12))
        sealed = Sealed((made.signing,), made.token, parse_url(settings.url).query, dict(settings.headers))
        record = _sealed(sealed)

        def decide(connection: Connection) -> Events:
            if sum(each.state is not State.ENDING for each in all_destinations(connection)) >= DESTINATIONS_MAX:
                raise DestinationsFullError(f"there are {DESTINATIONS_MAX} destinations already")
            rights = self._rights(connection, caller, settings)
            metadata = {**facts_of(made.id, settings, rights, record), "from_index": self._from(from_index)}
            changes = [Change("query", None, settings.query)] if settings.query else []
            return [self._event(caller, handlers.CREATED, made.id, settings.name, settings.scope, metadata, changes)]

        self._keep(record, decide)
        return made

    def change(self, caller: Caller, destination: str, edit: Edit, *, headers: bool = False) -> None:
        """Put `edit` of the settings in their place for events from now on; no change is no event.

        The settings that `edit` sees have no header values and no query in the URL: what of these stays as it was is
        kept, and `headers` says that they are replaced. Whoever changes a destination grants what it gets from then on.
        Raises what `create` raises, and DestinationUnknownError, DestinationStateError.
        """
        require(caller, Permission.STREAMS_MANAGE)
        self._ports.require_fresh(caller)
        before = self._managed(self._get(caller, destination), caller)
        wanted = edit(settings_of(before))
        self._check(wanted)
        old = self._room.unseal(before.now)
        moved = wanted.url != before.now.url
        if old.headers and not headers and origin_of(wanted.url) != origin_of(before.now.url):
            # Nobody reads their values again, also not by having them sent to a place of her own.
            raise DestinationInvalidError("for another host, give the headers anew", pointer="/headers")
        sealed = msgspec.structs.replace(
            old,
            url_query=parse_url(wanted.url).query if moved else old.url_query,
            headers=dict(wanted.headers) if headers else old.headers,
        )
        record = None if sealed == old else _sealed(sealed)

        def decide(connection: Connection) -> Events:
            found = self._managed(_visible(connection, caller, destination), caller)
            if found.now != before.now or found.name != before.name:
                raise DestinationStateError("somebody changed this destination meanwhile")
            changes = changes_of(settings_of(found), wanted, headers=headers and record is not None)
            if found.now.query is None and all(each.field != "query" for each in changes):
                changes.append(Change("query", None, wanted.query))  # what was asked for is erased: say it anew
            if not changes:
                return []
            require(caller, Permission.STREAMS_MANAGE, wanted.scope)
            rights = self._rights(connection, caller, wanted)
            kept = {"secret": found.now.secret, "digest": found.now.digest}
            names = {} if headers else {"header_names": list(found.now.header_names)}
            facts = {**facts_of(found.id, wanted, rights, record), **({} if record else kept), **names}
            metadata = {**facts, "changed": [each.field for each in changes]}
            return [self._event(caller, handlers.CHANGED, found.id, wanted.name, wanted.scope, metadata, changes)]

        self._keep(record, decide)

    def rotate(self, caller: Caller, destination: str, overlap_s: int = OVERLAP_S) -> Made:
        """Return a new signing secret; both sign until the overlap ends, so that a receiver may hold either."""
        require(caller, Permission.STREAMS_MANAGE)
        self._ports.require_fresh(caller)
        if not 0 <= overlap_s <= OVERLAP_S_MAX:
            raise DestinationInvalidError(f"an overlap has 0 to {OVERLAP_S_MAX:,} seconds", pointer="/overlap_s")
        before = self._managed(self._get(caller, destination), caller)
        old, now = self._room.unseal(before.now), self._ports.now_us()
        if now < old.overlap_until:
            raise DestinationStateError("the secret is being rotated; wait until the overlap has ended")
        made = Made(before.id, new_secret(), "")
        both = (made.signing, old.signing[0])
        record = _sealed(msgspec.structs.replace(old, signing=both, overlap_until=now + overlap_s * US))

        def decide(connection: Connection) -> Events:
            found = self._managed(_visible(connection, caller, destination), caller)
            if found.now != before.now:
                raise DestinationStateError("somebody changed this destination meanwhile")
            metadata = {
                "destination": found.id,
                "overlap_s": overlap_s,
                "secret": record.name,
                "digest": record.digest,
            }
            return [self._event(caller, handlers.ROTATED, found.id, found.name, found.now.scope, metadata)]

        self._keep(record, decide)
        return made

    def pause(self, caller: Caller, destination: str) -> None:
        """Send nothing that is recorded after this; nothing is lost. Doing it twice does nothing."""
        self._turn(caller, destination, handlers.PAUSED, State.PAUSED)

    def resume(self, caller: Caller, destination: str) -> None:
        """Go on where the destination was paused. Doing it twice does nothing."""
        self._turn(caller, destination, handlers.RESUMED, State.ACTIVE)
        self._room.wake(destination)

    def backfill(self, caller: Caller, destination: str, from_index: int) -> None:
        """Send again everything from an index on that the present settings ask for, once all before was delivered.

        Raises DestinationStateError while an earlier one waits, and what `change` raises.
        """
        require(caller, Permission.STREAMS_MANAGE)
        self._ports.require_fresh(caller)

        def decide(connection: Connection) -> Events:
            found = self._managed(_visible(connection, caller, destination), caller)
            self._rights(connection, caller, settings_of(found))
            if found.rewind_index > self._room.standing(found).position.rewound_index:
                raise DestinationStateError("a back-fill waits already, until everything before it is delivered")
            metadata = {"destination": found.id, "from_index": self._from(from_index)}
            return [self._event(caller, handlers.BACKFILL, found.id, found.name, found.now.scope, metadata)]

        self._run(decide)

    def test(self, caller: Caller, destination: str) -> Tested:
        """Send one request that holds no event, and say what came of it; it is on record."""
        require(caller, Permission.STREAMS_MANAGE)
        found = self._managed(self._get(caller, destination), caller)
        tested = Tested(*probe(found, self._room.endpoint(found, found.now), self._ports.now_us()))
        metadata = {"destination": found.id, "status": tested.status}
        outcome = "success" if tested.delivered else "failure"
        event = self._event(caller, handlers.TESTED, found.id, found.name, found.now.scope, metadata)
        self._ports.append({**event, "outcome": outcome, "reason": tested.said})
        return tested

    def replay(self, caller: Caller, destination: str, index: int | None = None) -> int:
        """Send again what was set aside: one event, or all of them, of which the oldest `REPLAYED_MAX` at a time.

        Returns how many. It is on record.
        """
        require(caller, Permission.STREAMS_MANAGE)
        chosen: list[Letter] = []

        def decide(connection: Connection) -> Events:
            found = self._managed(_visible(connection, caller, destination), caller)
            chosen[:] = self._room.positions.letters(found.id, REPLAYED_MAX, index)
            if not chosen:
                return []
            metadata = {"destination": found.id, "indexes": [each.index for each in chosen]}
            return [self._event(caller, handlers.REPLAYED, found.id, found.name, found.now.scope, metadata)]

        self._run(decide)
        # A crash here leaves them set aside: whoever asked sees that, and asks again.
        self._room.positions.put(destination, [msgspec.structs.replace(each, replaying=True) for each in chosen])
        self._room.wake(destination)
        return len(chosen)

    def delete(self, caller: Caller, destination: str) -> None:
        """End a destination: it gets what it is due so far, this event last, and is gone. Its secrets are forgotten."""
        require(caller, Permission.STREAMS_MANAGE)
        self._ports.require_fresh(caller)

        def decide(connection: Connection) -> Events:
            found = self._managed(_visible(connection, caller, destination), caller)
            metadata = {"destination": found.id}
            return [self._event(caller, handlers.DELETED, found.id, found.name, found.now.scope, metadata)]

        self._run(decide)
        self._room.wake(destination)

    def _turn(self, caller: Caller, destination: str, action: str, state: State) -> None:
        require(caller, Permission.STREAMS_MANAGE)

        def decide(connection: Connection) -> Events:
            found = self._managed(_visible(connection, caller, destination), caller)
            if found.state is state:
                return []
            metadata = {"destination": found.id}
            return [self._event(caller, action, found.id, found.name, found.now.scope, metadata)]

        self._run(decide)

    def _check(self, settings: Settings) -> None:
        """Raise unless the settings are good in themselves; a name that leads where nothing may be sent is refused."""
        check_settings(settings)
        parts = parse_url(settings.url)
        if parts.scheme == "http" and not self._room.networks:
            raise DestinationInvalidError("events are sent over https only", pointer="/url")
        try:
            Sender(settings.url, self._room.networks).check()
        except SendFailedError:
            return  # it cannot be looked up now; it is checked again each time that it is connected to

    def _rights(self, connection: Connection, caller: Caller, settings: Settings) -> Mapping[str, tuple[str, ...]]:
        """Return what a destination may read: what is asked for, where the caller holds all of it for good."""
        lasting = replace(caller, rights=self._ports.lasting(connection, caller))
        asked = [Permission.EVENTS_READ]
        if settings.personal:
            if caller.type == "service":
                raise DestinationInvalidError("only a person can grant personal data", pointer="/personal")
            asked.append(Permission.EVENTS_READ_PERSONAL)
        if settings.reading:
            asked.append(Permission.READING_READ)
        for permission in asked:
            require(lasting, permission, settings.scope)
        rights = {permission.value: (settings.scope,) for permission in asked}
        search = Search(text=settings.query, scope=settings.scope or None, reading=settings.reading)
        make_plan(search, Maker("destination", "service", rights), self._register, self._ports.now_us())
        return rights

    def _from(self, index: int | None) -> int | None:
        if index is not None and not 0 <= index <= self._room.size:
            raise DestinationInvalidError(f"the log has {self._room.size:,} events", pointer="/from_index")
        return index

    def _get(self, caller: Caller, destination: str) -> Destination:
        with self._projection.engine.connect() as connection:
            return _visible(connection, caller, destination)

    @staticmethod
    def _managed(found: Destination, caller: Caller) -> Destination:
        require(caller, Permission.STREAMS_MANAGE, found.now.scope)
        if found.state in {State.ENDING, State.ENDED}:
            raise DestinationStateError("this destination is deleted")
        return found

    def _event(
        self,
        caller: Caller,
        action: str,
        destination: str,
        name: str | None,
        scope: str,
        metadata: Mapping[str, Any],
        changes: Sequence[Change] = (),
    ) -> dict[str, Any]:
        target = Target("destination", destination, name)
        return act(caller, action, target, metadata, self._ports.now_us(), scope=scope, changes=changes)

    def _run(self, decide: Callable[[Connection], Events]) -> None:
        self._commands.run(decide)
        self._room.refresh()

    def _keep(self, record: Secret | None, decide: Callable[[Connection], Events]) -> None:
        # A crash after this leaves a record that no event names: nothing is ever sent with it.
        if record is not None:
            self._secrets.save(record)
        try:
            self._run(decide)
        except TallystickError:
            if record is not None:
                self._secrets.delete(SECRET_KIND, record.name)
            raise


def _sealed(sealed: Sealed) -> Secret:
    name = randomness.token_hex(8)
    return Secret(SECRET_KIND, name, randomness.token_bytes(NONCE_BYTES), msgspec.json.encode(sealed))


def _sees(caller: Caller, destination: Destination) -> bool:
    return caller.rights.allows(Permission.STREAMS_READ, destination.now.scope)


def _visible(connection: Connection, caller: Caller, destination: str) -> Destination:
    found = find_destination(connection, destination)
    if found is None or not _sees(caller, found):
        raise DestinationUnknownError(f"there is no destination {destination[:32]!r}")
    return found
