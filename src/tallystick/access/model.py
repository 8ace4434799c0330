"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.event.gate import SourceRules

Door = Literal["page", "api", "command-line"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was authenticated. It meets `search.ports.Caller`.

    `id` and `type` are what stands as the actor of the events that the caller causes; `name` is for people to read.
    `aliases` are the ids and e-mail addresses by which events name this person as an actor. `write` is None for who may
    not send. `session` and `token` name what the caller came with, where there is one.
    """

    id: str
    type: Literal["user", "service", "system"]
    name: str
    rights: Rights
    address: str
    via: Door
    write: SourceRules | None = None
    session: str | None = None
    token: str | None = None
    aliases: frozenset[str] = field(default_factory=frozenset)

    @property
    def read_scopes(self) -> tuple[str, ...]:
        """Scopes whose events may be read; the empty one is everything, none at all is nothing."""
        return self.rights.scopes(Permission.EVENTS_READ)

    @property
    def personal_scopes(self) -> tuple[str, ...]:
        """Scopes whose personal data may be searched and shown."""
        return self.rights.scopes(Permission.EVENTS_READ_PERSONAL)

    @property
    def own_scopes(self) -> tuple[str, ...]:
        """Scopes in which the caller's own events may be read: a person's, since anybody may name a service as she likes."""
        return self.rights.scopes(Permission.EVENTS_READ_OWN) if self.type == "user" else ()

    @property
    def reading_scopes(self) -> tuple[str, ...]:
        """Scopes of which it may be read who read what."""
        return self.rights.scopes(Permission.READING_READ)

    @property
    def export_scopes(self) -> tuple[str, ...]:
        """Scopes whose events may be taken away as files."""
        return self.rights.scopes(Permission.EVENTS_EXPORT)

    @property
    def proof_scopes(self) -> tuple[str, ...]:
        """Scopes whose events may be disclosed with their proofs."""
        return self.rights.scopes(Permission.PROOFS_READ)
