"""The verbs of senders: register, change, retire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, func, select

from tallystick.access.acts import OWN_SCOPE, Change, Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.access.sources.errors import SourceConflictError, SourceUnknownError
from tallystick.access.sources.figures import Figures
from tallystick.access.sources.limits import check_in_source, check_name, check_source, may_see_source
from tallystick.access.sources.model import Owner, OwnerKind, Source, SourceSettings, Token
from tallystick.access.sources.ports import Counted, Now
from tallystick.access.sources.rows import all_sources, all_tokens, find_source
from tallystick.event.gate import SourceRules
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.store.tables import SOURCE

Edit = Callable[[SourceSettings], SourceSettings]


class SourceService:
    """The senders of one installation; may be used from any thread.

    A source that the caller may not see is answered like one that there is not.
    """

    def __init__(self, projection: Projection, commands: Commands, now: Now, counted: Counted) -> None:
        self._projection = projection
        self._commands = commands
        self._now = now
        self._counted = counted

    def figures(self) -> Mapping[int, Figures]:
        """Return how every sender does, by number; who never sent is not in it. It is for who may see the source."""
        return self._counted.figures()

    def list(self, caller: Caller) -> Sequence[Source]:
        """Return the sources that the caller may see, retired ones too, by number. Raises PermissionMissingError."""
        require(caller, Permission.SOURCES_READ)
        with self._projection.engine.connect() as connection:
            return [source for source in all_sources(connection) if may_see_source(caller, source)]

    def get(self, caller: Caller, name: str) -> Source:
        """Return one source. Raises SourceUnknownError."""
        require(caller, Permission.SOURCES_READ)
        with self._projection.engine.connect() as connection:
            return _visible(connection, caller, name)

    def register(self, caller: Caller, name: str, settings: SourceSettings) -> Source:
        """Give a new sender its number. Raises SourceNameInvalidError, SourceSettingsError, SourceConflictError: a name is
        given once and for ever.
        """
        check_name(name)
        check_source(settings)
        require(caller, Permission.SOURCES_MANAGE, *settings.scopes)
        self._commands.run(lambda connection: self._registration(connection, caller, name, settings))
        return self.get(caller, name)

    def ensure(self, caller: Caller, name: str, settings: SourceSettings) -> Source:
        """Return the source of this name, registered when new. Raises SourceConflictError where the registered one does
        not cover the scopes asked for, or holds the ids of people for facts.
        """
        check_name(name)
        check_source(settings)

        def decide(connection: Connection) -> Sequence[dict[str, Any]]:
            source = find_source(connection, name)
            if source is None:
                require(caller, Permission.SOURCES_MANAGE, *settings.scopes)
                return self._registration(connection, caller, name, settings)
            _visible(connection, caller, name)
            check_in_source(source, settings.scopes)
            if settings.actor_ids == "personal" != source.settings.actor_ids:
                raise SourceConflictError(
                    f"source {name} is registered with opaque actor ids: they stand in the facts",
                    advice="Use another source name for events whose actor ids name people.",
                )
            return []

        self._commands.run(decide)
        return self.get(caller, name)

    def change(self, caller: Caller, name: str, edit: Edit) -> Source:
        """Put `edit` of the settings as they stand in their place; no change is no event.

        It takes the right over the old scopes and the new ones.
        """

        def decide(connection: Connection) -> Sequence[dict[str, Any]]:
            source = self._managed(connection, caller, name)
            settings = edit(source.settings)
            check_source(settings)
            require(caller, Permission.SOURCES_MANAGE, *settings.scopes)
            old, new = describe_settings(source.settings), describe_settings(settings)
            changes = [Change(field, old[field], new[field]) for field in new if old[field] != new[field]]
            if not changes:
                return []
            metadata = {"number": source.number, "name": name, **{each.field: each.new for each in changes}}
            return [self._event(caller, "source.changed", name, settings.scopes, metadata, changes)]

        self._commands.run(decide)
        return self.get(caller, name)

    def retire(self, caller: Caller, name: str) -> Source:
        """End a sender for ever, and all of its tokens with it, at once. Doing it twice does nothing."""

        def decide(connection: Connection) -> Sequence[dict[str, Any]]:
            source = self._managed(connection, caller, name, retired=True)
            if source.retired:
                return []
            now = self._now()
            metadata = {"number": source.number, "name": name}
            retired = self._event(caller, "source.retired", name, source.settings.scopes, metadata)
            tokens = all_tokens(connection, Owner(OwnerKind.SOURCE, name))
            return [retired, *(revocation(caller, token, now) for token in tokens if token.is_in_force(now))]

        self._commands.run(decide)
        return self.get(caller, name)

    def _managed(self, connection: Connection, caller: Caller, name: str, *, retired: bool = False) -> Source:
        source = _visible(connection, caller, name)
        require(caller, Permission.SOURCES_MANAGE, *source.settings.scopes)
        if source.retired and not retired:
            raise SourceConflictError(f"source {name} is retired")
        return source

    def _registration(
        self, connection: Connection, caller: Caller, name: str, settings: SourceSettings
    ) -> Sequence[dict[str, Any]]:
        if find_source(connection, name) is not None:
            raise SourceConflictError(f"there is a source {name} already, or was", advice="Choose another name.")
        number = 1 + (connection.scalar(select(func.max(SOURCE.c.number))) or 0)
        metadata = {"number": number, "name": name, **describe_settings(settings)}
        return [self._event(caller, "source.registered", name, settings.scopes, metadata)]

    def _event(
        self,
        caller: Caller,
        action: str,
        name: str,
        scopes: tuple[str, ...],
        metadata: Mapping[str, Any],
        changes: Sequence[Change] = (),
    ) -> dict[str, Any]:
        scope = event_scope(scopes)
        return act(caller, action, Target("source", name), metadata, self._now(), scope=scope, changes=changes)


def rules_of(source: Source, scopes: tuple[str, ...] | None = None) -> SourceRules:
    """Return what admission must know of a source, for all of its scopes or some."""
    chosen = source.settings.scopes if scopes is None else scopes
    return SourceRules(source.number, source.name, chosen, source.settings.actor_ids, source.settings.strict)


def describe_settings(settings: SourceSettings) -> dict[str, Any]:
    """Return the settings as events and answers show them: everything is written as a slash."""
    return {**asdict(settings), "scopes": [scope or "/" for scope in settings.scopes]}


def event_scope(scopes: tuple[str, ...]) -> str:
    """Return where an event about these scopes is found: in the one, or with the product's own."""
    return (scopes[0] if len(scopes) == 1 else "") or OWN_SCOPE


def revocation(caller: Caller, token: Token, now_us: int) -> dict[str, Any]:
    """Return the event that ends a token."""
    target, scope = Target("token", token.token), event_scope(token.settings.scopes)
    return act(caller, "token.revoked", target, {"token": token.token}, now_us, scope=scope)


def _visible(connection: Connection, caller: Caller, name: str) -> Source:
    source = find_source(connection, name)
    if source is None or not may_see_source(caller, source):
        raise SourceUnknownError(f"there is no source {name[:64]!r}")
    return source
