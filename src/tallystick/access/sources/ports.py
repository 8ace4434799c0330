"""What tokens need to know of people, met by whoever keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.rights import Rights
from tallystick.access.sources.figures import Figures


@dataclass(frozen=True, slots=True)
class Standing:
    """A person who may come in, as of now. `aliases` are the ids and addresses by which events name them."""

    name: str
    rights: Rights
    aliases: frozenset[str] = field(default_factory=frozenset)


class RightsOf(Protocol):
    """Says what a person may do at a time; the rights of the same moment are the same object, so that they can be
    compared at no cost.
    """

    def __call__(self, person: str, now_us: int, /) -> Standing | None:
        """Return the person's standing, or None for one who is unknown, disabled or gone."""
        ...


class Lasting(Protocol):
    """Says what of a caller's rights is there for longer than an emergency."""

    def __call__(self, connection: Connection, caller: Caller, until_us: int | None = ..., /) -> Rights:
        """Return the caller's rights without those that come from a broken glass alone; with a time only those that hold
        until then.
        """
        ...


class Now(Protocol):
    """The time that decisions and expiries go by: never before the newest event in the log."""

    def __call__(self) -> int:
        """Return microseconds since 1970."""
        ...


class Counted(Protocol):
    """What is counted of each sender."""

    def figures(self) -> Mapping[int, Figures]:
        """Return the figures of each source that ever sent, by number, as far as they are counted."""
        ...
