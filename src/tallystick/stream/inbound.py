"""GitLab's audit events coming in: who may send them, and turning each into one of ours.

GitLab names itself by the verification token that its destination shows. It is kept as a hash and counts for one
source only; every event of it gets an id made from GitLab's own, so that a repeat is known as one.
"""

from __future__ import annotations

import hmac
import secrets as randomness
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from tallystick.access.acts import Target, act
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.access.sources.errors import SourceUnknownError
from tallystick.access.sources.limits import may_see_source
from tallystick.access.sources.model import Source
from tallystick.errors import TallystickError
from tallystick.event.gate import SourceRules
from tallystick.event.identifier import is_within
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.intake.json_text import RecordSyntaxError, parse_whole
from tallystick.intake.mapping import EventMap, Mapped
from tallystick.intake.mapping_parse import load_map
from tallystick.store.secrets import NONCE_BYTES, Secret, Secrets, hash_secret
from tallystick.store.tables.streams import GITLAB_SENDER
from tallystick.stream.errors import GitlabBodyError, GitlabTokenError
from tallystick.stream.handlers import GITLAB_REMOVED, GITLAB_SET
from tallystick.stream.ports import StreamPorts
from tallystick.stream.settings import check_token

KIND: Final = "gitlab"
"""Of the hashes in `secrets.db`."""


@dataclass(frozen=True, slots=True)
class GitlabSender:
    """A source that a GitLab sends as; `set_at` is in microseconds since 1970."""

    source: str
    set_at: int
    set_by: str


class GitlabService:
    """Who sends GitLab's events here; may be used from any thread."""

    def __init__(self, projection: Projection, commands: Commands, secrets: Secrets, ports: StreamPorts) -> None:
        self._projection = projection
        self._commands = commands
        self._secrets = secrets
        self._ports = ports

    def find(self, caller: Caller, source: str) -> GitlabSender | None:
        """Return whether a GitLab sends as this source. Raises SourceUnknownError."""
        require(caller, Permission.SOURCES_READ)
        self._source(caller, source)
        row = self._row(source)
        return None if row is None else GitlabSender(row.source, row.set_at, row.set_by)

    def set_token(self, caller: Caller, source: str, token: str) -> None:
        """Take events that come with this verification token as events of the source, in place of an older token.

        Raises SourceUnknownError, DestinationInvalidError, and what asks for a fresh sign-in.
        """
        found = self._managed(caller, source)
        check_token(token)
        nonce, name = randomness.token_bytes(NONCE_BYTES), randomness.token_hex(8)
        record = Secret(KIND, name, nonce, hash_secret(nonce, token))
        before = None

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            nonlocal before
            # Looked up here: of two who set a token at once the second replaces the first one's, and forgets it.
            before = _row(connection, source)
            metadata = {"source": found.name, "secret": name, "digest": record.digest}
            return [self._event(caller, GITLAB_SET, found, metadata)]

        # A crash after this leaves a hash without an event: it opens nothing.
        self._secrets.save(record)
        try:
            self._commands.run(decide)
        except TallystickError:
            self._secrets.delete(KIND, name)
            raise
        if before is not None:
            self._secrets.delete(KIND, before.secret)

    def remove_token(self, caller: Caller, source: str) -> None:
        """Refuse what comes with the token from now on; doing it twice does nothing."""
        found = self._managed(caller, source)
        before = None

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            nonlocal before
            before = _row(connection, source)
            return [self._event(caller, GITLAB_REMOVED, found, {"source": found.name})] if before is not None else []

        self._commands.run(decide)
        if before is not None:
            self._secrets.delete(KIND, before.secret)

    def authenticate(self, source: str, token: str | None) -> SourceRules:
        """Return the rules of the source that a request with this token comes from. Raises GitlabTokenError.

        A source that is not there answers like one whose token is another.
        """
        row = self._row(source)
        record = None if row is None else self._secrets.find(KIND, row.secret)
        found = self._ports.source(source)
        if row is None or record is None or record.digest != row.digest or found is None or found.retired:
            raise GitlabTokenError("this is not the verification token of a source here")
        if not token or not hmac.compare_digest(record.record, hash_secret(record.nonce, token)):
            raise GitlabTokenError("this is not the verification token of a source here")
        settings = found.settings
        return SourceRules(found.number, found.name, settings.scopes, settings.actor_ids, settings.strict)

    def _row(self, source: str) -> Any:
        with self._projection.engine.connect() as connection:
            return _row(connection, source)

    def _source(self, caller: Caller, name: str) -> Source:
        found = self._ports.source(name)
        if found is None or not may_see_source(caller, found):
            raise SourceUnknownError(f"there is no source {name[:64]!r}")
        return found

    def _managed(self, caller: Caller, name: str) -> Source:
        require(caller, Permission.SOURCES_MANAGE)
        found = self._source(caller, name)
        require(caller, Permission.SOURCES_MANAGE, *found.settings.scopes)
        self._ports.require_fresh(caller)
        return found

    def _event(self, caller: Caller, action: str, source: Source, metadata: Mapping[str, Any]) -> dict[str, Any]:
        scopes = source.settings.scopes
        target, scope = Target("source", source.name), scopes[0] if len(scopes) == 1 else ""
        return act(caller, action, target, metadata, self._ports.now_us(), scope=scope)


def _row(connection: Connection, source: str) -> Any:
    return connection.execute(select(GITLAB_SENDER).where(GITLAB_SENDER.c.source == source[:64])).first()


def map_gitlab(body: bytes, source: SourceRules) -> Mapped:
    """Return the event that a request of GitLab's holds, whatever content type it declares. Raises GitlabBodyError,
    UnmappableError.
    """
    try:
        record = parse_whole(body.decode(), exact=True)
    except (UnicodeDecodeError, RecordSyntaxError) as error:
        raise GitlabBodyError(f"the body is not one JSON object: {error}") from error
    if not isinstance(record, dict):
        raise GitlabBodyError("the body is not one JSON object")
    try:
        msgspec.json.encode(record)
    except UnicodeEncodeError as error:
        raise GitlabBodyError("a text holds half a character (a lone surrogate)") from error
    mapped = _map().apply(record, body, source=source.name, scope="")
    assert mapped is not None, "the map of GitLab skips nothing"
    if any(is_within(mapped.event["scope"], scope) for scope in source.scopes):
        return mapped
    # It lies outside what the source may record: so it is put below that, where nobody takes it for anything else.
    below = _map().apply(record, body, source=source.name, scope=source.scopes[0])
    assert below is not None
    return below


def with_id(mapped: Mapped, event_id: str | None = None) -> bytes:
    """Return the event as it is recorded, under another id where one is given."""
    return msgspec.json.encode(mapped.event if event_id is None else {**mapped.event, "id": event_id})


@cache
def _map() -> EventMap:
    return load_map("gitlab")
